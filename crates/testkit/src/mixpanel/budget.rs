//! The query budget of a project: limits for any hour and any second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many queries are answered; the real limits are [`Limits::REAL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In any 3,600 seconds.
    pub per_hour: usize,
    /// In any second.
    pub per_second: usize,
}

impl Limits {
    /// What Mixpanel allows a project.
    pub const REAL: Self = Self { per_hour: 60, per_second: 3 };
    /// No limit.
    pub const NONE: Self = Self { per_hour: usize::MAX, per_second: usize::MAX };
}

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

/// The queries of the last hour.
#[derive(Debug, Default)]
pub(super) struct Budget {
    answered: VecDeque<Instant>,
}

impl Budget {
    /// Counts a query. If it exceeds a limit, it is not counted, and the time to wait is returned.
    pub(super) fn take(&mut self, now: Instant, limits: Limits) -> Result<(), Duration> {
        while self.answered.front().is_some_and(|&at| now - at >= HOUR) {
            self.answered.pop_front();
        }
        let wait =
            self.wait(now, limits.per_hour, HOUR).max(self.wait(now, limits.per_second, SECOND));
        if let Some(wait) = wait {
            return Err(wait);
        }
        // Without a limit there is nothing to count.
        if limits != Limits::NONE {
            self.answered.push_back(now);
        }
        Ok(())
    }

    /// The time until fewer than `limit` queries are in the window.
    fn wait(&self, now: Instant, limit: usize, window: Duration) -> Option<Duration> {
        if limit == 0 {
            return Some(window);
        }
        let oldest_of_limit = self.answered.len().checked_sub(limit)?;
        let age = now - *self.answered.get(oldest_of_limit)?;
        window.checked_sub(age).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_query_within_a_second_waits_for_the_first_to_age() {
        let mut budget = Budget::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for ms in [0, 100, 200] {
            assert_eq!(budget.take(at(ms), Limits::REAL), Ok(()));
        }
        assert_eq!(budget.take(at(300), Limits::REAL), Err(Duration::from_millis(700)));
        assert_eq!(budget.take(at(1000), Limits::REAL), Ok(()));
    }

    #[test]
    fn the_sixty_first_query_of_an_hour_is_told_when_to_come_back() {
        let mut budget = Budget::default();
        let start = Instant::now();
        let at = |minute| start + Duration::from_mins(minute);
        for minute in 0..30 {
            budget.take(at(minute), Limits::REAL).unwrap();
            budget.take(at(minute), Limits::REAL).unwrap();
        }
        assert_eq!(budget.take(at(40), Limits::REAL), Err(Duration::from_mins(20)));
        assert_eq!(budget.take(at(60), Limits::REAL), Ok(()));
    }
}
