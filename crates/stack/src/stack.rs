//! A deployed stack: where its parts are.

use crate::error::StackError;
use crate::services::Services;
use std::collections::BTreeMap;
use std::fmt;

/// What only Mixlake's stacks have.
const OF_MIXLAKE: &str = "ExportFunctionName";
const MACHINE: &str = "BackfillStateMachineArn";
const SCHEDULES: &str = "ScheduleNames";

/// A stack as `CloudFormation` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The outputs.
    pub outputs: BTreeMap<String, String>,
    /// The parameters.
    pub parameters: BTreeMap<String, String>,
}

/// The name of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleId {
    /// Its group.
    pub group: String,
    /// Its name within the group.
    pub name: String,
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.name)
    }
}

/// The stack of Mixlake with a name. If there is none, the error names those that there are.
pub async fn find(services: &dyn Services, name: &str) -> Result<Stack, StackError> {
    let found = services.stack(name).await?;
    if let Some(stack) = found.as_ref().filter(|stack| stack.is_of_mixlake()) {
        return Ok(stack.clone());
    }
    let stacks = services.stacks().await?;
    let others = stacks.into_iter().filter(Stack::is_of_mixlake).map(|stack| stack.name).collect();
    let name = name.to_owned();
    Err(match found {
        Some(_) => StackError::Foreign { name, others },
        None => StackError::Missing { name, others },
    })
}

impl Stack {
    fn is_of_mixlake(&self) -> bool {
        self.outputs.contains_key(OF_MIXLAKE)
    }

    /// A parameter that was given a value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The state machine of backfills.
    pub(crate) fn machine(&self) -> Result<&str, StackError> {
        self.output(MACHINE)
    }

    /// All schedules, as the stack names them: `group/name,group/name`.
    pub(crate) fn schedules(&self) -> Result<Vec<ScheduleId>, StackError> {
        let text = self.output(SCHEDULES)?;
        let ids: Option<Vec<ScheduleId>> = text.split(',').map(schedule).collect();
        ids.ok_or_else(|| StackError::Output {
            name: self.name.clone(),
            output: SCHEDULES,
            value: text.to_owned(),
            expected: "group/name,group/name",
        })
    }

    fn output(&self, output: &'static str) -> Result<&str, StackError> {
        let found = self.outputs.get(output).map(String::as_str);
        found.ok_or_else(|| StackError::Old { name: self.name.clone(), output })
    }
}

fn schedule(text: &str) -> Option<ScheduleId> {
    let (group, name) = text.trim().split_once('/')?;
    let whole = !group.is_empty() && !name.is_empty() && !name.contains('/');
    whole.then(|| ScheduleId { group: group.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, stack};
    use rstest::rstest;

    #[rstest]
    #[case::one("default/a", Some(vec!["default/a"]))]
    #[case::two("g/a, g/b", Some(vec!["g/a", "g/b"]))]
    #[case::no_group("a", None)]
    #[case::too_much("g/a/b", None)]
    #[case::empty("", None)]
    fn schedules_are_read_from_the_outputs(
        #[case] text: &str,
        #[case] expected: Option<Vec<&str>>,
    ) {
        let mut stack = stack("lake");
        stack.outputs.insert(SCHEDULES.to_owned(), text.to_owned());
        let found = stack.schedules().ok();
        let names = found.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names, expected.map(|names| names.into_iter().map(str::to_owned).collect()));
    }

    #[tokio::test]
    async fn a_stack_of_mixlake_is_found_and_others_are_refused_with_the_names_that_there_are() {
        let fake =
            Fake::with(&[stack("lake"), Stack { name: "web".to_owned(), ..Stack::default() }]);
        assert_eq!(find(&fake, "lake").await.unwrap().name, "lake");
        let missing = find(&fake, "lak").await.unwrap_err().to_string();
        assert_eq!(
            missing,
            "--stack: there is no stack \"lak\" in this account and region; stacks of Mixlake here: lake"
        );
        let foreign = find(&fake, "web").await.unwrap_err();
        assert!(matches!(foreign, StackError::Foreign { .. }), "{foreign}");
    }

    #[test]
    fn a_stack_of_an_earlier_version_says_what_it_lacks() {
        let mut old = stack("lake");
        old.outputs.remove(MACHINE);
        let error = old.machine().unwrap_err();
        assert!(matches!(error, StackError::Old { output: MACHINE, .. }), "{error}");
    }
}
