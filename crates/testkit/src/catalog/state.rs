//! What the fake catalog holds, and its rules.

use mixlake_app::ports::{CatalogError, Column, NewTable, Partition, TableState};
use std::collections::BTreeMap;

const PARTITION_KEY: &str = "mp_date";
/// Glue's limit, in characters.
const LONGEST_NAME: usize = 255;

/// A table with its partitions. The version counts from 0, as Glue's does.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) version: u64,
    columns: Vec<Column>,
    location: String,
    partitions: BTreeMap<String, String>,
}

impl Table {
    pub(super) fn create(new: &NewTable) -> Result<Self, CatalogError> {
        check(&new.name, &[], &new.columns)?;
        Ok(Self {
            version: 0,
            columns: new.columns.clone(),
            location: new.location.clone(),
            partitions: BTreeMap::new(),
        })
    }

    pub(super) fn state(&self) -> TableState {
        TableState {
            version: self.version.to_string(),
            columns: self.columns.clone(),
            partition_keys: vec![PARTITION_KEY.to_owned()],
            location: self.location.clone(),
        }
    }

    pub(super) fn append(
        &mut self,
        name: &str,
        version: &str,
        columns: &[Column],
    ) -> Result<(), CatalogError> {
        if version != self.version.to_string() {
            return Err(CatalogError::Conflict(format!("table {name}")));
        }
        check(name, &self.columns, columns)?;
        if !columns.is_empty() {
            self.columns.extend_from_slice(columns);
            self.version += 1;
        }
        Ok(())
    }

    pub(super) fn partitions(&self, values: &[String]) -> Vec<Partition> {
        let wanted = |value: &String| values.is_empty() || values.contains(value);
        let partition = |(value, location): (&String, &String)| Partition {
            value: value.clone(),
            location: location.clone(),
        };
        self.partitions.iter().filter(|(value, _)| wanted(value)).map(partition).collect()
    }

    pub(super) fn put(&mut self, partitions: &[Partition]) {
        for Partition { value, location } in partitions {
            self.partitions.insert(value.clone(), location.clone());
        }
    }

    pub(super) fn remove(&mut self, values: &[String]) {
        for value in values {
            self.partitions.remove(value);
        }
    }
}

/// What Glue, or an engine that reads the table, would refuse.
fn check(table: &str, present: &[Column], added: &[Column]) -> Result<(), CatalogError> {
    let mut taken: Vec<String> = present.iter().map(|c| c.name.to_lowercase()).collect();
    taken.push(PARTITION_KEY.to_owned());
    for column in added {
        let folded = column.name.to_lowercase();
        if taken.contains(&folded) {
            return Err(refused(
                table,
                format!("the table has a column {:?} already", column.name),
            ));
        }
        check_length(table, column)?;
        taken.push(folded);
    }
    Ok(())
}

fn check_length(table: &str, column: &Column) -> Result<(), CatalogError> {
    let length = column.name.chars().count();
    if length == 0 || length > LONGEST_NAME {
        return Err(refused(table, format!("a column name has {length} characters")));
    }
    Ok(())
}

fn refused(table: &str, reason: String) -> CatalogError {
    CatalogError::Failed {
        action: "update",
        subject: format!("table {table}"),
        hint: None,
        cause: reason.into(),
    }
}
