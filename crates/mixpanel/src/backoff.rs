//! The wait between attempts.

use std::time::Duration;

/// The wait before an attempt: none before the first, then twice as long each time, multiplied by a
/// random factor from 0.5 to 1.5, so that callers that failed together do not retry together. `chance`
/// is from 0 to 1.
pub(crate) fn backoff(attempt: u32, base: Duration, cap: Duration, chance: f64) -> Duration {
    let Some(doublings) = attempt.checked_sub(1) else { return Duration::ZERO };
    let doubled = base.saturating_mul(2_u32.saturating_pow(doublings)).min(cap);
    doubled.mul_f64(0.5 + chance.clamp(0.0, 1.0)).min(cap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::first(0, 0.5, 0)]
    #[case::second(1, 0.5, 100)]
    #[case::doubled(3, 0.5, 400)]
    #[case::least(3, 0.0, 200)]
    #[case::most(3, 1.0, 600)]
    #[case::capped(30, 0.5, 5000)]
    #[case::far(u32::MAX, 1.0, 5000)]
    fn waits_double_up_to_a_cap(#[case] attempt: u32, #[case] chance: f64, #[case] ms: u64) {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(5));
        assert_eq!(backoff(attempt, base, cap, chance), Duration::from_millis(ms));
    }
}
