//! The one place that looks at the clock.

use mixlake_domain::Timestamp;
use std::time::Duration;

/// The time now. It only decides what is still in the future, never what a slice is.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The time since an instant; none if it is still to come.
#[must_use]
pub(crate) fn since(instant: Timestamp) -> Duration {
    Duration::try_from(now().duration_since(instant)).unwrap_or_default()
}

/// The time from now to an instant in milliseconds since 1970; none if it has passed.
#[must_use]
pub fn time_until(milliseconds: u64) -> Duration {
    let now = u64::try_from(now().as_millisecond()).unwrap_or_default();
    Duration::from_millis(milliseconds.saturating_sub(now))
}
