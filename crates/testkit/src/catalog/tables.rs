//! Tables: created once, then extended by conditional writes.

use mixlake_app::ports::{Catalog, CatalogError, Column, Format, NewTable, Partition, TableState};
use mixlake_domain::{DataFormat, Partitioning};

pub(super) fn column(name: &str, hive_type: &str, comment: Option<&str>) -> Column {
    Column {
        name: name.to_owned(),
        hive_type: hive_type.to_owned(),
        comment: comment.map(str::to_owned),
    }
}

pub(super) fn new_table(name: &str) -> NewTable {
    NewTable {
        name: name.to_owned(),
        columns: vec![
            column("mp_event_name", "string", None),
            column("mp_time", "timestamp", Some("time")),
            column("cart_total", "double", Some("Cart Total ($) – Größe")),
        ],
        location: format!("s3://lake/42/{name}/"),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: "Events of project 42".to_owned(),
        memo: "42:0-2".to_owned(),
    }
}

pub(super) async fn state(catalog: &dyn Catalog, name: &str) -> TableState {
    catalog.table(name).await.unwrap().expect(name)
}

pub(super) async fn a_table_is_read_back_as_it_was_created(catalog: &dyn Catalog) {
    for format in DataFormat::ALL {
        let new = NewTable { format, ..new_table(format.name()) };
        catalog.create_table(&new).await.unwrap();
        let table = state(catalog, &new.name).await;
        assert_eq!(table.columns, new.columns);
        assert_eq!(table.partition_keys, ["mp_date"]);
        assert_eq!(table.location, new.location);
        assert_eq!((table.format, table.memo), (Format::Lake(format), Some(new.memo)));
        assert_eq!(catalog.partitions(&new.name, &[]).await.unwrap(), []);
    }
}

pub(super) async fn a_table_without_partitions_moves_by_its_version(catalog: &dyn Catalog) {
    let new = NewTable { partitioning: Partitioning::Whole, ..new_table("people") };
    catalog.create_table(&new).await.unwrap();
    let before = state(catalog, "people").await;
    assert_eq!(before.partition_keys, [""; 0]);
    let to = "s3://lake/42/people/g2/";
    catalog.move_table("people", &before.version, to).await.unwrap();
    let after = state(catalog, "people").await;
    assert_eq!(after.location, to);
    assert_ne!(after.version, before.version);
    assert_eq!(
        TableState {
            version: before.version.clone(),
            location: before.location.clone(),
            ..after.clone()
        },
        before
    );
    let stale = catalog.move_table("people", &before.version, &before.location).await.unwrap_err();
    assert!(matches!(stale, CatalogError::Conflict(_)), "{stale}");
    assert_eq!(state(catalog, "people").await, after);
    let gone = catalog.move_table("nobody", "0", to).await.unwrap_err();
    assert!(matches!(gone, CatalogError::NotFound(_)), "{gone}");
}

pub(super) async fn a_table_without_partitions_takes_none(catalog: &dyn Catalog) {
    let new = NewTable { partitioning: Partitioning::Whole, ..new_table("people") };
    catalog.create_table(&new).await.unwrap();
    let day = Partition { value: "2026-11-10".to_owned(), location: new.location.clone() };
    let error = catalog.put_partitions("people", DataFormat::Parquet, &[day]).await.unwrap_err();
    assert!(matches!(error, CatalogError::Refused { .. } | CatalogError::Failed { .. }), "{error}");
}

pub(super) async fn what_is_not_there_is_none(catalog: &dyn Catalog) {
    assert_eq!(catalog.table("signup").await.unwrap(), None);
    catalog.create_table(&new_table("signup")).await.unwrap();
    assert_eq!(catalog.table("sign").await.unwrap(), None);
}

pub(super) async fn a_table_is_created_once(catalog: &dyn Catalog) {
    catalog.create_table(&new_table("signup")).await.unwrap();
    let mut other = new_table("signup");
    other.columns.clear();
    let error = catalog.create_table(&other).await.unwrap_err();
    assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
    assert_eq!(state(catalog, "signup").await.columns, new_table("signup").columns);
}

pub(super) async fn tables_are_listed_by_prefix_in_order(catalog: &dyn Catalog) {
    for name in ["mp_b", "mp_a", "other", "mp_master_event"] {
        catalog.create_table(&new_table(name)).await.unwrap();
    }
    assert_eq!(catalog.tables("mp_").await.unwrap(), ["mp_a", "mp_b", "mp_master_event"]);
    assert_eq!(catalog.tables("").await.unwrap().len(), 4);
    assert_eq!(catalog.tables("none").await.unwrap(), [""; 0]);
}

pub(super) async fn columns_are_appended_at_the_end(catalog: &dyn Catalog) {
    catalog.create_table(&new_table("signup")).await.unwrap();
    let before = state(catalog, "signup").await;
    let added = [column("zeta", "boolean", Some("zeta")), column("alpha", "string", None)];
    catalog.append_columns("signup", &before.version, &added, "42:0-9").await.unwrap();
    let after = state(catalog, "signup").await;
    assert_eq!(after.columns, [&before.columns[..], &added].concat());
    assert_ne!(after.version, before.version);
    assert_eq!(after.location, before.location);
    assert_eq!(after.memo.as_deref(), Some("42:0-9"));
}

pub(super) async fn a_stale_version_conflicts(catalog: &dyn Catalog) {
    catalog.create_table(&new_table("signup")).await.unwrap();
    let stale = state(catalog, "signup").await.version;
    let [first, second] = ["first", "second"].map(|name| [column(name, "string", None)]);
    catalog.append_columns("signup", &stale, &first, "42:0-9").await.unwrap();
    let error = catalog.append_columns("signup", &stale, &second, "42:0-9").await.unwrap_err();
    assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
    let error = catalog.append_columns("signup", &stale, &first, "42:0-9").await.unwrap_err();
    assert!(matches!(error, CatalogError::Conflict(_)), "even for the same column: {error}");
    assert_eq!(state(catalog, "signup").await.columns.len(), 4);
}

pub(super) async fn appending_nothing_changes_nothing(catalog: &dyn Catalog) {
    catalog.create_table(&new_table("signup")).await.unwrap();
    let before = state(catalog, "signup").await;
    catalog.append_columns("signup", &before.version, &[], "42:0-9").await.unwrap();
    assert_eq!(state(catalog, "signup").await, before);
}

pub(super) async fn a_column_that_exists_is_refused(catalog: &dyn Catalog) {
    catalog.create_table(&new_table("signup")).await.unwrap();
    let before = state(catalog, "signup").await;
    for name in ["mp_time", "MP_Time", "mp_date"] {
        let again = [column("fine", "string", None), column(name, "string", None)];
        let error =
            catalog.append_columns("signup", &before.version, &again, "42:0-9").await.unwrap_err();
        assert!(matches!(error, CatalogError::Refused { .. }), "{name}: {error}");
    }
    let twice = [column("new", "string", None), column("new", "string", None)];
    assert!(catalog.append_columns("signup", &before.version, &twice, "42:0-9").await.is_err());
    assert_eq!(state(catalog, "signup").await, before);
}

pub(super) async fn a_repaired_table_is_as_wanted_and_keeps_comments(catalog: &dyn Catalog) {
    let location = "s3://lake/elsewhere/".to_owned();
    let mut drifted = NewTable { location, format: DataFormat::Json, ..new_table("signup") };
    drifted.columns[1] = column("mp_time", "string", Some("time"));
    drifted.columns.push(column("mine", "int", Some("of somebody else")));
    catalog.create_table(&drifted).await.unwrap();
    let version = state(catalog, "signup").await.version;

    let mut to = NewTable { memo: "42:2,1,0".to_owned(), ..new_table("signup") };
    to.columns.swap(0, 2);
    to.columns.push(column("mine", "int", None));
    to.columns.push(column("new", "boolean", Some("New")));
    catalog.repair_table(&version, &to).await.unwrap();
    let after = state(catalog, "signup").await;
    to.columns[3].comment = Some("of somebody else".to_owned());
    assert_eq!((after.columns, after.location), (to.columns.clone(), to.location.clone()));
    assert_eq!(
        (after.format, after.memo),
        (Format::Lake(DataFormat::Parquet), Some(to.memo.clone()))
    );
    assert_ne!(after.version, version);
    let error = catalog.repair_table(&version, &to).await.unwrap_err();
    assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
}

/// A backend may cut it but not refuse it, because users choose their property names.
pub(super) async fn a_comment_of_any_length_is_taken(catalog: &dyn Catalog) {
    let comment = "Größe ".repeat(100);
    let mut new = new_table("signup");
    new.columns.push(column("size", "string", Some(&comment)));
    catalog.create_table(&new).await.unwrap();
    let read = state(catalog, "signup").await.columns.pop().unwrap().comment.unwrap();
    assert!(read.len() > 100 && comment.starts_with(&read), "{read}");
}

pub(super) async fn changes_need_the_table(catalog: &dyn Catalog) {
    let columns = [column("a", "string", None)];
    let partition = Partition { value: "2026-11-10".to_owned(), location: "s3://l/".to_owned() };
    let values = [partition.value.clone()];
    let errors = [
        catalog.append_columns("none", "0", &columns, "42:").await.unwrap_err(),
        catalog.partitions("none", &values).await.unwrap_err(),
        catalog.put_partitions("none", DataFormat::Parquet, &[partition]).await.unwrap_err(),
        catalog.remove_partitions("none", &values).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, CatalogError::NotFound(_)), "{error}");
    }
}
