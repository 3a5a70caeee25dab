//! The catalog follows the lake, in whatever order, and however often, it is told of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::{Either, join, join_all, select};
use mixlake_app::ports::{Catalog, Format, ObjectStore};
use mixlake_app::reconcile::Reconciler;
use mixlake_domain::DataFormat;
use mixlake_testkit::catalog::{MemoryCatalog, Operation};
use mixlake_testkit::day;
use mixlake_testkit::faults::Fault;
use mixlake_testkit::store;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::jitter::{Dice, Jitter};
use support::notices::{IN_CATALOG, Notices};
use support::{Lake, TABLE};

const SEEDS: u64 = 150;
const H2: &str = "2026-11-10T02";

/// What happens to the lake, step by step: columns come every day, a day is replaced, strays come
/// and go.
const STEPS: &[(&[&str], &str)] = &[
    (&["x 2026-11-09T10:00", "y 2026-11-09T11:00"], "2026-11-09"),
    (&["a 2026-11-10T01:10"], "2026-11-10T01"),
    (&["b 2026-11-10T02:20", "s 2026-11-12T00:01 > 2026-11-10T02"], H2),
    (&["x 2026-11-09T10:00", "late 2026-11-09T12:00"], "2026-11-09"),
    (&["b 2026-11-10T02:20", "c 2026-11-10T02:30"], H2),
    (&["z 2026-11-11T05:00"], "2026-11-11"),
    (&["a 2026-11-10T01:10", "d 2026-11-10T20:00"], "2026-11-10"),
];

async fn step(lake: &Lake, (events, slice): (&[&str], &str)) {
    lake.hold(events);
    lake.publish(slice).await;
}

async fn whole_lake() -> Lake {
    let lake = Lake::new();
    for each in STEPS {
        step(&lake, *each).await;
    }
    lake
}

#[tokio::test]
async fn one_delivery_makes_one_version_with_the_columns_in_their_order() {
    let (lake, catalog) = (whole_lake().await, MemoryCatalog::new());
    lake.deliver(&catalog, &lake.written_since(0)).await;
    let table = lake.check_catalog(&catalog, "one delivery").await;
    assert_eq!(catalog.versions(IN_CATALOG), 1);
    let registry = lake.registry();
    let names = registry.tables()[TABLE].columns().iter().map(|c| c.name.as_str());
    assert!(table.columns.iter().map(|c| c.name.as_str()).eq(names));

    let before = catalog.changes();
    lake.deliver(&catalog, &lake.written_since(0)).await;
    assert!(lake.reconciler(&catalog).reconcile_all().await.unwrap().failed.is_empty());
    assert_eq!(catalog.changes(), before, "a second delivery changes nothing");
}

#[tokio::test]
async fn each_step_makes_a_version_only_if_it_brings_columns() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    let mut columns = 0;
    let mut versions = 0;
    for each in STEPS {
        let calls = lake.store.calls().len();
        step(&lake, *each).await;
        lake.deliver(&catalog, &lake.written_since(calls)).await;
        let now = lake.check_catalog(&catalog, each.1).await.columns.len();
        versions += u64::from(now > columns);
        columns = now;
        assert_eq!(catalog.versions(IN_CATALOG), versions, "{}", each.1);
    }
}

#[tokio::test]
async fn a_day_that_has_lost_its_files_loses_its_partition() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    for (each, partitions) in [(STEPS[2], 2), (STEPS[4], 1)] {
        step(&lake, each).await;
        lake.deliver(&catalog, &lake.written_since(0)).await;
        lake.check_catalog(&catalog, "strays").await;
        let set = catalog.partitions(IN_CATALOG, &[]).await.unwrap();
        assert_eq!(set.len(), partitions);
    }
}

/// Somebody removes objects, and S3 tells of it.
async fn remove(lake: &Lake, catalog: &MemoryCatalog, keys: &[String]) -> Vec<String> {
    for key in keys {
        lake.store.delete(key).await.unwrap();
    }
    lake.deliver(catalog, keys).await;
    let set = catalog.partitions(IN_CATALOG, &[]).await.unwrap();
    set.into_iter().map(|partition| partition.value).collect()
}

#[tokio::test]
async fn a_partition_goes_with_the_last_of_its_live_files() {
    let (lake, catalog) = (Lake::new().in_many_parts(), MemoryCatalog::new());
    step(&lake, STEPS[0]).await;
    step(&lake, STEPS[5]).await;
    lake.deliver(&catalog, &lake.written_since(0)).await;
    let files: Vec<String> = lake.keys(&format!("{TABLE}/2026/11/09/g"));
    assert_eq!(files.len(), 2);
    let both = ["2026-11-09", "2026-11-11"];
    assert_eq!(remove(&lake, &catalog, &files[..1]).await, both, "one file is still there");
    assert_eq!(remove(&lake, &catalog, &files[1..]).await, both[1..]);
}

#[tokio::test]
async fn a_partition_goes_with_the_files_of_json_too() {
    let (lake, catalog) = (Lake::new().of_json(), MemoryCatalog::new());
    step(&lake, STEPS[0]).await;
    lake.deliver(&catalog, &lake.written_since(0)).await;
    let files = lake.keys(&format!("{TABLE}/2026/11/09/g"));
    assert_eq!(remove(&lake, &catalog, &files).await, [""; 0]);
}

/// Notices of what was there come again, or so late that it is gone.
#[tokio::test]
async fn a_partition_that_went_with_its_files_does_not_come_back() {
    for format in DataFormat::ALL {
        let (mut lake, catalog) = (Lake::new(), MemoryCatalog::new());
        lake.options.format = format;
        step(&lake, STEPS[0]).await;
        let keys = lake.written_since(0);
        lake.deliver(&catalog, &keys).await;
        let files = lake.keys(&format!("{TABLE}/2026/11/09/g"));
        assert_eq!(remove(&lake, &catalog, &files).await, [""; 0]);
        for key in keys {
            lake.deliver(&catalog, std::slice::from_ref(&key)).await;
            let set = catalog.partitions(IN_CATALOG, &[]).await.unwrap();
            assert_eq!(set, [], "{format}: after a repeated notice of {key}");
        }
        lake.reconciler(&catalog).reconcile_all().await.unwrap();
        assert_eq!(catalog.partitions(IN_CATALOG, &[]).await.unwrap(), [], "{format}");
    }
}

#[tokio::test]
async fn a_partition_goes_with_its_manifest() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    step(&lake, STEPS[0]).await;
    step(&lake, STEPS[5]).await;
    let keys = lake.written_since(0);
    lake.deliver(&catalog, &keys).await;
    let manifest = lake.layout.manifest(&day(TABLE, "2026-11-09".parse().unwrap()));
    assert_eq!(remove(&lake, &catalog, &[manifest]).await, ["2026-11-11"]);
    // A late notice of a file whose day has no manifest does not bring it back, nor take others.
    lake.deliver(&catalog, &keys).await;
    assert_eq!(catalog.partitions(IN_CATALOG, &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_old_generation_may_be_removed_under_a_partition_that_has_moved_on() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    step(&lake, STEPS[0]).await;
    let old: Vec<String> = lake.keys(&format!("{TABLE}/2026/11/09/g"));
    step(&lake, STEPS[3]).await;
    lake.deliver(&catalog, &lake.written_since(0)).await;
    assert_eq!(remove(&lake, &catalog, &old).await, ["2026-11-09"]);
    lake.check_catalog(&catalog, "after the sweep").await;
}

/// Every fault, now and then, and a conflict at every third change.
fn trouble(lake: &Lake, catalog: &MemoryCatalog, dice: &Arc<Dice>) {
    let (of_store, of_catalog) = (dice.clone(), dice.clone());
    lake.store.inject(move |call| {
        let fails = call.operation == store::Operation::Tail && of_store.below(12) == 0;
        if fails { Fault::Before } else { Fault::None }
    });
    let mut changes = 0;
    catalog.inject(move |call| {
        if matches!(call.operation, Operation::CreateTable | Operation::AppendColumns) {
            changes += 1;
            if changes % 3 == 0 {
                return Fault::Overtaken;
            }
        }
        match of_catalog.below(40) {
            0 => Fault::Before,
            1 | 2 => Fault::After,
            3 | 4 => Fault::Echo,
            _ => Fault::None,
        }
    });
}

/// Reconciles batch after batch. What fails, or dies half way, is delivered again.
async fn follow(
    lake: &Lake,
    catalog: &MemoryCatalog,
    notices: &Notices,
    done: &AtomicBool,
    dice: &Dice,
) {
    while !done.load(Ordering::Relaxed) {
        let batch = notices.take(dice);
        let store = Jitter { inner: &lake.store, dice };
        let reconciler = Reconciler { store: &store, ..lake.reconciler(catalog) };
        let run = pin!(reconciler.reconcile(batch.iter().map(String::as_str)));
        let death = pin!(async {
            for _ in 0..=dice.below(2_000) {
                tokio::task::yield_now().await;
            }
        });
        match select(run, death).await {
            Either::Left((done, _)) => notices.add(done.failed.into_iter().map(|(key, _)| key)),
            Either::Right(_) => notices.add(batch.clone()),
        }
        dice.pause().await;
    }
}

#[tokio::test]
async fn in_the_end_the_catalog_is_right_whatever_happened_on_the_way() {
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let (lake, catalog, dice) = (Lake::new(), MemoryCatalog::new(), Arc::new(Dice::new(seed)));
        trouble(&lake, &catalog, &dice);
        let (notices, done) = (Notices::default(), AtomicBool::new(false));
        let exports = async {
            for each in STEPS {
                let calls = lake.store.calls().len();
                step(&lake, *each).await;
                notices.add(lake.written_since(calls));
                dice.pause().await;
            }
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            done.store(true, Ordering::Relaxed);
        };
        let followers = (0..3).map(|_| follow(&lake, &catalog, &notices, &done, &dice));
        join(exports, join_all(followers)).await;
        lake.store.heal();
        catalog.heal();
        lake.deliver(&catalog, &notices.rest()).await;
        lake.check_catalog(&catalog, &about).await;

        let before = catalog.changes();
        lake.deliver(&catalog, &lake.written_since(0)).await;
        lake.check_catalog(&catalog, &about).await;
        assert_eq!(catalog.changes(), before, "{about}: a delivery of everything changes nothing");
    }
}

#[tokio::test]
async fn tables_of_json_are_described_as_such_with_the_columns_of_their_manifests() {
    let (lake, catalog) = (Lake::new().of_json(), MemoryCatalog::new());
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20"]);
    for hour in ["2026-11-10T01", H2] {
        lake.publish(hour).await;
        lake.deliver(&catalog, &lake.written_since(0)).await;
    }
    let files = lake.keys(&format!("{TABLE}/2026/11/10/g"));
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|key| key.ends_with(".json.gz")), "{files:?}");
    let table = catalog.table(IN_CATALOG).await.unwrap().unwrap();
    assert_eq!(table.format, Format::Lake(DataFormat::Json));
    let registry = lake.registry();
    let names = registry.tables()[TABLE].columns().iter().map(|c| c.name.as_str());
    assert!(table.columns.iter().map(|c| c.name.as_str()).eq(names), "{:?}", table.columns);
    assert_eq!(catalog.versions(IN_CATALOG), 2);
    assert_eq!(catalog.partitions(IN_CATALOG, &[]).await.unwrap().len(), 1);
}
