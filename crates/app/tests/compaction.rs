//! Compaction keeps every row, whatever it stopped at and whoever else works on the same day.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::join_all;
use mixlake_app::compact::{CompactError, CompactionOutcome, CompactionReport, Compactor};
use mixlake_app::doctor::{Kind, Severity};
use mixlake_app::export::{ExportError, Exporter};
use mixlake_app::ports::{Clock, ObjectStore, Precondition};
use mixlake_app::{LiveFile, Manifest};
use mixlake_columnar::CompactionBounds;
use mixlake_domain::Date;
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::store::Operation;
use rstest::rstest;
use serde_json::Value;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};
use support::clinic::{doctor, examine};
use support::jitter::{Dice, Jitter};
use support::{Lake, slice};

const HOURS: &[&str] = &["2026-11-10T01", "2026-11-10T02"];
const EVENTS: &[&str] = &["a 2026-11-10T01:10", "b 2026-11-10T02:20", "c 2026-11-10T02:30"];

static LATER: LazyLock<Clock> =
    LazyLock::new(|| Arc::new(|| "2026-11-20T12:00:00Z".parse().unwrap()));

fn compactor<'a>(lake: &'a Lake, store: &'a dyn ObjectStore) -> Compactor<'a> {
    static SCRATCH: LazyLock<std::path::PathBuf> = LazyLock::new(std::env::temp_dir);
    Compactor {
        store,
        layout: &lake.layout,
        project: &lake.options.project,
        compression: lake.options.compression,
        version: "1",
        bounds: CompactionBounds::default(),
        clock: &LATER,
        scratch: &SCRATCH,
    }
}

fn day() -> Date {
    "2026-11-10".parse().unwrap()
}

/// Compacts the day over the lake's own store.
async fn compact(lake: &Lake) -> CompactionReport {
    let report = compactor(lake, &lake.store).compact(&[day()]).await.unwrap();
    for target in &report.targets {
        if let Err(error) = &target.outcome {
            panic!("{}", mixlake_app::chain(error));
        }
    }
    report
}

fn outcome(report: &CompactionReport) -> &CompactionOutcome {
    assert_eq!(report.targets.len(), 1);
    report.targets[0].outcome.as_ref().unwrap()
}

fn manifest(lake: &Lake) -> Manifest {
    lake.held().manifests.remove("2026-11-10").unwrap()
}

/// The origins of the live files, and whether each is compacted.
fn live(lake: &Lake) -> Vec<(String, bool)> {
    let about = |file: LiveFile| (file.origin.to_string(), file.compacted);
    manifest(lake).files.into_iter().map(about).collect()
}

async fn exported(events: &[&str], slices: &[&str]) -> Lake {
    let lake = Lake::new();
    lake.hold(events);
    assert!(lake.export(slices).await.is_whole());
    lake
}

#[tokio::test]
async fn the_hours_of_a_day_become_one_file_and_a_second_run_writes_nothing() {
    let lake = exported(EVENTS, HOURS).await;
    let before = manifest(&lake);
    let report = compact(&lake).await;
    let CompactionOutcome::Compacted { after, .. } = outcome(&report) else { panic!("{report:?}") };
    assert_eq!((report.targets[0].before.files, after.files, report.targets[0].rows), (2, 1, 3));
    assert_eq!(live(&lake), [("2026-11-10T01, 2026-11-10T02".to_owned(), true)]);
    assert_eq!(manifest(&lake).files[0].name, "2026-11-10-000.parquet");
    assert_ne!(manifest(&lake).generation, before.generation);
    lake.check(HOURS, "compacted");
    let calls = lake.store.calls().len();
    assert_eq!(*outcome(&compact(&lake).await), CompactionOutcome::Unchanged);
    assert_eq!(lake.changes_since(calls), []);
}

#[tokio::test]
async fn slices_of_other_dates_are_merged_apart() {
    let mut events = EVENTS.to_vec();
    events.extend([
        "s 2026-11-10T00:01 > 2026-11-09T22",
        "t 2026-11-10T00:02 > 2026-11-09T23",
        "u 2026-11-11T00:02 > 2026-11-10T02",
    ]);
    let slices = [&["2026-11-09T22", "2026-11-09T23"], HOURS].concat();
    let lake = exported(&events, &slices).await;
    compact(&lake).await;
    let expected = ["2026-11-09T22, 2026-11-09T23", "2026-11-10T01, 2026-11-10T02"];
    assert_eq!(live(&lake), expected.map(|origin| (origin.to_owned(), true)));
    lake.check(&slices, "compacted");
    // Each date can still be replaced alone.
    lake.hold(&[
        "x 2026-11-10T05:00",
        "s 2026-11-10T00:01 > 2026-11-09T22",
        "t 2026-11-10T00:02 > 2026-11-09T23",
    ]);
    lake.publish("2026-11-10").await;
    lake.check(&["2026-11-09T22", "2026-11-09T23", "2026-11-10"], "the day was replaced");
}

#[tokio::test]
async fn late_hours_are_merged_with_what_is_compacted() {
    let lake = exported(EVENTS, HOURS).await;
    compact(&lake).await;
    lake.hold(&[EVENTS, &["d 2026-11-10T03:30"]].concat());
    lake.publish("2026-11-10T03").await;
    assert_eq!(live(&lake).len(), 2);
    compact(&lake).await;
    let all = ["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"];
    assert_eq!(live(&lake), [(all.join(", "), true)]);
    lake.check(&all, "compacted twice");
}

#[tokio::test]
async fn an_hour_of_a_compacted_day_is_exported_with_its_whole_day() {
    let lake = exported(EVENTS, HOURS).await;
    compact(&lake).await;
    lake.hold(&[EVENTS, &["late 2026-11-10T02:05"]].concat());
    let report = lake.publish("2026-11-10T02").await;
    assert_eq!(report.slice, "2026-11-10");
    assert_eq!(report.rows_taken, []);
    lake.check(&["2026-11-10"], "exported again");
    assert_eq!(live(&lake), [("2026-11-10".to_owned(), false)]);
}

#[tokio::test]
async fn an_hour_of_ingestion_in_a_compacted_file_is_refused() {
    const FIRST: &str = "a 2026-11-10T01:10 > i2026-11-10T01";
    const SECOND: &str = "b 2026-11-10T01:20 > i2026-11-10T02";
    let lake = Lake::new();
    lake.hold(&[FIRST, SECOND]);
    let start = Some("2026-11-01".parse().unwrap());
    let exporter = Exporter { ingestion_start: start, ..lake.exporter() };
    for hour in ["i2026-11-10T01", "i2026-11-10T02"] {
        exporter.slice(&slice(hour)).await.unwrap();
    }
    compact(&lake).await;
    assert_eq!(live(&lake), [("i2026-11-10T01, i2026-11-10T02".to_owned(), true)]);
    let rows = lake.held().rows;
    lake.hold(&[FIRST, SECOND, "c 2026-11-10T01:30 > i2026-11-10T02"]);
    let error = exporter.slice(&slice("i2026-11-10T02")).await.unwrap_err();
    assert!(matches!(error, ExportError::Compacted { .. }), "{error}");
    assert_eq!(lake.held().rows, rows);
}

#[tokio::test]
async fn a_row_of_a_compacted_slice_is_not_stored_again_for_its_neighbour() {
    let lake = exported(
        &["a 2026-11-10T00:10", "b 2026-11-10T01:59"],
        &["2026-11-10T00", "2026-11-10T01"],
    )
    .await;
    compact(&lake).await;
    assert!(manifest(&lake).files[0].identities.is_some());
    lake.hold(&["b 2026-11-10T01:59 > 2026-11-10T02", "c 2026-11-10T02:30"]);
    lake.publish("2026-11-10T02").await;
    let rows = lake.held().rows;
    assert_eq!(rows.len(), 3);
    assert!(rows.values().all(|times| *times == 1), "{rows:?}");
    compact(&lake).await;
    assert_eq!(lake.held().rows, rows);
}

#[tokio::test]
async fn a_day_that_an_export_writes_is_left_to_the_next_run() {
    let lake = exported(EVENTS, HOURS).await;
    let rows = lake.held().rows;
    // The export of another hour dies between its file and its manifest.
    lake.hold(&[EVENTS, &["d 2026-11-10T03:30"]].concat());
    let manifest = lake.layout.manifest(&mixlake_testkit::day(support::TABLE, day()));
    lake.store.inject(move |call: &Call<Operation>| {
        let dies = call.operation == Operation::Put && call.subject == manifest;
        if dies { Fault::Before } else { Fault::None }
    });
    assert!(!lake.export(&["2026-11-10T03"]).await.is_whole());
    lake.store.heal();
    let report = compact(&lake).await;
    let expected = "2026-11-10T03 is being exported; the next compaction takes the day";
    assert_eq!(*outcome(&report), CompactionOutcome::Skipped { reason: expected.to_owned() });
    assert_eq!(lake.held().rows, rows);
    lake.publish("2026-11-10T03").await;
    compact(&lake).await;
    lake.check(&["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"], "compacted");
}

#[tokio::test]
async fn files_of_json_lines_are_skipped() {
    let lake = Lake::new().of_json();
    lake.hold(EVENTS);
    assert!(lake.export(HOURS).await.is_whole());
    let calls = lake.store.calls().len();
    let report = compact(&lake).await;
    let reason = "its files are JSON lines".to_owned();
    assert_eq!(*outcome(&report), CompactionOutcome::Skipped { reason });
    assert_eq!(lake.changes_since(calls), []);
}

#[tokio::test]
async fn a_file_without_a_hash_of_its_rows_is_compacted() {
    let lake = exported(EVENTS, HOURS).await;
    let key = lake.layout.manifest(&mixlake_testkit::day(support::TABLE, day()));
    let mut document: Value = serde_json::from_slice(&lake.store.snapshot()[&key]).unwrap();
    for file in document["files"].as_array_mut().unwrap() {
        assert!(file.as_object_mut().unwrap().remove("rows_hash").is_some());
    }
    lake.overwrite(&key, serde_json::to_vec(&document).unwrap().into()).await;
    compact(&lake).await;
    assert!(manifest(&lake).files[0].rows_hash.is_some());
    lake.check(HOURS, "as version 0.1 wrote it");
}

#[tokio::test]
async fn a_damaged_or_missing_file_fails_its_day_and_stays() {
    let lake = exported(EVENTS, HOURS).await;
    let key = lake.data().remove(0);
    let whole = lake.store.snapshot()[&key].clone();
    let mut damaged = whole.to_vec();
    damaged[40] ^= 1;
    lake.overwrite(&key, damaged.into()).await;
    let failed = async || {
        let calls = lake.store.calls().len();
        let report = compactor(&lake, &lake.store).compact(&[day()]).await.unwrap();
        assert!(!report.is_whole());
        assert_eq!(lake.changes_since(calls), []);
        report.targets.into_iter().next().unwrap().outcome.unwrap_err()
    };
    let error = failed().await;
    assert!(matches!(error, CompactError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&key), "{error}");
    lake.store.delete(&key).await.unwrap();
    let error = failed().await;
    assert!(matches!(error, CompactError::Missing { .. }), "{error}");
    lake.store.put(&key, whole, Precondition::Absent).await.unwrap();
    compact(&lake).await;
    lake.check(HOURS, "the file is back");
}

#[tokio::test]
async fn the_last_days_are_those_before_today() {
    let lake = exported(EVENTS, HOURS).await;
    let compactor = compactor(&lake, &lake.store);
    let dates = compactor.last_dates(10).await.unwrap();
    assert_eq!((dates[0], dates[9]), (day(), "2026-11-19".parse().unwrap()));
    let report = compactor.compact(&dates).await.unwrap();
    assert_eq!((report.targets.len(), live(&lake).len()), (1, 1));
    let none = Lake::new();
    assert_eq!(self::compactor(&none, &none.store).last_dates(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_day_that_has_not_ended_is_refused() {
    let lake = exported(EVENTS, HOURS).await;
    for date in ["2026-11-20", "2026-11-21"] {
        let calls = lake.store.calls().len();
        let dates = [day(), date.parse().unwrap()];
        let error = compactor(&lake, &lake.store).compact(&dates).await.unwrap_err();
        let expected = format!(
            "{date} has not ended: today is 2026-11-20 in UTC. Compaction takes days up to yesterday"
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(lake.store.calls().len(), calls + 1, "only the registry was read");
    }
}

// ---- crashes ----

const FAULTS: [Fault; 4] = [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo];

fn fault_at(lake: &Lake, n: usize, fault: Fault, dies: bool) {
    let at = lake.store.calls().len() + n;
    lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&at) {
        Ordering::Equal => fault,
        Ordering::Greater if dies => Fault::Before,
        Ordering::Less | Ordering::Greater => Fault::None,
    });
}

/// Hours whose rows lie on two dates, and rows near the edges of their slices.
const CROSSING: &[&str] = &[
    "a 2026-11-10T01:59",
    "b 2026-11-10T02:00",
    "c 2026-11-10T02:30",
    "s 2026-11-09T23:59 > 2026-11-10T02",
    "t 2026-11-10T00:00 > 2026-11-09T23",
];

#[rstest]
#[case::plain(EVENTS, HOURS)]
#[case::crossing(CROSSING, &["2026-11-09T23", "2026-11-10T01", "2026-11-10T02"])]
#[tokio::test]
async fn whatever_a_compaction_stopped_at_readers_see_all_rows_and_the_next_one_ends_it(
    #[case] events: &[&str],
    #[case] slices: &[&str],
) {
    for (fault, dies) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
        for n in 0.. {
            let about = format!("{fault:?} at call {n}, dies: {dies}");
            let lake = exported(events, slices).await;
            let before = lake.store.calls().len();
            fault_at(&lake, n, fault, dies);
            // It may fail as a whole, or for the day.
            drop(compactor(&lake, &lake.store).compact(&[day()]).await);
            lake.store.heal();
            let reached = lake.store.calls().len() > before + n;
            lake.check(slices, &about);
            compact(&lake).await;
            lake.check(slices, &about);
            assert!(live(&lake).iter().any(|(_, compacted)| *compacted), "{about}");
            let calls = lake.store.calls().len();
            compact(&lake).await;
            assert_eq!(lake.changes_since(calls), [], "{about}");
            if !reached {
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_export_after_a_compaction_that_died_makes_the_day_right() {
    for n in 0.. {
        let about = format!("dead after call {n}");
        let lake = exported(EVENTS, HOURS).await;
        let before = lake.store.calls().len();
        fault_at(&lake, n, Fault::After, true);
        drop(compactor(&lake, &lake.store).compact(&[day()]).await);
        lake.store.heal();
        let reached = lake.store.calls().len() > before + n;
        lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "d 2026-11-10T02:40"]);
        let slice = lake.publish("2026-11-10T02").await.slice;
        let slices = if slice == "2026-11-10" { vec![&*slice] } else { HOURS.to_vec() };
        lake.check(&slices, &about);
        compact(&lake).await;
        lake.check(&slices, &about);
        if !reached {
            break;
        }
    }
}

// ---- at the same time as others ----

const SEEDS: u64 = 120;

/// What the source has when the functions begin.
const ALL: &[&str] = &[
    "a 2026-11-10T01:10",
    "b 2026-11-10T02:20",
    "late 2026-11-10T02:05",
    "d 2026-11-10T03:30",
    "s 2026-11-09T23:59 > 2026-11-10T02",
];

/// What each function exports; a compaction exports nothing.
type Function = Option<&'static [&'static str]>;

const H2: Function = Some(&["2026-11-10T02"]);
const H3: Function = Some(&["2026-11-10T03"]);
const DAY: Function = Some(&["2026-11-10"]);

#[rstest]
#[case::two_compactions(&[None, None])]
#[case::a_fresh_hour(&[None, H3])]
#[case::a_changed_hour(&[None, H2])]
#[case::the_day(&[None, DAY, None])]
#[case::everything(&[None, H2, None, H3, DAY])]
#[tokio::test]
async fn exports_and_compactions_that_meet_leave_the_rows_of_the_source(
    #[case] functions: &[Function],
) {
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let lake = exported(EVENTS, HOURS).await;
        lake.hold(ALL);
        let dice = Dice::new(seed);
        let runs = functions.iter().map(async |exports| {
            let store = Jitter { inner: &lake.store, dice: &dice };
            let Some(slices) = exports else {
                let report = compactor(&lake, &store).compact(&[day()]).await.unwrap();
                assert!(report.is_whole(), "{about}: {report:?}");
                return Vec::new();
            };
            let source = Jitter { inner: &lake.source, dice: &dice };
            let slices: Vec<_> = slices.iter().map(|label| slice(label)).collect();
            let report = lake.exporter_over(&source, &store).export(&slices).await;
            report.slices.into_iter().filter_map(|slice| slice.outcome.err()).collect()
        });
        let errors: Vec<Vec<ExportError>> = join_all(runs).await;
        for error in errors.iter().flatten() {
            assert!(
                matches!(error, ExportError::Contended(_)),
                "{about}: {}",
                mixlake_app::chain(error)
            );
        }
        let slices: Vec<&str> = functions.iter().flatten().copied().flatten().copied().collect();
        // Who gave up is called again; what nobody exported has the old rows.
        if errors.iter().any(|errors| !errors.is_empty()) {
            assert!(lake.export(&slices).await.is_whole(), "{about}");
        }
        let check = |about: &str| {
            let held = lake.held();
            assert!(held.unlisted.is_empty(), "{about}: {:?}", held.unlisted);
            assert!(held.ledger.values().all(|state| state == "published"), "{about}");
            let published: Vec<&str> = held.ledger.keys().map(String::as_str).collect();
            let mut expected = lake.rows_of_source(&published);
            if !slices.contains(&"2026-11-10T02") && held.ledger.contains_key("2026-11-10T02") {
                let old = Lake::new();
                old.hold(EVENTS);
                expected = lake.rows_of_source(
                    &published
                        .iter()
                        .copied()
                        .filter(|s| *s != "2026-11-10T02")
                        .collect::<Vec<_>>(),
                );
                expected.extend(old.rows_of_source(&["2026-11-10T02"]));
            }
            assert_eq!(held.rows, expected, "{about}");
        };
        check(&about);
        compact(&lake).await;
        check(&format!("{about}, compacted"));
        let apart = live(&lake).len();
        assert_eq!(apart, 1, "{about}: {:?}", live(&lake));
    }
}

// ---- the doctor ----

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_in_a_compacted_lake_and_deletes_what_was_replaced() {
    let (lake, catalog) = (exported(EVENTS, HOURS).await, MemoryCatalog::new());
    compact(&lake).await;
    lake.hold(&[EVENTS, &["d 2026-11-10T03:30"]].concat());
    lake.publish("2026-11-10T03").await;
    compact(&lake).await;
    lake.catch_up(&catalog).await;
    let findings = examine(&lake, &catalog).await;
    let kinds: Vec<Kind> = findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [Kind::LeftBehind], "{findings:?}");
    assert_eq!(findings[0].severity, Severity::Note);
    let done = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(done.failed, []);
    assert_eq!(done.findings, [], "the hours and the first merged file are gone");
    assert_eq!(lake.data().len(), 1);
    lake.check(&["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"], "swept");
}

#[tokio::test]
async fn files_of_a_compaction_that_died_are_deleted() {
    let (lake, catalog) = (exported(EVENTS, HOURS).await, MemoryCatalog::new());
    lake.catch_up(&catalog).await;
    let manifest = lake.manifest_key();
    lake.store.inject(move |call: &Call<Operation>| {
        let dies = call.operation == Operation::Put && call.subject == manifest;
        if dies { Fault::Before } else { Fault::None }
    });
    drop(compactor(&lake, &lake.store).compact(&[day()]).await);
    lake.store.heal();
    assert_eq!(lake.data().len(), 3);
    let done = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!((done.failed, done.findings), (vec![], vec![]));
    assert_eq!(lake.data().len(), 2);
    lake.check(HOURS, "as before");
}

#[tokio::test]
async fn a_lost_merged_file_comes_back_from_the_hours_that_it_replaced() {
    let (lake, catalog) = (exported(EVENTS, HOURS).await, MemoryCatalog::new());
    compact(&lake).await;
    lake.catch_up(&catalog).await;
    let merged = manifest(&lake);
    let folder = lake.layout.generation(&merged.target, &merged.generation);
    lake.store.delete(&format!("{folder}{}", merged.files[0].name)).await.unwrap();
    let done = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(done.failed, []);
    lake.check(HOURS, "recovered");
}
