//! The whole report of a run. An answer has a bound; this has none.

use super::{RunLog, RunsError};
use crate::commit::put_once;
use crate::hash;
use bytes::Bytes;
use mixlake_domain::Date;

/// Keeps the report of a run that ended on this date (in UTC). Returns its key. The object is named by its
/// content, so it is written once.
pub async fn keep_report(
    log: &RunLog<'_>,
    document: Bytes,
    date: Date,
) -> Result<String, RunsError> {
    let hash = hash::content(&document);
    let key = log.layout.report(date, &hash);
    if put_once(log.store, &key, &document, &hash).await? {
        Ok(key)
    } else {
        Err(RunsError::Occupied(log.store.location(&key)))
    }
}
