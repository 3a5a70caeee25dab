#![doc = include_str!("../README.md")]

pub mod answer;
mod clients;
mod clock;
pub mod config;
mod contracts;
mod deferred;
mod handlers;
mod hour_of_days;
pub mod logs;
#[cfg(test)]
mod messages;
mod metrics;
pub mod notification;
mod profile_report;
mod profile_request;
mod report;
pub mod request;
mod role;
pub mod settings;

pub use answer::{Failure, Kind};
pub use clients::{Clients, sdk_of_process};
pub use clock::{now, time_until};
pub use deferred::Deferred;
pub use handlers::{
    Caller, CatalogHandler, ExportFunction, ExportHandler, MaintenanceHandler, ProfileRun,
    ProfilesHandler, Run, export, export_profiles, keep_whole, sync,
};
pub use hour_of_days::{HourOfDays, hour_of_days};
pub use profile_report::profiles_summary;
pub use profile_request::of_group;
pub use report::summary;
