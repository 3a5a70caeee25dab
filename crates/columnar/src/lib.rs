#![doc = include_str!("../README.md")]

mod bad_line;
mod blocks;
mod buffer;
mod column;
mod completeness;
mod compression;
mod compressor;
mod context;
mod contract;
mod data_file;
mod days;
mod dictionary;
mod encode;
mod error;
mod event;
mod far_apart;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod identities;
mod identity;
mod json;
mod keys;
mod largest;
mod leaf;
mod lines;
mod mend;
mod metadata;
mod options;
mod order;
mod outcome;
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
mod row_group;
mod row_order;
mod rows_hash;
mod scan;
mod seen;
mod spill;
mod statistics;
mod string_column;
mod superseded;
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
pub use data_file::DataFile;
pub use error::TransformError;
pub use event::time_milliseconds;
pub use far_apart::FarApart;
pub use identities::{Identities, NoIdentities};
pub use lines::{Line, LineSplitter};
pub use options::{Bounds, EventNameForm, Options, SchemaType, TimeType};
pub use outcome::{Counts, Transformed};
pub use peek::{LineKind, Peek};
pub use rehash::{RowsHashError, rows_hash_of};
pub use rows_hash::{ParseRowsHashError, RowsHash};
pub use superseded::Superseded;
pub use transform::Transform;
