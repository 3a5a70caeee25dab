#![doc = include_str!("../README.md")]

mod backoff;
mod body;
mod client;
mod config;
mod credentials;
mod endpoint;
mod engage;
mod event_time;
mod filters;
mod gunzip;
#[cfg(test)]
mod messages;
mod pipeline;
mod query;
mod rate_limiter;
mod reason;
mod response;
mod retry_after;
mod source;

pub use client::SetupError;
pub use config::{Config, Ingestion, OUTAGE_QUERIES, Timings};
pub use credentials::{Credentials, CredentialsError};
pub use endpoint::{Endpoint, EndpointError, Residency};
pub use engage::MixpanelProfiles;
pub use event_time::EventTime;
pub use filters::{EventNames, EventNamesError, WhereExpression, WhereExpressionError};
pub use pipeline::{PipelineConfig, PipelineSource};
pub use query::ExportQuery;
pub use source::MixpanelSource;
