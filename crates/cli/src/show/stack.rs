//! What became of the parts of a deployed stack.

use super::words::{number, shell, some};
use mixlake_stack::{Begun, Execution, Items, Outcome, Power, Request, Stack, Switched};
use serde_json::Value;

/// The schedules after `pause` or `resume`, and what follows from it.
pub fn switched(stack: &Stack, to: Power, switched: &[Switched]) -> String {
    let mut lines = vec![match to {
        Power::Off => format!("{} of {} do not run:", schedules(switched), stack.name),
        Power::On => format!("{} of {} run:", schedules(switched), stack.name),
    }];
    for Switched { schedule, changed } in switched {
        let before = if *changed { "" } else { "  (as before)" };
        lines.push(format!("  {schedule}{before}"));
    }
    lines.push(String::new());
    let name = shell(&stack.name);
    lines.extend(match to {
        Power::Off => after_pause(stack, &name),
        Power::On => after_resume(stack),
    });
    lines.join("\n") + "\n"
}

fn schedules(switched: &[Switched]) -> String {
    some(switched.len() as u64, "schedule")
}

fn after_pause(stack: &Stack, name: &str) -> Vec<String> {
    const STOPPED: &str = "No scheduled run starts. A run that has begun ends by itself, a backfill goes on, and the \
                           tables stay up to date.";
    const ALARMS: &str =
        "OldestSliceAlarm, DaysToSyncAlarm and ProfilesAgeAlarm tell it after some hours.";
    const DEPLOYMENT: &str =
        "A deployment that changes a schedule starts it again, unless ScheduleState is DISABLED.";
    let next = format!("Next: mixlake resume --stack {name}. {}", catching_up(stack));
    vec![STOPPED.to_owned(), ALARMS.to_owned(), DEPLOYMENT.to_owned(), next]
}

fn after_resume(stack: &Stack) -> Vec<String> {
    let mut lines = vec![catching_up(stack)];
    if stack.parameter("ScheduleState") == Some(Power::Off.name()) {
        lines.push(
            "The parameter ScheduleState of the stack is DISABLED: a deployment may stop a schedule again, and alarms \
             are missing. Deploy with ScheduleState=ENABLED."
                .to_owned(),
        );
    }
    lines
}

/// What the first run after a pause does.
fn catching_up(stack: &Stack) -> String {
    match stack.parameter("CatchUpDays") {
        Some("0") => {
            "Runs do not make up for what was missed (CatchUpDays is 0): backfill it.".to_owned()
        }
        days => format!(
            "The first run exports what is missing of the last {} days (CatchUpDays). Backfill what is older.",
            days.unwrap_or("5")
        ),
    }
}

/// A backfill as it begins to be shown.
pub fn begun(begun: &Begun, wanted: &Request) -> String {
    const LOOK: &str = "Ctrl-C ends only this display; the same command shows the backfill again.";
    match begun {
        Begun::Started(_) => format!("The backfill of {wanted} runs in AWS. {LOOK}"),
        Begun::Running(Execution { request, started, .. }) if request.as_ref() == Some(wanted) => {
            format!("The backfill of {wanted} has been running since {started}. {LOOK}")
        }
        Begun::Running(Execution { request, started, .. }) => format!(
            "{} has been running since {started}. It is shown here, and {wanted} is not started: run the same command \
             again afterwards.",
            capital(&of(request.as_ref()))
        ),
    }
}

/// A backfill that ended. `command` starts it again.
pub fn ended(execution: &Execution, command: &str) -> String {
    let what = capital(&of(execution.request.as_ref()));
    match &execution.outcome {
        Outcome::Succeeded(output) => {
            let mut lines = vec![format!("{what} is complete.")];
            if let Some(days) = output.get("published").and_then(Value::as_u64) {
                lines[0] = format!("{what} is complete: {} published.", some(days, "day"));
            }
            lines.extend(
                output.get("report").and_then(Value::as_str).map(|at| format!("Report: {at}")),
            );
            lines.join("\n") + "\n"
        }
        Outcome::Running => format!("{what} still runs.\n"),
        Outcome::Ended { how, error, cause } => {
            let how = match how.as_str() {
                "aborted" => "was aborted".to_owned(),
                how => how.replace('_', " "),
            };
            let why = [error, cause].into_iter().flatten();
            let why: Vec<&str> = why.map(String::as_str).filter(|text| !text.is_empty()).collect();
            let why = if why.is_empty() { ".".to_owned() } else { format!(": {}", why.join(": ")) };
            let stay = published(execution.request.as_ref());
            format!("{what} {how}{why}\nNext: {command}\n{stay}\n")
        }
    }
}

/// What another run of the same backfill does with published days.
fn published(request: Option<&Request>) -> &'static str {
    match request {
        Some(Request { force: true, .. }) => {
            "Published days stay. With --force, all days are fetched again."
        }
        Some(_) | None => "Published days stay, and are not fetched again.",
    }
}

/// A backfill that was stopped.
pub fn canceled(stack: &str, request: Option<&Request>, items: Option<Items>) -> String {
    let far = match items {
        Some(Items { total, done }) => {
            format!("{} of {} were done", number(done), some(total, "slice"))
        }
        None => "no slice had begun".to_owned(),
    };
    let mut lines = vec![
        format!("{} is stopped; {far}.", capital(&of(request))),
        "Published days stay. Slices that were being exported end by themselves within 15 minutes."
            .to_owned(),
    ];
    if let Some(request) = request {
        lines.push(format!("To go on: {}", command(stack, request)));
    }
    lines.join("\n") + "\n"
}

/// The command that starts a backfill.
pub fn command(stack: &str, request: &Request) -> String {
    let Request { from_date, to_date, force } = request;
    let force = if *force { " --force" } else { "" };
    let stack = shell(stack);
    format!("mixlake backfill --stack {stack} --from-date {from_date} --to-date {to_date}{force}")
}

fn of(request: Option<&Request>) -> String {
    match request {
        Some(request) => format!("the backfill of {request}"),
        None => "a backfill with another input".to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
