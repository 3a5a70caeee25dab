#![doc = include_str!("../README.md")]

mod compaction;
mod deduplication;
mod erasure;
mod error;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod options;
#[cfg(feature = "pages")]
#[doc(hidden)]
pub mod pages;
mod parquet;
mod people;
mod reading;
mod rows;
mod text_bounds;
mod transformation;

pub use crate::compaction::{
    Compacted, CompactedFile, Compaction, CompactionBounds, CompactionError, CompactionInput,
};
pub use crate::deduplication::far_apart::FarApart;
pub use crate::deduplication::identities::{Identities, NoIdentities, RowKey};
pub use crate::deduplication::superseded::Superseded;
pub use crate::erasure::any_object::is_mentioned_in_object;
pub use crate::erasure::data_file::{FileWithout, FoundRow, FoundRows, find_rows, without_rows};
pub use crate::erasure::person::Person;
pub use crate::erasure::quarantined::without_bad_lines;
pub use crate::error::TransformError;
pub use crate::files::data_file::DataFile;
pub use crate::files::records::{Cell, RecordsFile, read_records, write_records};
pub use crate::options::compression::Compression;
pub use crate::options::contract::{Contract, Contracts};
pub use crate::options::{Bounds, EventNameForm, Options, SchemaType, TimeType};
pub use crate::parquet::footer::{Footer, FooterError, TailRead};
pub use crate::parquet::rehash::{RowsHashError, rows_hash_of};
pub use crate::people::data_rows::{PeopleError, TableColumns};
pub use crate::people::identifier::{elements, is_identity, normal};
pub use crate::people::identity_rows::{IdentityRow, identity_rows};
pub use crate::people::suppression::{ParseHashError, PersonHash, Salt, Suppression};
pub use crate::reading::bad_line::BadLine;
pub use crate::reading::event::time_milliseconds;
pub use crate::reading::lines::{Line, LineSplitter};
pub use crate::reading::peek::{LineKind, Peek};
pub use crate::rows::rows_hash::{ParseRowsHashError, RowsHash};
pub use crate::text_bounds::{TextBounds, text_bounds, text_bounds_of_first_rows};
pub use crate::transformation::completeness::Completeness;
pub use crate::transformation::outcome::{Counts, Transformed};
pub use crate::transformation::transform::Transform;
