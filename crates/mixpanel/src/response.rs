//! The meaning of a response with a status other than 200.

use mixlake_app::ports::{PageError, SourceError};
use mixlake_domain::Timestamp;
use std::time::Duration;

/// The longest part of Mixpanel's own message that an error repeats, in bytes.
const MESSAGE_LIMIT: usize = 500;

/// A response with a status other than 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status.
    pub(crate) status: u16,
    /// The text of Mixpanel, on one line.
    pub(crate) message: String,
}

impl Refusal {
    /// The error of a response that may be another one later. `wait` is for 429.
    pub(crate) fn outage(&self, wait: Duration) -> Option<SourceError> {
        match self.status {
            429 => Some(SourceError::RateLimited { retry_after: wait }),
            408 | 100..=299 | 500.. => {
                Some(SourceError::Unavailable { reason: self.said(), cause: None })
            }
            _ => None,
        }
    }

    /// The error of the export API. `begins` is the start of the query's last date in the project's
    /// zone.
    pub(crate) fn of_events(&self, begins: Timestamp) -> SourceError {
        if self.status == 400 && is_of_a_day_to_come(&self.message) {
            return SourceError::NotYet { reason: self.said(), from: begins };
        }
        let advice = match self.status {
            400 => "check where, events and the dates",
            402 => "the project's plan does not include raw data export",
            413 | 414 => "the query is too long: shorten where or events",
            status => advice(status),
        };
        self.refused(advice)
    }

    /// The error of the engage API.
    pub(crate) fn of_profiles(&self) -> PageError {
        if self.message.contains(SESSION_ENDED) {
            return PageError::SessionEnded(self.said());
        }
        let advice = match self.status {
            400 => "check data_group_id and project_id",
            402 => "the project's plan does not include the query of profiles",
            413 | 414 => "the request is too long",
            status => advice(status),
        };
        self.refused(advice).into()
    }

    fn refused(&self, advice: &str) -> SourceError {
        SourceError::Refused(format!("{} ({advice})", self.said()))
    }

    fn said(&self) -> String {
        let Self { status, message } = self;
        if message.is_empty() {
            format!("Mixpanel answered {status}")
        } else {
            format!("Mixpanel answered {status}: {message}")
        }
    }
}

/// What the engage API says about a page of a session that it does not know.
pub(crate) const SESSION_ENDED: &str = "uncached query";

/// Whether the query was refused for its `to_date` alone.
fn is_of_a_day_to_come(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let to_come = ["future", "later than today", "after today"];
    message.contains("to_date") && to_come.iter().any(|words| message.contains(words))
}

/// What a person should check, whatever was asked.
fn advice(status: u16) -> &'static str {
    match status {
        401 => "check the user name and secret in mixpanel_secret, and project_id",
        403 => "give the service account access to the project",
        // Redirects are not followed, because they could send the credentials to another host.
        300..=399 | 404 => "check residency and mixpanel_endpoint",
        _ => "Mixpanel gives no further details",
    }
}

/// Turns a message into one line of limited length.
pub(crate) fn tidy(message: &str) -> String {
    let words = message.split(|c: char| c.is_whitespace() || c.is_control());
    let mut line = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.len() > MESSAGE_LIMIT {
        line.truncate(line.floor_char_boundary(MESSAGE_LIMIT));
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn error(status: u16, message: &str, wait: Duration, begins: Timestamp) -> SourceError {
        let refusal = Refusal { status, message: message.to_owned() };
        refusal.outage(wait).unwrap_or_else(|| refusal.of_events(begins))
    }

    #[rstest]
    #[case::bad_query(400, "check where")]
    #[case::unknown(401, "check the user name and secret")]
    #[case::plan(402, "plan does not include")]
    #[case::forbidden(403, "access to the project")]
    #[case::not_there(404, "check residency")]
    #[case::moved(302, "check residency")]
    #[case::too_long(414, "too long")]
    fn what_will_not_change_is_refused_with_advice(#[case] status: u16, #[case] advice: &str) {
        let error = error(status, "own words", Duration::ZERO, Timestamp::UNIX_EPOCH);
        assert!(matches!(error, SourceError::Refused(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("{status}: own words")) && text.contains(advice), "{text}");
    }

    #[rstest]
    #[case::no_content(204)]
    #[case::partial_content(206)]
    #[case::timeout(408)]
    #[case::crash(500)]
    #[case::gateway(503)]
    fn what_may_change_is_an_outage(#[case] status: u16) {
        let error = error(status, "", Duration::ZERO, Timestamp::UNIX_EPOCH);
        assert!(matches!(error, SourceError::Unavailable { .. }), "{error:?}");
    }

    #[test]
    fn a_used_up_budget_says_when_to_return() {
        let wait = Duration::from_secs(7);
        let error = error(429, "slow down", wait, Timestamp::UNIX_EPOCH);
        assert!(matches!(error, SourceError::RateLimited { retry_after } if retry_after == wait));
    }

    #[rstest]
    #[case::today("to_date cannot be later than today (2026-11-10); got 2026-11-11", true)]
    #[case::future("Invalid to_date: it is in the future", true)]
    #[case::reversed("to_date is before from_date", false)]
    #[case::expression("where is wrong: \"future\"", false)]
    fn a_day_that_has_not_begun_is_no_wrong_query(#[case] message: &str, #[case] to_come: bool) {
        let from = "2026-11-11T05:00:00Z".parse().unwrap();
        let error = error(400, message, Duration::ZERO, from);
        assert_eq!(matches!(error, SourceError::NotYet { from: at, .. } if at == from), to_come);
        assert!(!error.is_transient() && error.to_string().contains(message), "{error}");
    }

    #[test]
    fn a_message_is_one_bounded_line() {
        assert_eq!(tidy("  Invalid\r\n\n where \u{1b}[31m\t"), "Invalid where [31m");
        assert_eq!(tidy(&"ü".repeat(10_000)).len(), MESSAGE_LIMIT + 3);
    }
}
