//! The table of identities is made from what the live events say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::compact::Compactor;
use mixlake_app::doctor::Kind;
use mixlake_app::identities::{
    FailedDay, IdMerge, IdentitiesError, IdentitiesReport, IdentityBounds, IdentityMapper,
};
use mixlake_app::ports::{Catalog, Clock, ObjectStore};
use mixlake_app::runs::{Why, identity_row};
use mixlake_app::{Manifest, Outcome};
use mixlake_columnar::{CompactionBounds, EventNameForm, SchemaType};
use mixlake_domain::{Target, Timestamp};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::Fault;
use mixlake_testkit::rows;
use mixlake_testkit::store::MemoryStore;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use support::clinic::{doctor, examine, problems};
use support::identity_rules::{Told, identities};
use support::jitter::{Dice, Jitter};
use support::people::ANN;
use support::{Lake, label};

static SCRATCH: LazyLock<PathBuf> = LazyLock::new(std::env::temp_dir);
const DAYS: [&str; 3] = ["2026-11-10", "2026-11-11", "2026-11-12"];
const TABLE: &str = "mp_identity_mappings_data";

/// So little memory that all of the work is in temporary files, and files of two rows.
const TINY: IdentityBounds = IdentityBounds { memory: 100, file_rows: 2 };

fn mapper<'a>(lake: &'a Lake, store: &'a dyn ObjectStore, merge: IdMerge) -> IdentityMapper<'a> {
    IdentityMapper {
        store,
        layout: &lake.layout,
        options: &lake.options,
        merge,
        bounds: IdentityBounds::default(),
        clock: &lake.clock,
        ends: None,
        scratch: &SCRATCH,
    }
}

async fn run(lake: &Lake, merge: IdMerge) -> IdentitiesReport {
    match mapper(lake, &lake.store, merge).run().await {
        Ok(report) => report,
        Err(error) => panic!("{}", mixlake_app::chain(&error)),
    }
}

fn target() -> Target {
    Target::whole(TABLE.parse().unwrap())
}

/// The live rows of the table, as `identifier>identity`.
fn table(lake: &Lake) -> Vec<String> {
    let objects = lake.store.snapshot();
    let Some(manifest) = objects.get(&lake.layout.manifest(&target())) else { return Vec::new() };
    let manifest: Manifest = serde_json::from_slice(manifest).unwrap();
    let folder = lake.layout.generation(&target(), &manifest.generation);
    let files = manifest.files.iter().map(|file| &objects[&format!("{folder}{}", file.name)]);
    let text = |row: &rows::Row, column: &str| row[column].as_str().unwrap().to_owned();
    files
        .flat_map(rows::of)
        .map(|row| {
            assert_eq!(row.len(), 2);
            text(&row, "distinct_id") + ">" + &text(&row, "resolved_distinct_id")
        })
        .collect()
}

/// The line of an event with a name, at a time such as `2026-11-10T01:10`.
fn line(name: &str, time: &str, properties: &Value) -> String {
    let time: Timestamp = format!("{time}:00Z").parse().unwrap();
    let mut all = json!({"time": time.as_second(), "distinct_id": "d"});
    all.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    json!({"event": name, "properties": all}).to_string()
}

/// Events of all kinds that say who is who.
fn hold(lake: &Lake) {
    lake.source.clear();
    for (name, time, properties) in [
        ("View", "2026-11-10T01:10", json!({"$device_id": "d1", "$user_id": "bob"})),
        ("View", "2026-11-11T01:10", json!({"$device_id": "d1", "$user_id": "ann"})),
        ("Buy", "2026-11-12T01:10", json!({"$device_id": "$device:d2", "$user_id": 17})),
        (
            "Buy",
            "2026-11-12T02:00",
            json!({"distinct_id": "ann", "$distinct_id_before_identity": "$device:d3"}),
        ),
        ("$identify", "2026-11-10T03:00", json!({"$identified_id": "ann", "$anon_id": "anon"})),
        (
            "$create_alias",
            "2026-11-10T04:00",
            json!({"distinct_id": "ann", "alias": "ann@example.com"}),
        ),
        ("$merge", "2026-11-11T05:00", json!({"$distinct_ids": ["zoe", "ann"]})),
        // Properties of other events that have the same names.
        ("View", "2026-11-10T06:00", json!({"alias": "x", "distinct_id": "y"})),
        ("View", "2026-11-10T06:01", json!({"$identified_id": "x", "$anon_id": "y"})),
    ] {
        lake.source.add(line(name, time, &properties));
    }
}

const SIMPLIFIED: [&str; 3] = ["$device:d1>bob", "$device:d2>17", "$device:d3>ann"];
const ORIGINAL: [&str; 4] = ["$device:d3>ann", "ann@example.com>ann", "anon>ann", "zoe>ann"];

fn with(change: impl FnOnce(&mut Lake)) -> Lake {
    let mut lake = Lake::new();
    change(&mut lake);
    lake
}

#[rstest]
#[case::one_table(Lake::new())]
#[case::many_files(Lake::new().in_many_parts())]
#[case::a_table_for_each_event(with(|lake| lake.options.schema_type = SchemaType::Multischema))]
#[case::json_lines(Lake::new().of_json())]
#[case::json_lines_of_each_event(with(|lake| {
    lake.options.schema_type = SchemaType::Multischema;
    lake.options.format = mixlake_domain::DataFormat::Json;
}))]
#[case::raw_names(with(|lake| lake.options.event_name = EventNameForm::Raw))]
#[case::times_as_numbers(with(|lake| lake.options.time_type = mixlake_columnar::TimeType::Bigint))]
#[tokio::test]
async fn the_table_has_what_the_events_say(#[case] lake: Lake) {
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!(table(&lake), SIMPLIFIED);
    assert_eq!((report.identities, report.status()), (Some(3), "replaced"));
    assert_eq!(report.days, report.days_read);
    let report = run(&lake, IdMerge::Original).await;
    assert_eq!(table(&lake), ORIGINAL);
    assert_eq!(report.days_read, 0, "the facts of both are stored");
}

#[tokio::test]
async fn a_lake_without_facts_has_no_table() {
    let lake = Lake::new();
    assert_eq!(run(&lake, IdMerge::Simplified).await.status(), "unchanged");
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAYS[0]).await;
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.facts, report.identities), (Some(0), Some(0)));
    assert_eq!(lake.keys(TABLE), [""; 0]);
}

#[tokio::test]
async fn a_second_run_reads_no_day_and_writes_nothing() {
    let lake = Lake::new();
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    run(&lake, IdMerge::Simplified).await;
    let calls = lake.store.calls().len();
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.days_read, report.status()), (0, "unchanged"));
    assert_eq!(lake.changes_since(calls), []);
    let read = lake.store.calls().split_off(calls).into_iter().map(|call| call.subject);
    let data: Vec<String> = read.filter(|key| key.ends_with(['t', 'z'])).collect();
    assert_eq!(data, [""; 0], "not even the stored facts are read");
}

#[tokio::test]
async fn a_new_day_is_read_alone_and_facts_that_are_known_change_nothing() {
    let lake = Lake::new();
    hold(&lake);
    assert!(lake.export(&DAYS[..2]).await.is_whole());
    run(&lake, IdMerge::Simplified).await;
    assert_eq!(table(&lake), SIMPLIFIED[..1]);
    lake.publish(DAYS[2]).await;
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.days, report.days_read), (3, 1));
    assert_eq!(table(&lake), SIMPLIFIED);
    lake.source.add(line("Buy", "2026-11-13T00:00", &json!({"$device_id": "d1", "$user_id": "z"})));
    lake.publish("2026-11-13").await;
    let calls = lake.store.calls().len();
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.days_read, report.status()), (1, "unchanged"));
    let changed: Vec<String> = lake.changes_since(calls).into_iter().map(|it| it.1).collect();
    assert!(changed.iter().all(|key| key.contains("_identity_facts")), "{changed:?}");
}

#[tokio::test]
async fn a_day_that_was_replaced_takes_its_facts_back() {
    let lake = Lake::new();
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    run(&lake, IdMerge::Simplified).await;
    lake.source.clear();
    lake.source.add(line("View", "2026-11-10T09:00", &json!({})));
    lake.publish(DAYS[0]).await;
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!(report.days_read, 1);
    assert_eq!(table(&lake), ["$device:d1>ann", "$device:d2>17", "$device:d3>ann"]);
    assert_eq!(lake.keys("_identity_facts/").len(), 3, "the facts of the old rows are deleted");
}

#[tokio::test]
async fn days_without_facts_empty_the_table_and_fill_it_again() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    let fact = line("View", "2026-11-10T09:00", &json!({"$device_id": "d", "$user_id": "u"}));
    for events in [vec![fact.clone()], vec![], vec![fact.clone()]] {
        lake.source.clear();
        lake.source.add(line("View", "2026-11-10T08:00", &json!({})));
        for event in &events {
            lake.source.add(event.clone());
        }
        lake.publish(DAYS[0]).await;
        run(&lake, IdMerge::Simplified).await;
        assert_eq!(table(&lake).len(), events.len());
        lake.catch_up(&catalog).await;
        assert_eq!(problems(&examine(&lake, &catalog).await), []);
    }
}

#[tokio::test]
async fn a_compacted_day_is_not_read_again() {
    let lake = Lake::new();
    hold(&lake);
    for hour in 0..7 {
        lake.publish(&format!("2026-11-10T{hour:02}")).await;
    }
    run(&lake, IdMerge::Simplified).await;
    let clock: Clock = Arc::new(|| "2026-11-20T12:00:00Z".parse().unwrap());
    let compactor = Compactor {
        store: &lake.store,
        layout: &lake.layout,
        project: &lake.options.project,
        compression: lake.options.compression,
        version: "1",
        bounds: CompactionBounds::default(),
        clock: &clock,
        scratch: &SCRATCH,
    };
    let compacted = compactor.compact(&[DAYS[0].parse().unwrap()]).await.unwrap();
    assert!(compacted.is_whole() && compacted.targets[0].before.files > 1);
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.days_read, report.status()), (0, "unchanged"));
}

#[tokio::test]
async fn a_run_whose_time_ends_keeps_the_days_that_it_read() {
    let lake = Lake::new();
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    // Each look at the clock takes a second.
    let seconds = std::sync::atomic::AtomicI64::new(0);
    let clock: Clock = Arc::new(move || {
        let now = seconds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Timestamp::from_second(now).unwrap()
    });
    let ends = Some(Timestamp::from_second(2).unwrap());
    let short =
        IdentityMapper { clock: &clock, ends, ..mapper(&lake, &lake.store, IdMerge::Simplified) };
    let report = short.run().await.unwrap();
    assert_eq!((report.status(), report.days_read, report.days_left), ("incomplete", 2, 1));
    assert_eq!(table(&lake), [""; 0], "the table is not made from a part of the days");
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.days_read, report.days_left), (1, 0));
    assert_eq!(table(&lake), SIMPLIFIED);
    let again = short.run().await.unwrap();
    assert_eq!(again.status(), "unchanged", "nothing is left to do");
    run(&lake, IdMerge::Original).await;
    let error = short.run().await.unwrap_err();
    assert!(error.to_string().starts_with("the time ended"), "{error}");
}

#[tokio::test]
async fn a_day_that_cannot_be_read_fails_alone_and_the_table_stays() {
    let lake = Lake::new();
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    let file = lake.data().remove(0);
    let whole = lake.store.snapshot()[&file].clone();
    lake.overwrite(&file, whole.slice(..whole.len() - 9)).await;
    let report = run(&lake, IdMerge::Simplified).await;
    assert_eq!((report.status(), report.days_read, report.failed.len()), ("failed", 2, 1));
    assert_eq!(report.failed[0].day, "mp_master_event on 2026-11-10");
    assert!(report.failed[0].error.contains("Run `mixlake doctor --deep`"), "{report:?}");
    assert_eq!(table(&lake), [""; 0]);
    lake.overwrite(&file, whole).await;
    assert_eq!(run(&lake, IdMerge::Simplified).await.days_read, 1);
    assert_eq!(table(&lake), SIMPLIFIED);
}

#[tokio::test]
async fn a_run_has_a_row_in_the_table_of_runs() {
    let row = |done: &Result<IdentitiesReport, IdentitiesError>| {
        let at = Timestamp::UNIX_EPOCH;
        let row = identity_row(done, (at, at), "1", Why::Schedule);
        assert_eq!((row.dataset, row.slice.as_str(), row.queries), ("identities", TABLE, 0));
        (row.status, row.error, row.changed.map(|changed| changed.targets_replaced))
    };
    let lake = Lake::new();
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    let word = |status: &str| status.to_owned();
    let replaced = Ok(run(&lake, IdMerge::Simplified).await);
    assert_eq!(row(&replaced), (word("published"), None, Some(1)));
    let unchanged = Ok(run(&lake, IdMerge::Simplified).await);
    assert_eq!(row(&unchanged), (word("unchanged"), None, Some(0)));
    let left = IdentitiesReport { days_left: 1, ..IdentitiesReport::default() };
    assert_eq!(row(&Ok(left.clone())), (word("failed"), Some("out_of_time"), None));
    let failed = vec![FailedDay { day: String::new(), error: String::new() }];
    let failed = Ok(IdentitiesReport { failed, ..left });
    assert_eq!(row(&failed), (word("failed"), Some("unreadable"), None));
    let error = Err(IdentitiesError::Contended(8));
    assert_eq!(row(&error), (word("failed"), Some("contended"), None));
}

#[tokio::test]
async fn readers_follow_the_table_and_replaced_files_are_deleted() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    hold(&lake);
    assert!(lake.export(&DAYS).await.is_whole());
    run(&lake, IdMerge::Simplified).await;
    let report = run(&lake, IdMerge::Original).await;
    let Some(Outcome::Replaced { from: Some(from), to }) = report.outcome else {
        panic!("{report:?}")
    };
    lake.catch_up(&catalog).await;
    let described = catalog.table("pre_mp_identity_mappings_data").await.unwrap().unwrap();
    let columns: Vec<String> = described.columns.into_iter().map(|column| column.name).collect();
    assert_eq!(columns, ["distinct_id", "resolved_distinct_id"]);
    assert!(described.location.contains(to.as_str()), "{}", described.location);
    assert_eq!(problems(&examine(&lake, &catalog).await), []);
    assert_ne!(lake.keys(&format!("{TABLE}/{from}/")), [""; 0]);
    let collected = doctor(&lake, &catalog).collect(None).await.unwrap();
    assert_eq!((collected.deleted.len(), collected.failed.len()), (1, 0));
    assert_eq!(lake.keys(&format!("{TABLE}/{from}/")), [""; 0]);
    assert_eq!(table(&lake), ORIGINAL);
    assert_eq!(examine(&lake, &catalog).await, []);
}

#[tokio::test]
async fn a_run_that_stops_at_any_call_is_completed_by_the_next_one() {
    for fault in [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo] {
        for call in 0.. {
            let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
            hold(&lake);
            assert!(lake.export(&DAYS).await.is_whole());
            run(&lake, IdMerge::Original).await;
            lake.source.clear();
            lake.source.add(line("View", "2026-11-11T09:00", &json!({})));
            lake.publish(DAYS[1]).await;
            let before = lake.store.calls().len();
            lake.store.fail_call(call, fault);
            let stopped = mapper(&lake, &lake.store, IdMerge::Simplified).run().await;
            let calls = lake.store.calls().len() - before;
            lake.store.heal();
            run(&lake, IdMerge::Simplified).await;
            assert_eq!(table(&lake), SIMPLIFIED, "{fault:?} at {call}");
            lake.catch_up(&catalog).await;
            let found = problems(&examine(&lake, &catalog).await);
            assert!(
                found.iter().all(|kind| *kind == Kind::Orphan),
                "{found:?} {fault:?} at {call}"
            );
            doctor(&lake, &catalog).put_right().await.unwrap();
            assert_eq!(problems(&examine(&lake, &catalog).await), [], "{fault:?} at {call}");
            assert_eq!(table(&lake), SIMPLIFIED, "{fault:?} at {call}");
            if stopped.is_ok() && calls < call {
                break;
            }
        }
    }
}

#[tokio::test]
async fn runs_and_exports_at_once_end_with_the_newest_days() {
    for seed in 0..60 {
        let lake = Lake::new();
        hold(&lake);
        assert!(lake.export(&DAYS).await.is_whole());
        let dice = Dice::new(seed);
        let store = Jitter { inner: &lake.store, dice: &dice };
        lake.source.clear();
        lake.source.add(line("View", "2026-11-10T09:00", &json!({})));
        let exporter = lake.exporter_over(&lake.source, &store);
        let slice = support::slice(DAYS[0]);
        let mapper = || mapper(&lake, &store, IdMerge::Simplified);
        let (first, second, third) = (mapper(), mapper(), mapper());
        let after_an_export = async {
            exporter.slice(&slice).await.unwrap();
            third.run().await
        };
        let (one, two, three) = futures::join!(first.run(), second.run(), after_an_export);
        for done in [one, two, three] {
            assert!(done.unwrap().is_whole(), "seed {seed}");
        }
        let expected = ["$device:d1>ann", "$device:d2>17", "$device:d3>ann"];
        assert_eq!(
            table(&lake),
            expected,
            "seed {seed}: the run that began last has the last word"
        );
    }
}

/// Days of Ann and others, and the table that they make.
async fn with_ann(lake: &Lake) {
    lake.source.clear();
    for (time, properties) in [
        ("2026-11-10T01:00", json!({"distinct_id": ANN, "$device_id": "d1", "$user_id": ANN})),
        ("2026-11-10T02:00", json!({"distinct_id": "bob", "$device_id": "d1", "$user_id": "bob"})),
        ("2026-11-10T03:00", json!({"distinct_id": "bob", "$device_id": "d2", "$user_id": "bob"})),
        (
            "2026-11-11T01:00",
            json!({"distinct_id": ANN, "$distinct_id_before_identity": "$device:d3"}),
        ),
    ] {
        lake.source.add(line("View", time, &properties));
    }
    assert!(lake.export(&DAYS[..2]).await.is_whole());
}

#[tokio::test]
async fn an_erased_person_is_in_no_object_and_does_not_come_back() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    with_ann(&lake).await;
    run(&lake, IdMerge::Simplified).await;
    lake.catch_up(&catalog).await;
    let of_ann = [format!("$device:d1>{ANN}"), format!("$device:d3>{ANN}")];
    assert!(of_ann.iter().all(|row| table(&lake).contains(row)));
    let report = lake.erase().await;
    let tables: Vec<&str> = report.targets.iter().map(|target| target.table.as_str()).collect();
    assert_eq!(tables, [TABLE, support::TABLE, support::TABLE]);
    assert_eq!(report.staged.len(), 2, "the facts of both days: {:?}", report.staged);
    assert_eq!(table(&lake), ["$device:d2>bob"]);
    lake.catch_up(&catalog).await;
    lake.delete_old(&catalog).await;
    assert_eq!(lake.traces(), [""; 0]);
    let again = run(&lake, IdMerge::Simplified).await;
    assert_eq!(again.days_read, again.days);
    assert_eq!(lake.traces(), [""; 0]);
    assert_eq!(table(&lake), ["$device:d1>bob", "$device:d2>bob"], "as the other rows have it");
}

#[tokio::test]
async fn a_person_who_is_erased_during_a_run_does_not_come_back() {
    for seed in 0..120 {
        let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
        with_ann(&lake).await;
        if seed % 2 == 0 {
            run(&lake, IdMerge::Simplified).await;
            lake.source.add(line(
                "View",
                "2026-11-12T01:00",
                &json!({"$device_id": "d9", "$user_id": ANN}),
            ));
            lake.publish(DAYS[2]).await;
        }
        let dice = Dice::new(seed);
        let store = Jitter { inner: &lake.store, dice: &dice };
        let eraser = lake.eraser(&store, &lake.clock);
        let ann = [ANN.to_owned()];
        let mapper = mapper(&lake, &store, IdMerge::Simplified);
        let (gone, made) = futures::join!(eraser.erase(&ann), mapper.run());
        let (gone, made) = (gone.unwrap(), made.unwrap());
        assert!(gone.failed.is_empty() && made.is_whole(), "seed {seed}: {gone:?} {made:?}");
        lake.catch_up(&catalog).await;
        lake.delete_old(&catalog).await;
        assert_eq!(lake.traces(), [""; 0], "seed {seed}");
        run(&lake, IdMerge::Simplified).await;
        assert_eq!(lake.traces(), [""; 0], "seed {seed}");
    }
}

/// An event of the day with this number that says something, and what it says.
fn fact() -> impl Strategy<Value = (usize, String, Told)> {
    let id = prop_oneof!["[a-d]", "[a-c]".prop_map(|id| format!("$device:{id}"))];
    let kind = prop::sample::select(vec!["resolved", "device", "identify", "alias", "merge"]);
    (0..DAYS.len(), 0_i64..20, kind, id.clone(), id).prop_filter_map(
        "it says nothing",
        |(day, minute, kind, from, to)| {
            let device = from.strip_prefix("$device:").unwrap_or(&from).to_owned();
            let from = if kind == "device" { format!("$device:{device}") } else { from };
            let (name, properties) = match kind {
                "resolved" => {
                    ("A", json!({"distinct_id": to, "$distinct_id_before_identity": from}))
                }
                "device" => ("A", json!({"$device_id": device, "$user_id": to})),
                "identify" => ("$identify", json!({"$anon_id": from, "$identified_id": to})),
                "alias" => ("$create_alias", json!({"distinct_id": to, "alias": from})),
                _ => ("$merge", json!({"$distinct_ids": [from, to]})),
            };
            let time = format!("{}T01:{minute:02}", DAYS[day]);
            let milliseconds = format!("{time}:00Z").parse::<Timestamp>().unwrap();
            let line = line(name, &time, &properties);
            let time = milliseconds.as_millisecond();
            (from != to).then_some((day, line, Told { kind, from, to, time }))
        },
    )
}

type Event = (usize, String, Told);

/// The events of days that are exported one after another, in any order; a later export replaces a day.
fn exports() -> impl Strategy<Value = Vec<(usize, Vec<Event>, bool)>> {
    let events = prop::collection::vec(fact(), 0..8);
    prop::collection::vec((0..DAYS.len(), events, any::<bool>()), 1..7)
}

async fn check(
    exports: Vec<(usize, Vec<Event>, bool)>,
    merge: IdMerge,
) -> Result<(), TestCaseError> {
    let lake = Lake { store: MemoryStore::new(), ..Lake::new() };
    let mut held: [Vec<Told>; 3] = Default::default();
    for (day, events, runs) in exports {
        lake.source.clear();
        let events: Vec<Event> = events.into_iter().filter(|event| event.0 == day).collect();
        for (_, line, _) in &events {
            lake.source.add_to(label(DAYS[day]), line.clone());
        }
        // A day without events would be asked for again.
        lake.source
            .add_to(label(DAYS[day]), line("A", &format!("{}T00:00", DAYS[day]), &json!({})));
        lake.publish(DAYS[day]).await;
        held[day] = events.into_iter().map(|(_, _, told)| told).collect();
        if runs {
            mapper(&lake, &lake.store, merge).run().await.unwrap();
        }
    }
    let last = IdentityMapper { bounds: TINY, ..mapper(&lake, &lake.store, merge) };
    last.run().await.unwrap();
    let expected = identities(&held.concat(), merge == IdMerge::Original);
    let expected: Vec<String> = expected.into_iter().map(|(from, to)| from + ">" + &to).collect();
    prop_assert_eq!(table(&lake), expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn identities_are_those_of_the_live_events_in_whatever_order_days_came_and_were_replaced(
        exports in exports(),
        merge in prop::sample::select(vec![IdMerge::Simplified, IdMerge::Original]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(exports, merge))?;
    }
}
