//! The file of a view in the catalog: JSON that people read. Local queries do not use it.

use mixlake_app::ports::{Format, TableState, View, ViewState};
use serde::{Deserialize, Serialize};

const FORMAT: u32 = 1;

/// A view.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ViewDocument {
    /// The version of the file format.
    format: u32,
    /// Counts the changes, like Glue's version.
    version: u64,
    name: String,
    mark: String,
    /// The query, for Trino and Athena.
    sql: String,
    columns: Vec<ColumnEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ColumnEntry {
    name: String,
    #[serde(rename = "type")]
    hive_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewDocumentError {
    #[error("the file is not a view of the catalog")]
    Malformed(#[from] serde_json::Error),
    #[error("the file has format {0}; this version of Mixlake reads format {FORMAT}")]
    Format(u32),
}

impl ViewDocument {
    pub(crate) fn create(view: &View, version: u64) -> Self {
        let column = |column: &mixlake_app::ports::ViewColumn| ColumnEntry {
            name: column.name.clone(),
            hive_type: column.column_type.hive().to_owned(),
            comment: column.comment.clone(),
        };
        Self {
            format: FORMAT,
            version,
            name: view.name.clone(),
            mark: view.mark.clone(),
            sql: view.sql.clone(),
            columns: view.columns.iter().map(column).collect(),
        }
    }

    pub(crate) fn parse(json: &[u8]) -> Result<Self, ViewDocumentError> {
        let document: Self = serde_json::from_slice(json)?;
        if document.format == FORMAT {
            Ok(document)
        } else {
            Err(ViewDocumentError::Format(document.format))
        }
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn has_mark(&self, mark: &str) -> bool {
        self.mark == mark
    }

    pub(crate) fn state(&self) -> ViewState {
        ViewState { version: self.version.to_string(), mark: Some(self.mark.clone()) }
    }

    /// What a reader of tables finds under the name.
    pub(crate) fn as_table(&self) -> TableState {
        TableState {
            version: self.version.to_string(),
            columns: Vec::new(),
            partition_keys: Vec::new(),
            location: String::new(),
            format: Format::Other("a view".to_owned()),
            memo: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_format_is_refused_and_not_guessed_at() {
        let view = View {
            name: "v".to_owned(),
            sql: "SELECT 1".to_owned(),
            columns: Vec::new(),
            mark: "42:a".to_owned(),
        };
        let json = String::from_utf8(ViewDocument::create(&view, 3).to_json().unwrap()).unwrap();
        assert_eq!(ViewDocument::parse(json.as_bytes()).unwrap().version(), 3);
        let newer = json.replace("\"format\": 1", "\"format\": 2");
        assert_eq!(
            ViewDocument::parse(newer.as_bytes()).unwrap_err().to_string(),
            "the file has format 2; this version of Mixlake reads format 1"
        );
    }
}
