//! Checked settings: what the use-cases are told. A value of a type here cannot be wrong.

mod access;
mod export;
mod ingestion;
mod lake;
mod maintenance;
mod profiles;
mod source;
mod transformation;

#[cfg(test)]
mod tests;

pub use access::{Access, ClientRegion, ClientSettings, Purpose, Role};
pub use export::ExportConfig;
pub use ingestion::Cursor;
pub use lake::{LakeConfig, bucket};
pub use maintenance::{IdentitiesConfig, MaintenanceConfig};
pub use profiles::{ProfileTable, ProfilesConfig, is_of_profiles};
pub use source::Pipeline;
pub use transformation::compression;
