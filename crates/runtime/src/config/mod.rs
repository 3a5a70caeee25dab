//! Checked settings: what the use-cases are told. A value of a type here cannot be wrong.

mod access;
mod export;
mod ingestion;
mod lake;
mod maintenance;
mod source;
mod transformation;

#[cfg(test)]
mod tests;

pub use access::{Access, ClientRegion, ClientSettings, Purpose, Role};
pub use export::ExportConfig;
pub use ingestion::Cursor;
pub use lake::{LakeConfig, bucket};
pub use maintenance::MaintenanceConfig;
pub use source::Pipeline;
pub use transformation::compression;
