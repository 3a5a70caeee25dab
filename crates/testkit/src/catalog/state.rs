//! The content of the fake catalog, and its rules.

use mixlake_app::ports::{CatalogError, Column, Declared, Format, NewTable, Partition, TableState};
use mixlake_domain::{DataFormat, Partitioning};
use std::collections::BTreeMap;

/// Glue's limit, in characters.
const LONGEST_NAME: usize = 255;

/// A table with its partitions. The version counts from 0, as Glue's does.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) version: u64,
    columns: Vec<Column>,
    location: String,
    partitioning: Partitioning,
    format: DataFormat,
    memo: String,
    partitions: BTreeMap<String, PartitionEntry>,
}

/// A partition; ours declare no columns.
#[derive(Debug, Clone)]
struct PartitionEntry {
    location: String,
    declared: Declared,
}

impl Table {
    pub(super) fn create(new: &NewTable) -> Result<Self, CatalogError> {
        check(new.partitioning, &new.name, &[], &new.columns)?;
        Ok(Self {
            version: 0,
            columns: new.columns.clone(),
            location: new.location.clone(),
            partitioning: new.partitioning,
            format: new.format,
            memo: new.memo.clone(),
            partitions: BTreeMap::new(),
        })
    }

    pub(super) fn state(&self) -> TableState {
        TableState {
            version: self.version.to_string(),
            columns: self.columns.clone(),
            partition_keys: self.partitioning.keys().iter().map(ToString::to_string).collect(),
            location: self.location.clone(),
            format: Format::Lake(self.format),
            memo: Some(self.memo.clone()),
        }
    }

    pub(super) fn append(
        &mut self,
        name: &str,
        version: &str,
        columns: &[Column],
        memo: &str,
    ) -> Result<(), CatalogError> {
        self.check_version(name, version)?;
        check(self.partitioning, name, &self.columns, columns)?;
        if !columns.is_empty() {
            self.columns.extend_from_slice(columns);
            memo.clone_into(&mut self.memo);
            self.version += 1;
        }
        Ok(())
    }

    pub(super) fn repair(&mut self, version: &str, to: &NewTable) -> Result<(), CatalogError> {
        self.check_version(&to.name, version)?;
        check(self.partitioning, &to.name, &[], &to.columns)?;
        let before = std::mem::take(&mut self.columns);
        let column = |column: &Column| {
            let same = before.iter().find(|c| c.name.eq_ignore_ascii_case(&column.name));
            let comment = same.map_or(&column.comment, |before| &before.comment);
            Column { comment: comment.clone(), ..column.clone() }
        };
        self.columns = to.columns.iter().map(column).collect();
        self.location.clone_from(&to.location);
        self.format = to.format;
        self.memo.clone_from(&to.memo);
        self.version += 1;
        Ok(())
    }

    pub(super) fn relocate(
        &mut self,
        name: &str,
        version: &str,
        location: &str,
    ) -> Result<(), CatalogError> {
        self.check_version(name, version)?;
        location.clone_into(&mut self.location);
        self.version += 1;
        Ok(())
    }

    /// Glue refuses partitions of a table that has no partition keys.
    pub(super) fn takes_partitions(&self, name: &str) -> Result<(), CatalogError> {
        match self.partitioning {
            Partitioning::ByDate => Ok(()),
            Partitioning::Whole => Err(refused(name, "the table has no partition keys".to_owned())),
        }
    }

    fn check_version(&self, name: &str, version: &str) -> Result<(), CatalogError> {
        if version == self.version.to_string() {
            Ok(())
        } else {
            Err(CatalogError::Conflict(format!("table {name}")))
        }
    }

    pub(super) fn partitions(&self, values: &[String]) -> Vec<Partition> {
        let wanted = |value: &String| values.is_empty() || values.contains(value);
        let partition = |(value, entry): (&String, &PartitionEntry)| Partition {
            value: value.clone(),
            location: entry.location.clone(),
        };
        self.partitions.iter().filter(|(value, _)| wanted(value)).map(partition).collect()
    }

    pub(super) fn declared(&self) -> BTreeMap<String, Declared> {
        self.partitions.iter().map(|(v, entry)| (v.clone(), entry.declared.clone())).collect()
    }

    pub(super) fn add_unchecked(&mut self, column: &Column) {
        self.columns.push(column.clone());
    }

    /// Gives an existing partition columns or a format of its own, as other tools do.
    pub(super) fn declare(&mut self, value: &str, declared: &Declared) {
        if let Some(entry) = self.partitions.get_mut(value) {
            entry.declared.clone_from(declared);
        }
    }

    pub(super) fn put(&mut self, format: DataFormat, partitions: &[Partition]) -> Vec<String> {
        let mut changed = Vec::new();
        for Partition { value, location } in partitions {
            let new = || PartitionEntry { location: String::new(), declared: ours(format) };
            let entry = self.partitions.entry(value.clone()).or_insert_with(new);
            if entry.location != *location {
                changed.push(value.clone());
            }
            entry.location.clone_from(location);
        }
        changed.sort();
        changed
    }

    /// Returns whether all of them exist; if not, nothing changes.
    pub(super) fn repair_partitions(
        &mut self,
        format: DataFormat,
        partitions: &[Partition],
    ) -> bool {
        let there = partitions.iter().all(|p| self.partitions.contains_key(&p.value));
        if there {
            self.put(format, partitions);
            for partition in partitions {
                self.declare(&partition.value, &ours(format));
            }
        }
        there
    }

    pub(super) fn remove(&mut self, values: &[String]) -> Vec<String> {
        let there = |value: &&String| self.partitions.remove(*value).is_some();
        let mut removed: Vec<String> = values.iter().filter(there).cloned().collect();
        removed.sort();
        removed
    }
}

fn ours(format: DataFormat) -> Declared {
    Declared { columns: Vec::new(), format: Format::Lake(format) }
}

/// Refuses what Glue, or an engine that reads the table, would refuse.
fn check(
    partitioning: Partitioning,
    table: &str,
    present: &[Column],
    added: &[Column],
) -> Result<(), CatalogError> {
    let mut taken: Vec<String> = present.iter().map(|c| c.name.to_lowercase()).collect();
    taken.extend(partitioning.keys().iter().map(ToString::to_string));
    for column in added {
        let folded = column.name.to_lowercase();
        if taken.contains(&folded) {
            return Err(refused(
                table,
                format!("the table already has a column {:?}", column.name),
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
    CatalogError::Refused {
        action: "update",
        subject: format!("table {table}"),
        hint: None,
        cause: reason.into(),
    }
}
