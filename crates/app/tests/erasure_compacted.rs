//! A person is erased from a compacted day too, whose file has the rows of several slices.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::join;
use mixlake_app::compact::Compactor;
use mixlake_app::erase::Status;
use mixlake_app::ports::{Clock, ObjectStore};
use mixlake_columnar::CompactionBounds;
use mixlake_domain::{Date, Timestamp};
use mixlake_testkit::catalog::MemoryCatalog;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use support::Lake;
use support::jitter::{Dice, Jitter};
use support::people::{ANN, HOURS, hold};

/// The day is over.
static LATER: LazyLock<Clock> = LazyLock::new(|| {
    let later: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    Arc::new(move || later)
});
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(std::env::temp_dir);

fn compactor<'a>(lake: &'a Lake, store: &'a dyn ObjectStore) -> Compactor<'a> {
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

async fn published() -> Lake {
    let lake = Lake::new();
    hold(&lake);
    for hour in HOURS {
        lake.publish(hour).await;
    }
    lake
}

async fn check(lake: &Lake, about: &str) {
    let catalog = MemoryCatalog::new();
    let held = lake.held();
    let ids: Vec<&str> = held.rows.keys().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids, ["b1", "b2", "c1", "b5"], "{about}");
    assert!(held.rows.values().all(|copies| *copies == 1), "{about}: {:?}", held.rows);
    lake.delete_old(&catalog).await;
    assert_eq!(lake.traces(), [""; 0], "{about}");
    assert_eq!(lake.physician(&catalog).examine().await.unwrap(), [], "{about}");
}

#[tokio::test]
async fn a_compacted_day_loses_only_the_rows_of_the_person() {
    let lake = published().await;
    compactor(&lake, &lake.store).compact(&[day()]).await.unwrap();
    assert!(lake.held().manifests["2026-11-10"].files[0].compacted);
    let report = lake.erase().await;
    assert_eq!(report.status, Status::Erased);
    let file = &lake.held().manifests["2026-11-10"].files[0];
    assert_eq!((file.rows, file.compacted), (3, true));
    check(&lake, "compacted").await;
    lake.publish("2026-11-10").await;
    assert_eq!(lake.traces(), [""; 0]);
}

#[tokio::test]
async fn a_compaction_that_meets_an_erasure_does_not_bring_the_person_back() {
    for seed in 0..60 {
        let about = format!("seed {seed}");
        let lake = published().await;
        let dice = Dice::new(seed);
        let store = Jitter { inner: &lake.store, dice: &dice };
        let (days, ids) = ([day()], [ANN.to_owned()]);
        let compactor = compactor(&lake, &store);
        let eraser = lake.eraser(&store, &lake.clock);
        let (done, outcome) = join(compactor.compact(&days), eraser.erase(&ids)).await;
        done.unwrap();
        if outcome.unwrap().status == Status::Failed {
            lake.erase().await;
        }
        check(&lake, &about).await;
    }
}
