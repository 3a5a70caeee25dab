//! The project's time zone, which defines the days, hours and minutes of the lake.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::fmt;

/// An IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The name is not in the time zone database.
#[derive(Debug, thiserror::Error)]
#[error("not an IANA time zone: {0:?}; use a name such as Europe/Berlin, America/New_York or UTC")]
pub struct ZoneError(String);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Looks a name up in the bundled time zone database.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        TimeZone::get(name).map(Self).map_err(|_| ZoneError(name.to_owned()))
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local date at an instant.
    #[must_use]
    pub fn date_of(&self, instant: Timestamp) -> Date {
        self.local(instant).date()
    }

    /// The local time at an instant.
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.0.to_datetime(instant)
    }

    /// The next instant at which the clocks change.
    #[must_use]
    pub(crate) fn next_change(&self, instant: Timestamp) -> Option<Timestamp> {
        self.0.following(instant).next().map(|change| change.timestamp())
    }

    /// The first instant of a date. This is not always midnight, because some zones skip it.
    #[must_use]
    pub fn start_of(&self, date: Date) -> Timestamp {
        self.instant_of(date.to_datetime(jiff::civil::Time::midnight()))
    }

    /// The instant of a local time. A local time that occurs twice (clocks set back) means the first
    /// occurrence; one that never occurs (clocks set forward) is moved forward by the gap.
    #[must_use]
    pub fn instant_of(&self, wall: DateTime) -> Timestamp {
        self.0.to_ambiguous_timestamp(wall).compatible().unwrap_or(if wall.year() < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_zone_is_named_in_the_error() {
        let error = Zone::parse("Mars/Olympus").unwrap_err();
        assert!(error.to_string().contains("Mars/Olympus"), "{error}");
    }

    #[test]
    fn a_day_without_midnight_starts_after_the_gap() {
        // In Sao Paulo clocks went from 00:00 to 01:00 on 2018-11-04.
        let zone = Zone::parse("America/Sao_Paulo").unwrap();
        let start = zone.start_of("2018-11-04".parse().unwrap());
        assert_eq!(zone.local(start).to_string(), "2018-11-04T01:00:00");
    }
}
