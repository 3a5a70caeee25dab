//! The types that a property's value and a column can have.

use serde::{Deserialize, Serialize};

/// The types of JSON values that Mixpanel distinguishes. Arrays, objects, and numbers that a double
/// cannot hold are stored as text, so they are strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// Text.
    String,
    /// Integers and decimals alike.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl ValueType {
    /// The suffix of the column that a later type of a property gets.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::String => "_string",
            Self::Number => "_number",
            Self::Boolean => "_boolean",
        }
    }
}

/// The type of a column: those of values, and the two that `time` can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// A double.
    Number,
    /// A boolean.
    Boolean,
    /// An instant in milliseconds, as a timestamp.
    Timestamp,
    /// A 64-bit integer.
    Bigint,
}

impl ColumnType {
    /// The name in the registry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Bigint => "bigint",
        }
    }

    /// The name in Hive and Glue.
    #[must_use]
    pub fn hive(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "double",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Bigint => "bigint",
        }
    }
}

impl From<ValueType> for ColumnType {
    fn from(value: ValueType) -> Self {
        match value {
            ValueType::String => Self::String,
            ValueType::Number => Self::Number,
            ValueType::Boolean => Self::Boolean,
        }
    }
}
