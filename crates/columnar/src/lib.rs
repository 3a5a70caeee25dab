#![doc = include_str!("../README.md")]

mod buffer;
mod column;
mod completeness;
mod days;
mod dedup;
mod encode;
mod event;
mod file;
mod keys;
mod lines;
mod names;
mod options;
mod peek;
mod quarantine;
mod scan;
mod transform;
mod value;

pub use completeness::Completeness;
pub use days::DataFile;
pub use dedup::Superseded;
pub use event::BadLine;
pub use lines::{Line, LineSplitter};
pub use options::{Bounds, EventNameForm, Options, TimeType};
pub use peek::{LineKind, Peek};
pub use transform::{Counts, Transform, TransformError, Transformed};
