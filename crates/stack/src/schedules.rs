//! The verbs *pause* and *resume*.

use crate::error::StackError;
use crate::services::Services;
use crate::stack::{ScheduleId, Stack};

/// Whether a schedule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It does.
    On,
    /// It does not.
    Off,
}

impl Power {
    /// The name of the state in AWS.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "ENABLED",
            Self::Off => "DISABLED",
        }
    }
}

/// A schedule after it was switched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switched {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Whether it was in another state before.
    pub changed: bool,
}

/// Switches all schedules of a stack. A schedule that is in the state already is not touched.
pub async fn switch(
    services: &dyn Services,
    stack: &Stack,
    to: Power,
) -> Result<Vec<Switched>, StackError> {
    let mut switched = Vec::new();
    for schedule in stack.schedules()? {
        let changed = services.power(&schedule).await? != to;
        if changed {
            services.set_power(&schedule, to).await?;
        }
        switched.push(Switched { schedule, changed });
    }
    Ok(switched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, stack};

    async fn changed(fake: &Fake, to: Power) -> Vec<(String, bool)> {
        let switched = switch(fake, &stack("lake"), to).await.unwrap();
        switched.into_iter().map(|s| (s.schedule.to_string(), s.changed)).collect()
    }

    fn all(changed: [bool; 2]) -> Vec<(String, bool)> {
        ["default/lake-export", "default/lake-sync"]
            .map(str::to_owned)
            .into_iter()
            .zip(changed)
            .collect()
    }

    #[tokio::test]
    async fn all_schedules_are_switched_and_twice_is_once() {
        let fake = Fake::with(&[stack("lake")]);
        assert_eq!(changed(&fake, Power::Off).await, all([true, true]));
        assert_eq!(changed(&fake, Power::Off).await, all([false, false]));
        assert_eq!(fake.changes(), 2, "what is right is not sent again");
        assert_eq!(changed(&fake, Power::On).await, all([true, true]));
    }

    #[tokio::test]
    async fn a_run_that_failed_half_way_is_completed_by_the_next() {
        let fake = Fake::with(&[stack("lake")]);
        fake.fail_change(1);
        assert!(switch(&fake, &stack("lake"), Power::Off).await.is_err());
        assert_eq!(changed(&fake, Power::Off).await, all([false, true]));
    }
}
