//! A table whose name engines take for hidden gets a visible one, and its rows move there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::Manifest;
use mixlake_app::doctor::{Doctor, Kind, Outcome, Remedy};
use mixlake_app::ports::{Catalog, ObjectStore, Precondition};
use mixlake_columnar::SchemaType;
use mixlake_domain::Dataset;
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::faults::Fault;
use mixlake_testkit::rows;
use serde_json::json;
use std::collections::BTreeMap;
use support::Lake;
use support::clinic::{DAY, doctor, examine, kinds, problems};

const HIDDEN: &str = "_signup";
const HOURS: [&str; 2] = ["2026-11-10T01", "2026-11-10T02"];
const OTHER: &str = "2026-11-11";

fn add(lake: &Lake, id: &str, time: &str) {
    let line = support::event(id, time, json!({}));
    lake.source.add(line.replace("\"Event\"", &format!("\"{HIDDEN}\"")));
}

/// A lake in which an earlier version gave the event the name of a hidden table.
async fn hidden() -> (Lake, MemoryCatalog) {
    let (mut lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.options.schema_type = SchemaType::Multischema;
    let event = json!({"event": HIDDEN, "name": HIDDEN, "first_seen": DAY});
    let registry = json!({"format": 1, "project_id": "42", "timezone": "UTC", "events": [event], "tables": {}});
    let (key, body) = (lake.layout.registry(Dataset::Events), registry.to_string());
    lake.store.put(&key, body.into(), Precondition::Absent).await.unwrap();
    add(&lake, "a", "2026-11-10T01:10");
    add(&lake, "b", "2026-11-10T02:20");
    add(&lake, "c", "2026-11-11T03:30");
    for slice in HOURS.iter().chain([&OTHER]) {
        lake.publish(slice).await;
    }
    lake.catch_up(&catalog).await;
    (lake, catalog)
}

/// How often each row is live in a table.
fn live(lake: &Lake, table: &str) -> BTreeMap<String, usize> {
    let objects = lake.store.snapshot();
    let mut found = BTreeMap::new();
    let of_table = lake.layout.table(&table.parse().unwrap());
    let manifests = objects.iter().filter(|(key, _)| key.starts_with(&of_table));
    for (_, body) in manifests.filter(|(key, _)| key.ends_with("/_manifest.json")) {
        let manifest: Manifest = serde_json::from_slice(body).unwrap();
        let folder = lake.layout.generation(&manifest.target, &manifest.generation);
        for file in &manifest.files {
            for row in rows::of(&objects[&format!("{folder}{}", file.name)]) {
                *found.entry(row["mp_insert_id"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    found
}

fn visible(lake: &Lake) -> String {
    lake.registry().events()[0].name.clone()
}

fn all(ids: &[&str]) -> BTreeMap<String, usize> {
    ids.iter().map(|id| ((*id).to_owned(), 1)).collect()
}

async fn put_right(lake: &Lake, catalog: &MemoryCatalog) -> Outcome {
    doctor(lake, catalog).put_right().await.unwrap()
}

#[tokio::test]
async fn the_rows_of_a_hidden_table_move_to_one_that_engines_see() {
    let (lake, catalog) = hidden().await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::HiddenTable], "{findings:#?}");
    assert_eq!(findings[0].remedy, Remedy::Rename { event: HIDDEN.to_owned() });
    let outcome = put_right(&lake, &catalog).await;
    assert_eq!((problems(&outcome.findings), outcome.failed), (vec![], vec![]));
    let name = visible(&lake);
    assert!(!name.starts_with('_'), "{name}");
    assert_eq!(live(&lake, HIDDEN), BTreeMap::new());
    assert_eq!(live(&lake, &name), all(&["a", "b", "c"]));
    let partitions = catalog.partitions(&format!("pre_{name}"), &[]).await.unwrap();
    assert_eq!(partitions.len(), 2);
    assert_eq!(put_right(&lake, &catalog).await.findings, [], "what was left goes");
    assert_eq!(lake.keys(&format!("{HIDDEN}/2026/11/10/g")), [""; 0]);
    assert_eq!(live(&lake, &name), all(&["a", "b", "c"]));

    // The slices are exported again, with other rows: those that moved are replaced.
    lake.source.clear();
    add(&lake, "a", "2026-11-10T01:10");
    add(&lake, "late", "2026-11-10T02:30");
    for slice in HOURS.iter().chain([&OTHER]) {
        lake.publish(slice).await;
    }
    assert_eq!(live(&lake, &name), all(&["a", "late"]));
    assert_eq!(live(&lake, HIDDEN), BTreeMap::new());
}

#[tokio::test]
async fn a_move_that_breaks_off_at_any_call_goes_on_the_next_time() {
    for fault in [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo] {
        for call in 0.. {
            let (lake, catalog) = hidden().await;
            let calls = lake.store.calls().len();
            lake.store.fail_call(call, fault);
            let first = doctor(&lake, &catalog).put_right().await;
            let is_over = lake.store.calls().len() - calls <= call;
            lake.store.heal();
            let about = format!("{fault:?} at call {call}: {first:?}");
            let seen = live(&lake, &visible(&lake));
            assert!(seen.values().all(|times| *times == 1), "{seen:?}, {about}");
            let outcome = put_right(&lake, &catalog).await;
            assert_eq!(problems(&outcome.findings), [], "{about}, {outcome:#?}");
            assert_eq!(live(&lake, &visible(&lake)), all(&["a", "b", "c"]), "{about}");
            assert_eq!(live(&lake, HIDDEN), BTreeMap::new(), "{about}");
            if is_over {
                break;
            }
        }
    }
}

/// Exports of the slices between the steps of a move, at every call of it.
#[tokio::test]
async fn a_move_beside_an_export_loses_and_doubles_nothing() {
    for call in 0..120 {
        let (lake, catalog) = hidden().await;
        lake.store.fail_call(call, Fault::Before);
        // Whether it fails depends on the call; what it leaves is checked.
        let _ = doctor(&lake, &catalog).put_right().await;
        lake.store.heal();
        lake.source.clear();
        add(&lake, "a", "2026-11-10T01:10");
        add(&lake, "late", "2026-11-10T02:30");
        lake.publish(HOURS[1]).await;
        let outcome = put_right(&lake, &catalog).await;
        assert_eq!(problems(&outcome.findings), [], "call {call}, {outcome:#?}");
        assert_eq!(live(&lake, &visible(&lake)), all(&["a", "late", "c"]), "call {call}");
        assert_eq!(live(&lake, HIDDEN), BTreeMap::new(), "call {call}");
        let left = Doctor { deep: false, ..doctor(&lake, &catalog) }.put_right().await.unwrap();
        assert_eq!(left.findings, [], "call {call}");
    }
}
