//! Metrics of slices, as CloudWatch's embedded metric format: a log line that becomes metrics.

use mixlake_app::export::SliceReport;
use serde_json::{Value, json};
use std::io::Write;

/// What is counted of a slice, with its unit.
const METRICS: [(&str, &str); 5] = [
    ("Received", "Count"),
    ("Written", "Count"),
    ("Duplicates", "Count"),
    ("Quarantined", "Count"),
    ("Bytes", "Bytes"),
];

/// Writes the metrics of a slice to standard output, where Lambda collects them.
pub(crate) fn emit(project: &str, report: &SliceReport, now_ms: i64) {
    let line = line(project, report, now_ms);
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
        tracing::warn!(error = mixlake_app::chain(&error), "metrics could not be written");
    }
}

fn line(project: &str, report: &SliceReport, now_ms: i64) -> Value {
    let metrics: Vec<Value> =
        METRICS.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
    json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                {"Namespace": "Mixlake", "Dimensions": [["Project"]], "Metrics": metrics}
            ],
        },
        "Project": project,
        "Slice": report.slice,
        "Received": report.counts.received,
        "Written": report.counts.written,
        "Duplicates": report.counts.duplicates,
        "Quarantined": report.counts.quarantined,
        "Bytes": report.bytes,
    })
}
