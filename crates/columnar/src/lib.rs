#![doc = include_str!("../README.md")]

mod buffer;
mod column;
mod days;
mod dedup;
mod encode;
mod event;
mod file;
mod lines;
mod options;
mod peek;
mod quarantine;
mod transform;
mod value;

pub use days::DataFile;
pub use dedup::Superseded;
pub use event::BadLine;
pub use lines::{Line, LineSplitter};
pub use options::{Bounds, EventNameForm, Options, TimeType};
pub use peek::LineKind;
pub use transform::{Counts, Transform, TransformError, Transformed};
