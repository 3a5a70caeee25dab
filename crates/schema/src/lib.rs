#![doc = include_str!("../README.md")]

mod complete;
mod document;
mod names;
mod profile;
mod registry;
mod table;
mod types;
mod used_names;

pub use complete::Contradiction;
pub use document::RegistryError;
pub use names::{clean, is_hidden};
pub use profile::Profile;
pub use registry::{EventName, Freeze, NameTaken, Registry};
pub use table::{Column, ColumnId, Resolved, Table};
pub use types::{ColumnType, ValueType};

/// The table of all events.
pub const MASTER_TABLE: &str = "mp_master_event";
/// The partition key of every event table.
pub const PARTITION_KEY: &str = "mp_date";
