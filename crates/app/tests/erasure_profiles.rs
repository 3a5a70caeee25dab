//! An erased person is in no table of profiles any more, and no export brings the person back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::join;
use mixlake_app::erase::Status;
use mixlake_app::export::Safeguards;
use mixlake_app::ports::{Clock, ObjectStore};
use mixlake_app::profiles::{ProfileExporter, ProfilesState, TableOutcome, TableStatus};
use mixlake_domain::{TableName, Target, Timestamp};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::profiles::{MemoryProfiles, PageFault};
use mixlake_testkit::rows;
use mixlake_testkit::store::Operation;
use serde_json::json;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use support::Lake;
use support::jitter::{Dice, Jitter};
use support::people::ANN;

const SEEDS: u64 = 150;

fn table() -> TableName {
    "mp_people_data".parse().unwrap()
}

fn clock() -> Clock {
    let seconds = AtomicI64::new(1_795_000_000);
    Arc::new(move || Timestamp::from_second(seconds.fetch_add(1, Relaxed)).unwrap())
}

/// Ann, three others, and a bad line of Ann and of somebody else.
fn source() -> MemoryProfiles {
    let source = MemoryProfiles::new(2);
    let profile = |id: &str| json!({"$distinct_id": id, "$properties": {"plan": id.len()}});
    let bad = |id: &str| json!({"distinct_id": id, "$properties": {}});
    let lines = [profile("b"), profile(ANN), bad(ANN), profile("c"), bad("b"), profile("d")];
    source.hold(lines.map(|line| line.to_string()));
    source
}

async fn export(
    lake: &Lake,
    source: &MemoryProfiles,
    store: &dyn ObjectStore,
    clock: &Clock,
) -> TableOutcome {
    let exporter = ProfileExporter {
        source,
        store,
        layout: &lake.layout,
        options: &lake.options,
        clock,
        time: None,
        safeguards: Safeguards::default(),
    };
    exporter.export(&table()).await
}

async fn published() -> Lake {
    let lake = Lake::new();
    export(&lake, &source(), &lake.store, &clock()).await.outcome.unwrap();
    lake
}

fn live(lake: &Lake) -> BTreeSet<String> {
    let objects = lake.store.snapshot();
    let target = Target::whole(table());
    let manifest: mixlake_app::Manifest =
        serde_json::from_slice(&objects[&lake.layout.manifest(&target)]).unwrap();
    let folder = lake.layout.generation(&target, &manifest.generation);
    let files = manifest.files.iter().map(|file| &objects[&format!("{folder}{}", file.name)]);
    files.flat_map(rows::of).map(|row| row["distinct_id"].as_str().unwrap().to_owned()).collect()
}

fn others() -> BTreeSet<String> {
    ["b", "c", "d"].map(str::to_owned).into()
}

async fn check(lake: &Lake, about: &str) {
    assert_eq!(live(lake), others(), "{about}");
    let catalog = MemoryCatalog::new();
    lake.catch_up(&catalog).await;
    lake.delete_old(&catalog).await;
    assert_eq!(lake.traces(), [""; 0], "{about}");
    assert_eq!(lake.physician(&catalog).examine().await.unwrap(), [], "{about}");
}

#[tokio::test]
async fn no_object_has_the_person_and_the_next_export_finds_the_table_unchanged() {
    let lake = published().await;
    let report = lake.erase().await;
    assert_eq!(report.status, Status::Erased);
    assert_eq!(report.targets.iter().map(|it| it.rows).sum::<u64>(), 1);
    assert_eq!(report.bad_lines.iter().map(|it| it.lines).sum::<u64>(), 1);
    check(&lake, "erased").await;
    let state = ProfilesState::read(&lake.store, &lake.layout).await.unwrap();
    let counts = state.tables[&table()].published.clone().unwrap().counts;
    let four = (counts.received, counts.written, counts.quarantined, counts.suppressed);
    assert_eq!(four, (6, 3, 1, 2));
    let clock: Clock = Arc::new(|| Timestamp::from_second(1_795_900_000).unwrap());
    let again = export(&lake, &source(), &lake.store, &clock).await.outcome.unwrap();
    assert_eq!((again.status, again.counts.suppressed), (TableStatus::Unchanged, 2));
    check(&lake, "exported again").await;
}

#[tokio::test]
async fn pages_that_were_kept_for_the_next_run_are_deleted() {
    let lake = published().await;
    let (source, clock) = (source(), clock());
    source.script([PageFault::None, PageFault::Down]);
    assert!(export(&lake, &source, &lake.store, &clock).await.outcome.is_err());
    assert!(lake.traces().iter().any(|key| key.contains("_staging/")));
    lake.erase().await;
    check(&lake, "erased").await;
    export(&lake, &source, &lake.store, &clock).await.outcome.unwrap();
    check(&lake, "exported again").await;
}

#[tokio::test]
async fn an_export_that_meets_an_erasure_does_not_bring_the_person_back() {
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let lake = published().await;
        let (dice, clock) = (Dice::new(seed), clock());
        let store = Jitter { inner: &lake.store, dice: &dice };
        let later = source();
        later.hold(later_lines());
        let eraser = lake.eraser(&store, &lake.clock);
        let erase = async {
            dice.pause().await;
            eraser.erase(&[ANN.to_owned()]).await
        };
        for _ in 0..200 {
            clock();
        }
        let (exported, report) = join(export(&lake, &later, &store, &clock), erase).await;
        if report.map_err(|error| error.to_string()).is_ok_and(|it| it.status != Status::Failed) {
            assert_eq!(live(&lake), others(), "{about}");
        } else {
            lake.erase().await;
        }
        if exported.outcome.is_err() {
            export(&lake, &later, &lake.store, &clock).await.outcome.unwrap();
        }
        check(&lake, &about).await;
    }
}

/// The same people with other properties.
fn later_lines() -> Vec<String> {
    let profile = |id: &str| json!({"$distinct_id": id, "$properties": {"plan": "new"}});
    let bad = json!({"distinct_id": ANN, "$properties": {"new": 1}});
    let lines = [profile("b"), profile(ANN), bad, profile("c"), profile("d")];
    lines.map(|line| line.to_string()).into()
}

#[tokio::test]
async fn whatever_an_erasure_stopped_at_the_next_one_completes() {
    for (fault, dies) in [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo]
        .into_iter()
        .flat_map(|fault| [(fault, false), (fault, true)])
    {
        for n in 0.. {
            let about = format!("{fault:?} at call {n}, dies: {dies}");
            let lake = published().await;
            // An export that died while it wrote the table.
            let state = lake.layout.profiles();
            let before = lake.store.calls().len();
            lake.store.inject(move |call: &Call<Operation>| {
                let is_state = call.operation == Operation::Put && call.subject == state;
                if is_state && call.number > before { Fault::After } else { Fault::None }
            });
            let clock: Clock = Arc::new(|| Timestamp::from_second(1_795_900_000).unwrap());
            assert!(export(&lake, &source(), &lake.store, &clock).await.outcome.is_err());
            let at = lake.store.calls().len() + n;
            lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&at) {
                Ordering::Equal => fault,
                Ordering::Greater if dies => Fault::Before,
                Ordering::Less | Ordering::Greater => Fault::None,
            });
            let _ = lake.eraser(&lake.store, &lake.clock).erase(&[ANN.to_owned()]).await;
            let reached = lake.store.calls().len() > at;
            lake.store.heal();
            lake.erase().await;
            check(&lake, &about).await;
            if !reached {
                break;
            }
        }
    }
}
