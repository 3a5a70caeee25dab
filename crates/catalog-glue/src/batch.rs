//! Batches: Glue accepts a limited number of items at a time, and reports errors per item.

use crate::failure::{Call, hint_of, is_of_the_item, not_taken};
use aws_sdk_glue::types::{BatchUpdatePartitionFailureEntry, ErrorDetail, PartitionError};
use mixlake_app::ports::CatalogError;

/// The largest number of items in a call.
pub(crate) const READ: usize = 1000;
pub(crate) const WRITE: usize = 100;
pub(crate) const DELETE: usize = 25;

/// The error code for an item that does not exist.
pub(crate) const GONE: &str = "EntityNotFoundException";

/// An item of a batch that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemError {
    pub(crate) value: String,
    pub(crate) code: String,
    message: String,
}

impl ItemError {
    /// The error for an item that does not exist.
    pub(crate) fn gone(value: &str) -> Self {
        Self { value: value.to_owned(), code: GONE.to_owned(), message: String::new() }
    }

    pub(crate) fn new(values: Option<Vec<String>>, detail: Option<ErrorDetail>) -> Self {
        let (code, message) =
            detail.map(|detail| (detail.error_code, detail.error_message)).unwrap_or_default();
        Self {
            value: value_of(&values.unwrap_or_default()),
            code: code.unwrap_or_else(|| "no error code".to_owned()),
            message: message.unwrap_or_default(),
        }
    }
}

impl From<PartitionError> for ItemError {
    fn from(error: PartitionError) -> Self {
        Self::new(error.partition_values, error.error_detail)
    }
}

impl From<BatchUpdatePartitionFailureEntry> for ItemError {
    fn from(error: BatchUpdatePartitionFailureEntry) -> Self {
        Self::new(error.partition_value_list, error.error_detail)
    }
}

/// Our partitions have one value; the values of a foreign table are joined as Hive joins them.
pub(crate) fn value_of(values: &[String]) -> String {
    values.join("/")
}

/// The items of a batch that failed.
#[derive(Debug)]
pub(crate) struct Undone(pub(crate) Vec<ItemError>);

/// How many items an error lists, to limit the length of a log line.
const TOLD: usize = 10;

impl std::error::Error for Undone {}

impl std::fmt::Display for Undone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of the partitions failed", self.0.len())?;
        for (i, ItemError { value, code, message }) in self.0.iter().take(TOLD).enumerate() {
            let (before, after) =
                (if i == 0 { ":" } else { ";" }, if message.is_empty() { "" } else { " " });
            write!(f, "{before} {value}: {code}{after}{message}")?;
        }
        if self.0.len() > TOLD { f.write_str("; ...") } else { Ok(()) }
    }
}

/// Returns an error that lists the failed items and their codes, if there are any.
pub(crate) fn all_done(
    call: Call,
    subject: &str,
    undone: Vec<ItemError>,
) -> Result<(), CatalogError> {
    let Some(first) = undone.first() else { return Ok(()) };
    let (hint, subject) = (hint_of(call, &first.code), format!("partitions of {subject}"));
    if undone.iter().any(|item| is_of_the_item(&item.code)) {
        return Err(not_taken(call, &subject, hint, Undone(undone)));
    }
    Err(CatalogError::Failed { action: call.verb, subject, hint, cause: Undone(undone).into() })
}
