//! The time limits of a run.

use super::{ExportError, Exporter};
use crate::ports::SourceError;
use mixlake_domain::Timestamp;
use std::time::Duration;

/// The start and the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTime {
    /// The start.
    pub begins: Timestamp,
    /// The end. Slices that are not published by then are left to the next run.
    pub ends: Timestamp,
}

/// A slice, or a part, may take this factor longer than the longest one before it.
const SPREAD: (u32, u32) = (5, 4);

impl Exporter<'_> {
    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns an error if the run's time is used up.
    pub(super) fn in_time(&self) -> Result<(), ExportError> {
        match self.time {
            Some(time) if self.now() >= time.ends => Err(SourceError::OutOfTime.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns an error if work like the longest so far may not fit into the remaining time.
    pub(super) fn fits(&self, longest: Duration) -> Result<(), ExportError> {
        self.in_time()?;
        let Some(time) = self.time else { return Ok(()) };
        let left = since(self.now(), time.ends);
        if longest * SPREAD.0 / SPREAD.1 > left {
            return Err(SourceError::OutOfTime.into());
        }
        Ok(())
    }

    /// Whether work that started at this time took most of the run's time, so that it would not fit into
    /// any run.
    pub(super) fn had_most_of_the_time(&self, began: Timestamp) -> bool {
        self.time.is_some_and(|time| since(began, time.ends) > since(time.begins, time.ends) / 2)
    }
}

/// The time between two instants; zero if the second is not later.
pub(super) fn since(one: Timestamp, other: Timestamp) -> Duration {
    Duration::try_from(other.duration_since(one)).unwrap_or_default()
}
