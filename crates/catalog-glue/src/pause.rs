//! How long to wait after a version conflict before the table is read again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Twice as long at each attempt, up to a limit, multiplied by a random part, so that functions that
/// failed at the same moment do not retry at the same moment. `part` is between 0 and 1.
pub(crate) fn length(attempt: u32, part: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.min(LONGEST).mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit_and_are_spread_over_their_length() {
        let longest = |attempt| length(attempt, 1.0).as_millis();
        assert_eq!([1, 2, 3, 7, 8, 40].map(longest), [50, 100, 200, 3_200, 5_000, 5_000]);
        assert_eq!([0.0, 0.25, 0.5].map(|part| length(3, part).as_millis()), [0, 50, 100]);
    }
}
