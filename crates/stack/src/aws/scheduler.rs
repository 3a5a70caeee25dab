//! Schedules in EventBridge Scheduler.

use super::failure::{Call, failure};
use crate::error::CallError;
use crate::schedules::Power;
use crate::stack::ScheduleId;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::ScheduleState;

const GET: Call = Call { verb: "read", right: "scheduler:GetSchedule" };
const UPDATE: Call = Call {
    verb: "change",
    right: "scheduler:UpdateSchedule, and iam:PassRole on the role of the schedule",
};

pub async fn power(client: &Client, id: &ScheduleId) -> Result<Power, CallError> {
    // A schedule without a state is enabled.
    let is_off = read(client, id).await?.state == Some(ScheduleState::Disabled);
    Ok(if is_off { Power::Off } else { Power::On })
}

/// Writes back each field that was read, because the update sets all others to their defaults.
pub async fn set_power(client: &Client, id: &ScheduleId, to: Power) -> Result<(), CallError> {
    let is = read(client, id).await?;
    let update = client
        .update_schedule()
        .set_name(is.name)
        .set_group_name(is.group_name)
        .set_schedule_expression(is.schedule_expression)
        .set_schedule_expression_timezone(is.schedule_expression_timezone)
        .set_start_date(is.start_date)
        .set_end_date(is.end_date)
        .set_description(is.description.filter(|text| !text.is_empty()))
        .set_kms_key_arn(is.kms_key_arn)
        .set_target(is.target)
        .set_flexible_time_window(is.flexible_time_window)
        .set_action_after_completion(is.action_after_completion)
        .state(match to {
            Power::On => ScheduleState::Enabled,
            Power::Off => ScheduleState::Disabled,
        });
    update.send().await.map_err(|error| failure(UPDATE, &subject(id), error))?;
    Ok(())
}

async fn read(client: &Client, id: &ScheduleId) -> Result<GetScheduleOutput, CallError> {
    let read = client.get_schedule().group_name(&id.group).name(&id.name).send().await;
    read.map_err(|error| {
        let gone = error.as_service_error().is_some_and(aws_sdk_scheduler::operation::get_schedule::GetScheduleError::is_resource_not_found_exception);
        let mut failed = failure(GET, &subject(id), error);
        if gone {
            failed.hint = Some("somebody deleted it; a deployment creates it again".to_owned());
        }
        failed
    })
}

fn subject(id: &ScheduleId) -> String {
    format!("the schedule {id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_scheduler::error::ErrorMetadata;
    use aws_sdk_scheduler::operation::get_schedule::GetScheduleError;
    use aws_sdk_scheduler::operation::update_schedule::{
        UpdateScheduleInput, UpdateScheduleOutput,
    };
    use aws_sdk_scheduler::primitives::DateTime;
    use aws_sdk_scheduler::types::error::ResourceNotFoundException;
    use aws_sdk_scheduler::types::{
        ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode,
        RetryPolicy, Target,
    };
    use aws_smithy_mocks::{Rule, mock, mock_client};
    use std::sync::{Arc, Mutex};

    fn id() -> ScheduleId {
        ScheduleId { group: "g".to_owned(), name: "hourly".to_owned() }
    }

    fn target() -> Target {
        let target = Target::builder().arn("arn:f").role_arn("arn:r").input("{}");
        let queue = DeadLetterConfig::builder().arn("arn:q").build();
        let retry = RetryPolicy::builder().maximum_retry_attempts(185).build();
        target.dead_letter_config(queue).retry_policy(retry).build().unwrap()
    }

    fn window() -> FlexibleTimeWindow {
        FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap()
    }

    /// A schedule with every field that there is.
    fn schedule() -> GetScheduleOutput {
        GetScheduleOutput::builder()
            .arn("arn:s")
            .name("hourly")
            .group_name("g")
            .schedule_expression("cron(10 * * * ? *)")
            .schedule_expression_timezone("UTC")
            .start_date(DateTime::from_secs(1))
            .end_date(DateTime::from_secs(2))
            .description("Exports")
            .state(ScheduleState::Enabled)
            .creation_date(DateTime::from_secs(0))
            .last_modification_date(DateTime::from_secs(0))
            .kms_key_arn("arn:k")
            .target(target())
            .flexible_time_window(window())
            .action_after_completion(ActionAfterCompletion::None)
            .build()
    }

    fn expected() -> UpdateScheduleInput {
        UpdateScheduleInput::builder()
            .name("hourly")
            .group_name("g")
            .schedule_expression("cron(10 * * * ? *)")
            .schedule_expression_timezone("UTC")
            .start_date(DateTime::from_secs(1))
            .end_date(DateTime::from_secs(2))
            .description("Exports")
            .state(ScheduleState::Disabled)
            .kms_key_arn("arn:k")
            .target(target())
            .flexible_time_window(window())
            .action_after_completion(ActionAfterCompletion::None)
            .build()
            .unwrap()
    }

    fn updates() -> (Rule, Arc<Mutex<Option<UpdateScheduleInput>>>) {
        let sent = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&sent);
        let rule = mock!(Client::update_schedule).then_compute_output(move |input| {
            *seen.lock().unwrap() = Some(input.clone());
            UpdateScheduleOutput::builder().schedule_arn("arn:s").build().unwrap()
        });
        (rule, sent)
    }

    #[tokio::test]
    async fn only_the_state_of_a_schedule_changes() {
        let get = mock!(Client::get_schedule)
            .match_requests(|r| r.name() == Some("hourly") && r.group_name() == Some("g"))
            .then_output(schedule);
        let (update, sent) = updates();
        let client = mock_client!(aws_sdk_scheduler, [&get, &update]);
        set_power(&client, &id(), Power::Off).await.unwrap();
        let mut sent = sent.lock().unwrap().take().unwrap();
        // The SDK makes a token of its own for each call.
        sent.client_token = None;
        assert_eq!(sent, expected());
    }

    #[tokio::test]
    async fn a_schedule_that_is_gone_says_what_creates_it() {
        let gone = || {
            let meta = ErrorMetadata::builder().code("ResourceNotFoundException");
            let error = ResourceNotFoundException::builder().message("gone").meta(meta.build());
            GetScheduleError::ResourceNotFoundException(error.build().unwrap())
        };
        let get = mock!(Client::get_schedule).then_error(gone);
        let client = mock_client!(aws_sdk_scheduler, [&get]);
        let error = power(&client, &id()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the schedule g/hourly: somebody deleted it; a deployment creates it again"
        );
    }

    #[tokio::test]
    async fn a_missing_right_is_named() {
        let denied = || {
            let meta = ErrorMetadata::builder().code("AccessDeniedException").message("no");
            GetScheduleError::generic(meta.build())
        };
        let get = mock!(Client::get_schedule).then_error(denied);
        let client = mock_client!(aws_sdk_scheduler, [&get]);
        let error = power(&client, &id()).await.unwrap_err().to_string();
        assert!(error.ends_with("your credentials need scheduler:GetSchedule"), "{error}");
    }
}
