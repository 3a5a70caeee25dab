//! The services of AWS.

mod executions;
mod failure;
mod scheduler;
mod stacks;

use crate::error::CallError;
use crate::schedules::Power;
use crate::services::{Execution, Items, Request, Services};
use crate::stack::{ScheduleId, Stack};
use async_trait::async_trait;
use aws_config::SdkConfig;

/// The account and region that a person is signed in to.
#[derive(Debug, Clone)]
pub struct Account {
    cloudformation: aws_sdk_cloudformation::Client,
    scheduler: aws_sdk_scheduler::Client,
    steps: aws_sdk_sfn::Client,
}

impl Account {
    /// The clients of an account. Nothing is called yet.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            cloudformation: aws_sdk_cloudformation::Client::new(config),
            scheduler: aws_sdk_scheduler::Client::new(config),
            steps: aws_sdk_sfn::Client::new(config),
        }
    }
}

#[async_trait]
impl Services for Account {
    async fn stack(&self, name: &str) -> Result<Option<Stack>, CallError> {
        stacks::one(&self.cloudformation, name).await
    }

    async fn stacks(&self) -> Result<Vec<Stack>, CallError> {
        stacks::all(&self.cloudformation).await
    }

    async fn power(&self, schedule: &ScheduleId) -> Result<Power, CallError> {
        scheduler::power(&self.scheduler, schedule).await
    }

    async fn set_power(&self, schedule: &ScheduleId, to: Power) -> Result<(), CallError> {
        scheduler::set_power(&self.scheduler, schedule, to).await
    }

    async fn running(&self, machine: &str) -> Result<Option<String>, CallError> {
        executions::running(&self.steps, machine).await
    }

    async fn start(
        &self,
        machine: &str,
        name: &str,
        request: &Request,
    ) -> Result<String, CallError> {
        executions::start(&self.steps, machine, name, request).await
    }

    async fn execution(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        executions::one(&self.steps, arn).await
    }

    async fn items(&self, arn: &str) -> Result<Option<Items>, CallError> {
        executions::items(&self.steps, arn).await
    }

    async fn stop(&self, arn: &str) -> Result<(), CallError> {
        executions::stop(&self.steps, arn).await
    }
}
