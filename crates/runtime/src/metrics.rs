//! Metrics of slices, as CloudWatch's embedded metric format: a log line that becomes metrics.

use mixlake_app::export::SliceReport;
use mixlake_app::profiles::TableReport;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

/// What is counted of a slice, with its unit.
const METRICS: [(&str, &str); 7] = [
    ("Received", "Count"),
    ("Written", "Count"),
    ("Duplicates", "Count"),
    ("Quarantined", "Count"),
    ("QuarantineShare", "Percent"),
    ("Mended", "Count"),
    ("Bytes", "Bytes"),
];

/// Writes the metrics of a slice.
pub(crate) fn emit(project: &str, report: &SliceReport, now_ms: i64) {
    write(&line(project, report, now_ms));
}

/// Writes for how long the oldest slice has been due that is not published.
pub(crate) fn emit_age(project: &str, age: Duration, now_ms: i64) {
    write(&age_line(project, age, now_ms));
}

/// Writes how many closed days are due for a sync and could not be fetched again.
pub(crate) fn emit_days_to_sync(project: &str, days: usize, now_ms: i64) {
    let name = "DaysToSync";
    let mut line = embedded(project, &[(name, "Count")], now_ms);
    line[name] = days.into();
    write(&line);
}

/// Writes the metrics of a table of profiles.
pub(crate) fn emit_profiles(project: &str, report: &TableReport, now_ms: i64) {
    write(&profiles_line(project, report, now_ms));
}

/// The age of profiles that were never exported, in hours: a year.
const NEVER: f64 = 8_760.0;

/// Writes how old the oldest of all tables of profiles is; none if one was never exported.
pub(crate) fn emit_profiles_age(project: &str, age: Option<Duration>, now_ms: i64) {
    let name = "ProfilesAgeHours";
    let mut line = embedded(project, &[(name, "None")], now_ms);
    line[name] = age.map_or(NEVER, |age| age.as_secs_f64() / 3600.0).into();
    write(&line);
}

/// The metrics have names of their own, so that those of events do not count profiles.
fn profiles_line(project: &str, report: &TableReport, now_ms: i64) -> Value {
    let names = [("ProfilesWritten", "Count"), ("ProfilesQuarantined", "Count")];
    let mut line = embedded(project, &names, now_ms);
    line["Table"] = json!(report.table);
    line["ProfilesWritten"] = report.counts.written.into();
    line["ProfilesQuarantined"] = report.counts.quarantined.into();
    for (name, count) in [
        ("Received", report.counts.received),
        ("Duplicates", report.counts.duplicates),
        ("Bytes", report.bytes),
    ] {
        line[name] = count.into();
    }
    line
}

fn age_line(project: &str, age: Duration, now_ms: i64) -> Value {
    let name = "OldestUnpublishedSliceHours";
    let mut line = embedded(project, &[(name, "None")], now_ms);
    line[name] = (age.as_secs_f64() / 3600.0).into();
    line
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
fn percent(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 }
}

/// Writes to standard output, where Lambda collects metrics.
fn write(line: &Value) {
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
        tracing::warn!(error = mixlake_app::chain(&error), "metrics could not be written");
    }
}

fn line(project: &str, report: &SliceReport, now_ms: i64) -> Value {
    let mut line = embedded(project, &METRICS, now_ms);
    line["Slice"] = json!(report.slice);
    line["Received"] = report.counts.received.into();
    line["Written"] = report.counts.written.into();
    line["Duplicates"] = report.counts.duplicates.into();
    line["Quarantined"] = report.counts.quarantined.into();
    line["QuarantineShare"] = percent(report.counts.quarantined, report.counts.received).into();
    line["Mended"] = report.counts.mended.into();
    if report.counts.suppressed > 0 {
        // In the log only: a metric of its own would cost more than it says.
        line["Suppressed"] = report.counts.suppressed.into();
    }
    line["Bytes"] = report.bytes.into();
    line
}

/// A line of metrics, without their values.
fn embedded(project: &str, metrics: &[(&str, &str)], now_ms: i64) -> Value {
    let metrics: Vec<Value> =
        metrics.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
    json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                {"Namespace": "Mixlake", "Dimensions": [["Project"]], "Metrics": metrics}
            ],
        },
        "Project": project,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_hours() {
        let line = age_line("42", Duration::from_mins(90), 1);
        assert_eq!(line["OldestUnpublishedSliceHours"], 1.5);
        let metric = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metric["Metrics"][0]["Name"], "OldestUnpublishedSliceHours");
        assert_eq!(
            (&metric["Dimensions"][0][0], &line["Project"]),
            (&json!("Project"), &json!("42"))
        );
    }

    #[test]
    fn the_share_of_bad_lines_is_a_percentage() {
        assert!((percent(1, 200) - 0.5).abs() < 1e-9);
        assert!(percent(0, 0).abs() < 1e-9);
    }
}
