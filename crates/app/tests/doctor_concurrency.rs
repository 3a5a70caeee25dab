//! Doctors that put things right beside exports and catalog functions, in any order of their calls: no
//! published row is lost or doubled.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::join_all;
use mixlake_app::doctor::{Doctor, Kind};
use mixlake_app::export::SliceStatus;
use mixlake_app::ports::ObjectStore;
use mixlake_app::reconcile::Reconciler;
use mixlake_domain::Dataset;
use mixlake_testkit::catalog::MemoryCatalog;
use rstest::rstest;
use std::time::Duration;
use support::clinic::{doctor, problems};
use support::jitter::{Dice, Jitter};
use support::{Lake, Rows, slice};

const SEEDS: u64 = 60;
const H1: &str = "2026-11-10T01";
const H2: &str = "2026-11-10T02";
const OTHER: &str = "2026-11-12T05";
const BEFORE: &[&str] = &["a 2026-11-10T01:10", "b 2026-11-10T02:20"];
const AFTER: &[&str] =
    &["a 2026-11-10T01:10", "b 2026-11-10T02:20", "late 2026-11-10T02:05", "n 2026-11-12T05:00"];

/// What had happened to the lake.
#[derive(Debug, Clone, Copy)]
enum Story {
    /// Nothing.
    Whole,
    /// An hour was exported again, then the manifest from before that was restored: the folder that
    /// the next export of the hour is about to make is there, and nobody lists it.
    Restored,
    /// A manifest from before the last hour was restored.
    Forgotten,
    /// The registry from before the last hour was restored.
    OldNames,
    /// The ledger is gone, and the manifest lists nothing.
    Emptied,
    /// Somebody put a file there.
    Stray,
    /// A file is damaged.
    Cut,
    /// A file is gone.
    Lost,
}

async fn lake(story: Story) -> (Lake, MemoryCatalog) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.hold(BEFORE);
    lake.publish(H1).await;
    let one = lake.store.snapshot()[&lake.manifest_key()].clone();
    let names = lake.store.snapshot()[&lake.layout.registry(Dataset::Events)].clone();
    lake.publish(H2).await;
    let both = lake.store.snapshot()[&lake.manifest_key()].clone();
    let file = lake.data().remove(1);
    match story {
        Story::Whole => {}
        Story::Restored => {
            lake.hold(AFTER);
            lake.publish(H2).await;
            lake.overwrite(&lake.manifest_key(), both).await;
        }
        Story::Forgotten => lake.overwrite(&lake.manifest_key(), one).await,
        Story::OldNames => lake.overwrite(&lake.layout.registry(Dataset::Events), names).await,
        Story::Emptied => {
            let ledger = lake.layout.ledger("2026-11-10".parse().unwrap());
            lake.store.delete(&ledger).await.unwrap();
            let mut empty: serde_json::Value = serde_json::from_slice(&both).unwrap();
            empty["files"] = serde_json::json!([]);
            lake.overwrite(&lake.manifest_key(), empty.to_string().into()).await;
        }
        Story::Stray => {
            lake.overwrite(&file.replace("-000.parquet", "-007.parquet"), "x".into()).await;
        }
        Story::Cut => lake.overwrite(&file, "PAR1".into()).await,
        Story::Lost => lake.store.delete(&file).await.unwrap(),
    }
    lake.hold(AFTER);
    (lake, catalog)
}

/// Exports until it succeeds: a run may lose a folder that it copies from, as there is no grace here.
async fn export(lake: &Lake, dice: &Dice, label: &str) -> SliceStatus {
    let store = Jitter { inner: &lake.store, dice };
    for _ in 0..20 {
        dice.pause().await;
        let outcome = lake.exporter_over(&lake.source, &store).slice(&slice(label)).await;
        if let Ok(report) = outcome {
            return report.status;
        }
    }
    panic!("{label} was tried 20 times");
}

async fn repair(lake: &Lake, catalog: &MemoryCatalog, dice: &Dice) {
    let store = Jitter { inner: &lake.store, dice };
    let reconciler = Reconciler { store: &store, ..lake.reconciler(catalog) };
    dice.pause().await;
    let doctor = Doctor { lake: reconciler, grace: Duration::ZERO, ..doctor(lake, catalog) };
    let outcome = doctor.put_right().await.unwrap();
    let removed = |f: &&mixlake_app::doctor::Finding| {
        f.kind == Kind::PartitionWithoutFiles && f.subject == "2026-11-12"
    };
    assert_eq!(outcome.findings.iter().chain(&outcome.repaired).find(removed), None);
}

/// The catalog hears of what is written, now and then.
async fn follow(lake: &Lake, catalog: &MemoryCatalog, dice: &Dice) {
    let store = Jitter { inner: &lake.store, dice };
    for _ in 0..6 {
        let written = lake.written_since(0);
        let reconciler = Reconciler { store: &store, ..lake.reconciler(catalog) };
        reconciler.reconcile(written.iter().map(String::as_str)).await;
        dice.pause().await;
    }
}

async fn meet(lake: &Lake, catalog: &MemoryCatalog, dice: &Dice) {
    let exports = join_all([H2, H1, OTHER, H2].map(|label| export(lake, dice, label)));
    let doctors = join_all((0..2).map(|_| repair(lake, catalog, dice)));
    tokio::join!(exports, doctors, follow(lake, catalog, dice));
}

fn rows(lake: &Lake) -> Rows {
    lake.rows_of_source(&[H1, H2, OTHER])
}

#[rstest]
#[case::whole(Story::Whole)]
#[case::restored(Story::Restored)]
#[case::forgotten(Story::Forgotten)]
#[case::old_names(Story::OldNames)]
#[case::emptied(Story::Emptied)]
#[case::stray(Story::Stray)]
#[case::cut(Story::Cut)]
#[case::lost(Story::Lost)]
#[tokio::test]
async fn a_repair_beside_exports_loses_and_doubles_nothing(#[case] story: Story) {
    for seed in 0..SEEDS {
        let about = format!("{story:?}, seed {seed}");
        let (lake, catalog) = lake(story).await;
        let dice = Dice::new(seed);
        meet(&lake, &catalog, &dice).await;
        // Where a file was damaged, a run may have found its slice published a moment before the
        // file was struck.
        if matches!(story, Story::Cut | Story::Lost) {
            repair(&lake, &catalog, &dice).await;
            assert!(lake.export(&[H1, H2, OTHER]).await.is_whole(), "{about}");
        }
        assert_eq!(lake.held().rows, rows(&lake), "{about}");
        lake.catch_up(&catalog).await;
        repair(&lake, &catalog, &dice).await;
        lake.check(&[H1, H2, OTHER], &about);
        if matches!(story, Story::OldNames) {
            lake.check_all_but_comments(&catalog, &about).await;
        } else {
            lake.check_catalog(&catalog, &about).await;
        }
        let now = doctor(&lake, &catalog).examine().await.unwrap();
        assert_eq!(problems(&now), [], "{about}");
    }
}
