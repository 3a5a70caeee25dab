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
mod quarantine;
mod transform;
mod value;

pub use days::DataFile;
pub use dedup::Superseded;
pub use event::BadLine;
pub use options::{Bounds, EventNameForm, Options, TimeType};
pub use transform::{Counts, Transform, TransformError, Transformed};
