//! Reads what the rows of a data file say about who is who.

use super::data_file::{PeopleError, TableColumns};
use super::{in_json, in_parquet};
use crate::people::identifier::{listed, of_number};
use bytes::Bytes;
use mixlake_domain::DataFormat;
use std::collections::BTreeMap;

/// The identifiers of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityRow {
    /// In milliseconds since 1970.
    pub time: Option<i64>,
    /// The values of the identity properties. A list has several.
    pub values: BTreeMap<String, Vec<String>>,
}

impl IdentityRow {
    pub(super) fn text(&mut self, property: &str, text: &str) {
        let mut values: Vec<String> = listed(text).into_iter().map(Into::into).collect();
        if values.len() > 1 {
            // The list itself is no identifier.
            values.remove(0);
        }
        self.values.entry(property.to_owned()).or_default().extend(values);
    }

    pub(super) fn number(&mut self, property: &str, number: f64) {
        self.values.entry(property.to_owned()).or_default().push(of_number(number));
    }

    /// Whether it names two identifiers, and so may say that they are one person.
    pub(super) fn tells(&self) -> bool {
        self.values.values().map(Vec::len).sum::<usize>() > 1
    }
}

/// Calls `each` with the rows of a data file that name two identifiers.
pub fn identity_rows(
    file: &Bytes,
    format: DataFormat,
    columns: &TableColumns,
    each: &mut dyn FnMut(IdentityRow),
) -> Result<(), PeopleError> {
    match format {
        DataFormat::Parquet => in_parquet::identity_rows(file, columns, each),
        DataFormat::Json => in_json::identity_rows(file, columns, each),
    }
}
