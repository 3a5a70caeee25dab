//! Executions in Step Functions.

use super::failure::{Call, failure};
use crate::error::CallError;
use crate::services::{Execution, Items, Outcome, Request};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionStatus, MapRunItemCounts};
use serde_json::{Value, json};

const LIST: Call = Call { verb: "read", right: "states:ListExecutions" };
const START: Call = Call { verb: "start", right: "states:StartExecution" };
const DESCRIBE: Call = Call { verb: "read", right: "states:DescribeExecution" };
const MAP_RUNS: Call = Call { verb: "read", right: "states:ListMapRuns and states:DescribeMapRun" };
const STOP: Call = Call { verb: "stop", right: "states:StopExecution" };

/// Why an execution was stopped, as the console shows it.
const CANCELED: &str = "Canceled";

pub async fn running(client: &Client, machine: &str) -> Result<Option<String>, CallError> {
    let list = client.list_executions().state_machine_arn(machine);
    // The last that was started comes first.
    let listed = list.status_filter(ExecutionStatus::Running).max_results(1).send().await;
    let subject = || format!("the executions of {machine}");
    let listed = listed.map_err(|error| failure(LIST, &subject(), error))?;
    Ok(listed.executions().first().map(|execution| execution.execution_arn().to_owned()))
}

pub async fn start(
    client: &Client,
    machine: &str,
    name: &str,
    request: &Request,
) -> Result<String, CallError> {
    let start = client.start_execution().state_machine_arn(machine).name(name);
    let started = start.input(json!(request).to_string()).send().await;
    let started = started.map_err(|error| failure(START, machine, error))?;
    Ok(started.execution_arn)
}

pub async fn one(client: &Client, arn: &str) -> Result<Option<Execution>, CallError> {
    match client.describe_execution().execution_arn(arn).send().await {
        Ok(found) => Ok(Some(execution(found))),
        Err(error) if error.as_service_error().is_some_and(aws_sdk_sfn::operation::describe_execution::DescribeExecutionError::is_execution_does_not_exist) => {
            Ok(None)
        }
        Err(error) => Err(failure(DESCRIBE, &subject(arn), error)),
    }
}

/// The counts of the map run that began last: an execution has one.
pub async fn items(client: &Client, arn: &str) -> Result<Option<Items>, CallError> {
    let failed = |error| failure(MAP_RUNS, &subject(arn), error);
    let runs = match client.list_map_runs().execution_arn(arn).send().await {
        Ok(runs) => runs,
        Err(error) if error.as_service_error().is_some_and(aws_sdk_sfn::operation::list_map_runs::ListMapRunsError::is_execution_does_not_exist) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let Some(run) = runs.map_runs.into_iter().max_by_key(|run| run.start_date) else {
        return Ok(None);
    };
    let run = client.describe_map_run().map_run_arn(&run.map_run_arn).send().await;
    let run = run.map_err(|error| failure(MAP_RUNS, &subject(arn), error))?;
    Ok(run.item_counts.as_ref().map(counted))
}

pub async fn stop(client: &Client, arn: &str) -> Result<(), CallError> {
    let stop = client.stop_execution().execution_arn(arn).error(CANCELED).cause("mixlake cancel");
    stop.send().await.map_err(|error| failure(STOP, &subject(arn), error))?;
    Ok(())
}

fn counted(counts: &MapRunItemCounts) -> Items {
    let number = |count: i64| u64::try_from(count).unwrap_or_default();
    let done = [counts.succeeded, counts.failed, counts.timed_out, counts.aborted];
    Items { total: number(counts.total), done: done.into_iter().map(number).sum() }
}

fn execution(found: DescribeExecutionOutput) -> Execution {
    let output = || document(found.output.as_deref()).unwrap_or_default();
    let outcome = match found.status.as_str() {
        // A pending redrive goes on without anybody.
        "RUNNING" | "PENDING_REDRIVE" => Outcome::Running,
        "SUCCEEDED" => Outcome::Succeeded(output()),
        // Failed, timed out or aborted, and what a later version of Step Functions may have.
        other => {
            Outcome::Ended { how: other.to_lowercase(), error: found.error, cause: found.cause }
        }
    };
    Execution {
        arn: found.execution_arn,
        outcome,
        request: found.input.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        started: found.start_date.to_string(),
        stopped: found.stop_date.map(|date| date.to_string()),
    }
}

fn document(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

fn subject(arn: &str) -> String {
    format!("the execution {arn}")
}
