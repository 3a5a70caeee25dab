//! Every finding of the doctor, as a user reads it. A new kind does not compile until `name` has it, and
//! the test fails until a lake has it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use mixlake_app::doctor::{Finding, Kind};
use mixlake_app::ports::{Catalog, Declared, Format, ObjectStore, Precondition};
use mixlake_columnar::SchemaType;
use mixlake_domain::{DataFormat, Dataset};
use mixlake_testkit::catalog::MemoryCatalog;
use serde_json::json;
use std::collections::BTreeSet;
use support::Lake;
use support::clinic::{DAY, change, column, examine, lake, partition, whole_numbers};
use support::notices::IN_CATALOG;

const ALL: [Kind; 25] = [
    Kind::UnreadableDocument,
    Kind::TableMissing,
    Kind::ColumnMissing,
    Kind::Drift,
    Kind::PartitionMissing,
    Kind::PartitionStale,
    Kind::PartitionWithoutFiles,
    Kind::PartitionColumn,
    Kind::PartitionFormat,
    Kind::ObjectMissing,
    Kind::ObjectDiffers,
    Kind::ContentDiffers,
    Kind::Orphan,
    Kind::LeftBehind,
    Kind::SliceMissing,
    Kind::RowsMissing,
    Kind::SliceUnfinished,
    Kind::UnreadableFile,
    Kind::FileType,
    Kind::SeveralTypes,
    Kind::UnknownColumn,
    Kind::UnknownEvent,
    Kind::HiddenTable,
    Kind::Engine,
    Kind::OldEncryption,
];

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::UnreadableDocument => "UnreadableDocument",
        Kind::TableMissing => "TableMissing",
        Kind::ColumnMissing => "ColumnMissing",
        Kind::Drift => "Drift",
        Kind::PartitionMissing => "PartitionMissing",
        Kind::PartitionStale => "PartitionStale",
        Kind::PartitionWithoutFiles => "PartitionWithoutFiles",
        Kind::PartitionColumn => "PartitionColumn",
        Kind::PartitionFormat => "PartitionFormat",
        Kind::ObjectMissing => "ObjectMissing",
        Kind::ObjectDiffers => "ObjectDiffers",
        Kind::ContentDiffers => "ContentDiffers",
        Kind::Orphan => "Orphan",
        Kind::LeftBehind => "LeftBehind",
        Kind::SliceMissing => "SliceMissing",
        Kind::RowsMissing => "RowsMissing",
        Kind::SliceUnfinished => "SliceUnfinished",
        Kind::UnreadableFile => "UnreadableFile",
        Kind::FileType => "FileType",
        Kind::SeveralTypes => "SeveralTypes",
        Kind::UnknownColumn => "UnknownColumn",
        Kind::UnknownEvent => "UnknownEvent",
        Kind::HiddenTable => "HiddenTable",
        Kind::Engine => "Engine",
        Kind::OldEncryption => "OldEncryption",
    }
}

/// What is found in a lake, ready for the snapshot.
#[derive(Default)]
struct Told {
    kinds: BTreeSet<Kind>,
    texts: BTreeSet<String>,
}

impl Told {
    async fn examine(&mut self, lake: &Lake, catalog: &MemoryCatalog) {
        for Finding { kind, subject, text, remedy, .. } in examine(lake, catalog).await {
            self.kinds.insert(kind);
            let remedy = remedy.text();
            let line = format!("{} {subject}: {text}\n    remedy: {remedy}\n", name(kind));
            self.texts.insert(without_content(&line));
        }
    }
}

/// Names and sizes that follow from the bytes of files would change with every version of the encoder.
fn without_content(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_generation = rest.starts_with('g')
            && rest.len() > 17
            && rest[1..17].chars().all(|c| c.is_ascii_hexdigit());
        if is_generation {
            text.push_str("g<hash>");
            rest = &rest[17..];
            continue;
        }
        text.push(first);
        rest = &rest[first.len_utf8()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits > 0 && (text.ends_with('(') || text.ends_with("bytes, but ")) {
            text.push_str("<size>");
            rest = &rest[digits..];
        }
    }
    text
}

async fn body(lake: &Lake, key: &str) -> Vec<u8> {
    lake.store.get(key).await.unwrap().unwrap().body.to_vec()
}

async fn documents(told: &mut Told) {
    for of in 0..3 {
        let (lake, catalog) = lake().await;
        let ledger = lake.layout.ledger(DAY.parse().unwrap());
        let key = [lake.manifest_key(), ledger, lake.layout.registry(Dataset::Events)][of].clone();
        lake.overwrite(&key, "{".into()).await;
        told.examine(&lake, &catalog).await;
    }
    let (lake, catalog) = lake().await;
    let ledger = lake.layout.ledger(DAY.parse().unwrap());
    let text = String::from_utf8(body(&lake, &ledger).await).unwrap();
    lake.overwrite(&ledger, text.replace("published", "writing").into()).await;
    told.examine(&lake, &catalog).await;
}

async fn tables(told: &mut Told) {
    let (lake, catalog) = lake().await;
    support::add(&lake.source, "late 2026-11-11T05:00");
    lake.publish("2026-11-11").await;
    told.examine(&lake, &catalog).await;
    change(&catalog, |columns| columns[4] = column("of_x", "string")).await;
    told.examine(&lake, &catalog).await;
    change(&catalog, |columns| drop(columns.remove(3))).await;
    told.examine(&lake, &catalog).await;
    catalog.drop_table(IN_CATALOG);
    told.examine(&lake, &catalog).await;
}

async fn partitions(told: &mut Told) {
    let (lake, catalog) = lake().await;
    for (value, folder) in [(DAY, "memory://lake/old/"), ("2020-01-01", "memory://lake/none/")] {
        let stray = partition(value, folder);
        catalog.put_partitions(IN_CATALOG, DataFormat::Parquet, &stray).await.unwrap();
    }
    let declared = Declared {
        columns: vec![column("of_a", "bigint")],
        format: Format::Lake(DataFormat::Json),
    };
    catalog.declare(IN_CATALOG, DAY, &declared);
    told.examine(&lake, &catalog).await;
}

async fn files(told: &mut Told) {
    let (lake, catalog) = lake().await;
    let file = lake.data().remove(0);
    let whole = body(&lake, &file).await;
    let mut damaged = whole.clone();
    damaged[40] ^= 1;
    for bytes in [damaged, b"PAR1".to_vec(), whole_numbers("of_a").to_vec()] {
        lake.overwrite(&file, bytes.into()).await;
        told.examine(&lake, &catalog).await;
    }
    lake.overwrite(&file, whole_numbers("theirs")).await;
    told.examine(&lake, &catalog).await;
    lake.store.delete(&file).await.unwrap();
    told.examine(&lake, &catalog).await;
    lake.overwrite(&file, whole.into()).await;
    lake.overwrite(&file.replace("-000.parquet", "-007.parquet"), "anything".into()).await;
    told.examine(&lake, &catalog).await;
    lake.hold(&["a 2026-11-10T01:10", "x 2026-11-11T10:00"]);
    lake.publish("2026-11-11").await;
    lake.overwrite(&file, whole_numbers("of_x")).await;
    told.examine(&lake, &catalog).await;
}

async fn rows(told: &mut Told) {
    let (lake, catalog) = lake().await;
    let before = body(&lake, &lake.manifest_key()).await;
    support::add(&lake.source, "b 2026-11-10T02:20");
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    told.examine(&lake, &catalog).await;
    lake.overwrite(&lake.manifest_key(), before.into()).await;
    told.examine(&lake, &catalog).await;
    for file in lake.data() {
        lake.store.delete(&file).await.unwrap();
    }
    lake.store.delete(&lake.manifest_key()).await.unwrap();
    told.examine(&lake, &catalog).await;
}

async fn names(told: &mut Told) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAY).await;
    let registry = lake.layout.registry(Dataset::Events);
    let before = body(&lake, &registry).await;
    lake.source.add(
        support::event("b", "2026-11-11T01:10", json!({"of_b": 1}))
            .replace("\"Event\"", "\"Other\""),
    );
    lake.publish("2026-11-11").await;
    lake.catch_up(&catalog).await;
    lake.overwrite(&registry, before.into()).await;
    told.examine(&lake, &catalog).await;
    lake.store.delete(&registry).await.unwrap();
    told.examine(&lake, &catalog).await;
}

async fn hidden_tables(told: &mut Told) {
    let (mut lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.options.schema_type = SchemaType::Multischema;
    let event = json!({"event": "_signup", "name": "_signup", "first_seen": DAY});
    let registry = json!({"format": 1, "project_id": "42", "timezone": "UTC", "events": [event], "tables": {}});
    let (key, document) = (lake.layout.registry(Dataset::Events), registry.to_string());
    lake.store.put(&key, document.into(), Precondition::Absent).await.unwrap();
    let line = support::event("a", "2026-11-10T01:10", json!({}));
    lake.source.add(line.replace("\"Event\"", "\"_signup\""));
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    told.examine(&lake, &catalog).await;
}

async fn engines(told: &mut Told) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    let essay = "x".repeat(70_000);
    lake.source.add(support::event("long", "2026-11-10T05:00", json!({"Essay": essay})));
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    change(&catalog, |columns| {
        let long = "n".repeat(130);
        columns.extend([&*long, "odd name"].map(|name| column(name, "string")));
        columns.extend((0..1_600).map(|n| column(&format!("column_{n}"), "string")));
    })
    .await;
    told.examine(&lake, &catalog).await;
}

async fn encryption(told: &mut Told) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.store.set_encryption("aes");
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    lake.store.set_encryption("kms");
    told.examine(&lake, &catalog).await;
}

#[tokio::test]
async fn findings() {
    let mut told = Told::default();
    documents(&mut told).await;
    tables(&mut told).await;
    partitions(&mut told).await;
    files(&mut told).await;
    rows(&mut told).await;
    names(&mut told).await;
    hidden_tables(&mut told).await;
    engines(&mut told).await;
    encryption(&mut told).await;
    let all = BTreeSet::from(ALL);
    assert_eq!(told.kinds, all, "every kind of finding is told");
    let texts: Vec<String> = told.texts.into_iter().collect();
    insta::assert_snapshot!(texts.concat());
}
