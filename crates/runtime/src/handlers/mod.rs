//! The handlers of the functions: payload in, answer out.

mod backfill;
mod catalog;
mod export;
mod kept;
mod maintenance;
mod profiles;
mod source;
mod views;

pub use catalog::CatalogHandler;
pub use export::{ExportHandler, Run, export, sync};
pub use kept::keep_whole;
pub use maintenance::MaintenanceHandler;
pub use profiles::{ProfileRun, ProfilesHandler, export_profiles};
pub use source::Caller;

use crate::answer::Failure;
use crate::config::is_of_profiles;
use crate::settings::Settings;
use serde_json::Value;
use std::time::Duration;

/// The function that asks Mixpanel: for events, or for profiles.
pub enum ExportFunction {
    /// For events.
    Events(Box<ExportHandler>),
    /// For profiles.
    Profiles(Box<ProfilesHandler>),
}

impl ExportFunction {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        if is_of_profiles(settings) {
            return Ok(Self::Profiles(Box::new(ProfilesHandler::new(settings).await?)));
        }
        Ok(Self::Events(Box::new(ExportHandler::new(settings).await?)))
    }

    /// Exports what a payload asks for, in the time that is left.
    pub async fn handle(&self, payload: &Value, left: Duration) -> Result<Value, Failure> {
        match self {
            Self::Events(handler) => handler.handle(payload, left).await,
            Self::Profiles(handler) => handler.handle(payload, left).await,
        }
    }
}
