//! The port: what a deployed stack is asked.

use crate::error::CallError;
use crate::schedules::Power;
use crate::stack::{ScheduleId, Stack};
use async_trait::async_trait;
use mixlake_domain::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The services of the account that a stack is in.
#[async_trait]
pub trait Services: Send + Sync {
    /// A stack; `None` if there is none with the name.
    async fn stack(&self, name: &str) -> Result<Option<Stack>, CallError>;

    /// All stacks of the account in this region.
    async fn stacks(&self) -> Result<Vec<Stack>, CallError>;

    /// Whether a schedule runs.
    async fn power(&self, schedule: &ScheduleId) -> Result<Power, CallError>;

    /// Lets a schedule run or not. Everything else about it stays.
    async fn set_power(&self, schedule: &ScheduleId, to: Power) -> Result<(), CallError>;

    /// The running execution of a state machine that was started last.
    async fn running(&self, machine: &str) -> Result<Option<String>, CallError>;

    /// Starts an execution. The same name and request give the same execution.
    async fn start(
        &self,
        machine: &str,
        name: &str,
        request: &Request,
    ) -> Result<String, CallError>;

    /// An execution; `None` if the service does not know it (yet).
    async fn execution(&self, arn: &str) -> Result<Option<Execution>, CallError>;

    /// The slices of an execution; `None` while it plans.
    async fn items(&self, arn: &str) -> Result<Option<Items>, CallError>;

    /// Stops an execution.
    async fn stop(&self, arn: &str) -> Result<(), CallError>;
}

/// What a backfill is asked for: the input of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The first date.
    pub from_date: Date,
    /// The last date, included.
    pub to_date: Date,
    /// Whether published slices are fetched again.
    #[serde(default)]
    pub force: bool,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let force = if self.force { " with --force" } else { "" };
        write!(f, "{} to {}{force}", self.from_date, self.to_date)
    }
}

/// An execution of the state machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// What became of it so far.
    pub outcome: Outcome,
    /// What it was asked for; `None` if somebody started it with another input.
    pub request: Option<Request>,
    /// When it was started.
    pub started: String,
    /// When it ended.
    pub stopped: Option<String>,
}

/// What became of an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It runs.
    Running,
    /// It ended well, with this output.
    Succeeded(Value),
    /// It ended otherwise.
    Ended {
        /// How, in lower case: `failed`, `timed_out` or `aborted`.
        how: String,
        /// The name of the error.
        error: Option<String>,
        /// What is said of it.
        cause: Option<String>,
    },
}

/// How many slices an execution has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Items {
    /// All.
    pub total: u64,
    /// Those that ended, well or not.
    pub done: u64,
}
