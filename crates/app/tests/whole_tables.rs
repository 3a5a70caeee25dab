//! Tables without partitions: the catalog points them to the generation that their manifest names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use bytes::Bytes;
use mixlake_app::doctor::{Finding, Kind, Severity};
use mixlake_app::ports::{Catalog, ObjectStore, Precondition, TableState};
use mixlake_domain::{Dataset, Generation, Target};
use mixlake_schema::Registry;
use mixlake_testkit::catalog::{MemoryCatalog, Operation};
use serde_json::json;
use support::clinic::{doctor, examine};
use support::{Lake, TABLE};

const PEOPLE: &str = "mp_people_data";

/// A lake whose profiles are the rows of an event's file. The file is as an export writes it.
struct Profiles {
    lake: Lake,
    catalog: MemoryCatalog,
    file: Bytes,
    columns: Vec<String>,
}

impl Profiles {
    async fn new() -> Self {
        let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
        let donor = Lake::new();
        donor.hold(&["a 2026-11-10T01:10"]);
        donor.publish("2026-11-10").await;
        let key = donor.keys(TABLE).into_iter().find(|key| key.ends_with(".parquet")).unwrap();
        let file = donor.store.snapshot()[&key].clone();
        let registry: Registry = donor.registry();
        let columns =
            registry.tables()[TABLE].columns().iter().map(|column| column.name.clone()).collect();
        let profiles = Self { lake, catalog, file, columns };
        let mut document: serde_json::Value =
            serde_json::from_slice(&registry.to_document(&profiles.lake.options.project)).unwrap();
        let tables = document["tables"].as_object_mut().unwrap();
        let table = tables.remove(TABLE).unwrap();
        tables.insert(PEOPLE.to_owned(), table);
        let key = profiles.lake.layout.registry(Dataset::Profiles);
        profiles.lake.overwrite(&key, document.to_string().into()).await;
        profiles
    }

    fn target() -> Target {
        Target::whole(PEOPLE.parse().unwrap())
    }

    /// Publishes a generation with the file in it. Answers the key of its manifest.
    async fn publish(&self, number: u64) -> String {
        let generation = Generation::from_hash(number);
        let folder = self.lake.layout.generation(&Self::target(), &generation);
        let name = "snapshot-000.parquet";
        let key = format!("{folder}{name}");
        self.lake.store.put(&key, self.file.clone(), Precondition::Absent).await.unwrap();
        let manifest = json!({
            "format": 1, "table": PEOPLE, "generation": generation,
            "files": [{
                "name": name, "snapshot": number.to_string(), "rows": 1,
                "bytes": self.file.len(), "hash": blake3(&self.file), "columns": self.columns,
            }],
        });
        let key = self.lake.layout.manifest(&Self::target());
        self.lake.overwrite(&key, manifest.to_string().into()).await;
        key
    }

    async fn reconcile(&self, key: &str) {
        let done = self.lake.reconciler(&self.catalog).reconcile([key]).await;
        assert!(done.failed.is_empty(), "{:?}", done.failed);
    }

    async fn table(&self) -> TableState {
        self.catalog.table("pre_mp_people_data").await.unwrap().unwrap()
    }

    fn location(&self, number: u64) -> String {
        let generation = Generation::from_hash(number);
        self.lake.store.location(&self.lake.layout.generation(&Self::target(), &generation))
    }

    async fn problems(&self) -> Vec<Finding> {
        let findings = examine(&self.lake, &self.catalog).await;
        findings.into_iter().filter(|it| it.severity == Severity::Problem).collect()
    }
}

fn blake3(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

#[tokio::test]
async fn a_table_points_to_its_live_generation() {
    let profiles = Profiles::new().await;
    profiles.reconcile(&profiles.publish(1).await).await;
    let table = profiles.table().await;
    assert_eq!(table.partition_keys, [""; 0]);
    assert_eq!(table.location, profiles.location(1));
    let names: Vec<&String> = table.columns.iter().map(|column| &column.name).collect();
    assert_eq!(names, profiles.columns.iter().collect::<Vec<_>>());
    assert_eq!(profiles.problems().await, []);

    profiles.reconcile(&profiles.publish(2).await).await;
    assert_eq!(profiles.table().await.location, profiles.location(2));
    let moved = profiles.catalog.calls().into_iter();
    assert_eq!(moved.filter(|call| call.operation == Operation::MoveTable).count(), 1);
    let calls = profiles.catalog.changes();
    profiles.reconcile(&profiles.lake.layout.manifest(&Profiles::target())).await;
    assert_eq!(profiles.catalog.changes(), calls, "the same again changes nothing");
}

#[tokio::test]
async fn a_lost_race_is_run_again() {
    let profiles = Profiles::new().await;
    profiles.reconcile(&profiles.publish(1).await).await;
    profiles.catalog.conflict_every(2);
    for number in 2..8 {
        profiles.reconcile(&profiles.publish(number).await).await;
        assert_eq!(profiles.table().await.location, profiles.location(number));
    }
}

#[tokio::test]
async fn the_doctor_finds_readers_that_are_sent_elsewhere_and_sends_them_back() {
    let profiles = Profiles::new().await;
    profiles.reconcile(&profiles.publish(1).await).await;
    profiles.publish(2).await;
    let findings = profiles.problems().await;
    let kinds: Vec<Kind> = findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [Kind::PartitionStale], "{findings:?}");
    assert_eq!(doctor(&profiles.lake, &profiles.catalog).repair(&findings).await, []);
    assert_eq!(profiles.table().await.location, profiles.location(2));
    assert_eq!(profiles.problems().await, []);
}

#[tokio::test]
async fn partition_keys_on_such_a_table_are_drift() {
    let profiles = Profiles::new().await;
    profiles.reconcile(&profiles.publish(1).await).await;
    let mut with_keys = profiles.table().await;
    with_keys.partition_keys = vec!["mp_date".to_owned()];
    let wanted = mixlake_app::reconcile::Wanted {
        folder: &profiles
            .lake
            .store
            .location(&profiles.lake.layout.table(&PEOPLE.parse().unwrap())),
        partitioning: mixlake_domain::Partitioning::Whole,
        format: mixlake_domain::DataFormat::Parquet,
        columns: &[],
        given: &[],
    };
    let told = mixlake_app::reconcile::diff(Some(&with_keys), &wanted);
    let mixlake_app::reconcile::Difference::Conflict(conflicts) = told else { panic!("{told:?}") };
    let text = conflicts[0].to_string();
    assert_eq!(text, "the table is partitioned by [mp_date], but its files have no partitions");
}
