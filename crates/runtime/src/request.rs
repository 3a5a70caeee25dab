//! Which slices an invocation asks for.
//!
//! A schedule says when it was due, and the slice comes from that, never from the time of running:
//! a retry hours later exports the same slice. A person names dates or an hour.

use crate::settings::{Frequency, Problems};
use mixlake_app::export::Expected;
use mixlake_domain::{Date, Slice, SliceError, SliceKind, Timestamp, Zone};
use serde_json::{Map, Value};
use std::time::Duration;

/// What a payload looks like, for whoever sent another one.
const FORMS: &str = "a payload is {\"from_date\":\"2026-11-10\",\"to_date\":\"2026-11-13\"}, \
    {\"date\":\"2026-11-10\"}, {\"hour\":\"2026-11-10T13\"} (all of them with \"force\":true to fetch \
    published slices again, or the days with \"sync\":true to fetch them again and note it) or \
    {\"scheduled_time\":\"2026-11-10T14:10:00Z\"}";

/// How far back a range may begin or end apart; a longer backfill is several.
const MOST_DAYS: usize = 3_660;

/// The first date of a backfill: there was no export API before.
const EARLIEST: Date = Date::constant(2010, 1, 1);

/// Which slices are there to be asked for.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The length of a scheduled slice.
    pub frequency: Frequency,
    /// How long before it was due a scheduled slice had ended.
    pub delay: Duration,
    /// How long ago any slice has to have ended.
    pub margin: Duration,
    /// How many closed days are fetched again once a day, if any are.
    pub sync_days: Option<u32>,
}

/// What an invocation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The slices, before any is put where the settings say that it is one of ingestion.
    pub slices: Vec<Slice>,
    /// Of a schedule: by when its slices, and those before them, had to have ended.
    pub due: Option<Timestamp>,
    /// The hour, if one was asked for.
    pub hour: Option<String>,
    /// Whether slices that are published are fetched again.
    pub force: bool,
    /// Whether the slices are days to sync: they are fetched again, and the lake records when. For a schedule they
    /// are candidates, and `due` is the time since which each has to have been fetched.
    pub sync: bool,
    /// Whether a backfill asks, and not a person. Only the table of runs tells them apart.
    pub backfill: bool,
}

impl Request {
    fn of(slices: Vec<Slice>) -> Self {
        Self { slices, due: None, hour: None, force: false, sync: false, backfill: false }
    }
}

/// Reads a payload.
pub fn read(
    payload: &Value,
    zone: &Zone,
    terms: Terms,
    now: Timestamp,
) -> Result<Request, Problems> {
    let Value::Object(fields) = payload else { return Err(Problems::one("payload", FORMS)) };
    if let Some(due) = due(fields)? {
        let due = due.checked_sub(terms.delay).unwrap_or(due);
        let slices = match terms.frequency {
            Frequency::Daily => Slice::days_ended_by(due, zone),
            Frequency::Hourly => Slice::hours_ended_by(due, zone),
            Frequency::Minutes(length) => Slice::minutes_ended_by(due, length, zone),
        };
        return Ok(Request { due: Some(due), ..Request::of(slices) });
    }
    if fields.contains_key("sync_time") {
        return Ok(scheduled_sync(time(fields, "sync_time")?, zone, terms));
    }
    let slices = of_a_person(fields, zone, terms.margin, now)?;
    let hour = fields.get("hour").and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| fields.get(name).and_then(Value::as_bool).unwrap_or_default();
    let (force, sync, backfill) = (flag("force"), flag("sync"), flag("backfill"));
    if sync {
        closed(&slices, zone)?;
    }
    Ok(Request { hour, force, sync, backfill, ..Request::of(slices) })
}

/// The days that a scheduled sync looks at, the last one first. All of them were closed when today's sync became
/// due, and each has to be fetched once since then.
fn scheduled_sync(at: Timestamp, zone: &Zone, terms: Terms) -> Request {
    let today = zone.date_of(at.checked_sub(terms.delay).unwrap_or(at));
    let midnight = zone.start_of(today);
    let since = midnight.checked_add(terms.delay).unwrap_or(midnight);
    let days = terms.sync_days.unwrap_or_default();
    let before =
        (1..=days).map_while(|days| today.checked_sub(mixlake_domain::Span::new().days(days)).ok());
    let slices = before.map(|date| Slice::day(date, zone)).filter(|day| day.start() < day.end());
    Request { due: Some(since), sync: true, ..Request::of(slices.collect()) }
}

/// Refuses slices that are not whole days: a day that has not ended cannot be fetched for good.
pub fn closed(slices: &[Slice], zone: &Zone) -> Result<(), Problems> {
    let open = slices.iter().find(|slice| !slice.label().is_day());
    open.map_or(Ok(()), |slice| {
        let what =
            format!("takes whole days that have ended in {zone}; {} is none yet", slice.date());
        Err(Problems::one("sync", what))
    })
}

/// The scheduled slices that should be published by `due`, from so many days before on, date by date.
#[must_use]
pub fn expected(due: Timestamp, zone: &Zone, terms: Terms, days: u32) -> Vec<Expected> {
    let last = zone.date_of(due);
    let first = last.checked_sub(mixlake_domain::Span::new().days(days)).unwrap_or(last);
    let dates = first.series(one_day()).take_while(|date| days > 0 && *date <= last);
    dates.map(|date| of_date(date, due, zone, terms.frequency)).collect()
}

fn of_date(date: Date, due: Timestamp, zone: &Zone, frequency: Frequency) -> Expected {
    let day = Slice::day(date, zone);
    let slices = match frequency {
        Frequency::Daily => vec![day.clone()],
        Frequency::Hourly => Slice::hours(date, zone),
        Frequency::Minutes(length) => Slice::minutes(date, length, zone),
    };
    let longer = match frequency {
        Frequency::Daily => Vec::new(),
        Frequency::Hourly => vec![day],
        Frequency::Minutes(_) => [vec![day], Slice::hours(date, zone)].concat(),
    };
    let ended =
        |slices: Vec<Slice>| slices.into_iter().filter(|slice| slice.end() <= due).collect();
    Expected { date, slices: ended(slices), longer: ended(longer) }
}

fn of_a_person(
    fields: &Map<String, Value>,
    zone: &Zone,
    margin: Duration,
    now: Timestamp,
) -> Result<Vec<Slice>, Problems> {
    let mut problems = Problems::default();
    let known = ["from_date", "to_date", "date", "hour", "force", "sync", "backfill"];
    for (field, value) in fields {
        if !known.contains(&field.as_str()) {
            problems.add(field, format!("no such field; {FORMS}"));
        } else if matches!(field.as_str(), "force" | "sync" | "backfill") {
            if !value.is_boolean() {
                problems.add(field, format!("must be true or false, got {value}"));
            }
        } else if !value.is_string() {
            problems.add(field, format!("must be a text, got {value}"));
        }
    }
    problems.into_result(())?;
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    match (text("from_date"), text("to_date"), text("date"), text("hour")) {
        (Some(from), Some(to), None, None) => {
            days(("from_date", from), ("to_date", to), zone, Some((now, margin)))
        }
        (None, None, Some(date), None) => {
            days(("date", date), ("date", date), zone, Some((now, margin)))
        }
        (None, None, None, Some(label)) => hour(label, zone, (now, margin)),
        _ => Err(Problems::one("payload", FORMS)),
    }
}

/// When the schedule was due: EventBridge Scheduler passes it in the payload of our template, an
/// EventBridge rule as the `time` of its event.
fn due(fields: &Map<String, Value>) -> Result<Option<Timestamp>, Problems> {
    let rule = fields.get("source").is_some_and(|source| source == "aws.events");
    let field = match (fields.contains_key("scheduled_time"), rule) {
        (true, _) if fields.len() > 1 => {
            return Err(Problems::one("scheduled_time", "must be the only field of the payload"));
        }
        (true, _) => "scheduled_time",
        (false, true) => "time",
        (false, false) => return Ok(None),
    };
    time(fields, field).map(Some)
}

fn time(fields: &Map<String, Value>, field: &str) -> Result<Timestamp, Problems> {
    let text = fields.get(field).and_then(Value::as_str).unwrap_or_default();
    text.parse().map_err(|_| {
        Problems::one(field, format!("must be a time such as 2026-11-10T14:10:00Z, got {text:?}"))
    })
}

/// The days from one date to another, both included. With a time, what has not happened yet is
/// refused, and of a day that has not ended a margin before only its hours that have are taken.
pub fn days(
    (from_field, from): (&str, &str),
    (to_field, to): (&str, &str),
    zone: &Zone,
    latest: Option<(Timestamp, Duration)>,
) -> Result<Vec<Slice>, Problems> {
    let dates = dates((from_field, from), (to_field, to), zone, latest.map(|(now, _)| now))?;
    let has_ended = |slice: &Slice| latest.is_none_or(|latest| slice.end() <= past(latest));
    let mut slices = Vec::new();
    for date in dates {
        let day = Slice::day(date, zone);
        if has_ended(&day) {
            slices.push(day);
        } else {
            slices.extend(Slice::hours(date, zone).into_iter().filter(has_ended));
        }
    }
    Ok(slices)
}

/// The dates from one to another, both included. With a time, those after it are refused.
pub(crate) fn dates(
    (from_field, from): (&str, &str),
    (to_field, to): (&str, &str),
    zone: &Zone,
    now: Option<Timestamp>,
) -> Result<Vec<Date>, Problems> {
    let mut problems = Problems::default();
    let from_date = date(from_field, from, zone, now, &mut problems);
    let same = (from_field, from) == (to_field, to);
    let to_date = if same { from_date } else { date(to_field, to, zone, now, &mut problems) };
    problems.into_result(())?;
    let (Some(from), Some(to)) = (from_date, to_date) else { return Ok(Vec::new()) };
    if to < from {
        return Err(Problems::one(to_field, format!("{to} is before {from_field} {from}")));
    }
    let dates: Vec<Date> =
        from.series(one_day()).take_while(|date| *date <= to).take(MOST_DAYS + 1).collect();
    if dates.len() > MOST_DAYS {
        return Err(Problems::one(to_field, format!("a range has at most {MOST_DAYS} days")));
    }
    Ok(dates)
}

/// The days of a backfill, from one date to another, both included: any number of whole days that have ended
/// a margin before now.
pub fn whole_days(
    (from_field, from): (&str, &str),
    (to_field, to): (&str, &str),
    zone: &Zone,
    latest: (Timestamp, Duration),
) -> Result<Vec<Slice>, Problems> {
    let mut problems = Problems::default();
    let from = whole_day(from_field, from, zone, latest, &mut problems);
    let to = whole_day(to_field, to, zone, latest, &mut problems);
    let range = from.zip(to);
    if let Some((from, to)) = range.filter(|(from, to)| to < from) {
        problems.add(to_field, format!("{to} is before {from_field} {from}"));
    }
    problems.into_result(())?;
    let Some((from, to)) = range else { return Ok(Vec::new()) };
    let dates = from.series(one_day()).take_while(|date| *date <= to);
    let days = dates.map(|date| Slice::day(date, zone));
    // A date that a zone skips is no day.
    Ok(days.filter(|day| day.start() < day.end()).collect())
}

fn whole_day(
    field: &str,
    text: &str,
    zone: &Zone,
    latest: (Timestamp, Duration),
    problems: &mut Problems,
) -> Option<Date> {
    let date = date(field, text, zone, None, problems)?;
    let last = zone.date_of(past(latest)).yesterday().unwrap_or(date);
    if date < EARLIEST {
        problems.add(field, format!("{date} is before {EARLIEST}, the first date of a backfill"));
    } else if date > last {
        let minutes = latest.1.as_secs() / 60;
        let margin = match minutes {
            0 => String::new(),
            _ => format!(", with {minutes} minutes after it (ingestion_margin_minutes)"),
        };
        let what = format!("{date} is not over; the last whole day in {zone} is {last}{margin}");
        problems.add(field, what);
    }
    Some(date)
}

/// The payload with which the export function exports a slice of a backfill.
#[must_use]
pub fn payload(day: &Slice, force: bool) -> Value {
    let mut payload = serde_json::json!({"date": day.date().to_string()});
    if force {
        payload["force"] = true.into();
    }
    payload
}

/// What has ended by then has ended a margin before now.
fn past((now, margin): (Timestamp, Duration)) -> Timestamp {
    now.checked_sub(margin).unwrap_or(now)
}

fn one_day() -> mixlake_domain::Span {
    mixlake_domain::Span::new().days(1)
}

fn date(
    field: &str,
    text: &str,
    zone: &Zone,
    now: Option<Timestamp>,
    problems: &mut Problems,
) -> Option<Date> {
    let parsed = if text.len() == 10 { text.parse::<Date>().ok() } else { None };
    let Some(date) = parsed else {
        problems.add(field, format!("must be a date such as 2026-11-10, got {text:?}"));
        return None;
    };
    let today = now.map(|now| zone.date_of(now));
    if let Some(today) = today.filter(|today| date > *today) {
        problems.add(field, format!("{date} is in the future; today is {today} in {zone}"));
        return None;
    }
    Some(date)
}

fn hour(label: &str, zone: &Zone, latest: (Timestamp, Duration)) -> Result<Vec<Slice>, Problems> {
    let wrong =
        || Problems::one("hour", format!("must be an hour such as 2026-11-10T13, got {label:?}"));
    // Whether an hour is one of ingestion, the settings say.
    if !label.contains('T') || label.starts_with('i') {
        return Err(wrong());
    }
    let slice = Slice::parse(label, zone).map_err(|error| match error {
        SliceError::Malformed(_) => wrong(),
        SliceError::Skipped(..) | SliceError::NotRepeated(..) => Problems::one("hour", error),
    })?;
    if !matches!(slice.kind(), SliceKind::Hour { .. }) {
        return Err(wrong());
    }
    ended("hour", &slice, zone, latest)?;
    Ok(vec![slice])
}

/// Refuses a slice that has not ended a margin before now.
pub(crate) fn ended(
    field: &str,
    slice: &Slice,
    zone: &Zone,
    (now, margin): (Timestamp, Duration),
) -> Result<(), Problems> {
    if slice.end() > now {
        return Err(Problems::one(field, format!("{slice} has not ended yet in {zone}")));
    }
    if slice.end() > past((now, margin)) {
        let minutes = margin.as_secs() / 60;
        let what =
            format!("{slice} ended less than {minutes} minutes ago (ingestion_margin_minutes)");
        return Err(Problems::one(field, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
