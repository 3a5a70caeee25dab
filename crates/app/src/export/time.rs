//! The time that a run has, and what fits into it.

use super::{ExportError, Exporter};
use crate::ports::SourceError;
use mixlake_domain::Timestamp;
use std::time::Duration;

/// When a run began and when it has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTime {
    /// Its beginning.
    pub begins: Timestamp,
    /// Its end; what is not published by then is left to the next run.
    pub ends: Timestamp,
}

/// A slice, or a part of one, may take so much longer than the longest before it.
const SPREAD: (u32, u32) = (5, 4);

impl Exporter<'_> {
    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// An error once the time of the run is used up.
    pub(super) fn in_time(&self) -> Result<(), ExportError> {
        match self.time {
            Some(time) if self.now() >= time.ends => Err(SourceError::OutOfTime.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// An error if something like what took so long may not fit into the time that is left.
    pub(super) fn fits(&self, longest: Duration) -> Result<(), ExportError> {
        self.in_time()?;
        let Some(time) = self.time else { return Ok(()) };
        let left = since(self.now(), time.ends);
        if longest * SPREAD.0 / SPREAD.1 > left {
            return Err(SourceError::OutOfTime.into());
        }
        Ok(())
    }

    /// Whether what began then had most of the run's time, and so will not fit into any run.
    pub(super) fn had_most_of_the_time(&self, began: Timestamp) -> bool {
        self.time.is_some_and(|time| since(began, time.ends) > since(time.begins, time.ends) / 2)
    }
}

/// The time from one instant to a later one; none if it is not later.
pub(super) fn since(one: Timestamp, other: Timestamp) -> Duration {
    Duration::try_from(other.duration_since(one)).unwrap_or_default()
}
