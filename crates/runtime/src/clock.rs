//! The one place that looks at the clock.

use mixlake_domain::Timestamp;

/// The time now. It only decides what is still in the future, never what a slice is.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
