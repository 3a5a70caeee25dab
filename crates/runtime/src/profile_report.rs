//! The report of an export of profiles as it leaves the process.

use crate::answer::{Failure, Kind};
use crate::report::{Kept, MOST_BYTES, MOST_OF_REASON, beginning};
use mixlake_app::ports::SourceError;
use mixlake_app::profiles::{ProfilesError, ProfilesReport, TableOutcome};
use mixlake_domain::Timestamp;
use serde_json::{Value, json};

/// The report, as documented in docs/REPORT.md.
#[must_use]
pub fn profiles_summary(report: &ProfilesReport) -> Value {
    let tables: Vec<Value> = report.tables.iter().map(of_table).collect();
    let mut summary = json!({"tables": tables});
    if !report.not_tried.is_empty() {
        summary["not_tried"] = json!(report.not_tried);
    }
    if let Some(seconds) = retry_after_seconds(report) {
        summary["retry_after_seconds"] = seconds.into();
    }
    summary
}

fn of_table(tried: &TableOutcome) -> Value {
    match &tried.outcome {
        Ok(done) => json!(done),
        Err(error) => json!({
            "table": tried.table,
            "status": "failed",
            "error": mixlake_app::chain(error),
        }),
    }
}

/// The answer of the function: the report, as far as it fits, and where the whole report is.
pub(crate) fn answer(report: &ProfilesReport, kept: Option<&Kept>) -> Value {
    let mut answer = profiles_summary(report);
    if answer.to_string().len() > MOST_BYTES / 2 {
        let tables = answer["tables"].as_array_mut();
        tables.into_iter().flatten().for_each(shorten);
    }
    if let Some(kept) = kept {
        kept.enter(&mut answer);
    }
    answer
}

/// Lists become counts.
fn shorten(table: &mut Value) {
    for list in ["new_columns", "objects"] {
        if let Some(items) = table[list].as_array().map(Vec::len) {
            table[list] = items.into();
        }
    }
    if let Some(error) = table["error"].as_str() {
        table["error"] = beginning(error, MOST_OF_REASON).into();
    }
}

/// The whole report of a run as a document.
pub(crate) fn whole(
    report: &ProfilesReport,
    (began, ended): (Timestamp, Timestamp),
    version: &str,
) -> Vec<u8> {
    let mut document = profiles_summary(report);
    document["began"] = json!(began.to_string());
    document["ended"] = json!(ended.to_string());
    document["version"] = json!(version);
    document.to_string().into_bytes()
}

/// The failure of an export that is not whole.
pub(crate) fn failure(report: &ProfilesReport, kept: Option<&Kept>) -> Failure {
    let is_out_of_time = report
        .errors()
        .any(|(_, error)| matches!(error, ProfilesError::Source(SourceError::OutOfTime)));
    let (kind, error) = if retry_after_seconds(report).is_some() {
        let what = "the query budget of the project is used up. Later, invoke the function again: it goes on with \
                    the pages that it has";
        (Kind::RateLimited, what)
    } else if is_out_of_time {
        let what = "the time of the function is used up. Invoke it again: it goes on with the pages that it has";
        (Kind::OutOfTime, what)
    } else {
        return Failure::new(Kind::ProfilesFailed, in_words(report, kept));
    };
    let mut document = json!({"error": error, "report": answer(report, kept)});
    if let Some(seconds) = retry_after_seconds(report) {
        document["retry_after_seconds"] = seconds.into();
    }
    Failure::new(kind, document)
}

fn in_words(report: &ProfilesReport, kept: Option<&Kept>) -> String {
    let reasons: Vec<String> = report
        .errors()
        .map(|(table, error)| {
            format!("{table}: {}", beginning(&mixlake_app::chain(error), MOST_OF_REASON))
        })
        .collect();
    format!(
        "profiles are not published: {}. The live tables stay as they are. Report: {}",
        reasons.join("; "),
        answer(report, kept)
    )
}

/// Rounded up: who comes back then is let in.
fn retry_after_seconds(report: &ProfilesReport) -> Option<u64> {
    let wait = report.errors().find_map(|(_, error)| {
        let ProfilesError::Source(SourceError::RateLimited { retry_after }) = error else {
            return None;
        };
        Some(*retry_after)
    })?;
    Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::export::Effort;
    use std::time::Duration;

    fn report(error: SourceError) -> ProfilesReport {
        let began = Timestamp::UNIX_EPOCH;
        let tried = TableOutcome {
            table: "mp_people_data".parse().unwrap(),
            outcome: Err(error.into()),
            effort: Effort { began, ended: began, queries: 1 },
        };
        let not_tried = vec!["mp_group_a_data".parse().unwrap()];
        ProfilesReport { tables: vec![tried], not_tried }
    }

    #[test]
    fn a_used_up_budget_is_answered_with_the_time_to_come_back() {
        let error = SourceError::RateLimited { retry_after: Duration::from_millis(1_001) };
        let failure = failure(&report(error), None);
        assert_eq!(failure.kind, Kind::RateLimited);
        let document: Value = serde_json::from_str(&failure.message).unwrap();
        assert_eq!(document["retry_after_seconds"], 2);
        assert_eq!(document["report"]["not_tried"], json!(["mp_group_a_data"]));
    }

    #[test]
    fn a_used_up_time_says_that_the_next_run_goes_on() {
        let failure = failure(&report(SourceError::OutOfTime), None);
        assert_eq!(failure.kind, Kind::OutOfTime);
        assert!(failure.message.contains("goes on with the pages that it has"), "{failure}");
    }

    #[test]
    fn any_other_failure_is_told_in_words_of_limited_length() {
        let failure = failure(&report(SourceError::Refused("x".repeat(300_000))), None);
        assert_eq!(failure.kind, Kind::ProfilesFailed);
        let start = "profiles are not published: mp_people_data: ";
        assert!(failure.message.starts_with(start), "{}", &failure.message[..200]);
        assert!(failure.message.len() < 3_000, "{}", failure.message.len());
    }
}
