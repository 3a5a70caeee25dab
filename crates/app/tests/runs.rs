//! Runs are recorded in a table of their own, which is as good as the tables of events.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::doctor::Kind;
use mixlake_app::export::ExportReport;
use mixlake_app::ports::{Catalog, ObjectStore};
use mixlake_app::runs::{ReadRow, RunLog, RunRow, RunsError, Why, read_runs, rows};
use mixlake_columnar::Cell;
use mixlake_domain::{Dataset, Date, Slice, Timestamp};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::Fault;
use mixlake_testkit::source::Ending;
use serde_json::json;
use support::clinic::{doctor, examine, kinds, problems};
use support::jitter::{Dice, Jitter};
use support::{Lake, event, label};

const H1: &str = "2026-11-10T01";
const H2: &str = "2026-11-10T02";

fn date() -> Date {
    "2026-11-11".parse().unwrap()
}

fn log(lake: &Lake) -> RunLog<'_> {
    log_over(lake, &lake.store)
}

fn log_over<'a>(lake: &'a Lake, store: &'a dyn ObjectStore) -> RunLog<'a> {
    RunLog { store, layout: &lake.layout, options: &lake.options }
}

/// The rows of a run that began at this second.
fn of_run(report: &ExportReport, second: i64) -> Vec<RunRow> {
    let began = Timestamp::from_second(second).unwrap();
    let why = |slice: &Slice| if slice.label() == label(H2) { Why::Schedule } else { Why::CatchUp };
    rows(report, began, (Some("s3://lake/report"), "1.2.3"), why)
}

/// A lake with two hours, and the report of the run that exported them.
async fn exported() -> (Lake, ExportReport) {
    let lake = Lake::new();
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20"]);
    let report = lake.export(&[H1, H2]).await;
    assert!(report.is_whole());
    (lake, report)
}

async fn table(lake: &Lake) -> Vec<ReadRow> {
    let mut rows = read_runs(&lake.store, &lake.layout, date()).await.unwrap();
    rows.sort_by_key(|row| format!("{:?}", (row.get("run_began"), row.get("slice"))));
    rows
}

fn text(row: &ReadRow, column: &str) -> String {
    match row.get(column) {
        Some(Cell::Text(text)) => text.clone(),
        other => panic!("{column}: {other:?}"),
    }
}

fn number(row: &ReadRow, column: &str) -> i64 {
    match row.get(column) {
        Some(Cell::Long(number)) => *number,
        other => panic!("{column}: {other:?}"),
    }
}

#[tokio::test]
async fn a_run_has_a_row_for_each_slice_that_it_tried() {
    let lake = Lake::new();
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20"]);
    lake.source.next_endings([Ending::BreaksAfter(3), Ending::Whole, Ending::RateLimited]);
    let report = lake.export(&[H1, H2, "2026-11-10T03"]).await;
    log(&lake).append(&of_run(&report, 9), date()).await.unwrap();
    let rows = table(&lake).await;
    assert_eq!(rows.len(), 2, "the third was not tried");

    let [first, second] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((text(first, "slice"), text(first, "status")), (H1.into(), "published".into()));
    assert_eq!((text(first, "why"), text(second, "why")), ("catch_up".into(), "schedule".into()));
    assert_eq!(number(first, "run_began"), 9_000);
    let from: Timestamp = "2026-11-10T01:00:00Z".parse().unwrap();
    assert_eq!(number(first, "slice_from"), from.as_millisecond());
    assert_eq!(number(first, "slice_to"), from.as_millisecond() + 3_600_000);
    assert_eq!((number(first, "queries"), number(second, "queries")), (2, 1));
    assert_eq!((number(first, "received"), number(first, "written")), (1, 1));
    assert_eq!((number(first, "targets_appended"), number(first, "targets_replaced")), (0, 1));
    assert!(number(first, "bytes") > 0 && number(first, "new_columns") > 0);
    assert_eq!(first.get("error"), None);
    assert_eq!(text(first, "report"), "s3://lake/report");
    assert_eq!((text(first, "dataset"), text(first, "version")), ("events".into(), "1.2.3".into()));

    assert_eq!((text(second, "slice"), text(second, "status")), (H2.into(), "failed".into()));
    assert_eq!(text(second, "error"), "rate_limited");
    assert_eq!(second.get("received"), None);
}

#[tokio::test]
async fn slices_that_were_published_before_have_no_row_and_unchanged_ones_do() {
    let (mut lake, _) = exported().await;
    let again = lake.export(&[H1]).await;
    let rows = of_run(&again, 1);
    assert_eq!((rows.len(), &*rows[0].status), (1, "unchanged"));
    assert_eq!(rows[0].changed.unwrap().targets_replaced, 0);
    lake.force = false;
    assert_eq!(of_run(&lake.export(&[H1]).await, 2), []);
    let calls = lake.store.calls().len();
    log(&lake).append(&[], date()).await.unwrap();
    assert_eq!(lake.store.calls().len(), calls, "a run without rows costs nothing");
}

#[tokio::test]
async fn the_table_reaches_the_catalog_with_all_columns_and_the_doctor_finds_nothing_wrong() {
    let (lake, report) = exported().await;
    let catalog = MemoryCatalog::new();
    for second in 1..=3 {
        log(&lake).append(&of_run(&report, second), date()).await.unwrap();
    }
    lake.catch_up(&catalog).await;
    let table = catalog.table("pre_mp_export_runs").await.unwrap().unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names.len(), names[0], names[9], names[24]), (25, "run_began", "error", "version"));
    assert_eq!(table.columns[0].hive_type, "timestamp");
    assert_eq!(table.columns[10].hive_type, "bigint");
    let partitions = catalog.partitions("pre_mp_export_runs", &[]).await.unwrap();
    assert_eq!(partitions.len(), 1);
    assert_eq!(kinds(&examine(&lake, &catalog).await), []);
    let generations = lake.keys("mp_export_runs/2026/11/11/g");
    assert_eq!(generations.len(), 3, "each run added a file: {generations:?}");
    let folder = |key: &String| key.rsplit_once('/').unwrap().0.to_owned();
    assert!(generations.iter().all(|key| folder(key) == folder(&generations[0])));
}

#[tokio::test]
async fn a_run_costs_four_requests_once_the_table_is_there() {
    let (lake, report) = exported().await;
    log(&lake).append(&of_run(&report, 1), date()).await.unwrap();
    let calls = lake.store.calls().len();
    log(&lake).append(&of_run(&report, 2), date()).await.unwrap();
    let calls = lake.store.calls().split_off(calls);
    assert_eq!(calls.len(), 4, "{calls:?}");
}

#[tokio::test]
async fn the_same_rows_are_added_once() {
    let (lake, report) = exported().await;
    for _ in 0..2 {
        log(&lake).append(&of_run(&report, 1), date()).await.unwrap();
    }
    assert_eq!(table(&lake).await.len(), 2);
}

#[tokio::test]
async fn an_error_is_a_word_because_its_text_can_quote_what_was_received() {
    let lake = Lake::new();
    lake.source.be_one_stream();
    let line = event("a", "2026-11-10T01:10", json!({}));
    lake.source.add_to(label(H1), line.replace("\"time\":", "\"time\":\"ann@example.com\",\"t\":"));
    let report = lake.export(&[H1]).await;
    let error = mixlake_app::chain(report.errors().next().unwrap());
    assert!(error.contains("ann@example.com"), "{error}");
    log(&lake).append(&of_run(&report, 1), date()).await.unwrap();
    let rows = table(&lake).await;
    assert_eq!(text(&rows[0], "error"), "no_export");
    assert!(!format!("{rows:?}").contains("example.com"), "{rows:?}");
}

#[tokio::test]
async fn runs_that_end_at_once_all_have_their_rows() {
    let (lake, report) = exported().await;
    for seed in 0..40 {
        let lake = Lake { store: mixlake_testkit::store::MemoryStore::new(), ..lake.clone() };
        let dice = Dice::new(seed);
        let store = Jitter { inner: &lake.store, dice: &dice };
        let runs: Vec<Vec<RunRow>> = (0..6).map(|second| of_run(&report, second)).collect();
        let log = log_over(&lake, &store);
        let appends = runs.iter().map(|rows| log.append(rows, date()));
        for done in futures::future::join_all(appends).await {
            done.unwrap();
        }
        let rows = table(&lake).await;
        assert_eq!(rows.len(), 12, "seed {seed}");
        let catalog = MemoryCatalog::new();
        lake.catch_up(&catalog).await;
        assert_eq!(problems(&examine(&lake, &catalog).await), [], "seed {seed}");
    }
}

#[tokio::test]
async fn a_run_that_is_interrupted_at_any_call_disturbs_no_other() {
    for fault in [Fault::Before, Fault::After] {
        for call in 0.. {
            let (lake, report) = exported().await;
            let catalog = MemoryCatalog::new();
            log(&lake).append(&of_run(&report, 1), date()).await.unwrap();
            lake.store.fail_call(call, fault);
            let interrupted = log(&lake).append(&of_run(&report, 2), date()).await;
            lake.store.heal();
            if interrupted.is_ok() {
                assert_eq!(call, 4, "{fault:?}");
                break;
            }
            log(&lake).append(&of_run(&report, 3), date()).await.unwrap();
            lake.catch_up(&catalog).await;
            let rows = table(&lake).await;
            let of = |second: i64| {
                rows.iter().filter(|row| number(row, "run_began") == second * 1_000).count()
            };
            assert_eq!((of(1), of(3)), (2, 2), "{fault:?} at {call}");
            let found = problems(&examine(&lake, &catalog).await);
            assert!(found.iter().all(|kind| *kind == Kind::Orphan), "{found:?}");
            doctor(&lake, &catalog).put_right().await.unwrap();
            assert_eq!(problems(&examine(&lake, &catalog).await), [], "{fault:?} at {call}");
            assert_eq!(table(&lake).await, rows, "the repair loses no row");
        }
    }
}

#[tokio::test]
async fn a_table_of_an_event_with_the_same_name_stays_a_table_of_that_event() {
    let (lake, report) = exported().await;
    let mut document: serde_json::Value =
        serde_json::from_slice(&lake.registry().to_document(&lake.options.project)).unwrap();
    document["tables"]["mp_export_runs"] = document["tables"]["mp_master_event"].clone();
    let key = lake.layout.registry(Dataset::Events);
    lake.overwrite(&key, document.to_string().into()).await;
    let error = log(&lake).append(&of_run(&report, 1), date()).await.unwrap_err();
    assert!(matches!(error, RunsError::Taken(_)), "{error}");
    assert_eq!(lake.keys("mp_export_runs/"), [""; 0]);
}

#[tokio::test]
async fn a_table_of_a_later_version_keeps_its_columns() {
    let (lake, report) = exported().await;
    log(&lake).append(&of_run(&report, 1), date()).await.unwrap();
    let key = lake.layout.registry(Dataset::Runs);
    let mut document: serde_json::Value =
        serde_json::from_slice(&lake.store.snapshot()[&key]).unwrap();
    let columns = document["tables"]["mp_export_runs"]["columns"].as_array_mut().unwrap();
    columns.insert(0, json!({"column": "later", "property": "later", "type": "string"}));
    let document = document.to_string();
    lake.overwrite(&key, document.clone().into()).await;
    log(&lake).append(&of_run(&report, 2), date()).await.unwrap();
    assert_eq!(lake.store.snapshot()[&key], document.as_bytes());
    assert_eq!(table(&lake).await.len(), 4);
}
