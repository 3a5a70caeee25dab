#![doc = include_str!("../README.md")]

mod format;
mod layout;
mod origin;
mod project;
mod run;
mod slice;
mod table;
mod window;
mod zone;

pub use format::DataFormat;
pub use jiff::civil::{Date, DateTime};
pub use jiff::{Span, Timestamp};
pub use layout::{Generation, LakeKey, LakeObject, Layout, LayoutError};
pub use origin::Origin;
pub use project::{ProjectId, ProjectIdError};
pub use run::{RunId, RunIdError};
pub use slice::{Basis, Minutes, Slice, SliceError, SliceKind, SliceLabel};
pub use table::{
    Dataset, PARTITION_KEY, Partitioning, TableName, TableNameError, Target, VIEW_PREFIX,
};
pub use window::Window;
pub use zone::{Zone, ZoneError};
