//! Views follow their tables, and are never in the way of anything else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::join;
use mixlake_app::ports::{Catalog, Column, NewTable, View};
use mixlake_app::views::{ViewScope, ViewsReport};
use mixlake_domain::{DataFormat, Dataset, Partitioning};
use mixlake_schema::{ColumnType, Registry};
use mixlake_testkit::catalog::{MemoryCatalog, Operation};
use mixlake_testkit::faults::Fault;
use serde_json::Value;
use std::collections::BTreeSet;
use support::{Lake, TABLE};

const NAMES: &str = "pre_mp_view_names";
const USERS: &str = "pre_mp_view_users";
const PROFILES: &str = "pre_mp_view_profiles";

async fn publish(lake: &Lake, events: &[&str], slice: &str) {
    lake.hold(events);
    lake.publish(slice).await;
}

/// A lake of one day, in the catalog.
async fn small_lake() -> (Lake, MemoryCatalog) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    publish(&lake, &["a 2026-11-10T01:10"], "2026-11-10").await;
    reconcile(&lake, &catalog).await;
    (lake, catalog)
}

/// Answers the tables whose columns changed.
async fn reconcile(lake: &Lake, catalog: &MemoryCatalog) -> BTreeSet<String> {
    let done = lake.reconciler(catalog).reconcile_all().await.unwrap();
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    let changed = |table: &&mixlake_app::reconcile::TableReport| {
        table.created || !table.appended_columns.is_empty()
    };
    done.tables.iter().filter(changed).map(|table| table.table.clone()).collect()
}

async fn update(lake: &Lake, catalog: &MemoryCatalog) -> ViewsReport {
    lake.reconciler(catalog).update_views(ViewScope::All).await.unwrap()
}

fn set(views: &[&str]) -> ViewsReport {
    ViewsReport { set: views.iter().map(ToString::to_string).collect(), ..ViewsReport::default() }
}

/// A table of another dataset, in the catalog and in its registry.
async fn add_table(lake: &Lake, catalog: &MemoryCatalog, dataset: Dataset, columns: &[&str]) {
    let built_in: Vec<_> = columns.iter().map(|name| (*name, *name, ColumnType::String)).collect();
    let mut registry = Registry::default();
    registry.table_or_new(dataset.main_table(), DataFormat::Parquet, &built_in);
    let document = registry.to_document(&lake.options.project);
    lake.overwrite(&lake.layout.registry(dataset), document.into()).await;
    catalog.create_table(&table(dataset.main_table(), columns)).await.unwrap();
}

fn table(name: &str, columns: &[&str]) -> NewTable {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        hive_type: "string".to_owned(),
        comment: None,
    };
    NewTable {
        name: format!("pre_{name}"),
        columns: columns.iter().map(column).collect(),
        location: "s3://lake/42/".to_owned(),
        partitioning: Partitioning::Whole,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: "42:".to_owned(),
    }
}

fn columns(view: &View) -> Vec<&str> {
    view.columns.iter().map(|column| column.name.as_str()).collect()
}

fn changes_of_views(catalog: &MemoryCatalog) -> usize {
    let calls = catalog.calls().into_iter();
    let changes = calls.filter(|call| {
        [Operation::CreateView, Operation::UpdateView, Operation::RemoveView]
            .contains(&call.operation)
    });
    changes.count()
}

#[tokio::test]
async fn views_follow_the_columns_of_their_table() {
    let (lake, catalog) = small_lake().await;
    assert_eq!(update(&lake, &catalog).await, set(&[NAMES]));
    assert!(columns(&catalog.put_view(NAMES).unwrap()).contains(&"of a"));

    let before = changes_of_views(&catalog);
    assert_eq!(update(&lake, &catalog).await, set(&[]));
    assert_eq!(changes_of_views(&catalog), before, "a view that is as wanted is not sent");

    publish(&lake, &["b 2026-11-11T01:10"], "2026-11-11").await;
    let changed = reconcile(&lake, &catalog).await;
    let reconciler = lake.reconciler(&catalog);
    let report = reconciler.update_views(ViewScope::Changed(&changed)).await.unwrap();
    assert_eq!(report, set(&[NAMES]));
    let view = catalog.put_view(NAMES).unwrap();
    assert!(["of a", "of b", "mp_date"].iter().all(|name| columns(&view).contains(name)));
}

#[tokio::test]
async fn joins_come_with_their_tables_and_go_with_them() {
    let (lake, catalog) = small_lake().await;
    update(&lake, &catalog).await;
    add_table(&lake, &catalog, Dataset::Profiles, &["distinct_id"]).await;
    let changed = ["pre_mp_people_data".to_owned()].into();
    let reconciler = lake.reconciler(&catalog);
    let report = reconciler.update_views(ViewScope::Changed(&changed)).await.unwrap();
    assert_eq!(report, set(&[PROFILES]));

    let identities = ["distinct_id", "resolved_distinct_id"];
    add_table(&lake, &catalog, Dataset::Identities, &identities).await;
    assert_eq!(update(&lake, &catalog).await, set(&[PROFILES, USERS]));
    assert!(columns(&catalog.put_view(PROFILES).unwrap()).contains(&"resolved_distinct_id"));

    catalog.drop_table("pre_mp_people_data");
    let report = update(&lake, &catalog).await;
    assert_eq!(report, ViewsReport { removed: vec![PROFILES.to_owned()], ..set(&[]) });
    assert_eq!(catalog.views("").await.unwrap(), [NAMES, USERS]);
}

#[tokio::test]
async fn at_the_first_look_only_what_is_missing_is_read_again() {
    let (lake, catalog) = small_lake().await;
    let nothing = BTreeSet::new();
    let reconciler = lake.reconciler(&catalog);
    let report = reconciler.update_views(ViewScope::Missing(&nothing)).await.unwrap();
    assert_eq!(report, set(&[NAMES]));
    let report = reconciler.update_views(ViewScope::Changed(&nothing)).await.unwrap();
    assert_eq!(report, set(&[]));
}

#[tokio::test]
async fn views_that_are_switched_off_are_removed_and_nothing_else() {
    let (lake, catalog) = small_lake().await;
    add_table(&lake, &catalog, Dataset::Profiles, &["distinct_id"]).await;
    update(&lake, &catalog).await;
    catalog.take_over_view(PROFILES);
    catalog.create_table(&table("mp_view_mine", &["a"])).await.unwrap();
    let report = lake.reconciler(&catalog).remove_views().await.unwrap();
    assert_eq!(report, ViewsReport { removed: vec![NAMES.to_owned()], ..set(&[]) });
    assert_eq!(catalog.views("").await.unwrap(), [PROFILES], "somebody else has made it since");
    assert_eq!(catalog.tables("pre_mp_view").await.unwrap(), ["pre_mp_view_mine"]);
    assert_eq!(lake.reconciler(&catalog).remove_views().await.unwrap(), set(&[]));
}

#[tokio::test]
async fn a_name_that_is_taken_stays_as_it_is_and_is_reported() {
    let (lake, catalog) = small_lake().await;
    catalog.create_table(&table("mp_view_names", &["a"])).await.unwrap();
    let taken = |view: &str| ViewsReport { taken: vec![view.to_owned()], ..set(&[]) };
    let before = catalog.table(NAMES).await.unwrap();
    assert_eq!(update(&lake, &catalog).await, taken(NAMES));
    assert_eq!(catalog.table(NAMES).await.unwrap(), before);

    catalog.drop_table(NAMES);
    update(&lake, &catalog).await;
    catalog.take_over_view(NAMES);
    publish(&lake, &["b 2026-11-11T01:10"], "2026-11-11").await;
    reconcile(&lake, &catalog).await;
    assert_eq!(update(&lake, &catalog).await, taken(NAMES));
    assert!(!columns(&catalog.put_view(NAMES).unwrap()).contains(&"of b"));
}

/// Earlier versions gave events such names.
#[tokio::test]
async fn a_table_takes_the_name_of_a_view() {
    let (lake, catalog) = small_lake().await;
    update(&lake, &catalog).await;
    let objects = lake.store.snapshot();
    for (key, body) in objects {
        let moved = key.replace(TABLE, "mp_view_names");
        let text = String::from_utf8_lossy(&body);
        if key.ends_with("/_manifest.json") {
            lake.overwrite(&moved, text.replace(TABLE, "mp_view_names").into()).await;
        } else if key.ends_with(".parquet") {
            lake.overwrite(&moved, body).await;
        } else if key == lake.layout.registry(Dataset::Events) {
            let mut document: Value = serde_json::from_slice(&body).unwrap();
            let table = document["tables"][TABLE].clone();
            document["tables"]["mp_view_names"] = table;
            lake.overwrite(&key, document.to_string().into()).await;
        }
    }
    reconcile(&lake, &catalog).await;
    assert_eq!(catalog.tables("").await.unwrap(), ["pre_mp_master_event", NAMES]);
    let report = update(&lake, &catalog).await;
    assert_eq!(report.taken, [NAMES]);
    let events = "pre_mp_view_names_mp_view_names";
    assert_eq!((report.set, report.removed), (vec![events.to_owned()], vec![]));
    assert_eq!(catalog.tables("").await.unwrap(), ["pre_mp_master_event", NAMES]);
}

#[tokio::test]
async fn a_view_that_cannot_be_changed_leaves_the_others() {
    let (lake, catalog) = small_lake().await;
    add_table(&lake, &catalog, Dataset::Profiles, &["distinct_id"]).await;
    catalog.inject(|call| {
        let fails = call.operation == Operation::CreateView && call.subject == NAMES;
        if fails { Fault::Before } else { Fault::None }
    });
    let report = update(&lake, &catalog).await;
    assert_eq!(report.set, [PROFILES]);
    let failed: Vec<&str> = report.failed.iter().map(|failed| failed.view.as_str()).collect();
    assert_eq!(failed, [NAMES]);
    catalog.heal();
    assert_eq!(update(&lake, &catalog).await, set(&[NAMES]));
}

#[tokio::test]
async fn a_lost_race_is_run_again() {
    for every in 2..5 {
        let (lake, catalog) = small_lake().await;
        catalog.conflict_every(every);
        update(&lake, &catalog).await;
        publish(&lake, &["b 2026-11-11T01:10"], "2026-11-11").await;
        reconcile(&lake, &catalog).await;
        let report = update(&lake, &catalog).await;
        assert_eq!(report.failed, []);
        assert!(columns(&catalog.put_view(NAMES).unwrap()).contains(&"of b"));
    }
}

/// Two functions work on the same tables. The one that has read fewer columns does not win.
#[tokio::test]
async fn no_function_sets_a_view_back() {
    let (lake, catalog) = small_lake().await;
    for day in 11..28 {
        let (event, slice) = (format!("d{day} 2026-11-{day}T01:10"), format!("2026-11-{day}"));
        let slow = async {
            update(&lake, &catalog).await;
        };
        let quick = async {
            for _ in 0..day % 5 {
                tokio::task::yield_now().await;
            }
            publish(&lake, &[&event], &slice).await;
            reconcile(&lake, &catalog).await;
            update(&lake, &catalog).await;
        };
        join(slow, quick).await;
        let view = catalog.put_view(NAMES).unwrap();
        let all = catalog.table("pre_mp_master_event").await.unwrap().unwrap().columns.len();
        assert_eq!(view.columns.len(), all + 1, "{day}: all columns, and the date");
    }
}
