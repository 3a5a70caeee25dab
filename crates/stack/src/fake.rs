//! Services in memory.

use crate::error::CallError;
use crate::schedules::Power;
use crate::services::{Execution, Items, Outcome, Request, Services};
use crate::stack::{ScheduleId, Stack};
use async_trait::async_trait;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The slices of each execution.
const TOTAL: u64 = 3;

/// A stack as this version deploys it.
pub fn stack(name: &str) -> Stack {
    let outputs = [
        ("ExportFunctionName", format!("{name}-export")),
        ("BackfillStateMachineArn", format!("machine-of-{name}")),
        ("ScheduleNames", format!("default/{name}-export,default/{name}-sync")),
    ];
    let outputs = outputs.map(|(key, value)| (key.to_owned(), value)).into();
    Stack { name: name.to_owned(), outputs, parameters: BTreeMap::new() }
}

/// A request that begins with a date.
pub fn request(from: &str) -> Request {
    Request {
        from_date: from.parse().unwrap(),
        to_date: "2025-12-31".parse().unwrap(),
        force: false,
    }
}

/// All services. A look at a running execution takes it one step further.
#[derive(Default)]
pub struct Fake {
    stacks: Vec<Stack>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    off: BTreeSet<ScheduleId>,
    changes: usize,
    fails: Option<usize>,
    executions: Vec<(Execution, u64)>,
    unknown_for: u32,
}

impl Fake {
    pub fn with(stacks: &[Stack]) -> Self {
        Self { stacks: stacks.to_vec(), ..Self::default() }
    }

    /// How often a schedule was written.
    pub fn changes(&self) -> usize {
        self.state.lock().unwrap().changes
    }

    /// Lets one change of a schedule fail, counted from 0.
    pub fn fail_change(&self, number: usize) {
        self.state.lock().unwrap().fails = Some(number);
    }

    /// How many executions were started.
    pub fn started(&self) -> usize {
        self.state.lock().unwrap().executions.len()
    }

    /// No execution is known for so many looks.
    pub fn unknown_for(&self, looks: u32) {
        self.state.lock().unwrap().unknown_for = looks;
    }
}

fn failed() -> CallError {
    let (subject, cause) = ("a schedule".to_owned(), "throttled".into());
    CallError { action: "change", subject, hint: None, cause }
}

#[async_trait]
impl Services for Fake {
    async fn stack(&self, name: &str) -> Result<Option<Stack>, CallError> {
        Ok(self.stacks.iter().find(|stack| stack.name == name).cloned())
    }

    async fn stacks(&self) -> Result<Vec<Stack>, CallError> {
        Ok(self.stacks.clone())
    }

    async fn power(&self, schedule: &ScheduleId) -> Result<Power, CallError> {
        let off = self.state.lock().unwrap().off.contains(schedule);
        Ok(if off { Power::Off } else { Power::On })
    }

    async fn set_power(&self, schedule: &ScheduleId, to: Power) -> Result<(), CallError> {
        let mut state = self.state.lock().unwrap();
        if state.fails == Some(state.changes) {
            state.fails = None;
            return Err(failed());
        }
        state.changes += 1;
        match to {
            Power::On => state.off.remove(schedule),
            Power::Off => state.off.insert(schedule.clone()),
        };
        Ok(())
    }

    async fn running(&self, machine: &str) -> Result<Option<String>, CallError> {
        let state = self.state.lock().unwrap();
        let of = |(execution, _): &&(Execution, u64)| {
            execution.arn.starts_with(machine) && execution.outcome == Outcome::Running
        };
        Ok(state.executions.iter().rev().find(of).map(|(execution, _)| execution.arn.clone()))
    }

    async fn start(
        &self,
        machine: &str,
        name: &str,
        request: &Request,
    ) -> Result<String, CallError> {
        let arn = format!("{machine}:{name}");
        let execution = Execution {
            arn: arn.clone(),
            outcome: Outcome::Running,
            request: Some(request.clone()),
            started: "2026-11-27T20:00:00Z".to_owned(),
            stopped: None,
        };
        self.state.lock().unwrap().executions.push((execution, 0));
        Ok(arn)
    }

    async fn execution(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        let mut state = self.state.lock().unwrap();
        if state.unknown_for > 0 {
            state.unknown_for -= 1;
            return Ok(None);
        }
        let found = state.executions.iter().find(|(execution, _)| execution.arn == arn);
        Ok(found.map(|(execution, _)| execution.clone()))
    }

    async fn items(&self, arn: &str) -> Result<Option<Items>, CallError> {
        let mut state = self.state.lock().unwrap();
        let found = state.executions.iter_mut().find(|(execution, _)| execution.arn == arn);
        let Some((execution, step)) = found else { return Ok(None) };
        let done = step.checked_sub(1);
        *step += 1;
        if done == Some(TOTAL) {
            execution.outcome = Outcome::Succeeded(json!({"published": TOTAL}));
        }
        Ok(done.map(|done| Items { total: TOTAL, done }))
    }

    async fn stop(&self, arn: &str) -> Result<(), CallError> {
        let mut state = self.state.lock().unwrap();
        for (execution, _) in state.executions.iter_mut().filter(|(e, _)| e.arn == arn) {
            let how = "aborted".to_owned();
            execution.outcome = Outcome::Ended { how, error: None, cause: None };
        }
        Ok(())
    }
}
