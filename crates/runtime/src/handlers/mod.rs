//! The handlers of the two functions: payload in, answer out.

mod catalog;
mod export;
mod source;

pub use catalog::CatalogHandler;
pub use export::{ExportHandler, Run, export, sync};
pub use source::Caller;
