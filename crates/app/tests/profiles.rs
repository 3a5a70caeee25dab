//! Profiles: a table is replaced as a whole, by all profiles or by none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::Outcome;
use mixlake_app::export::{OnEmpty, RunTime, Safeguards};
use mixlake_app::ports::{Catalog, Clock, ObjectStore, ProfileSource};
use mixlake_app::profiles::{
    ProfileExporter, ProfilesError, ProfilesState, TableOutcome, TableReport, TableStatus,
};
use mixlake_domain::{DataFormat, LakeObject, TableName, Target, Timestamp};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::profiles::{MemoryProfiles, PageFault};
use mixlake_testkit::rows;
use mixlake_testkit::store::Operation;
use rstest::rstest;
use serde_json::json;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use support::Lake;
use support::clinic::{doctor, examine};
use support::jitter::{Dice, Jitter};

const SEEDS: u64 = 120;

fn table() -> TableName {
    "mp_people_data".parse().unwrap()
}

fn profile(id: &str, version: u32) -> String {
    json!({"$distinct_id": id, "$properties": {"$name": id, "version": version}}).to_string()
}

fn profiles(ids: &[&str], version: u32) -> Vec<String> {
    ids.iter().map(|id| profile(id, version)).collect()
}

/// A lake with a source of profiles, and a clock that goes on by a second whenever it is read.
struct People {
    lake: Lake,
    source: MemoryProfiles,
    clock: Clock,
    safeguards: Safeguards,
    time: Option<RunTime>,
}

impl People {
    fn new() -> Self {
        let seconds = AtomicI64::new(1_795_000_000);
        let now = move || Timestamp::from_second(seconds.fetch_add(1, Relaxed)).unwrap();
        Self {
            lake: Lake::new(),
            source: MemoryProfiles::new(2),
            clock: Arc::new(now),
            safeguards: Safeguards { empty: OnEmpty::Refuse, ..Safeguards::default() },
            time: None,
        }
    }

    /// Every row is a part of its own, and every line is staged.
    fn in_many_parts() -> Self {
        let mut people = Self::new();
        people.lake = people.lake.in_many_parts();
        people
    }

    fn exporter<'a>(
        &'a self,
        source: &'a dyn ProfileSource,
        store: &'a dyn ObjectStore,
    ) -> ProfileExporter<'a> {
        ProfileExporter {
            source,
            store,
            layout: &self.lake.layout,
            options: &self.lake.options,
            clock: &self.clock,
            time: self.time,
            safeguards: self.safeguards,
        }
    }

    async fn export(&self) -> TableOutcome {
        self.exporter(&self.source, &self.lake.store).export(&table()).await
    }

    async fn publish(&self) -> TableReport {
        self.export().await.outcome.unwrap_or_else(|error| panic!("{}", mixlake_app::chain(&error)))
    }

    async fn fail(&self) -> ProfilesError {
        self.export().await.outcome.unwrap_err()
    }

    /// Makes the source hold these profiles, and exports them.
    async fn publish_all(&self, ids: &[&str], version: u32) -> TableReport {
        self.source.hold(profiles(ids, version));
        self.publish().await
    }

    /// The live rows: each person and the version of the profile.
    fn rows(&self) -> BTreeMap<String, u32> {
        let objects = self.lake.store.snapshot();
        let target = Target::whole(table());
        let Some(manifest) = objects.get(&self.lake.layout.manifest(&target)) else {
            return BTreeMap::new();
        };
        let manifest: mixlake_app::Manifest = serde_json::from_slice(manifest).unwrap();
        let folder = self.lake.layout.generation(&target, &manifest.generation);
        let in_folder = objects.keys().filter(|key| key.starts_with(&folder)).count();
        assert_eq!(in_folder, manifest.files.len(), "readers see a file that no manifest lists");
        let mut rows = BTreeMap::new();
        for file in &manifest.files {
            for row in rows::of(&objects[&format!("{folder}{}", file.name)]) {
                let id = row["distinct_id"].as_str().unwrap().to_owned();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "small"
                )]
                let version = row["version"].as_f64().unwrap() as u32;
                assert_eq!(rows.insert(id, version), None, "a person is there twice");
            }
        }
        rows
    }

    fn staged(&self) -> Vec<String> {
        self.lake.keys("_staging/")
    }
}

fn rows_of(ids: &[&str], version: u32) -> BTreeMap<String, u32> {
    ids.iter().map(|id| ((*id).to_owned(), version)).collect()
}

#[rstest]
#[case::one_part(People::new())]
#[case::many_parts(People::in_many_parts())]
#[tokio::test]
async fn all_pages_become_one_table_that_is_replaced_as_a_whole(#[case] people: People) {
    let first = people.publish_all(&["a", "b", "c", "d", "e"], 1).await;
    assert_eq!((first.status, first.pages, first.counts.written), (TableStatus::Published, 3, 5));
    assert_eq!(people.rows(), rows_of(&["a", "b", "c", "d", "e"], 1));
    let new: Vec<&str> = first.new_columns.iter().map(|column| &*column.column).collect();
    assert_eq!(new, ["distinct_id", "mp_name", "version"]);

    let second = people.publish_all(&["a", "b", "c", "f"], 2).await;
    assert!(matches!(second.change, Some(Outcome::Replaced { from: Some(_), .. })), "{second:?}");
    assert_eq!(second.rows_taken.unwrap().to_string(), "rows 5 -> 4 in mp_people_data");
    assert_eq!(people.rows(), rows_of(&["a", "b", "c", "f"], 2));
    assert_eq!(people.staged(), [""; 0]);
    let state = ProfilesState::read(&people.lake.store, &people.lake.layout).await.unwrap();
    let published = state.tables[&table()].published.as_ref().unwrap();
    assert_eq!(published.counts.written, 4);
    assert!(!state.is_due(&table(), published.began) && state.is_due(&table(), published.ended));
}

#[tokio::test]
async fn equal_profiles_write_nothing_in_whatever_order_they_come() {
    let people = People::new();
    people.publish_all(&["a", "b", "c"], 1).await;
    let calls = people.lake.store.calls().len();
    let again = people.publish_all(&["c", "a", "b"], 1).await;
    assert_eq!((again.status, again.change), (TableStatus::Unchanged, None));
    let state = people.lake.layout.profiles();
    let changed = people.lake.changes_since(calls);
    assert!(changed.iter().all(|(_, key)| *key == state), "{changed:?}");
}

#[tokio::test]
async fn a_person_with_two_profiles_is_one_row_and_is_counted() {
    let people = People::new();
    let seen = |day: u32, version: u32| {
        let properties =
            json!({"$last_seen": format!("2026-11-{day}T10:00:00"), "version": version});
        json!({"$distinct_id": "a", "$properties": properties}).to_string()
    };
    people.source.hold([seen(21, 1), profile("b", 1), seen(22, 2), seen(20, 3)]);
    let report = people.publish().await;
    assert_eq!(
        (report.counts.received, report.counts.written, report.counts.duplicates),
        (4, 2, 2)
    );
    assert_eq!(people.rows(), [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_line_that_is_no_profile_is_kept_with_its_reason() {
    let people = People::new();
    people.source.hold([profile("a", 1), r#"{"$properties":{}}"#.to_owned(), profile("b", 1)]);
    let report = people.publish().await;
    assert_eq!((report.counts.written, report.counts.quarantined), (2, 1));
    let key = report.quarantine.unwrap();
    assert_eq!(people.lake.layout.table_of_quarantine(&key), Some(table()));
    assert!(people.lake.store.snapshot().contains_key(&key));
}

#[tokio::test]
async fn pages_that_do_not_fit_together_fail_the_run_and_leave_the_table() {
    for fault in PageFault::MISFITS {
        for page in 0..3 {
            let people = People::new();
            people.publish_all(&["x"], 1).await;
            people.source.hold(profiles(&["a", "b", "c", "d", "e"], 2));
            people.source.script((0..page).map(|_| PageFault::None).chain([fault]));
            let outcome = people.export().await.outcome;
            let about = format!("{fault:?} of page {page}");
            let is_first = page == 0;
            match (&outcome, fault) {
                // The first page says which session, and has none before it.
                (_, PageFault::OtherSession | PageFault::Repeated) if is_first => {}
                (Err(error), _) => {
                    let text = mixlake_app::chain(error);
                    assert!(text.contains("the live table stays as it is"), "{about}: {text}");
                    assert!(!error.is_for_later(), "{about}");
                    assert_eq!(people.rows(), rows_of(&["x"], 1), "{about}");
                    assert_eq!(people.staged(), [""; 0], "{about}");
                }
                (Ok(_), _) => panic!("{about} was published"),
            }
            people.source.script([]);
            people.publish().await;
            assert_eq!(people.rows(), rows_of(&["a", "b", "c", "d", "e"], 2), "{about}");
        }
    }
}

#[tokio::test]
async fn a_page_that_breaks_is_requested_four_times_at_most_and_the_first_twice() {
    let people = People::new();
    people.source.hold(profiles(&["a", "b", "c"], 1));
    people.source.script([PageFault::None, PageFault::Breaks, PageFault::NoEnd, PageFault::Breaks]);
    people.publish().await;
    assert_eq!(people.source.requests().len(), 5);
    people.source.script([
        PageFault::None,
        PageFault::NoEnd,
        PageFault::NoEnd,
        PageFault::NoEnd,
        PageFault::NoEnd,
    ]);
    let error = people.fail().await;
    assert!(
        error.to_string().contains("the page ended before it said that it is complete"),
        "{error}"
    );
    assert_eq!(people.source.requests().len(), 5 + 1 + 4);
    people.source.script([PageFault::NoEnd; 4]);
    people.fail().await;
    assert_eq!(
        people.source.requests().len(),
        10 + 2,
        "the first page costs a query of the budget"
    );
    assert_eq!(people.rows(), rows_of(&["a", "b", "c"], 1));
}

#[tokio::test]
async fn a_run_that_cannot_go_on_keeps_its_pages_for_the_next_one() {
    for fault in [PageFault::Down, PageFault::Limited] {
        let people = People::in_many_parts();
        people.source.hold(profiles(&["a", "b", "c", "d", "e"], 1));
        people.source.script([PageFault::None, PageFault::None, fault]);
        assert!(people.fail().await.is_for_later(), "{fault:?}");
        assert_eq!(people.rows(), BTreeMap::new());
        people.publish().await;
        let pages: Vec<u64> = people
            .source
            .requests()
            .iter()
            .map(|next| next.as_ref().map_or(0, |it| it.page))
            .collect();
        assert_eq!(pages, [0, 1, 2, 2], "{fault:?}");
        assert_eq!(people.rows(), rows_of(&["a", "b", "c", "d", "e"], 1));
        assert_eq!(people.staged(), [""; 0]);
    }
}

#[tokio::test]
async fn a_run_without_time_for_all_pages_ends_and_others_go_on() {
    let mut people = People::new();
    let ids: Vec<String> = (0..20).map(|n| format!("p{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
    people.source.hold(profiles(&ids, 1));
    let mut runs = 0;
    loop {
        let begins = (people.clock)();
        let ends = begins.checked_add(mixlake_domain::Span::new().seconds(20)).unwrap();
        people.time = Some(RunTime { begins, ends });
        runs += 1;
        match people.export().await.outcome {
            Ok(_) => break,
            Err(error) => assert!(error.is_for_later() && runs < 30, "{error}"),
        }
    }
    assert!(runs > 1, "one run had time for all");
    assert_eq!(people.rows(), rows_of(&ids, 1));
    assert_eq!(people.source.queries(), 1, "one session");
}

#[tokio::test]
async fn pages_older_than_a_day_are_received_again() {
    let mut people = People::new();
    people.source.hold(profiles(&["a", "b", "c"], 1));
    people.source.script([PageFault::None, PageFault::Down]);
    people.fail().await;
    let late = Timestamp::from_second(1_795_000_000 + 25 * 3_600).unwrap();
    people.clock = Arc::new(move || late);
    people.source.hold(profiles(&["a", "b", "c"], 2));
    people.publish().await;
    assert_eq!(people.rows(), rows_of(&["a", "b", "c"], 2));
}

#[tokio::test]
async fn a_forgotten_session_is_begun_again_once() {
    let people = People::new();
    people.source.hold(profiles(&["a", "b", "c", "d"], 1));
    people.source.script([PageFault::None, PageFault::Forgotten]);
    people.publish().await;
    assert_eq!(people.source.queries(), 2);
    people.source.hold(profiles(&["x"], 2));
    people.source.script([PageFault::Forgotten, PageFault::Forgotten]);
    let error = people.fail().await;
    assert!(error.to_string().contains("forgot the session of the pages twice"), "{error}");
    assert_eq!(people.rows(), rows_of(&["a", "b", "c", "d"], 1));
}

#[tokio::test]
async fn an_empty_answer_replaces_a_table_only_if_it_may() {
    let mut people = People::new();
    let empty = people.publish().await;
    assert_eq!(empty.counts.received, 0, "there is nothing to lose");
    people.publish_all(&["a", "b"], 1).await;
    people.source.hold([]);
    let error = people.fail().await;
    assert!(error.to_string().contains("2 rows are live"), "{error}");
    assert!(error.to_string().contains("allow_empty=true"), "{error}");
    assert_eq!(people.rows(), rows_of(&["a", "b"], 1));
    people.safeguards.empty = OnEmpty::Allow;
    people.publish().await;
    assert_eq!(people.rows(), BTreeMap::new());
    people.publish_all(&["c"], 2).await;
    assert_eq!(people.rows(), rows_of(&["c"], 2));
}

#[tokio::test]
async fn lines_that_are_mostly_no_profiles_replace_nothing() {
    let people = People::new();
    people.publish_all(&["a"], 1).await;
    people.source.hold((0..3).map(|n| format!("{{\"event\":\"e{n}\"}}")));
    let error = people.fail().await;
    assert!(matches!(error, ProfilesError::NoProfile { lines: 3, .. }), "{error:?}");
    let bad = (0..6).map(|n| format!("{{\"n\":{n}}}"));
    people.source.hold(bad.chain(profiles(&["a", "b", "c", "d"], 2)));
    let error = people.fail().await;
    assert!(matches!(error, ProfilesError::MostlyBad { bad: 6, lines: 10, .. }), "{error:?}");
    assert_eq!(people.rows(), rows_of(&["a"], 1));
}

#[tokio::test]
async fn a_file_with_fewer_profiles_than_are_live_replaces_them_only_if_it_may() {
    let mut people = People::new();
    people.publish_all(&["a", "b"], 1).await;
    people.safeguards.fewer_rows = false;
    people.source.hold(profiles(&["a"], 2));
    let error = people.fail().await;
    assert!(error.to_string().contains("rows 2 -> 1 in mp_people_data"), "{error}");
    people.safeguards.fewer_rows = true;
    people.publish().await;
    assert_eq!(people.rows(), rows_of(&["a"], 2));
}

#[tokio::test]
async fn json_lines_hold_the_same_profiles() {
    let mut people = People::new();
    people.lake.options.format = DataFormat::Json;
    let report = people.publish_all(&["a", "b", "c"], 1).await;
    assert!(report.objects[0].ends_with("/snapshot-000.json.gz"), "{:?}", report.objects);
}

/// Before the n-th call of a run: one fault, and then nothing at all if the process is to die.
fn fault_at(lake: &Lake, n: usize, fault: Fault, dies: bool) {
    let at = lake.store.calls().len() + n;
    lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&at) {
        Ordering::Equal => fault,
        Ordering::Greater if dies => Fault::Before,
        Ordering::Less | Ordering::Greater => Fault::None,
    });
}

#[tokio::test]
async fn whatever_a_run_stopped_at_readers_see_one_version_and_the_next_run_is_right() {
    let (old, new): (&[&str], &[&str]) = (&["a", "b", "x"], &["a", "b", "c", "d", "e"]);
    for fault in [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo] {
        for (dies, is_first) in [(false, false), (true, false), (true, true)] {
            for n in 0.. {
                let about = format!("{fault:?} at call {n}, dies: {dies}, first: {is_first}");
                let people = People::in_many_parts();
                if !is_first {
                    people.publish_all(old, 1).await;
                }
                let before = people.rows();
                people.source.hold(profiles(new, 2));
                let calls = people.lake.store.calls().len();
                fault_at(&people.lake, n, fault, dies);
                let done = people.export().await.outcome.is_ok();
                people.lake.store.heal();
                let reached = people.lake.store.calls().len() > calls + n;
                let after = people.rows();
                assert!(after == before || after == rows_of(new, 2), "{about}: {after:?}");
                assert!(!done || after == rows_of(new, 2), "{about}");
                people.publish_all(&["z", "y"], 3).await;
                assert_eq!(people.rows(), rows_of(&["z", "y"], 3), "{about}");
                if !reached {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn of_exports_at_the_same_time_the_one_that_began_last_stays() {
    let mut whole = 0;
    for seed in 0..SEEDS {
        let dice = Dice::new(seed);
        let people = People::in_many_parts();
        people.publish_all(&["x"], 1).await;
        let sources: Vec<MemoryProfiles> = (2..5)
            .map(|version| {
                let source = MemoryProfiles::new(2);
                source.hold(profiles(&["a", "b", "c"], version));
                source
            })
            .collect();
        let store = Jitter { inner: &people.lake.store, dice: &dice };
        let runs = sources.iter().map(|source| async {
            dice.pause().await;
            people.exporter(source, &store).export(&table()).await
        });
        let outcomes = futures::future::join_all(runs).await;
        let mut done = Vec::new();
        for (version, outcome) in (2..).zip(outcomes) {
            match outcome.outcome {
                Ok(report) => done.push((report.began, report.status, version)),
                Err(error) => assert!(error.is_for_later(), "seed {seed}: {error}"),
            }
        }
        let newest = done.iter().max();
        if let Some((_, status, version)) = newest.filter(|_| done.len() == 3) {
            assert_eq!(*status, TableStatus::Published, "seed {seed}");
            assert_eq!(people.rows(), rows_of(&["a", "b", "c"], *version), "seed {seed}");
        }
        people.publish_all(&["y", "z"], 9).await;
        assert_eq!(people.rows(), rows_of(&["y", "z"], 9), "seed {seed}");
        whole += usize::from(done.len() == 3);
    }
    assert!(whole > 60, "in {whole} of {SEEDS} orders no run had to give up");
}

#[tokio::test]
async fn the_catalog_follows_and_the_collection_deletes_what_was_replaced() {
    let people = People::new();
    let catalog = MemoryCatalog::new();
    for version in 1..4 {
        people.publish_all(&["a", "b"], version).await;
        people.lake.catch_up(&catalog).await;
    }
    let state = catalog.table("pre_mp_people_data").await.unwrap().unwrap();
    let manifest = people.lake.layout.manifest(&Target::whole(table()));
    let live: mixlake_app::Manifest =
        serde_json::from_slice(&people.lake.store.snapshot()[&manifest]).unwrap();
    assert!(state.location.contains(live.generation.as_str()), "{}", state.location);
    assert_eq!(support::clinic::problems(&examine(&people.lake, &catalog).await), []);

    let collection = doctor(&people.lake, &catalog).collect(None).await.unwrap();
    let deleted: Vec<_> = collection.deleted.iter().map(|it| (&*it.table, it.files)).collect();
    assert_eq!(deleted, [("mp_people_data", 2)], "{collection:#?}");
    assert!(collection.kept.is_empty() && collection.failed.is_empty(), "{collection:#?}");
    assert_eq!(people.rows(), rows_of(&["a", "b"], 3));
    let data = people.lake.keys("mp_people_data/").into_iter();
    let data = data.filter_map(|key| people.lake.layout.read(&key));
    assert_eq!(data.filter(|key| key.object != LakeObject::Manifest).count(), 1);
}

#[tokio::test]
async fn an_event_that_has_the_name_of_the_table_is_named() {
    let mut people = People::new();
    people.lake.options.schema_type = mixlake_columnar::SchemaType::Multischema;
    let event = json!({"event": "mp group x data", "properties": {"time": 1_794_268_800, "distinct_id": "a"}});
    people.lake.source.add(event.to_string());
    people.lake.publish("2026-11-10").await;
    let key = people.lake.layout.registry(mixlake_domain::Dataset::Events);
    let registry = String::from_utf8(people.lake.store.snapshot()[&key].to_vec()).unwrap();
    assert!(registry.contains("e_mp_group_x_data"), "new events get other names: {registry}");
    // Earlier versions gave such names.
    people.lake.overwrite(&key, registry.replace("e_mp_group", "mp_group").into()).await;
    let name = "mp_group_x_data".to_owned();
    let outcome =
        people.exporter(&people.source, &people.lake.store).export(&name.parse().unwrap()).await;
    let error = outcome.outcome.unwrap_err();
    assert!(matches!(&error, ProfilesError::Taken(taken) if *taken == name), "{error:?}");
    assert_eq!(people.source.requests().len(), 0, "before any work");
}

#[tokio::test]
async fn names_of_a_lost_registry_come_back_from_the_live_files() {
    let people = People::new();
    let line = |id: &str, plan: serde_json::Value| {
        json!({"$distinct_id": id, "$properties": {"Plan": plan, "version": 1}}).to_string()
    };
    people.source.hold([line("a", json!("free")), line("b", json!(3))]);
    people.publish().await;
    let key = people.lake.layout.registry(mixlake_domain::Dataset::Profiles);
    let before = people.lake.store.snapshot()[&key].clone();
    people.lake.store.delete(&key).await.unwrap();
    // In another order, the types would get each other's names.
    people.source.hold([line("b", json!(3)), line("a", json!("free")), line("c", json!("x"))]);
    people.publish().await;
    let names = |document: &[u8]| {
        let registry =
            mixlake_schema::Registry::from_document(document, &people.lake.options.project)
                .unwrap();
        let columns = registry.tables()["mp_people_data"].columns().to_vec();
        columns.into_iter().map(|it| (it.name, it.property, it.column_type)).collect::<Vec<_>>()
    };
    assert_eq!(names(&people.lake.store.snapshot()[&key]), names(&before));
    assert_eq!(people.rows().len(), 3);
}

#[tokio::test]
async fn a_lost_registry_whose_names_no_file_records_stops_the_export() {
    let mut people = People::new();
    people.lake.options.format = DataFormat::Json;
    people.publish_all(&["a"], 1).await;
    let key = people.lake.layout.registry(mixlake_domain::Dataset::Profiles);
    people.lake.store.delete(&key).await.unwrap();
    let error = people.fail().await;
    assert!(matches!(error, ProfilesError::NamesLost { .. }), "{error:?}");
}

#[tokio::test]
async fn replaced_files_stay_while_the_files_that_replaced_them_are_missing() {
    let people = People::new();
    let catalog = MemoryCatalog::new();
    for version in 1..3 {
        people.publish_all(&["a", "b"], version).await;
        people.lake.catch_up(&catalog).await;
    }
    let target = Target::whole(table());
    let manifest = people.lake.store.snapshot()[&people.lake.layout.manifest(&target)].clone();
    let manifest: mixlake_app::Manifest = serde_json::from_slice(&manifest).unwrap();
    let folder = people.lake.layout.generation(&target, &manifest.generation);
    people.lake.store.delete(&format!("{folder}{}", manifest.files[0].name)).await.unwrap();
    let collection = doctor(&people.lake, &catalog).collect(None).await.unwrap();
    assert!(collection.deleted.is_empty(), "{collection:#?}");
    let text = &collection.kept[0].text;
    assert!(text.contains("may be the only copy of the table"), "{text}");
    // The next export makes the table again, and proves it.
    people.publish_all(&["a", "b"], 3).await;
    people.lake.catch_up(&catalog).await;
    let collection = doctor(&people.lake, &catalog).collect(None).await.unwrap();
    assert_eq!(collection.deleted.len(), 1, "{collection:#?}");
    assert_eq!(people.rows(), rows_of(&["a", "b"], 3));
}
