#![doc = include_str!("../README.md")]

mod format;
mod layout;
mod project;
mod slice;
mod window;
mod zone;

pub use format::DataFormat;
pub use jiff::civil::Date;
pub use jiff::{Span, Timestamp};
pub use layout::{Generation, LakeKey, LakeObject, Layout, LayoutError};
pub use project::{ProjectId, ProjectIdError};
pub use slice::{Basis, Slice, SliceError, SliceKind, SliceLabel};
pub use window::Window;
pub use zone::{Zone, ZoneError};
