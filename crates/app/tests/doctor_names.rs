//! A registry that was put back from a backup knows fewer names than the files of its lake: they say what
//! it lacks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use bytes::Bytes;
use mixlake_app::doctor::{Kind, Outcome, Remedy};
use mixlake_columnar::SchemaType;
use mixlake_domain::Dataset;
use mixlake_testkit::catalog::MemoryCatalog;
use rstest::rstest;
use serde_json::{Value, json};
use support::Lake;
use support::clinic::{DAY, doctor, examine, kinds, problems};

const NEXT: &str = "2026-11-11";

fn registry(lake: &Lake) -> Bytes {
    lake.store.snapshot()[&lake.layout.registry(Dataset::Events)].clone()
}

/// What a registry says, without the order of its events.
fn names(registry: &Bytes) -> Value {
    let mut registry: Value = serde_json::from_slice(registry).unwrap();
    registry["events"].as_array_mut().unwrap().sort_by_key(|event| event["event"].to_string());
    registry
}

/// An event with a property.
fn add(lake: &Lake, event: &str, time: &str, property: &str) {
    let line = support::event(property, time, json!({ property: "x" }));
    lake.source.add(line.replace("\"Event\"", &format!("\"{event}\"")));
}

async fn put_right(lake: &Lake, catalog: &MemoryCatalog) -> Outcome {
    doctor(lake, catalog).put_right().await.unwrap()
}

/// A lake whose second day brought an event and properties, and the registry from before that.
async fn two_days(schema_type: SchemaType) -> (Lake, MemoryCatalog, Bytes) {
    let (mut lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.options.schema_type = schema_type;
    add(&lake, "Sign Up", "2026-11-10T01:10", "Plan");
    lake.publish(DAY).await;
    let before = registry(&lake);
    add(&lake, "Sign Up", "2026-11-11T01:10", "$city");
    add(&lake, "sign up", "2026-11-11T02:10", "plan");
    add(&lake, "Sign Out", "2026-11-11T03:10", "Price (€)");
    lake.publish(NEXT).await;
    lake.catch_up(&catalog).await;
    (lake, catalog, before)
}

#[rstest]
#[case::one_table(SchemaType::Monoschema)]
#[case::a_table_for_each_event(SchemaType::Multischema)]
#[tokio::test]
async fn a_registry_from_a_backup_is_completed_from_the_files(#[case] schema_type: SchemaType) {
    let (lake, catalog, before) = two_days(schema_type).await;
    assert_eq!(examine(&lake, &catalog).await, []);
    let whole = registry(&lake);
    lake.overwrite(&lake.layout.registry(Dataset::Events), before).await;
    let findings = examine(&lake, &catalog).await;
    for kind in [Kind::UnknownColumn, Kind::UnknownEvent] {
        let found = findings.iter().filter(|finding| finding.kind == kind);
        let remedies: Vec<&Remedy> = found.map(|finding| &finding.remedy).collect();
        assert!(!remedies.is_empty(), "{kind:?} in {findings:#?}");
        assert!(remedies.iter().all(|r| **r == Remedy::CompleteRegistry), "{findings:#?}");
    }
    let outcome = put_right(&lake, &catalog).await;
    assert_eq!((problems(&outcome.findings), outcome.failed), (vec![], vec![]));
    // Tables are read by name, so only those of one table tell the order in which they came.
    let completed = registry(&lake);
    match schema_type {
        SchemaType::Monoschema => assert_eq!(completed, whole),
        SchemaType::Multischema => assert_eq!(names(&completed), names(&whole)),
    }
    let now = lake.store.snapshot();
    assert_eq!(put_right(&lake, &catalog).await.findings, []);
    assert_eq!(lake.store.snapshot(), now, "a second time there is nothing to do");
    lake.publish(NEXT).await;
    assert_eq!(registry(&lake), completed, "and an export finds its names");
}

/// Meanwhile an export gave a name to something else: nobody can say which one is right.
#[tokio::test]
async fn what_the_registry_has_otherwise_is_left_to_a_person() {
    let (lake, catalog, before) = two_days(SchemaType::Monoschema).await;
    lake.overwrite(&lake.layout.registry(Dataset::Events), before).await;
    lake.source.clear();
    add(&lake, "Sign Up", "2026-11-12T01:10", "PLAN");
    lake.publish("2026-11-12").await;
    let outcome = put_right(&lake, &catalog).await;
    let found: Vec<_> = outcome.findings.iter().filter(|f| f.kind == Kind::UnknownColumn).collect();
    assert_eq!(found.len(), 1, "{outcome:#?}");
    assert_eq!(found[0].subject, "plan_1");
    assert!(matches!(found[0].remedy, Remedy::ByHand { .. }), "{outcome:#?}");
    assert!(found[0].text.contains("\"plan\" as string"), "{outcome:#?}");
    let registry = lake.registry();
    let columns = registry.tables()[support::TABLE].columns();
    assert!(columns.iter().any(|c| c.name == "plan_1" && c.property == "PLAN"), "it is kept");
    assert!(columns.iter().any(|c| c.name == "mp_city"), "the others are added");
}

/// Without a registry, nothing says in which zone the lake's days are.
#[tokio::test]
async fn a_registry_that_is_gone_has_to_be_put_back() {
    let (lake, catalog, _) = two_days(SchemaType::Monoschema).await;
    mixlake_app::ports::ObjectStore::delete(&lake.store, &lake.layout.registry(Dataset::Events))
        .await
        .unwrap();
    let outcome = put_right(&lake, &catalog).await;
    assert!(kinds(&outcome.findings).contains(&Kind::UnknownColumn), "{outcome:#?}");
    for finding in outcome.findings.iter().filter(|f| f.kind == Kind::UnknownColumn) {
        let Remedy::ByHand { advice } = &finding.remedy else { panic!("{finding:?}") };
        assert!(advice.contains("restore its last good version"), "{advice}");
    }
    assert!(!lake.store.snapshot().contains_key(&lake.layout.registry(Dataset::Events)));
}
