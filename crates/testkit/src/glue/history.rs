//! The history of a table, for tests.

use serde_json::Value;

/// The changes of a table by its callers; those of [`super::Glue::edit`] do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableHistory {
    /// The number of versions, including the first.
    pub versions: u64,
    /// The number of versions kept in addition to the current one.
    pub archived: u64,
    /// Updates that changed nothing.
    pub needless: u64,
    /// Updates that did more than append columns.
    pub rewritten: u64,
    /// The columns that each change added: names in order.
    pub brought: Vec<Vec<String>>,
}

impl TableHistory {
    pub(super) fn created(&mut self, input: &Value) {
        self.versions = 1;
        self.brought.push(names(input));
    }

    pub(super) fn updated(&mut self, before: &Value, after: &Value, archived: bool) {
        self.versions += 1;
        self.archived += u64::from(archived);
        self.needless += u64::from(before == after);
        let (old, new) = (columns(before), columns(after));
        if new.starts_with(old) {
            self.brought.push(names(after).split_off(old.len()));
        } else {
            self.rewritten += 1;
        }
    }
}

pub(super) fn columns(input: &Value) -> &[Value] {
    input["StorageDescriptor"]["Columns"].as_array().map_or(&[], Vec::as_slice)
}

fn names(input: &Value) -> Vec<String> {
    let name = |column: &Value| column["Name"].as_str().unwrap_or_default().to_owned();
    columns(input).iter().map(name).collect()
}
