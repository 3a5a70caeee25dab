//! What engines cannot read, and what disagrees with the registry, is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::doctor::{Doctor, Engine, Kind, Remedy};
use mixlake_app::ports::{Catalog, NewTable};
use mixlake_columnar::Compression;
use mixlake_domain::{DataFormat, Dataset, Partitioning};
use mixlake_testkit::catalog::MemoryCatalog;
use serde_json::json;
use support::clinic::{DAY, change, column, doctor, examine, kinds, lake, whole_numbers};
use support::notices::IN_CATALOG;
use support::{Lake, TABLE};

/// What is told of each subject.
async fn told(lake: &Lake, catalog: &MemoryCatalog) -> Vec<String> {
    let findings = examine(lake, catalog).await.into_iter();
    findings.map(|finding| format!("{}: {}", finding.subject, finding.text)).collect()
}

#[tokio::test]
async fn names_numbers_and_lengths_that_spectrum_cannot_read_are_told() {
    let (lake, catalog) = lake().await;
    let long_name = "n".repeat(128);
    change(&catalog, |columns| columns.push(column(&long_name, "string"))).await;
    change(&catalog, |columns| {
        columns.extend((0..1_600).map(|n| column(&format!("c{n}"), "string")));
    })
    .await;
    let text = "x".repeat(70_000);
    let line = support::event("long", "2026-11-11T05:00", json!({"Essay": text, "short": "y"}));
    lake.source.add(line);
    lake.publish("2026-11-11").await;
    lake.catch_up(&catalog).await;
    let told = told(&lake, &catalog).await;
    assert!(
        told[0].starts_with(": Redshift Spectrum reads tables of at most 1598 columns"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with(&format!("{long_name}: Redshift Spectrum reads names of at most 127"))
    );
    assert!(told[2].starts_with("essay: Redshift Spectrum cuts or nulls text"), "{told:?}");
    assert!(told[2].ends_with("has a text of 70000"), "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    let athena = Doctor { engines: &[Engine::Athena], ..doctor(&lake, &catalog) };
    assert_eq!(athena.examine().await.unwrap(), []);
}

#[tokio::test]
async fn files_whose_compression_spectrum_does_not_read_are_told_once_for_a_table() {
    let (mut lake, catalog) = lake().await;
    assert_eq!(told(&lake, &catalog).await, Vec::<String>::new(), "the usual one is snappy");
    for (day, compression) in [
        ("2026-11-11", Compression::Zstd),
        ("2026-11-12", Compression::Gzip),
        ("2026-11-13", Compression::Zstd),
    ] {
        lake.options.compression = compression;
        lake.source.add(support::event("e", &format!("{day}T05:00"), json!({"a": 1})));
        lake.publish(day).await;
    }
    lake.catch_up(&catalog).await;
    assert_eq!(
        told(&lake, &catalog).await,
        [
            ": Redshift Spectrum does not read Parquet that is compressed with zstd, as 2 live files of 2 days from \
          2026-11-11 to 2026-11-13 are"
        ]
    );
    let athena = Doctor { engines: &[Engine::Athena], ..doctor(&lake, &catalog) };
    assert_eq!(athena.examine().await.unwrap(), []);
}

#[tokio::test]
async fn a_name_of_more_bytes_than_athena_reads_is_told_for_both() {
    let (lake, catalog) = lake().await;
    // 255 characters, as Glue counts them.
    let name = "ä".repeat(128);
    change(&catalog, |columns| columns.push(column(&name, "string"))).await;
    let told = told(&lake, &catalog).await;
    for (engine, limit) in [("Athena", 255), ("Redshift Spectrum", 127)] {
        let text =
            format!("{name}: {engine} reads names of at most {limit} bytes; this one has 256");
        assert!(told.contains(&text), "{told:?}");
    }
    assert!(told.contains(&format!(
        "{name}: Athena may not read a name with characters other than a-z, 0-9 and _"
    )));
    assert_eq!(told.len(), 4, "{told:?}");
}

#[tokio::test]
async fn the_name_of_a_table_may_be_too_long_too() {
    let (lake, catalog) = lake().await;
    let prefix = "p".repeat(120);
    let name = format!("{prefix}{TABLE}");
    let table = catalog.table(IN_CATALOG).await.unwrap().unwrap();
    let new = NewTable {
        name: name.clone(),
        columns: table.columns,
        location: table.location,
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: table.memo.unwrap(),
    };
    catalog.create_table(&new).await.unwrap();
    let partitions = catalog.partitions(IN_CATALOG, &[]).await.unwrap();
    catalog.put_partitions(&name, DataFormat::Parquet, &partitions).await.unwrap();
    let mut doctor = doctor(&lake, &catalog);
    doctor.lake.table_prefix = &prefix;
    let findings = doctor.examine().await.unwrap();
    assert_eq!(kinds(&findings), [Kind::Engine], "{findings:?}");
    let text = format!(
        "Redshift Spectrum reads names of at most 127 bytes; the table name {name} has 135"
    );
    assert_eq!(findings[0].text, text);
}

/// The partition key is `mp_date`; catalogs that others keep may have such a column.
#[tokio::test]
async fn a_column_that_is_also_the_partition_key_is_told() {
    let (lake, catalog) = lake().await;
    catalog.add_column_unchecked(IN_CATALOG, &column("MP_Date", "string"));
    let told = told(&lake, &catalog).await;
    for engine in ["Athena", "Redshift Spectrum"] {
        let text = format!(
            "MP_Date: {engine} does not read a table that is partitioned by one of its columns"
        );
        assert!(told.contains(&text), "{told:?}");
    }
}

#[tokio::test]
async fn a_column_that_only_files_have_is_missing_until_it_is_appended() {
    let (lake, catalog) = lake().await;
    support::add(&lake.source, "late 2026-11-11T05:00");
    lake.publish("2026-11-11").await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::ColumnMissing, Kind::PartitionMissing]);
    assert_eq!(findings[0].subject, "of_late");
    assert_eq!(doctor(&lake, &catalog).repair(&findings).await, []);
    assert_eq!(examine(&lake, &catalog).await, []);
}

/// A file that some other tool wrote over ours.
#[tokio::test]
async fn a_column_that_the_registry_does_not_know_and_one_of_two_types_are_told() {
    let (lake, catalog) = lake().await;
    lake.overwrite(&lake.data()[0], whole_numbers("theirs")).await;
    let findings = examine(&lake, &catalog).await;
    let unknown = findings.iter().find(|f| f.kind == Kind::UnknownColumn).unwrap();
    assert_eq!(unknown.subject, "theirs");

    lake.hold(&["a 2026-11-10T01:10", "x 2026-11-11T10:00"]);
    lake.publish("2026-11-11").await;
    lake.overwrite(&lake.data()[0], whole_numbers("of_x")).await;
    let findings = examine(&lake, &catalog).await;
    let several = findings.iter().find(|f| f.kind == Kind::SeveralTypes).unwrap();
    assert_eq!(several.subject, "of_x");
    assert!(["double", "bigint"].iter().all(|t| several.text.contains(t)), "{several:?}");
    assert!(kinds(&findings).contains(&Kind::FileType), "{findings:?}");
}

#[tokio::test]
async fn a_damaged_registry_is_told_and_nothing_is_concluded_from_it() {
    let (lake, catalog) = lake().await;
    lake.overwrite(&lake.layout.registry(Dataset::Events), "{".into()).await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::UnreadableDocument], "{findings:?}");
    assert_eq!(findings[0].subject, lake.layout.registry(Dataset::Events));
    let Remedy::ByHand { advice } = &findings[0].remedy else { panic!("{findings:?}") };
    assert!(advice.contains("Do not delete it"), "{advice}");
    assert_eq!(doctor(&lake, &catalog).repair(&findings).await, []);
}

#[tokio::test]
async fn a_damaged_ledger_is_told_and_no_day_is_touched() {
    let (lake, catalog) = lake().await;
    let stray = lake.data()[0].replace("-000.parquet", "-007.parquet");
    lake.overwrite(&stray, "anything".into()).await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::Orphan]);
    lake.overwrite(&lake.layout.ledger("2026-11-09".parse().unwrap()), "{".into()).await;
    assert_eq!(kinds(&examine(&lake, &catalog).await), [Kind::UnreadableDocument]);
    let failed = doctor(&lake, &catalog).repair(&findings).await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(lake.data().contains(&stray));
}

/// An export that crashed, or still runs: the rows are not there, and nothing else says so.
#[tokio::test]
async fn a_slice_that_was_begun_long_ago_is_told() {
    let (lake, catalog) = lake().await;
    let ledger = lake.layout.ledger(DAY.parse().unwrap());
    let written = lake.store.snapshot()[&ledger].clone();
    let text = String::from_utf8(written.to_vec()).unwrap().replace("published", "writing");
    lake.overwrite(&ledger, text.into()).await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::SliceUnfinished], "{findings:?}");
    assert_eq!(findings[0].subject, DAY);
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    assert_eq!(examine(&lake, &catalog).await, []);
}
