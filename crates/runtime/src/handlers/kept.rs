//! What a run leaves in the lake beside its slices: its whole report, and its rows of the table of runs. A run
//! that cannot leave them is as good as before: the log says why.

use crate::clock;
use crate::config::ExportConfig;
use crate::report::{self, Kept};
use mixlake_app::export::ExportReport;
use mixlake_app::ports::ObjectStore;
use mixlake_app::runs::{RunLog, RunRow, RunsError, Why, keep_report, rows};
use mixlake_columnar::Options;
use mixlake_domain::{Date, Layout, Slice, Timestamp, Zone};
use std::time::Duration;

/// What a run is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// When it began.
    pub began: Timestamp,
    /// Why it tries a slice.
    pub why: &'a (dyn Fn(&Slice) -> Why + Sync),
}

/// The keys of a lake, and how files are written.
pub(super) type Lake<'a> = (&'a Layout, &'a Options);

/// How long each of the two may take. The slices are published, so their run must not end for this.
const PATIENCE: Duration = Duration::from_secs(15);

/// Keeps the report of a run in the lake, and adds its rows to the table of runs.
pub(super) async fn keep(
    config: &ExportConfig,
    store: &dyn ObjectStore,
    report: &ExportReport,
    about: About<'_>,
) -> Kept {
    let kept = Kept(keep_whole(config, store, report, about.began).await);
    record(config, store, report, about, kept.location()).await;
    kept
}

/// Keeps the report of work that consists of several runs, each of which was recorded. Answers where it is, or why it
/// could not be kept.
pub async fn keep_whole(
    config: &ExportConfig,
    store: &dyn ObjectStore,
    report: &ExportReport,
    began: Timestamp,
) -> Result<String, String> {
    let ended = clock::now();
    let document = report::whole(report, (began, ended), config.options.version);
    keep_document((&config.lake.layout, &config.options), store, document).await.0
}

/// Keeps a report in the lake.
pub(super) async fn keep_document(
    lake: Lake<'_>,
    store: &dyn ObjectStore,
    document: Vec<u8>,
) -> Kept {
    let log = log(lake, store);
    let kept = in_time(keep_report(&log, document.into(), date(clock::now()))).await;
    if let Err(error) = &kept {
        tracing::warn!(error, "the report of the run could not be kept");
    }
    Kept(kept.map(|key| store.location(&key)))
}

/// Adds the rows of a run to the table of runs.
pub(super) async fn record(
    config: &ExportConfig,
    store: &dyn ObjectStore,
    report: &ExportReport,
    about: About<'_>,
    location: Option<&str>,
) {
    let rows = rows(report, about.began, (location, config.options.version), about.why);
    record_rows((&config.lake.layout, &config.options), store, &rows).await;
}

/// Adds rows to the table of runs.
pub(super) async fn record_rows(lake: Lake<'_>, store: &dyn ObjectStore, rows: &[RunRow]) {
    let log = log(lake, store);
    if let Err(error) = in_time(log.append(rows, date(clock::now()))).await {
        tracing::warn!(error, "the run could not be recorded in the table of runs");
    }
}

fn log<'a>((layout, options): Lake<'a>, store: &'a dyn ObjectStore) -> RunLog<'a> {
    RunLog { store, layout, options }
}

fn date(ended: Timestamp) -> Date {
    Zone::UTC.date_of(ended)
}

async fn in_time<T>(work: impl Future<Output = Result<T, RunsError>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|error| mixlake_app::chain(&error)),
        Err(_) => Err(format!("the lake did not answer within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use mixlake_app::SliceCounts;
    use mixlake_app::export::{Effort, SliceOutcome, SliceReport, SliceStatus};
    use mixlake_testkit::faults::Fault;
    use mixlake_testkit::store::MemoryStore;
    use serde_json::Value;

    fn config() -> ExportConfig {
        ExportConfig::check(&Settings::from_pairs(["project_id=42"]).unwrap()).unwrap()
    }

    /// As many hours, all of which were published.
    fn hours(hours: usize) -> ExportReport {
        let first: Date = "2016-01-01".parse().unwrap();
        let dates = first.series(mixlake_domain::Span::new().days(1));
        let slices = dates.flat_map(|date| Slice::hours(date, &Zone::UTC)).take(hours);
        ExportReport { slices: slices.map(published).collect() }
    }

    fn published(slice: Slice) -> SliceOutcome {
        let report = SliceReport {
            slice: slice.to_string(),
            from: slice.start().to_string(),
            to: slice.end().to_string(),
            status: SliceStatus::Published,
            counts: SliceCounts { received: 1, written: 1, ..SliceCounts::default() },
            bytes: 1,
            rows_taken: Vec::new(),
            changes: Vec::new(),
            new_columns: Vec::new(),
            objects: vec![format!("42/mp_master_event/{slice}-000.parquet")],
            quarantine: None,
        };
        let began = Timestamp::UNIX_EPOCH;
        let effort = Effort { began, ended: began, queries: 1 };
        SliceOutcome { slice, outcome: Ok(report), effort: Some(effort) }
    }

    async fn kept(store: &MemoryStore, report: &ExportReport) -> Value {
        let about = About { began: Timestamp::UNIX_EPOCH, why: &|_| Why::Manual };
        report::answer(report, &keep(&config(), store, report, about).await)
    }

    fn report_in(store: &MemoryStore) -> Value {
        let objects = store.snapshot();
        let reports = objects.iter().filter(|(key, _)| key.starts_with("42/_reports/"));
        let reports: Vec<_> = reports.map(|(_, body)| body.clone()).collect();
        assert_eq!(reports.len(), 1);
        serde_json::from_slice(&reports[0]).unwrap()
    }

    #[tokio::test]
    async fn the_answer_fits_for_ten_years_of_hours_and_the_lake_has_the_whole_report() {
        let store = MemoryStore::new();
        let answer = kept(&store, &hours(3_660 * 24)).await;
        assert!(answer.to_string().len() < 200_000, "{}", answer.to_string().len());
        assert_eq!(answer["totals"]["written"], 87_840);
        assert_eq!(answer["slices_by_status"]["published"], 87_840);
        assert_eq!(answer["slices_left_out"], 87_740);
        let whole = report_in(&store);
        assert_eq!(whole["slices"].as_array().unwrap().len(), 87_840);
        assert_eq!(whole["totals"], answer["totals"]);
        let location = answer["report_location"].as_str().unwrap();
        assert!(location.contains("42/_reports/"), "{location}");
    }

    #[tokio::test]
    async fn a_small_report_is_the_answer_and_says_where_it_is_kept() {
        let store = MemoryStore::new();
        let report = hours(3);
        let mut answer = kept(&store, &report).await;
        let location = answer.as_object_mut().unwrap().remove("report_location").unwrap();
        assert!(location.as_str().unwrap().contains("42/_reports/"));
        assert_eq!(answer, report::summary(&report));
        assert!(store.snapshot().keys().any(|key| key.starts_with("42/mp_export_runs/")));
    }

    #[tokio::test]
    async fn a_lake_that_fails_after_the_slices_were_published_fails_no_run() {
        let store = MemoryStore::new();
        store.inject(|_| Fault::Before);
        let answer = kept(&store, &hours(1)).await;
        assert_eq!(answer["report_location"], Value::Null);
        assert!(answer["report_error"].as_str().unwrap().starts_with("cannot write"), "{answer}");
        assert_eq!(answer["totals"]["written"], 1);
        assert!(store.snapshot().is_empty());
    }

    #[tokio::test]
    async fn a_run_that_tried_no_slice_has_no_row() {
        let store = MemoryStore::new();
        let mut report = hours(2);
        report.slices[0].effort = None;
        if let Ok(done) = &mut report.slices[1].outcome {
            done.status = SliceStatus::Existing;
        }
        kept(&store, &report).await;
        assert!(store.snapshot().keys().all(|key| key.starts_with("42/_reports/")));
    }
}
