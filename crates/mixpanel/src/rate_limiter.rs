//! Limits how often queries start.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keeps a gap between the starts of queries, or a longer one if Mixpanel asks for it, for all users of
/// it.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    gap: Duration,
    next: Mutex<Option<Instant>>,
    closed: Mutex<Option<Instant>>,
}

impl RateLimiter {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_three_starts() {
        let limiter = RateLimiter::new(crate::Timings::default().query_gap);
        let now = Instant::now();
        let starts: Vec<Instant> = (0..12).map(|_| limiter.reserve(now)).collect();
        assert_eq!(starts[0], now);
        for four in starts.windows(4) {
            assert!(four[3] - four[0] > Duration::from_secs(1));
        }
    }

    #[test]
    fn who_comes_late_does_not_wait() {
        let limiter = RateLimiter::new(Duration::from_millis(10));
        let now = Instant::now();
        limiter.reserve(now);
        let later = now + Duration::from_secs(1);
        assert_eq!(limiter.reserve(later), later);
    }
}
