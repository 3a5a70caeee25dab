//! A data file, and the notes in its footer.

use crate::deduplication::identities::Identities;
use crate::files::context::Context;
use crate::rows::rows_hash::RowsHash;
use crate::transformation::subject::Subject;
use bytes::Bytes;
use foldhash::HashSet;
use mixlake_domain::{DataFormat, Date};
use mixlake_schema::Registry;
use parquet::file::metadata::KeyValue;
use std::collections::BTreeMap;

/// A file of one day of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The table.
    pub table: String,
    /// The value of the partition; of profiles, the date that was given.
    pub date: Date,
    /// How its rows lie in it.
    pub format: DataFormat,
    /// Counts from 0 within slice, table and date.
    pub part: usize,
    /// The number of rows.
    pub rows: u64,
    /// Which rows these are, whatever the bytes are.
    pub rows_hash: RowsHash,
    /// The names of the columns, in order.
    pub columns: Vec<String>,
    /// The file.
    pub bytes: Bytes,
    /// The identities of those of its rows that other slices may have too.
    pub identities: Option<Identities>,
}

/// The notes of a file. `parquet/file.rs` adds its columns.
pub(crate) fn metadata(
    context: &Context<'_>,
    table: &str,
    (rows, rows_hash): (u64, RowsHash),
    events: HashSet<u32>,
) -> Vec<KeyValue> {
    let mut pairs = vec![
        pair("project", context.options.project.to_string()),
        pair("table", table.to_owned()),
        pair("rows", rows.to_string()),
        pair("rows_hash", rows_hash.to_string()),
        pair("version", context.options.version.to_owned()),
    ];
    if let Some(slice) = context.subject.slice() {
        pairs.insert(2, pair("slice", slice.label().to_string()));
    }
    let mut events: Vec<u32> = events.into_iter().collect();
    events.sort_unstable();
    let mut names = events.into_iter().map(|event| &context.registry.events()[event as usize]);
    match context.subject {
        Subject::Events(_) => {
            // In the order of the registry, which is a part of what files say.
            let names: Vec<String> = names.map(|n| member(&n.event, &n.name)).collect();
            pairs.push(pair("events", format!("{{{}}}", names.join(","))));
        }
        // Each event has a table of its own.
        Subject::EachEvent(_) => {
            pairs.extend(names.next().map(|n| pair("event", n.event.clone())));
        }
        Subject::Profiles(..) => {}
    }
    pairs
}

/// The note of the events of several files, from the notes of each; none if no file has one. They are in the
/// order of the registry.
pub(crate) fn event_notes<'a>(
    files: impl Iterator<Item = &'a String>,
    registry: &Registry,
) -> Option<KeyValue> {
    let mut all: Option<BTreeMap<String, String>> = None;
    for events in files {
        // A note that is no list of names says nothing; the registry has the names of all events.
        let events: BTreeMap<String, String> = serde_json::from_str(events).unwrap_or_default();
        all.get_or_insert_default().extend(events);
    }
    let mut all: Vec<(String, String)> = all?.into_iter().collect();
    let number = |event: &str| registry.events().iter().position(|known| known.event == event);
    all.sort_by_cached_key(|(event, _)| number(event).unwrap_or(usize::MAX));
    let names: Vec<String> = all.iter().map(|(event, name)| member(event, name)).collect();
    Some(pair("events", format!("{{{}}}", names.join(","))))
}

/// A note of a file under a name of Mixlake.
pub(crate) fn pair(key: &str, value: String) -> KeyValue {
    KeyValue::new(format!("mixlake.{key}"), value)
}

/// A member of a JSON object.
fn member(key: &str, value: &str) -> String {
    format!("{}:{}", serde_json::Value::from(key), serde_json::Value::from(value))
}
