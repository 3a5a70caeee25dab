//! The report of an export as it leaves the process: bounded, with what to do next.

use crate::answer::{Failure, Kind};
use crate::request::Request;
use mixlake_app::export::{ExportReport, SliceOutcome, SliceStatus, Totals};
use mixlake_domain::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// The most bytes of an answer or an error of a function: the destination of an asynchronous invocation
/// takes 256 KB, with the payload beside it.
pub(crate) const MOST_BYTES: usize = 200_000;

/// The most slices that a bounded report lists; it names the first and counts the others.
const MOST_SLICES: usize = 100;

/// The most characters of a reason in an answer. The report in the lake has all of them.
pub(crate) const MOST_OF_REASON: usize = 500;

/// Where the whole report of a run is kept, or why it is not.
#[derive(Debug, Clone)]
pub(crate) struct Kept(pub Result<String, String>);

impl Kept {
    pub(crate) fn location(&self) -> Option<&str> {
        self.0.as_deref().ok()
    }

    /// Names the place in an answer.
    pub(crate) fn enter(&self, answer: &mut Value) {
        answer["report_location"] = self.location().into();
        if let Err(error) = &self.0 {
            answer["report_error"] = beginning(error, MOST_OF_REASON).into();
        }
    }
}

/// The first characters of a text.
pub(crate) fn beginning(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// The report of an export, as documented in docs/REPORT.md.
#[must_use]
pub fn summary(report: &ExportReport) -> Value {
    let slices: Vec<Value> = report.slices.iter().map(of_slice).collect();
    let mut summary = json!({"slices": slices, "totals": report.totals()});
    if let Some(seconds) = retry_after_seconds(report) {
        summary["retry_after_seconds"] = seconds.into();
    }
    summary
}

/// The answer of the function: the report, as far as it fits, and where the whole report is.
pub(crate) fn answer(report: &ExportReport, kept: &Kept) -> Value {
    let mut answer = bounded(report);
    kept.enter(&mut answer);
    answer
}

/// The whole report of a run as a document. It can be large, so it is written slice by slice.
pub(crate) fn whole(
    report: &ExportReport,
    (began, ended): (Timestamp, Timestamp),
    version: &str,
) -> Vec<u8> {
    let document = Whole {
        began: began.to_string(),
        ended: ended.to_string(),
        version,
        totals: report.totals(),
        retry_after_seconds: retry_after_seconds(report),
        slices: Slices(report),
    };
    serde_json::to_vec(&document).expect("texts and numbers can always be written as JSON")
}

#[derive(Serialize)]
struct Whole<'a> {
    began: String,
    ended: String,
    version: &'a str,
    totals: Totals,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    slices: Slices<'a>,
}

struct Slices<'a>(&'a ExportReport);

impl Serialize for Slices<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.slices.iter().map(of_slice))
    }
}

fn of_slice(slice: &SliceOutcome) -> Value {
    match &slice.outcome {
        Ok(whole) => json!(whole),
        Err(error) => json!({
            "slice": slice.slice.to_string(),
            "from": slice.slice.start().to_string(),
            "to": slice.slice.end().to_string(),
            "status": "failed",
            "error": mixlake_app::chain(error),
        }),
    }
}

/// The failure of an export that is not whole. One that only has to come back says so in a form that whoever
/// invoked the function can act on.
pub(crate) fn failure(report: &ExportReport, kept: &Kept, request: &Request) -> Failure {
    let (kind, error) = if retry_after_seconds(report).is_some() {
        (
            Kind::RateLimited,
            "the query budget of the project is used up. Later, invoke the function with the payload in go_on",
        )
    } else if report.is_out_of_time() {
        (
            Kind::OutOfTime,
            "the time of the function is used up. Invoke it again with the payload in go_on",
        )
    } else {
        return Failure::new(Kind::SliceFailed, in_words(report, kept));
    };
    let mut document = json!({"error": error, "report": answer(report, kept)});
    if let Some(payload) = go_on(report, request) {
        document["go_on"] = payload;
    }
    if let Some(seconds) = retry_after_seconds(report) {
        document["retry_after_seconds"] = seconds.into();
    }
    Failure::new(kind, document)
}

/// The payload that asks for what is not published yet.
fn go_on(report: &ExportReport, request: &Request) -> Option<Value> {
    let first = report.slices.iter().find(|slice| slice.outcome.is_err())?;
    let last = report.slices.last()?;
    let mut payload = match &request.hour {
        Some(hour) => json!({"hour": hour}),
        None => json!({
            "from_date": first.slice.date().to_string(),
            "to_date": last.slice.date().to_string(),
        }),
    };
    for (flag, is_set) in [("force", request.force), ("sync", request.sync)] {
        if is_set {
            payload[flag] = true.into();
        }
    }
    Some(payload)
}

/// Rounded up: who comes back then is let in.
fn retry_after_seconds(report: &ExportReport) -> Option<u64> {
    let wait = report.retry_after()?;
    Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX))
}

/// What to say of an export that is not whole: what failed, each reason once, what to do, and the report.
fn in_words(report: &ExportReport, kept: &Kept) -> String {
    let failed = report.errors().count();
    format!(
        "{failed} of {} slices are not published: {}. Published slices stay as they are. Export the \
         others again, starting with the first that failed. Report: {}",
        report.slices.len(),
        reasons(report).join("; "),
        answer(report, kept)
    )
}

/// Each reason once, with the first of the slices that failed for it.
fn reasons(report: &ExportReport) -> Vec<String> {
    let mut reasons: Vec<(String, &SliceOutcome, usize)> = Vec::new();
    for slice in &report.slices {
        let Err(error) = &slice.outcome else { continue };
        let error = beginning(&mixlake_app::chain(error), MOST_OF_REASON);
        match reasons.iter_mut().find(|(known, ..)| *known == error) {
            Some((.., slices)) => *slices += 1,
            None => reasons.push((error, slice, 1)),
        }
    }
    let text = |(error, first, slices): &(String, &SliceOutcome, usize)| match slices {
        1 => format!("{}: {error}", first.slice),
        _ => format!("{} and {} more: {error}", first.slice, slices - 1),
    };
    let mut texts: Vec<String> = reasons.iter().take(MOST_SLICES).map(text).collect();
    if reasons.len() > MOST_SLICES {
        texts.push(format!("and {} other reasons", reasons.len() - MOST_SLICES));
    }
    texts
}

/// The report within an answer. Where the whole is too long, slices that failed come before others, and
/// lists become counts.
fn bounded(report: &ExportReport) -> Value {
    if is_short(report) {
        return summary(report);
    }
    let (failed, whole): (Vec<_>, Vec<_>) =
        report.slices.iter().partition(|slice| slice.outcome.is_err());
    let first = failed.into_iter().chain(whole).take(MOST_SLICES);
    let slices: Vec<Value> = first.map(shorter).collect();
    let mut summary = json!({
        "slices": slices,
        "slices_by_status": by_status(report),
        "slices_left_out": report.slices.len().saturating_sub(MOST_SLICES),
        "totals": report.totals(),
    });
    if let Some(seconds) = retry_after_seconds(report) {
        summary["retry_after_seconds"] = seconds.into();
    }
    summary
}

/// Whether the whole report leaves room for the reasons. What it takes is summed up only so far.
fn is_short(report: &ExportReport) -> bool {
    let mut length = 0;
    report.slices.iter().all(|slice| {
        length += of_slice(slice).to_string().len();
        length <= MOST_BYTES / 2
    })
}

fn shorter(slice: &SliceOutcome) -> Value {
    let mut slice = of_slice(slice);
    for list in ["new_columns", "objects", "changes", "rows_taken"] {
        if let Some(items) = slice[list].as_array().map(Vec::len) {
            slice[list] = items.into();
        }
    }
    if let Some(error) = slice["error"].as_str() {
        slice["error"] = beginning(error, 200).into();
    }
    slice
}

/// How many slices have each status, if any has.
fn by_status(report: &ExportReport) -> Value {
    let mut counts = json!({});
    let statuses = [SliceStatus::Published, SliceStatus::Unchanged, SliceStatus::Existing];
    let of = |status| report.whole().filter(|slice| slice.status == status).count();
    let whole = statuses.map(|status| (status.to_string(), of(status)));
    let failed = ("failed".to_owned(), report.errors().count());
    for (status, count) in whole.into_iter().chain([failed]).filter(|(_, count)| *count > 0) {
        counts[status] = count.into();
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::export::ExportError;
    use mixlake_app::ports::SourceError;
    use mixlake_domain::{Slice, Zone};
    use std::time::Duration;

    fn report(error: SourceError) -> ExportReport {
        let slice = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
        let outcome = Err(ExportError::Source(error));
        ExportReport { slices: vec![SliceOutcome { slice, outcome, effort: None }] }
    }

    fn request() -> Request {
        Request {
            slices: Vec::new(),
            due: None,
            hour: None,
            force: true,
            sync: false,
            backfill: false,
        }
    }

    fn kept() -> Kept {
        Kept(Ok("s3://lake/42/_reports/2026/11/10/0123.json".to_owned()))
    }

    /// As many days as this, none of which was published.
    fn days(days: usize, error: impl Fn(usize) -> String) -> ExportReport {
        let first: mixlake_domain::Date = "2020-01-01".parse().unwrap();
        let dates = first.series(mixlake_domain::Span::new().days(1)).take(days);
        let slice = |(day, date)| SliceOutcome {
            slice: Slice::day(date, &Zone::UTC),
            outcome: Err(ExportError::Source(SourceError::Refused(error(day)))),
            effort: None,
        };
        ExportReport { slices: dates.enumerate().map(slice).collect() }
    }

    #[test]
    fn a_used_up_budget_is_answered_with_the_time_to_come_back() {
        let failure = failure(
            &report(SourceError::RateLimited { retry_after: Duration::from_millis(1_799_001) }),
            &kept(),
            &request(),
        );
        assert_eq!(failure.kind, Kind::RateLimited);
        let document: Value = serde_json::from_str(&failure.message).unwrap();
        assert_eq!(document["retry_after_seconds"], 1800);
        assert_eq!(document["report"]["slices"][0]["slice"], "2026-11-10");
        assert_eq!(document["report"]["retry_after_seconds"], 1800);
    }

    #[test]
    fn any_other_failure_is_told_in_words() {
        let failure = failure(&report(SourceError::Refused("401".to_owned())), &kept(), &request());
        assert_eq!(failure.kind, Kind::SliceFailed);
        assert!(failure.message.starts_with("1 of 1 slices are not published"), "{failure}");
    }

    #[test]
    fn a_function_that_runs_out_of_time_says_how_to_go_on() {
        let failure = failure(&report(SourceError::OutOfTime), &kept(), &request());
        assert_eq!(failure.kind, Kind::OutOfTime);
        let document: Value = serde_json::from_str(&failure.message).unwrap();
        let payload = json!({"from_date": "2026-11-10", "to_date": "2026-11-10", "force": true});
        assert_eq!(document["go_on"], payload);
    }

    #[test]
    fn a_reason_is_told_once_however_many_slices_have_it() {
        let failure = failure(&days(3, |_| "401".to_owned()), &kept(), &request());
        let words = failure.message.split(" Report: ").next().unwrap();
        assert_eq!(words.matches("401").count(), 1, "{words}");
        assert!(words.contains("2020-01-01 and 2 more: "), "{words}");
    }

    #[test]
    fn an_error_fits_whatever_failed() {
        let message = failure(
            &days(3_660, |day| format!("{day} {}", "x".repeat(4_000))),
            &kept(),
            &request(),
        )
        .message;
        assert!(message.len() < MOST_BYTES, "{}", message.len());
        for part in [
            "and 3560 other reasons",
            "\"slices_left_out\":3560",
            "\"slices_by_status\":{\"failed\":3660}",
            "\"report_location\":\"s3://lake/42/_reports/2026/11/10/0123.json\"",
        ] {
            assert!(message.contains(part), "{part}");
        }
    }
}
