//! The verbs *backfill* and *cancel*: an execution of the state machine, begun, watched and stopped.

use crate::error::StackError;
use crate::services::{Execution, Items, Outcome, Request, Services};
use crate::stack::Stack;
use std::time::Duration;

/// The pauses between two looks at an execution. They grow by half.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// So often an execution that Step Functions does not know is looked for. It knows each after some seconds.
const MOST_LOOKS: u32 = 8;

/// A backfill that runs now.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It was started by this call. The text is its ARN.
    Started(String),
    /// It ran before.
    Running(Execution),
}

impl Begun {
    /// The ARN of the execution.
    #[must_use]
    pub fn arn(&self) -> &str {
        match self {
            Self::Started(arn) => arn,
            Self::Running(execution) => &execution.arn,
        }
    }
}

/// The running backfill of a stack, or a new one. `name` is the name of the new execution.
pub async fn backfill(
    services: &dyn Services,
    stack: &Stack,
    request: &Request,
    name: &str,
) -> Result<Begun, StackError> {
    if let Some(running) = running(services, stack).await? {
        return Ok(Begun::Running(running));
    }
    Ok(Begun::Started(services.start(stack.machine()?, name, request).await?))
}

/// Looks at an execution until it ends. `show` is told of each look.
pub async fn watch(
    services: &dyn Services,
    arn: &str,
    show: &mut (dyn FnMut(Option<Items>) + Send),
) -> Result<Execution, StackError> {
    let mut pause = SHORTEST_PAUSE;
    let mut looks = 0;
    loop {
        match services.execution(arn).await? {
            Some(Execution { outcome: Outcome::Running, .. }) => show(services.items(arn).await?),
            Some(ended) => return Ok(ended),
            None if looks < MOST_LOOKS => {}
            None => return Err(unknown(arn).into()),
        }
        looks += 1;
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Stops the running backfill of a stack. Answers what ran, and how far it was.
pub async fn cancel(
    services: &dyn Services,
    stack: &Stack,
) -> Result<(Execution, Option<Items>), StackError> {
    let idle = || StackError::Idle(stack.name.clone());
    let running = running(services, stack).await?.ok_or_else(idle)?;
    services.stop(&running.arn).await?;
    let items = services.items(&running.arn).await?;
    Ok((running, items))
}

async fn running(services: &dyn Services, stack: &Stack) -> Result<Option<Execution>, StackError> {
    let Some(arn) = services.running(stack.machine()?).await? else { return Ok(None) };
    let execution = services.execution(&arn).await?;
    // The list may be older than the execution.
    Ok(execution.filter(|execution| execution.outcome == Outcome::Running))
}

fn unknown(arn: &str) -> crate::CallError {
    crate::CallError {
        action: "read",
        subject: format!("the execution {arn}"),
        hint: None,
        cause: "Step Functions does not know it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, request, stack};

    fn lake() -> Fake {
        Fake::with(&[stack("lake")])
    }

    async fn begin(fake: &Fake, from: &str, name: &str) -> Begun {
        backfill(fake, &stack("lake"), &request(from), name).await.unwrap()
    }

    #[tokio::test]
    async fn a_running_backfill_is_shown_instead_of_starting_a_second_one() {
        let fake = lake();
        let Begun::Started(arn) = begin(&fake, "2024-01-01", "a").await else {
            panic!("nothing ran")
        };
        let Begun::Running(running) = begin(&fake, "2025-01-01", "b").await else {
            panic!("one runs")
        };
        assert_eq!((running.arn, running.request), (arn, Some(request("2024-01-01"))));
        assert_eq!(fake.started(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_execution_is_watched_until_it_ends() {
        let fake = lake();
        let arn = begin(&fake, "2024-01-01", "a").await.arn().to_owned();
        fake.unknown_for(3);
        let mut shown = Vec::new();
        let ended = watch(&fake, &arn, &mut |items| shown.push(items)).await.unwrap();
        assert!(matches!(ended.outcome, Outcome::Succeeded(_)), "{ended:?}");
        let done: Vec<_> = shown.iter().map(|items| items.map(|items| items.done)).collect();
        assert_eq!(done, [None, Some(0), Some(1), Some(2), Some(3)]);
        assert!(matches!(begin(&fake, "2025-01-01", "b").await, Begun::Started(_)), "it is over");
    }

    #[tokio::test(start_paused = true)]
    async fn an_execution_that_stays_unknown_is_an_error() {
        let fake = lake();
        let arn = begin(&fake, "2024-01-01", "a").await.arn().to_owned();
        fake.unknown_for(100);
        let error = watch(&fake, &arn, &mut |_| {}).await.unwrap_err().to_string();
        assert!(error.contains("cannot read the execution"), "{error}");
    }

    #[tokio::test]
    async fn a_running_backfill_is_stopped_and_without_one_cancel_is_refused() {
        let fake = lake();
        let refused = cancel(&fake, &stack("lake")).await.unwrap_err().to_string();
        assert!(refused.starts_with("--stack: lake runs no backfill; cancel accepts"), "{refused}");
        begin(&fake, "2024-01-01", "a").await;
        let (stopped, _) = cancel(&fake, &stack("lake")).await.unwrap();
        assert_eq!(stopped.request, Some(request("2024-01-01")));
        assert!(cancel(&fake, &stack("lake")).await.is_err(), "it is stopped");
    }
}
