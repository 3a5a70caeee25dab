//! The query of an export request, checked like the API does.

use super::expression::Expression;
use super::line::Line;
use super::parse;
use mixlake_domain::{Date, Zone};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A checked query.
#[derive(Debug)]
pub(super) struct ExportParams {
    window_ms: Range<i64>,
    events: Option<HashSet<String>>,
    condition: Option<Expression>,
    limit: Option<usize>,
    time_in_ms: bool,
}

impl ExportParams {
    /// Checks the pairs of a query string; returns the text of the 400 response if one is wrong.
    pub(super) fn read(pairs: &HashMap<String, String>, today: Date) -> Result<Self, String> {
        let get = |name: &str| pairs.get(name).map(String::as_str);
        let from = date("from_date", get("from_date"))?;
        let to = date("to_date", get("to_date"))?;
        if to < from {
            return Err(format!("to_date {to} is before from_date {from}"));
        }
        if to > today {
            return Err(format!("to_date cannot be later than today ({today}); got {to}"));
        }
        Ok(Self {
            window_ms: days(from, to),
            events: get("event").map(events).transpose()?,
            condition: get("where").map(parse::expression).transpose()?,
            limit: get("limit").map(limit).transpose()?,
            time_in_ms: get("time_in_ms").map_or(Ok(false), boolean)?,
        })
    }

    /// Whether dates and `where` select the line.
    pub(super) fn covers(&self, line: &Line) -> bool {
        line.time_ms().is_some_and(|ms| self.window_ms.contains(&ms))
            && self.condition.as_ref().is_none_or(|condition| condition.holds(line))
    }

    /// Whether the allow-list contains the line's event; a line without a name always passes.
    pub(super) fn names(&self, line: &Line) -> bool {
        match (&self.events, line.event(), line.time_ms()) {
            (Some(events), Some(event), Some(_)) => events.contains(event),
            _ => true,
        }
    }

    pub(super) fn limit(&self) -> Option<usize> {
        self.limit
    }

    pub(super) fn time_in_ms(&self) -> bool {
        self.time_in_ms
    }
}

fn days(from: Date, to: Date) -> Range<i64> {
    let start = |date| Zone::UTC.start_of(date).as_millisecond();
    start(from)..to.tomorrow().map_or(i64::MAX, start)
}

fn date(name: &str, value: Option<&str>) -> Result<Date, String> {
    let value = value.ok_or_else(|| format!("{name} is a required parameter"))?;
    let wrong = || format!("{name} must be in the form YYYY-MM-DD; got {value:?}");
    if value.len() != 10 {
        return Err(wrong());
    }
    value.parse().map_err(|_| wrong())
}

fn events(value: &str) -> Result<HashSet<String>, String> {
    serde_json::from_str(value)
        .map_err(|_| format!("event must be a JSON array of event names; got {value:?}"))
}

fn limit(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(limit @ 1..=100_000) => Ok(limit),
        _ => Err(format!("limit must be a number from 1 to 100000; got {value:?}")),
    }
}

fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("time_in_ms must be true or false; got {value:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(query: &[(&str, &str)]) -> Result<ExportParams, String> {
        let pairs = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ExportParams::read(&pairs, "2026-11-14".parse().unwrap())
    }

    #[rstest]
    #[case::nothing(&[], "from_date is a required")]
    #[case::half(&[("from_date", "2026-11-10")], "to_date is a required")]
    #[case::not_a_date(&[("from_date", "10.11.2026")], "YYYY-MM-DD")]
    #[case::reversed(&[("from_date", "2026-11-10"), ("to_date", "2026-11-09")], "is before")]
    #[case::future(&[("from_date", "2026-11-10"), ("to_date", "2026-11-15")], "later than today")]
    fn wrong_dates_are_refused_in_words(#[case] query: &[(&str, &str)], #[case] words: &str) {
        let message = read(query).unwrap_err();
        assert!(message.contains(words), "{message}");
    }

    #[rstest]
    #[case::event("event", "add_to_cart")]
    #[case::events_of_numbers("event", "[1]")]
    #[case::limit("limit", "100001")]
    #[case::time_in_ms("time_in_ms", "yes")]
    #[case::expression("where", "nonsense(properties[\"x\"])")]
    fn a_wrong_parameter_is_quoted(#[case] name: &str, #[case] value: &str) {
        let dates = [("from_date", "2026-11-10"), ("to_date", "2026-11-14")];
        let message = read(&[dates[0], dates[1], (name, value)]).unwrap_err();
        let quoted = format!("{value:?}");
        assert!(message.contains(&quoted) && message.contains(name), "{message}");
    }
}
