//! The use case *status*: what the documents of a lake say of its slices and its dates. It changes nothing.
//!
//! Ledgers say which slices are published. The table of runs says why a slice failed; the query budget says
//! how many queries were started. A document that cannot be read is told, and the rest is told without it.

mod slices;
mod timeline;

pub use slices::{FailedSlice, LakeStatus, ProfilesStatus};
pub use timeline::{Day, Timeline};

use crate::document::DocumentError;
use crate::ledger::Ledger;
use crate::ports::{ObjectMeta, ObjectStore, StoreError};
use futures::stream::{self, StreamExt};
use mixlake_domain::{Dataset, Date, Layout, ProjectId};
use mixlake_schema::Registry;
use serde::Serialize;
use std::collections::BTreeMap;

/// A lake whose documents are read.
#[derive(Clone, Copy)]
pub struct Inspector<'a> {
    /// The store.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
}

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadDocument {
    /// Its key.
    pub key: String,
    /// What is wrong.
    pub error: String,
}

/// What the registry says of the slices of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The zone whose days and hours they are; none before the first slice.
    pub zone: Option<String>,
    /// The first date of slices of ingestion, if there are any.
    pub ingestion_start: Option<Date>,
}

/// How many documents are read at the same time.
const IN_FLIGHT: usize = 8;

/// The ledgers of a lake by date, and those that cannot be read.
type Ledgers = (BTreeMap<Date, Ledger>, Vec<UnreadDocument>);

impl Inspector<'_> {
    /// What the registry says of the slices.
    pub async fn calendar(
        &self,
        project: &ProjectId,
    ) -> Result<Result<Calendar, UnreadDocument>, StoreError> {
        let key = self.layout.registry(Dataset::Events);
        let Some(object) = self.store.get(&key).await? else {
            return Ok(Ok(Calendar { zone: None, ingestion_start: None }));
        };
        Ok(match Registry::from_document(&object.body, project) {
            Ok(registry) => Ok(Calendar {
                zone: registry.zone().map(str::to_owned),
                ingestion_start: registry.ingestion_start(),
            }),
            Err(error) => Err(UnreadDocument { key, error: crate::chain(&error) }),
        })
    }

    /// Reads the ledgers among these objects.
    async fn ledgers(&self, objects: &[ObjectMeta]) -> Result<Ledgers, StoreError> {
        let dates: Vec<Date> =
            objects.iter().filter_map(|object| self.layout.date_of_ledger(&object.key)).collect();
        let read =
            |date: Date| async move { (date, Ledger::read(self.store, self.layout, date).await) };
        let all: Vec<_> = stream::iter(dates).map(read).buffered(IN_FLIGHT).collect().await;
        let (mut ledgers, mut unread) = (BTreeMap::new(), Vec::new());
        for (date, read) in all {
            match readable(read, &self.layout.ledger(date))? {
                Ok(read) => drop(ledgers.insert(date, read.value.unwrap_or_default())),
                Err(document) => unread.push(document),
            }
        }
        Ok((ledgers, unread))
    }
}

/// A document, or why it cannot be read. A store that fails ends the work.
fn readable<T>(
    read: Result<T, DocumentError>,
    key: &str,
) -> Result<Result<T, UnreadDocument>, StoreError> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(DocumentError::Store(error)) => Err(error),
        Err(error @ (DocumentError::Malformed { .. } | DocumentError::Misplaced { .. })) => {
            Ok(Err(UnreadDocument { key: key.to_owned(), error: crate::chain(&error) }))
        }
    }
}
