//! The collection deletes what was replaced long enough ago, and nothing that anybody can need.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::doctor::{Collection, Doctor};
use mixlake_app::ports::{ObjectStore, Precondition};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::store::Operation;
use std::cmp::Ordering;
use std::time::{Duration, UNIX_EPOCH};
use support::clinic::{DAY, GRACE, doctor, lake, now};
use support::{Lake, add};

/// Two days, one of which was replaced; the catalog knows it.
async fn replaced() -> (Lake, MemoryCatalog) {
    let (lake, catalog) = lake().await;
    add(&lake.source, "b 2026-11-10T02:20");
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    (lake, catalog)
}

async fn collect(lake: &Lake, catalog: &MemoryCatalog) -> Collection {
    doctor(lake, catalog).collect(None).await.unwrap()
}

#[tokio::test]
async fn replaced_files_are_deleted_after_the_grace_and_not_before() {
    let (lake, catalog) = replaced().await;
    let young = Doctor { now: UNIX_EPOCH + GRACE / 2, ..doctor(&lake, &catalog) };
    let collection = young.collect(None).await.unwrap();
    assert_eq!((collection.deleted.len(), collection.kept.len()), (0, 1), "{collection:#?}");
    assert_eq!(lake.data().len(), 2);
    let collection = collect(&lake, &catalog).await;
    let deleted = &collection.deleted[0];
    assert_eq!((deleted.subject.as_str(), deleted.files), (DAY, 1), "{collection:#?}");
    assert!(deleted.bytes > 0 && collection.kept.is_empty() && collection.failed.is_empty());
    assert_eq!(lake.data().len(), 1);
    lake.check(&["2026-11-09", DAY], "collected");
    lake.check_catalog(&catalog, "collected").await;
    assert!(collect(&lake, &catalog).await.deleted.is_empty(), "nothing is left");
}

#[tokio::test]
async fn dates_say_which_days_are_looked_at() {
    let (lake, catalog) = replaced().await;
    let other: mixlake_domain::Date = "2026-11-09".parse().unwrap();
    let day = DAY.parse().unwrap();
    let others = doctor(&lake, &catalog).collect(Some((other, other))).await.unwrap();
    assert!(others.deleted.is_empty() && others.kept.is_empty(), "{others:#?}");
    let asked = doctor(&lake, &catalog).collect(Some((day, day))).await.unwrap();
    assert_eq!(asked.deleted.len(), 1, "{asked:#?}");
}

#[tokio::test]
async fn replaced_files_stay_while_the_catalog_sends_readers_to_them() {
    let (lake, catalog) = lake().await;
    add(&lake.source, "b 2026-11-10T02:20");
    lake.publish(DAY).await;
    let collection = collect(&lake, &catalog).await;
    assert!(collection.deleted.is_empty() && collection.kept.len() == 1, "{collection:#?}");
    assert_eq!(lake.data().len(), 2);
}

#[tokio::test]
async fn replaced_files_stay_while_their_rows_are_not_proven_to_be_live() {
    let (lake, catalog) = replaced().await;
    lake.store.delete(&lake.layout.ledger(DAY.parse().unwrap())).await.unwrap();
    let collection = collect(&lake, &catalog).await;
    assert!(collection.deleted.is_empty(), "{collection:#?}");
    assert_eq!(lake.data().len(), 2);
}

#[tokio::test]
async fn staged_files_are_deleted_when_no_run_can_use_them() {
    let (lake, catalog) = lake().await;
    let key = format!("{}2026-11-10-abc.jsonl", lake.layout.staged());
    lake.store.set_time(now() - Duration::from_hours(49));
    lake.store.put(&key, "old".into(), Precondition::Absent).await.unwrap();
    lake.store.set_time(now() - Duration::from_hours(47));
    lake.store.put(&format!("{key}.young"), "young".into(), Precondition::Absent).await.unwrap();
    assert_eq!(collect(&lake, &catalog).await.staged, 1);
    assert_eq!(lake.keys("_staging/").len(), 1);
}

#[tokio::test]
async fn a_collection_that_dies_at_any_call_is_ended_by_the_next() {
    for n in 0.. {
        let (lake, catalog) = replaced().await;
        let dies_at = lake.store.calls().len() + n;
        lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&dies_at) {
            Ordering::Less => Fault::None,
            Ordering::Equal => Fault::After,
            Ordering::Greater => Fault::Before,
        });
        // It says so, or names the days.
        drop(doctor(&lake, &catalog).collect(None).await);
        lake.store.heal();
        let reached = lake.store.calls().len() > dies_at;
        lake.check(&["2026-11-09", DAY], &format!("dead after call {n}"));
        // A deletion that began has changed the manifest: after the grace it is done again.
        collect(&lake, &catalog).await;
        lake.check(&["2026-11-09", DAY], &format!("again after call {n}"));
        lake.check_catalog(&catalog, &format!("again after call {n}")).await;
        assert_eq!(lake.data().len(), 1, "after call {n}");
        if !reached {
            break;
        }
    }
}
