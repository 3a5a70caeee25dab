//! An erasure may stop at any call, and may meet exports in any order: running it again completes it, and the
//! person does not come back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::{join, join_all};
use mixlake_app::erase::Status;
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::store::Operation;
use rstest::rstest;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use support::jitter::{Dice, Jitter};
use support::people::{ANN, HOURS, hold};
use support::{Lake, Rows, slice};

const FAULTS: [Fault; 4] = [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo];

const SEEDS: u64 = 60;

async fn published(lake: Lake, hours: &[&str]) -> Lake {
    hold(&lake);
    for hour in hours {
        lake.publish(hour).await;
    }
    lake
}

/// The rows of everybody else, of the source's hours.
fn others(lake: &Lake) -> Rows {
    let published = HOURS.map(|hour| lake.source.lines_of(&slice(hour))).concat();
    let mut rows = Rows::new();
    for line in published {
        let line: Value = serde_json::from_str(&line).unwrap();
        let properties = &line["properties"];
        let Some(time) = properties["time"].as_i64() else { continue };
        let time = mixlake_domain::Timestamp::from_second(time).unwrap();
        let id = properties["$insert_id"].as_str().unwrap().to_owned();
        if !id.starts_with('a') {
            *rows.entry((mixlake_domain::Zone::UTC.date_of(time).to_string(), id)).or_default() +=
                1;
        }
    }
    rows
}

/// Nothing of Ann is in the lake, everything else is, and the doctor finds nothing.
async fn check(lake: &Lake, about: &str) {
    let catalog = MemoryCatalog::new();
    lake.held().check(&others(lake), &HOURS, about);
    lake.delete_old(&catalog).await;
    assert_eq!(lake.traces(), [""; 0], "{about}");
    assert_eq!(lake.physician(&catalog).examine().await.unwrap(), [], "{about}");
}

fn fault_at(lake: &Lake, n: usize, fault: Fault, dies: bool) {
    let at = lake.store.calls().len() + n;
    lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&at) {
        Ordering::Equal => fault,
        Ordering::Greater if dies => Fault::Before,
        Ordering::Less | Ordering::Greater => Fault::None,
    });
}

fn receipt(lake: &Lake) -> Value {
    let key = lake.keys("_erasures/").remove(0);
    serde_json::from_slice(&lake.store.snapshot()[&key]).unwrap()
}

#[rstest]
#[case::one_part(Lake::new, 1)]
#[case::many_parts(|| Lake::new().in_many_parts(), 5)]
#[tokio::test]
async fn whatever_an_erasure_stopped_at_the_next_one_completes(
    #[case] new: fn() -> Lake,
    #[case] step: usize,
) {
    for (fault, dies) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
        for n in (0..).step_by(step) {
            let about = format!("{fault:?} at call {n}, dies: {dies}");
            let lake = published(new(), &HOURS).await;
            let before = lake.store.calls().len();
            fault_at(&lake, n, fault, dies);
            let stopped = lake.eraser(&lake.store, &lake.clock).erase(&[ANN.to_owned()]).await;
            let reached = lake.store.calls().len() > before + n;
            lake.store.heal();
            let again = lake.erase().await;
            let is_whole = stopped.is_ok_and(|report| report.status == Status::Erased);
            assert!(!is_whole || again.status == Status::NothingFound, "{about}");
            let receipt = receipt(&lake);
            assert_eq!(receipt["state"], "done", "{about}");
            let targets = receipt["targets"].as_array().unwrap().iter();
            let rows: BTreeMap<&str, u64> = targets
                .map(|it| (it["mp_date"].as_str().unwrap(), it["rows"].as_u64().unwrap()))
                .collect();
            assert_eq!(rows, [("2026-11-10", 4), ("2026-11-11", 1)].into(), "{about}");
            check(&lake, &about).await;
            if !reached {
                break;
            }
        }
    }
}

#[rstest]
#[case::one_part(Lake::new)]
#[case::many_parts(|| Lake::new().in_many_parts())]
#[tokio::test]
async fn exports_that_meet_an_erasure_do_not_bring_the_person_back(#[case] new: fn() -> Lake) {
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let lake = published(new(), &HOURS[..1]).await;
        let dice = Dice::new(seed);
        let store = Jitter { inner: &lake.store, dice: &dice };
        let source = Jitter { inner: &lake.source, dice: &dice };
        let mut hours = [HOURS[0], HOURS[1], HOURS[1]];
        dice.shuffle(&mut hours);
        let exports = hours.map(|hour| {
            let (lake, store, source) = (&lake, &store, &source);
            async move { lake.exporter_over(source, store).slice(&slice(hour)).await.map(|_| ()) }
        });
        let eraser = lake.eraser(&store, &lake.clock);
        let erase = async {
            dice.pause().await;
            eraser.erase(&[ANN.to_owned()]).await
        };
        let (exported, erased) = join(join_all(exports), erase).await;
        // Somebody who was too slow too often has to come again, and says so.
        if erased.map_err(|error| error.to_string()).is_ok_and(|it| it.status != Status::Failed) {
            let live = lake.held().rows;
            assert!(live.keys().all(|(_, id)| !id.starts_with('a')), "{about}: {live:?}");
        } else {
            lake.erase().await;
        }
        if exported.iter().any(Result::is_err) {
            for hour in HOURS {
                lake.publish(hour).await;
            }
        }
        check(&lake, &about).await;
    }
}

#[tokio::test]
async fn a_run_that_died_before_the_erasure_cannot_publish_after_it() {
    for n in 0.. {
        let about = format!("dead after call {n}");
        let lake = published(Lake::new(), &HOURS[..1]).await;
        let before = lake.store.calls().len();
        fault_at(&lake, n, Fault::After, true);
        lake.export(&HOURS[1..]).await;
        let reached = lake.store.calls().len() > before + n;
        lake.store.heal();
        lake.erase().await;
        lake.erase().await;
        lake.publish(HOURS[1]).await;
        check(&lake, &about).await;
        if !reached {
            break;
        }
    }
}

#[tokio::test]
async fn two_erasures_at_once_remove_both_people() {
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let lake = published(Lake::new(), &HOURS).await;
        let dice = Dice::new(seed);
        let store = Jitter { inner: &lake.store, dice: &dice };
        let eraser = lake.eraser(&store, &lake.clock);
        let (ann, zoe) = ([ANN.to_owned()], ["carl".to_owned()]);
        let (one, other) = join(eraser.erase(&ann), eraser.erase(&zoe)).await;
        for report in [one, other] {
            assert_eq!(report.unwrap().failed, [], "{about}");
        }
        let mut expected = others(&lake);
        expected.retain(|(_, id), _| id != "c1");
        lake.held().check(&expected, &HOURS, &about);
        let catalog = MemoryCatalog::new();
        lake.delete_old(&catalog).await;
        assert_eq!(lake.traces(), [""; 0], "{about}");
        assert_eq!(lake.physician(&catalog).examine().await.unwrap(), [], "{about}");
    }
}
