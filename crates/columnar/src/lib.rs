#![doc = include_str!("../README.md")]

mod bad_line;
mod blocks;
mod buffer;
mod column;
mod completeness;
mod compression;
mod contract;
mod days;
mod dedup;
mod dictionary;
mod encode;
mod event;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod identities;
mod json;
mod keys;
mod largest;
mod leaf;
mod lines;
mod mend;
mod metadata;
mod options;
mod order;
mod page;
#[cfg(feature = "pages")]
#[doc(hidden)]
pub mod pages;
mod parse;
mod part;
mod peek;
mod pieces;
mod quarantine;
mod rehash;
mod rle;
mod rows_hash;
mod scan;
mod spill;
mod statistics;
mod string_column;
mod tables;
mod transform;
mod validity;
mod value;
mod values;
mod vocabulary;

pub use bad_line::BadLine;
pub use completeness::Completeness;
pub use compression::Compression;
pub use contract::{Contract, Contracts};
pub use days::DataFile;
pub use dedup::{FarApart, Superseded};
pub use event::time_milliseconds;
pub use identities::{Identities, NoIdentities};
pub use lines::{Line, LineSplitter};
pub use options::{Bounds, EventNameForm, Options, SchemaType, TimeType};
pub use peek::{LineKind, Peek};
pub use rehash::{RowsHashError, rows_hash_of};
pub use rows_hash::{ParseRowsHashError, RowsHash};
pub use transform::{Counts, Transform, TransformError, Transformed};
