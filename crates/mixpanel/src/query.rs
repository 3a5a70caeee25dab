//! The query that fetches a slice.

use crate::config::Config;
use crate::filters::WhereExpression;
use mixlake_domain::{Basis, Date, Timestamp, Window, Zone};
use std::time::Duration;

/// The parameters of an export request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportQuery {
    from_date: Date,
    to_date: Date,
    where_expression: Option<String>,
    event: Option<String>,
    project_id: Option<String>,
}

impl ExportQuery {
    /// The query for a window; `None` if no event can be in it: the second pass over an hour, in a
    /// project whose events carry local times.
    #[must_use]
    pub fn of(window: &Window, config: &Config) -> Option<Self> {
        let (from_date, to_date, bounds) = match window.slice().basis() {
            Basis::EventTime => of_event_time(window, config)?,
            Basis::Ingestion => of_ingestion(window, config),
        };
        let wanted = config.where_expression.as_ref().map(WhereExpression::as_str);
        Some(Self {
            from_date,
            to_date,
            where_expression: combined(bounds, wanted),
            event: config.events.to_json(),
            project_id: config.credentials_need_project().then(|| config.project_id.to_string()),
        })
    }

    /// The last date of the query.
    pub(crate) fn to_date(&self) -> Date {
        self.to_date
    }

    /// The parameters as names and values, not yet URL-encoded.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let optional = [
            ("where", &self.where_expression),
            ("event", &self.event),
            ("project_id", &self.project_id),
        ];
        [
            ("from_date", self.from_date.to_string()),
            ("to_date", self.to_date.to_string()),
            ("time_in_ms", "true".to_owned()),
        ]
        .into_iter()
        .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))))
        .collect()
    }
}

/// The dates of a query and the conditions that bound its window.
type Bounds = (Date, Date, Vec<String>);

fn of_event_time(window: &Window, config: &Config) -> Option<Bounds> {
    let start = config.event_time.bound(window.start());
    let end = config.event_time.bound(window.end());
    let last = before(end).filter(|last| *last >= start)?;
    let mut bounds = Vec::new();
    if !(is_midnight(start) && is_midnight(end)) {
        let (start, end) = (Zone::UTC.local(start), Zone::UTC.local(end));
        bounds.push(format!(r#"event["$time"] >= datetime("{start}")"#));
        bounds.push(format!(r#"event["$time"] < datetime("{end}")"#));
    }
    if let Some(since) = config.ingestion.since {
        let since = since.as_millisecond();
        // An event without this property is found only by the time at which it happened.
        bounds.push(format!("(not defined({PROCESSED_PROPERTY}) or {PROCESSED} < {since})"));
    }
    Some((Zone::UTC.date_of(start), Zone::UTC.date_of(last), bounds))
}

/// The time at which Mixpanel processed an event, in milliseconds since 1970. The cast makes the
/// comparison numeric.
const PROCESSED: &str = r#"number(properties["mp_processing_time_ms"])"#;

/// The same property, to check whether an event has it.
const PROCESSED_PROPERTY: &str = r#"properties["mp_processing_time_ms"]"#;

/// An event belongs to the window of the later of two times: when it was processed and when it
/// happened. Usually this is the processing time. If the clock of an event ran ahead, it is the time in
/// the event, because Mixpanel cannot be queried for that date yet when it is processed. So each event
/// is in exactly one window, however far ahead its clock was.
fn of_ingestion(window: &Window, config: &Config) -> Bounds {
    // In the time zone of the event times, whatever the clocks do in between: the dates only need to be
    // wide enough.
    let first = window.start().checked_sub(config.ingestion.window).unwrap_or(Timestamp::MIN);
    let bound = |instant| config.event_time.bound(instant);
    let last = before(bound(window.end())).unwrap_or(bound(window.end()));
    let (start, end) = (window.start().as_millisecond(), window.end().as_millisecond());
    let happened = |than: &str, instant| {
        let time = Zone::UTC.local(bound(instant));
        format!(r#"event["$time"] {than} datetime("{time}")"#)
    };
    let processed_later = format!("{PROCESSED} >= {start}");
    let happened_later = happened(">=", window.start());
    let bounds = vec![
        format!("({processed_later} or {happened_later})"),
        format!("{PROCESSED} < {end}"),
        happened("<", window.end()),
    ];
    (Zone::UTC.date_of(bound(first)), Zone::UTC.date_of(last), bounds)
}

fn before(end: Timestamp) -> Option<Timestamp> {
    end.checked_sub(Duration::from_nanos(1)).ok()
}

fn is_midnight(bound: Timestamp) -> bool {
    Zone::UTC.start_of(Zone::UTC.date_of(bound)) == bound
}

fn combined(mut conditions: Vec<String>, user: Option<&str>) -> Option<String> {
    match user {
        Some(user) if conditions.is_empty() => conditions.push(user.to_owned()),
        Some(user) => conditions.push(format!("({user})")),
        None => {}
    }
    (!conditions.is_empty()).then(|| conditions.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Endpoint, EventNames, EventTime, Ingestion, Residency};
    use mixlake_domain::Slice;
    use rstest::rstest;

    fn config() -> Config {
        let credentials = Credentials::service_account("me", "s").unwrap();
        let endpoint = Endpoint::residency(Residency::Us);
        Config::new(endpoint, "7".parse().unwrap(), credentials)
    }

    fn pairs(slice: &str, zone: &Zone, config: &Config) -> Vec<String> {
        let slice = Slice::parse(slice, zone).unwrap();
        let query = ExportQuery::of(&Window::whole(&slice), config).unwrap();
        query.pairs().into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    fn bounds(start: &str, end: &str) -> String {
        format!(
            r#"where=event["$time"] >= datetime("{start}") and event["$time"] < datetime("{end}")"#
        )
    }

    #[rstest]
    #[case::utc_day("UTC", "2026-11-10", "2026-11-10", "2026-11-10", None)]
    #[case::utc_hour("UTC", "2026-01-10T13", "2026-01-10", "2026-01-10",
        Some(("2026-01-10T13:00:00", "2026-01-10T14:00:00")))]
    #[case::last_utc_hour("UTC", "2026-01-10T23", "2026-01-10", "2026-01-10",
        Some(("2026-01-10T23:00:00", "2026-01-11T00:00:00")))]
    #[case::berlin_day("Europe/Berlin", "2026-11-10", "2026-11-09", "2026-11-10",
        Some(("2026-11-09T23:00:00", "2026-11-10T23:00:00")))]
    #[case::berlin_first_hour("Europe/Berlin", "2026-11-10T00", "2026-11-09", "2026-11-09",
        Some(("2026-11-09T23:00:00", "2026-11-10T00:00:00")))]
    #[case::short_day("Europe/Berlin", "2026-03-29", "2026-03-28", "2026-03-29",
        Some(("2026-03-28T23:00:00", "2026-03-29T22:00:00")))]
    #[case::second_pass("Europe/Berlin", "2026-10-25T02b", "2026-10-25", "2026-10-25",
        Some(("2026-10-25T01:00:00", "2026-10-25T02:00:00")))]
    #[case::quarter("UTC", "2026-01-10T23_45to60", "2026-01-10", "2026-01-10",
        Some(("2026-01-10T23:45:00", "2026-01-11T00:00:00")))]
    #[case::five_minutes("Europe/Berlin", "2026-11-10T00_00to05", "2026-11-09", "2026-11-09",
        Some(("2026-11-09T23:00:00", "2026-11-09T23:05:00")))]
    #[case::quarter_of_the_second_pass("Europe/Berlin", "2026-10-25T02b_15to30", "2026-10-25", "2026-10-25",
        Some(("2026-10-25T01:15:00", "2026-10-25T01:30:00")))]
    #[case::half_hour_zone("Asia/Kolkata", "2026-11-10T00", "2026-11-09", "2026-11-09",
        Some(("2026-11-09T18:30:00", "2026-11-09T19:30:00")))]
    fn projects_since_2023_are_asked_in_utc(
        #[case] zone: &str,
        #[case] slice: &str,
        #[case] from: &str,
        #[case] to: &str,
        #[case] between: Option<(&str, &str)>,
    ) {
        let mut expected =
            vec![format!("from_date={from}"), format!("to_date={to}"), "time_in_ms=true".into()];
        expected.extend(between.map(|(start, end)| bounds(start, end)));
        expected.push("project_id=7".into());
        assert_eq!(pairs(slice, &Zone::parse(zone).unwrap(), &config()), expected);
    }

    #[rstest]
    #[case::day("2026-11-10", "2026-11-10", None)]
    #[case::hour("2026-11-10T00", "2026-11-10", Some(("2026-11-10T00:00:00", "2026-11-10T01:00:00")))]
    #[case::long_day("2026-10-25", "2026-10-25", None)]
    #[case::first_pass("2026-10-25T02", "2026-10-25", Some(("2026-10-25T02:00:00", "2026-10-25T03:00:00")))]
    #[case::quarter_of_the_first_pass("2026-10-25T02_15to30", "2026-10-25",
        Some(("2026-10-25T02:15:00", "2026-10-25T02:30:00")))]
    fn projects_before_2023_are_asked_by_their_wall_clock(
        #[case] slice: &str,
        #[case] date: &str,
        #[case] between: Option<(&str, &str)>,
    ) {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let config = Config { event_time: EventTime::of_project(true, &berlin), ..config() };
        let mut expected =
            vec![format!("from_date={date}"), format!("to_date={date}"), "time_in_ms=true".into()];
        expected.extend(between.map(|(start, end)| bounds(start, end)));
        expected.push("project_id=7".into());
        assert_eq!(pairs(slice, &berlin, &config), expected);
    }

    #[rstest]
    #[case::in_the_night("Europe/Berlin", "2026-10-25T02b")]
    #[case::minutes("Europe/Berlin", "2026-10-25T02b_15to30")]
    #[case::up_to_midnight("America/Sao_Paulo", "2018-02-17T23b")]
    fn the_second_pass_over_an_hour_of_wall_clock_readings_asks_nothing(
        #[case] zone: &str,
        #[case] slice: &str,
    ) {
        let zone = Zone::parse(zone).unwrap();
        let slice = Slice::parse(slice, &zone).unwrap();
        let config = Config { event_time: EventTime::of_project(true, &zone), ..config() };
        assert_eq!(ExportQuery::of(&Window::whole(&slice), &config), None);
    }

    #[test]
    fn filters_come_with_the_bounds_and_cannot_widen_them() {
        let user = r#"properties["a"] == 1 or properties["b"] == 2"#;
        let config = Config {
            events: EventNames::new(vec!["add to cart".into(), "a \"b\"".into()]).unwrap(),
            where_expression: Some(user.parse().unwrap()),
            ..config()
        };
        let bounds = bounds("2026-11-10T05:00:00", "2026-11-10T06:00:00");
        let hour = pairs("2026-11-10T05", &Zone::UTC, &config);
        assert_eq!(hour[3], format!("{bounds} and ({user})"));
        assert_eq!(hour[4], r#"event=["add to cart","a \"b\""]"#);
        assert_eq!(pairs("2026-11-10", &Zone::UTC, &config)[3], format!("where={user}"));
    }

    #[rstest]
    #[case::utc("UTC", false, "2026-06-13", "2026-11-10", 1_794_315_600_000)]
    #[case::last_hour("UTC", false, "2026-06-13", "2026-11-10", 1_794_351_600_000)]
    #[case::east("Asia/Tokyo", true, "2026-06-13", "2026-11-10", 1_794_283_200_000)]
    fn slices_of_ingestion_are_asked_by_processing_time_over_a_window_of_dates(
        #[case] zone: &str,
        #[case] wall_clock: bool,
        #[case] from: &str,
        #[case] to: &str,
        #[case] start: i64,
    ) {
        let zone = Zone::parse(zone).unwrap();
        let event_time = EventTime::of_project(wall_clock, &zone);
        let config = Config {
            event_time,
            where_expression: Some("properties[\"a\"] == 1".parse().unwrap()),
            ..config()
        };
        let end = Timestamp::from_millisecond(start + 3_600_000).unwrap();
        let slice = Slice::hours_ended_by(end, &zone).remove(0).by(Basis::Ingestion);
        assert_eq!(slice.start().as_millisecond(), start);
        let query = ExportQuery::of(&Window::whole(&slice), &config).unwrap();
        assert_eq!(
            (query.from_date.to_string(), query.to_date.to_string()),
            (from.into(), to.into())
        );
        let happened = [start, start + 3_600_000].map(|instant| {
            let instant = Timestamp::from_millisecond(instant).unwrap();
            Zone::UTC.local(config.event_time.bound(instant)).to_string()
        });
        let end = start + 3_600_000;
        let processed = "number(properties[\"mp_processing_time_ms\"])";
        let expected = format!(
            "({processed} >= {start} or event[\"$time\"] >= datetime(\"{}\")) and {processed} < {end} \
             and event[\"$time\"] < datetime(\"{}\") and (properties[\"a\"] == 1)",
            happened[0], happened[1]
        );
        assert_eq!(query.where_expression, Some(expected));
    }

    #[test]
    fn slices_of_event_time_leave_what_was_processed_later_to_those_of_ingestion() {
        let since = Some("2026-11-01T00:00:00Z".parse().unwrap());
        let ingestion = Ingestion { since, ..Ingestion::default() };
        let pairs = pairs("2026-10-10", &Zone::UTC, &Config { ingestion, ..config() });
        let processed = "properties[\"mp_processing_time_ms\"]";
        let expected =
            format!("where=(not defined({processed}) or number({processed}) < 1793491200000)");
        assert_eq!(pairs[3], expected);
    }

    #[test]
    fn a_project_secret_names_its_project_by_itself() {
        let credentials = Credentials::project_secret("p").unwrap();
        let config = Config { credentials, ..config() };
        let pairs = pairs("2026-11-10", &Zone::UTC, &config);
        assert!(!pairs.iter().any(|pair| pair.starts_with("project_id")), "{pairs:?}");
    }
}
