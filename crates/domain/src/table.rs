//! Names of tables, datasets, and what is committed as one.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// The name of a table in the lake: the name of its folder. A catalog may put a prefix before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableName(String);

/// The text names no folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a table's name is the name of one folder, without `/`; got {0:?}")]
pub struct TableNameError(String);

impl TableName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TableName {
    type Error = TableNameError;

    fn try_from(name: String) -> Result<Self, TableNameError> {
        let is_folder = !matches!(name.as_str(), "" | "." | "..") && !name.contains('/');
        if is_folder { Ok(Self(name)) } else { Err(TableNameError(name)) }
    }
}

impl FromStr for TableName {
    type Err = TableNameError;

    fn from_str(name: &str) -> Result<Self, TableNameError> {
        Self::try_from(name.to_owned())
    }
}

impl From<TableName> for String {
    fn from(name: TableName) -> Self {
        name.0
    }
}

impl Borrow<str> for TableName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What changes as one: a day of a table with partitions, or a table without partitions as a whole.
/// Each has one manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The table.
    pub table: TableName,
    /// The value of the partition. None: the table has no partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

impl Target {
    /// A day of a table with partitions.
    #[must_use]
    pub fn day(table: TableName, date: Date) -> Self {
        Self { table, date: Some(date) }
    }

    /// A table without partitions.
    #[must_use]
    pub fn whole(table: TableName) -> Self {
        Self { table, date: None }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date {
            Some(date) => write!(f, "{} on {date}", self.table),
            None => write!(f, "{}", self.table),
        }
    }
}

/// The column that tables are partitioned by.
pub const PARTITION_KEY: &str = "mp_date";

/// What the names of views begin with, after the prefix of the tables. No table of a new event gets such a name.
pub const VIEW_PREFIX: &str = "mp_view_";

/// How the files of a table are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Partitioning {
    /// By `mp_date`.
    #[default]
    ByDate,
    /// Not at all: each export replaces the whole table.
    Whole,
}

impl Partitioning {
    /// The columns that the catalog partitions by.
    #[must_use]
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::ByDate => &[PARTITION_KEY],
            Self::Whole => &[],
        }
    }
}

/// A kind of data that the lake has tables of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Dataset {
    /// Events: one table, or a table for each event.
    #[default]
    Events,
    /// User profiles, and a table for each group key.
    Profiles,
    /// The user that each identifier stands for.
    Identities,
    /// What the exports did.
    Runs,
}

impl Dataset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Events, Self::Profiles, Self::Identities, Self::Runs];

    /// How its tables are divided.
    #[must_use]
    pub fn partitioning(self) -> Partitioning {
        match self {
            Self::Events | Self::Runs => Partitioning::ByDate,
            Self::Profiles | Self::Identities => Partitioning::Whole,
        }
    }

    /// The document that has its names and types.
    #[must_use]
    pub fn registry(self) -> &'static str {
        match self {
            Self::Events => "events.json",
            Self::Profiles => "people.json",
            Self::Identities => "identities.json",
            Self::Runs => "runs.json",
        }
    }

    /// The table whose name Mixpanel's pipeline gives. With a table for each event, events have others.
    #[must_use]
    pub fn main_table(self) -> &'static str {
        match self {
            Self::Events => "mp_master_event",
            Self::Profiles => "mp_people_data",
            Self::Identities => "mp_identity_mappings_data",
            Self::Runs => "mp_export_runs",
        }
    }

    /// The dataset of a table. Names that no other dataset has are those of events.
    #[must_use]
    pub fn of_table(table: &str) -> Self {
        let is_group = table.starts_with("mp_group_") && table.ends_with("_data");
        let named = Self::ALL.into_iter().find(|dataset| dataset.main_table() == table);
        named.unwrap_or(if is_group { Self::Profiles } else { Self::Events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty("")]
    #[case::climbs("..")]
    #[case::folders("a/b")]
    fn what_names_no_folder_is_no_table(#[case] name: &str) {
        assert_eq!(name.parse::<TableName>(), Err(TableNameError(name.to_owned())));
    }

    #[rstest]
    #[case("mp_master_event", Dataset::Events)]
    #[case("add_to_cart", Dataset::Events)]
    #[case("mp_people_data", Dataset::Profiles)]
    #[case("mp_group_company_data", Dataset::Profiles)]
    #[case("mp_identity_mappings_data", Dataset::Identities)]
    #[case("mp_export_runs", Dataset::Runs)]
    fn a_table_is_of_one_dataset(#[case] table: &str, #[case] dataset: Dataset) {
        assert_eq!(Dataset::of_table(table), dataset);
    }
}
