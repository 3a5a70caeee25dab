//! What can go wrong with a deployed stack.

use std::error::Error;

/// A call to a service failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {subject}{}", hint.as_deref().map(|hint| format!(": {hint}")).unwrap_or_default())]
pub struct CallError {
    /// `read`, `change`, `start` or `stop`.
    pub action: &'static str,
    /// What the call is about.
    pub subject: String,
    /// What a person should check.
    pub hint: Option<String>,
    /// The cause.
    #[source]
    pub cause: Box<dyn Error + Send + Sync>,
}

/// A verb cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A service failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No stack has the name.
    #[error("--stack: there is no stack {name:?} in this account and region{}", known(others))]
    Missing {
        /// The name.
        name: String,
        /// The stacks of Mixlake.
        others: Vec<String>,
    },
    /// The stack is of something else.
    #[error(
        "--stack: {name} is not a stack of Mixlake: it has no output ExportFunctionName{}",
        known(others)
    )]
    Foreign {
        /// The name.
        name: String,
        /// The stacks of Mixlake.
        others: Vec<String>,
    },
    /// The stack is of an earlier version.
    #[error("--stack: {name} has no output {output}: deploy this version of Mixlake to it first")]
    Old {
        /// The name of the stack.
        name: String,
        /// The output.
        output: &'static str,
    },
    /// An output has another form than this version gives it.
    #[error("--stack: the output {output} of {name} is {value:?}, not {expected}")]
    Output {
        /// The name of the stack.
        name: String,
        /// The output.
        output: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// There is no backfill to cancel.
    #[error(
        "--stack: {0} runs no backfill; cancel accepts a stack whose backfill is running. The schedules stop with \
         `mixlake pause --stack {0}`"
    )]
    Idle(String),
}

/// The names to choose from.
fn known(others: &[String]) -> String {
    if others.is_empty() {
        return ". It has no stack of Mixlake; AWS_REGION and AWS_PROFILE choose the account and region".to_owned();
    }
    format!("; stacks of Mixlake here: {}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors() {
        let name = || "lake".to_owned();
        let others = || vec!["mixlake".to_owned(), "second".to_owned()];
        let call = |hint: Option<&str>| {
            StackError::Call(CallError {
                action: "read",
                subject: "the stack lake".to_owned(),
                hint: hint.map(str::to_owned),
                cause: "words of AWS".into(),
            })
        };
        let errors = [
            call(None),
            call(Some("access denied: your credentials need cloudformation:DescribeStacks")),
            StackError::Missing { name: name(), others: others() },
            StackError::Missing { name: name(), others: Vec::new() },
            StackError::Foreign { name: name(), others: others() },
            StackError::Old { name: name(), output: "BackfillStateMachineArn" },
            StackError::Output {
                name: name(),
                output: "ScheduleNames",
                value: "a/b/c".to_owned(),
                expected: "group/name,group/name",
            },
            StackError::Idle(name()),
        ];
        let text = |error: &StackError| match error {
            StackError::Call(_)
            | StackError::Missing { .. }
            | StackError::Foreign { .. }
            | StackError::Old { .. }
            | StackError::Output { .. }
            | StackError::Idle(_) => format!("{error}\n"),
        };
        insta::assert_snapshot!(errors.iter().map(text).collect::<String>());
    }
}
