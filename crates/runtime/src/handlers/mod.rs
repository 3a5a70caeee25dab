//! The handlers of the functions: payload in, answer out.

mod backfill;
mod catalog;
mod export;
mod kept;
mod maintenance;
mod source;

pub use catalog::CatalogHandler;
pub use export::{ExportHandler, Run, export, sync};
pub use kept::keep_whole;
pub use maintenance::MaintenanceHandler;
pub use source::Caller;
