//! The file of a table in the catalog: JSON that people read and may add to.

use mixlake_app::ports::{Column, Format, NewTable, Partition, TableState};
use mixlake_domain::DataFormat;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const FORMAT: u32 = 1;

/// Fields that people or other tools added: they are written back unchanged.
type Others = Map<String, Value>;

/// A table with its partitions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableDocument {
    /// The version of the file format.
    format: u32,
    /// Counts the changes of the columns, like Glue's version; changes of partitions do not count.
    version: u64,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    location: String,
    #[serde(default)]
    data_format: DataFormat,
    columns: Vec<ColumnEntry>,
    partition_keys: Vec<ColumnEntry>,
    #[serde(default)]
    partitions: BTreeMap<String, PartitionEntry>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Debug, Serialize, Deserialize)]
struct ColumnEntry {
    name: String,
    #[serde(rename = "type")]
    hive_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartitionEntry {
    location: String,
    #[serde(flatten)]
    others: Others,
}

/// The file cannot be used, or the change is not allowed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableDocumentError {
    #[error("the file is not a catalog table")]
    Malformed(#[from] serde_json::Error),
    #[error("the file has format {0}; this version of Mixlake reads format {FORMAT}")]
    Format(u32),
    #[error("the table already has a column {0:?}")]
    Duplicate(String),
    #[error("the table has no partition keys")]
    NoPartitions,
}

impl TableDocument {
    pub(crate) fn create(table: &NewTable) -> Result<Self, TableDocumentError> {
        let key = |name: &&str| ColumnEntry {
            name: (*name).to_owned(),
            hive_type: "string".to_owned(),
            comment: None,
            others: Others::new(),
        };
        let mut document = Self {
            format: FORMAT,
            version: 0,
            name: table.name.clone(),
            description: table.description.clone(),
            memo: Some(table.memo.clone()),
            location: table.location.clone(),
            data_format: table.format,
            columns: Vec::new(),
            partition_keys: table.partitioning.keys().iter().map(key).collect(),
            partitions: BTreeMap::new(),
            others: Others::new(),
        };
        document.extend(&table.columns)?;
        Ok(document)
    }

    pub(crate) fn parse(json: &[u8]) -> Result<Self, TableDocumentError> {
        let document: Self = serde_json::from_slice(json)?;
        if document.format == FORMAT {
            Ok(document)
        } else {
            Err(TableDocumentError::Format(document.format))
        }
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, TableDocumentError> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    pub(crate) fn state(&self) -> TableState {
        let column = |entry: &ColumnEntry| Column {
            name: entry.name.clone(),
            hive_type: entry.hive_type.clone(),
            comment: entry.comment.clone(),
        };
        TableState {
            version: self.version(),
            columns: self.columns.iter().map(column).collect(),
            partition_keys: self.partition_keys.iter().map(|key| key.name.clone()).collect(),
            location: self.location.clone(),
            format: Format::Lake(self.data_format),
            memo: self.memo.clone(),
        }
    }

    pub(crate) fn version(&self) -> String {
        self.version.to_string()
    }

    /// Returns whether anything changed.
    pub(crate) fn append(
        &mut self,
        columns: &[Column],
        memo: &str,
    ) -> Result<bool, TableDocumentError> {
        self.extend(columns)?;
        if columns.is_empty() {
            return Ok(false);
        }
        self.memo = Some(memo.to_owned());
        self.version += 1;
        Ok(true)
    }

    /// Points the table to another folder.
    pub(crate) fn relocate(&mut self, location: String) {
        self.location = location;
        self.version += 1;
    }

    /// Whether the table has partition keys.
    pub(crate) fn is_partitioned(&self) -> bool {
        !self.partition_keys.is_empty()
    }

    /// Makes the table equal to `to`; a column that keeps its name keeps what others added.
    pub(crate) fn repair(&mut self, to: &NewTable) -> Result<bool, TableDocumentError> {
        let before: BTreeMap<String, ColumnEntry> =
            self.columns.drain(..).map(|entry| (entry.name.to_lowercase(), entry)).collect();
        self.extend(&to.columns)?;
        for entry in &mut self.columns {
            if let Some(before) = before.get(&entry.name.to_lowercase()) {
                entry.comment.clone_from(&before.comment);
                entry.others.clone_from(&before.others);
            }
        }
        self.location.clone_from(&to.location);
        self.data_format = to.format;
        self.memo = Some(to.memo.clone());
        self.version += 1;
        Ok(true)
    }

    /// Engines ignore the case of names, and read a partition key as a column.
    fn extend(&mut self, columns: &[Column]) -> Result<(), TableDocumentError> {
        for Column { name, hive_type, comment } in columns {
            let mut present = self.columns.iter().chain(&self.partition_keys);
            if present.any(|entry| entry.name.to_lowercase() == name.to_lowercase()) {
                return Err(TableDocumentError::Duplicate(name.clone()));
            }
            self.columns.push(ColumnEntry {
                name: name.clone(),
                hive_type: hive_type.clone(),
                comment: comment.clone(),
                others: Others::new(),
            });
        }
        Ok(())
    }

    pub(crate) fn partitions(&self, values: &[String]) -> Vec<Partition> {
        let wanted = |value: &String| values.is_empty() || values.contains(value);
        let partition = |(value, entry): (&String, &PartitionEntry)| Partition {
            value: value.clone(),
            location: entry.location.clone(),
        };
        self.partitions.iter().filter(|(value, _)| wanted(value)).map(partition).collect()
    }

    /// Returns the values of the partitions that had to be added or moved.
    pub(crate) fn put(&mut self, partitions: &[Partition]) -> Vec<String> {
        let mut changed = Vec::new();
        for Partition { value, location } in partitions {
            let entry = self.partitions.entry(value.clone()).or_insert_with(|| PartitionEntry {
                location: String::new(),
                others: Others::new(),
            });
            if entry.location != *location {
                changed.push(value.clone());
            }
            entry.location.clone_from(location);
        }
        changed.sort();
        changed
    }

    /// Returns the values of the partitions that existed.
    pub(crate) fn remove(&mut self, values: &[String]) -> Vec<String> {
        let there = |value: &&String| self.partitions.remove(*value).is_some();
        let mut removed: Vec<String> = values.iter().filter(there).cloned().collect();
        removed.sort();
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
      "format": 1, "version": 7, "name": "signup", "owner": "ana", "location": "s3://l/",
      "columns": [{"name": "plan", "type": "string", "comment": "Plan", "pii": true}],
      "partition_keys": [{"name": "mp_date", "type": "string", "order": 1}],
      "partitions": {"2026-11-10": {"location": "s3://l/g1/", "checked_by": "bo"}}
    }"#;

    #[test]
    fn what_others_added_survives_a_change() {
        let mut document = TableDocument::parse(FILE.as_bytes()).unwrap();
        let column = Column { name: "a".into(), hive_type: "double".into(), comment: None };
        assert!(document.append(&[column], "42:0").unwrap());
        let moved = Partition { value: "2026-11-10".into(), location: "s3://l/g2/".into() };
        assert_eq!(document.put(&[moved]), ["2026-11-10"]);
        let written: Value = serde_json::from_slice(&document.to_json().unwrap()).unwrap();
        assert_eq!(written["owner"], "ana");
        assert_eq!(written["columns"][0]["pii"], true);
        assert_eq!(written["partition_keys"][0]["order"], 1);
        assert_eq!(written["partitions"]["2026-11-10"]["checked_by"], "bo");
        assert_eq!(written["partitions"]["2026-11-10"]["location"], "s3://l/g2/");
        assert_eq!(written["version"], 8);
    }

    #[test]
    fn a_newer_format_is_refused_and_not_guessed_at() {
        let error =
            TableDocument::parse(FILE.replace(r#""format": 1"#, r#""format": 2"#).as_bytes());
        assert_eq!(
            error.unwrap_err().to_string(),
            "the file has format 2; this version of Mixlake reads format 1"
        );
    }
}
