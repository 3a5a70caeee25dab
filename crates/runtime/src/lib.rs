#![doc = include_str!("../README.md")]

pub mod answer;
mod aside;
mod aws;
mod clock;
pub mod config;
mod contracts;
mod handlers;
pub mod logs;
mod metrics;
pub mod notification;
mod report;
pub mod request;
pub mod settings;

pub use answer::{Failure, Kind};
pub use aside::Aside;
pub use aws::{bucket, catalog, credentials, sdk_config, store};
pub use clock::{now, time_until};
pub use handlers::{CatalogHandler, ExportHandler, Patience, Run, export};
pub use report::summary;
