//! Partitions: added, moved, removed, in any number.

use super::tables::{new_table, state};
use mixlake_app::ports::{Catalog, CatalogError, Declared, Format, Partition};
use mixlake_domain::DataFormat;

fn partition(value: &str, generation: &str) -> Partition {
    let location = format!("s3://lake/42/signup/{}/{generation}/", value.replace('-', "/"));
    Partition { value: value.to_owned(), location }
}

fn values(of: &[Partition]) -> Vec<String> {
    of.iter().map(|partition| partition.value.clone()).collect()
}

async fn with_table(catalog: &dyn Catalog) {
    catalog.create_table(&new_table("signup")).await.unwrap();
}

pub(super) async fn partitions_are_added_and_read_by_value(catalog: &dyn Catalog) {
    with_table(catalog).await;
    let [day9, day10, day11] =
        ["2026-11-09", "2026-11-10", "2026-11-11"].map(|day| partition(day, "g1"));
    let given = [day11.clone(), day9.clone(), day10.clone()];
    let added = catalog.put_partitions("signup", DataFormat::Parquet, &given).await.unwrap();
    assert_eq!(added, ["2026-11-09", "2026-11-10", "2026-11-11"]);
    let all = catalog.partitions("signup", &[]).await.unwrap();
    assert_eq!(all, [day9.clone(), day10, day11.clone()], "in the order of their values");
    let asked = ["2026-11-11", "2026-12-24", "2026-11-09"].map(str::to_owned);
    assert_eq!(catalog.partitions("signup", &asked).await.unwrap(), [day9, day11]);
    catalog.put_partitions("signup", DataFormat::Parquet, &[]).await.unwrap();
    catalog.remove_partitions("signup", &[]).await.unwrap();
    assert_eq!(catalog.partitions("signup", &[]).await.unwrap().len(), 3);
}

pub(super) async fn a_partition_is_moved_and_repetition_is_harmless(catalog: &dyn Catalog) {
    with_table(catalog).await;
    let old = [partition("2026-11-09", "g1"), partition("2026-11-10", "g1")];
    catalog.put_partitions("signup", DataFormat::Parquet, &old).await.unwrap();
    let moved = [partition("2026-11-10", "g2"), partition("2026-11-11", "g1")];
    let expected = [&old[..1], &moved].concat();
    for changed in [&["2026-11-10", "2026-11-11"][..], &[]] {
        assert_eq!(
            catalog.put_partitions("signup", DataFormat::Parquet, &moved).await.unwrap(),
            changed
        );
        assert_eq!(catalog.partitions("signup", &[]).await.unwrap(), expected);
    }
}

pub(super) async fn partitions_may_be_many(catalog: &dyn Catalog) {
    with_table(catalog).await;
    // More than Glue accepts in one call: 100 to write, 1,000 to read, 25 to delete.
    let many: Vec<Partition> =
        (0..1_234).map(|i| partition(&format!("day-{i:04}"), "g1")).collect();
    catalog.put_partitions("signup", DataFormat::Parquet, &many).await.unwrap();
    assert_eq!(catalog.partitions("signup", &[]).await.unwrap(), many);
    assert_eq!(catalog.partitions("signup", &values(&many)).await.unwrap(), many);
    let moved: Vec<Partition> = many.iter().map(|p| partition(&p.value, "g2")).collect();
    catalog.put_partitions("signup", DataFormat::Parquet, &moved).await.unwrap();
    catalog.remove_partitions("signup", &values(&moved[60..])).await.unwrap();
    assert_eq!(catalog.partitions("signup", &[]).await.unwrap(), moved[..60]);
}

pub(super) async fn removing_twice_is_removing_once(catalog: &dyn Catalog) {
    with_table(catalog).await;
    let both = [partition("2026-11-09", "g1"), partition("2026-11-10", "g1")];
    catalog.put_partitions("signup", DataFormat::Parquet, &both).await.unwrap();
    for removed in [&["2026-11-09"][..], &[]] {
        let values = values(&both[..1]);
        assert_eq!(catalog.remove_partitions("signup", &values).await.unwrap(), removed);
        assert_eq!(catalog.partitions("signup", &[]).await.unwrap(), both[1..]);
    }
}

pub(super) async fn partitions_leave_the_version_of_the_table(catalog: &dyn Catalog) {
    with_table(catalog).await;
    let before = state(catalog, "signup").await;
    let one = [partition("2026-11-09", "g1")];
    catalog.put_partitions("signup", DataFormat::Parquet, &one).await.unwrap();
    catalog.remove_partitions("signup", &values(&one)).await.unwrap();
    assert_eq!(state(catalog, "signup").await, before, "a change of columns does not conflict");
}

pub(super) async fn partitions_declare_no_columns_and_stay_when_they_are_repaired(
    catalog: &dyn Catalog,
) {
    with_table(catalog).await;
    let both = [partition("2026-11-09", "g1"), partition("2026-11-10", "g1")];
    catalog.put_partitions("signup", DataFormat::Parquet, &both).await.unwrap();
    let moved = partition("2026-11-10", "g2");
    catalog
        .repair_partitions("signup", DataFormat::Parquet, std::slice::from_ref(&moved))
        .await
        .unwrap();
    let [first, _] = both;
    assert_eq!(catalog.partitions("signup", &[]).await.unwrap(), [first, moved]);
    let declared = catalog.declared("signup").await.unwrap();
    let ours = Declared { columns: vec![], format: Format::Lake(DataFormat::Parquet) };
    assert_eq!(declared.into_values().collect::<Vec<_>>(), [ours.clone(), ours]);
    let missing = [partition("2026-11-12", "g2")];
    let error = catalog.repair_partitions("signup", DataFormat::Parquet, &missing).await;
    assert!(matches!(error, Err(CatalogError::Conflict(_))), "{error:?}");
    assert_eq!(catalog.partitions("signup", &[]).await.unwrap().len(), 2);
}
