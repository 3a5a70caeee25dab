//! A strict stand-in for the data catalog of AWS Glue, call by call: JSON in, JSON out, no network.
//!
//! It refuses what Glue refuses and other stand-ins accept: an old version, batches that are too long,
//! columns that repeat or have no type, names and comments that are too long. It also refuses an update
//! without a version, which Glue accepts. It records a history of each table: the number of versions,
//! how many were archived, and whether an update did more than append.

mod checks;
mod history;
mod partitions;
mod tables;

pub use history::TableHistory;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code, as in `EntityNotFoundException`.
    pub code: &'static str,
    /// The message for people.
    pub message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidInputException", message)
    }

    fn missing(what: &str) -> Self {
        Self::new("EntityNotFoundException", format!("{what} not found"))
    }

    fn exists(what: &str) -> Self {
        Self::new("AlreadyExistsException", format!("{what} already exists"))
    }

    /// The error of a refused item of a batch.
    fn detail(&self) -> Value {
        json!({"ErrorCode": self.code, "ErrorMessage": self.message})
    }

    /// The body of the HTTP response.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({"__type": self.code, "Message": self.message})
    }
}

/// The result of a call.
pub type Answer = Result<Value, Refusal>;

/// Decides, by operation and value, which items of a batch are refused, and with which code.
pub type ItemHook = Box<dyn FnMut(&str, &str) -> Option<&'static str> + Send>;

/// One database. Clones share it, like functions that share a catalog.
#[derive(Clone)]
pub struct Glue {
    state: Arc<Mutex<State>>,
}

struct State {
    database: String,
    tables: BTreeMap<String, Table>,
    counts: BTreeMap<String, usize>,
    items: ItemHook,
}

struct Table {
    /// The input of `CreateTable` or the last `UpdateTable`.
    input: Value,
    version: u64,
    partitions: BTreeMap<Vec<String>, Value>,
    history: TableHistory,
}

impl std::fmt::Debug for Glue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Glue").finish_non_exhaustive()
    }
}

impl Glue {
    /// An empty database.
    #[must_use]
    pub fn new(database: &str) -> Self {
        let state = State {
            database: database.to_owned(),
            tables: BTreeMap::new(),
            counts: BTreeMap::new(),
            items: Box::new(|_, _| None),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Runs a call, such as `GetTable`.
    pub fn call(&self, operation: &str, request: &Value) -> Answer {
        let mut state = self.lock();
        *state.counts.entry(operation.to_owned()).or_default() += 1;
        if request["DatabaseName"] != state.database {
            return Err(Refusal::missing("Database"));
        }
        match operation {
            "GetTables" => Ok(state.get_tables(request)),
            "GetTable" => state.get_table(request),
            "CreateTable" => state.create_table(request),
            "UpdateTable" => state.update_table(request),
            "DeleteTable" => state.delete_table(request),
            "GetPartitions" => state.get_partitions(request),
            "GetPartition" => state.get_partition(request),
            "BatchGetPartition" => state.batch_get_partition(request),
            "BatchCreatePartition" => state.batch_create_partition(request),
            "BatchUpdatePartition" => state.batch_update_partition(request),
            "BatchDeletePartition" => state.batch_delete_partition(request),
            "DeletePartition" => state.delete_partition(request),
            _ => Err(Refusal::new("UnknownOperationException", operation)),
        }
    }

    /// How often each operation was called.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.lock().counts.clone()
    }

    /// Selects the batch items that fail.
    pub fn refuse_items(
        &self,
        hook: impl FnMut(&str, &str) -> Option<&'static str> + Send + 'static,
    ) {
        self.lock().items = Box::new(hook);
    }

    /// The history of a table; all zero if it does not exist.
    #[must_use]
    pub fn history(&self, table: &str) -> TableHistory {
        self.lock().tables.get(table).map(|table| table.history.clone()).unwrap_or_default()
    }

    /// Somebody else changes a table: its `TableInput`, without the knowledge of its readers.
    pub fn edit(&self, table: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.lock();
        let table = state.tables.get_mut(table).expect("the table is there");
        change(&mut table.input);
        table.version += 1;
    }

    /// Somebody else changes a partition: its `PartitionInput`.
    pub fn edit_partition(&self, table: &str, value: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.lock();
        let table = state.tables.get_mut(table).expect("the table is there");
        change(table.partitions.get_mut(&[value.to_owned()][..]).expect("the partition is there"));
    }

    /// The current table, as `TableInput` would have it.
    #[must_use]
    pub fn input(&self, table: &str) -> Option<Value> {
        self.lock().tables.get(table).map(|table| table.input.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn table(&mut self, request: &Value, field: &str) -> Result<&mut Table, Refusal> {
        let name = request[field].as_str().unwrap_or_default().to_lowercase();
        self.tables.get_mut(&name).ok_or_else(|| Refusal::missing("Table"))
    }
}

/// The part of a list for a page, and the token of the next page.
fn page(all: Vec<Value>, request: &Value, size: usize) -> (Vec<Value>, Option<String>) {
    let start = request["NextToken"].as_str().and_then(|t| t.parse().ok()).unwrap_or(0_usize);
    let asked = request["MaxResults"].as_u64().and_then(|n| usize::try_from(n).ok());
    let end = start + asked.unwrap_or(size).min(size);
    let next = (end < all.len()).then(|| end.to_string());
    (all.into_iter().skip(start).take(end - start).collect(), next)
}
