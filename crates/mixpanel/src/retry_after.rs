//! Parses `Retry-After`.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// How long a response asks to wait: seconds, or a date that is compared with the response's own
/// `Date`, so that a wrong local clock does no harm. `None` if it does not say.
pub(crate) fn wait(retry_after: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let retry_after = retry_after?.trim();
    if let Ok(seconds) = retry_after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (timestamp(retry_after)?, timestamp(date?.trim())?);
    // A time in the past means no wait.
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

fn timestamp(http_date: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(http_date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NOW: &str = "Tue, 10 Nov 2026 13:00:00 GMT";

    #[rstest]
    #[case::seconds(Some("120"), Some(NOW), Some(120))]
    #[case::seconds_alone(Some(" 0 "), None, Some(0))]
    #[case::date(Some("Tue, 10 Nov 2026 13:02:00 GMT"), Some(NOW), Some(120))]
    #[case::past(Some("Tue, 10 Nov 2026 12:59:00 GMT"), Some(NOW), Some(0))]
    #[case::date_without_a_date(Some(NOW), None, None)]
    #[case::nonsense(Some("soon"), Some(NOW), None)]
    #[case::negative(Some("-1"), Some(NOW), None)]
    #[case::silent(None, Some(NOW), None)]
    fn seconds_and_dates_are_read(
        #[case] retry_after: Option<&str>,
        #[case] date: Option<&str>,
        #[case] seconds: Option<u64>,
    ) {
        assert_eq!(wait(retry_after, date), seconds.map(Duration::from_secs));
    }
}
