//! When the next query may start.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keeps a gap between the starts of queries, or a longer one if Mixpanel asks for it, for all users of
/// it.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
    closed: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(gap: Duration) -> Self {
        Self { gap, next: Mutex::new(None), closed: Mutex::new(None) }
    }

    /// Blocks all queries for this long.
    pub(crate) fn close(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = Some(closed.map_or(until, |closed| closed.max(until)));
    }

    /// The time until a query may start; none means now.
    pub(crate) fn closed(&self) -> Option<Duration> {
        let closed = *self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed?.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    /// Waits until a query may start.
    pub(crate) async fn turn(&self) {
        let now = Instant::now();
        let at = self.reserve(now);
        if at > now {
            tokio::time::sleep(at - now).await;
        }
    }

    /// Reserves the next free start.
    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + self.gap);
        at
    }
}

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

    #[test]
    fn no_second_sees_more_than_three_starts() {
        let pace = Pace::new(crate::Timings::default().query_gap);
        let now = Instant::now();
        let starts: Vec<Instant> = (0..12).map(|_| pace.reserve(now)).collect();
        assert_eq!(starts[0], now);
        for four in starts.windows(4) {
            assert!(four[3] - four[0] > Duration::from_secs(1));
        }
    }

    #[test]
    fn who_comes_late_does_not_wait() {
        let pace = Pace::new(Duration::from_millis(10));
        let now = Instant::now();
        pace.reserve(now);
        let later = now + Duration::from_secs(1);
        assert_eq!(pace.reserve(later), later);
    }

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
