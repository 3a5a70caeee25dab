//! Tables: what is sent to Glue, and the meaning of its responses.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod glue;

use aws_sdk_glue::Client;
use aws_sdk_glue::operation::create_table::CreateTableOutput;
use aws_sdk_glue::operation::get_tables::GetTablesOutput;
use aws_sdk_glue::operation::update_table::UpdateTableOutput;
use aws_sdk_glue::types::{Column as GlueColumn, StorageDescriptor, Table};
use aws_smithy_mocks::{Rule, mock};
use glue::{catalog, given_table, never, refuses};
use mixlake_app::ports::{Catalog, CatalogError, Column, NewTable};
use mixlake_domain::{DataFormat, Partitioning};
use rstest::rstest;

fn column(name: &str, hive_type: &str) -> Column {
    Column { name: name.to_owned(), hive_type: hive_type.to_owned(), comment: None }
}

fn new_table() -> NewTable {
    let comment = Some(format!("Plan\n{}", "x".repeat(300)));
    NewTable {
        name: "signup".to_owned(),
        columns: vec![
            column("mp_time", "timestamp"),
            Column { comment, ..column("plan", "string") },
        ],
        location: "s3://lake/42/signup/".to_owned(),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: "Events".to_owned(),
        memo: "42:0-1".to_owned(),
    }
}

/// A table as Glue has it after its fourth change.
fn table() -> Table {
    let column = |name: &str| GlueColumn::builder().name(name).r#type("string").build().unwrap();
    let storage = StorageDescriptor::builder()
        .columns(column("mp_event_name"))
        .columns(column("plan"))
        .location("s3://lake/42/signup/")
        .build();
    Table::builder()
        .name("signup")
        .version_id("3")
        .storage_descriptor(storage)
        .partition_keys(column("mp_date"))
        .build()
        .unwrap()
}

fn updated() -> Rule {
    mock!(Client::update_table)
        .match_requests(|r| {
            let columns = r.table_input().unwrap().storage_descriptor().unwrap().columns();
            let names: Vec<&str> = columns.iter().map(GlueColumn::name).collect();
            r.database_name() == Some("mixpanel")
                && r.version_id() == Some("3")
                && r.skip_archive() == Some(true)
                && names == ["mp_event_name", "plan", "zeta", "alpha"]
        })
        .then_output(|| UpdateTableOutput::builder().build())
}

#[rstest]
#[case::parquet(
    DataFormat::Parquet,
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
)]
#[case::json(
    DataFormat::Json,
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.openx.data.jsonserde.JsonSerDe"
)]
#[tokio::test]
async fn a_new_table_is_described_as_hive_does(
    #[case] format: DataFormat,
    #[case] input_format: &'static str,
    #[case] output_format: &'static str,
    #[case] library: &'static str,
) {
    let created = mock!(Client::create_table)
        .match_requests(move |r| {
            let input = r.table_input().unwrap();
            let storage = input.storage_descriptor().unwrap();
            let serde = storage.serde_info().unwrap();
            let parameters = input.parameters().unwrap();
            let key = &input.partition_keys()[0];
            r.database_name() == Some("mixpanel")
                && input.name() == "signup"
                && input.table_type() == Some("EXTERNAL_TABLE")
                && parameters["classification"] == format.name()
                && storage.location() == Some("s3://lake/42/signup/")
                && storage.input_format() == Some(input_format)
                && storage.output_format() == Some(output_format)
                && serde.serialization_library() == Some(library)
                && (key.name(), key.r#type()) == ("mp_date", Some("string"))
                && storage.columns()[0].r#type() == Some("timestamp")
                && storage.columns()[1].comment() == Some(&format!("Plan {}", "x".repeat(250)))
        })
        .then_output(|| CreateTableOutput::builder().build());
    let new = NewTable { partitioning: Partitioning::ByDate, format, ..new_table() };
    catalog(&[&created]).create_table(&new).await.unwrap();
}

#[tokio::test]
async fn a_table_that_exists_is_a_conflict_and_a_missing_database_is_named() {
    let exists = refuses!(create_table, "AlreadyExistsException");
    let error = catalog(&[&exists]).create_table(&new_table()).await.unwrap_err();
    assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
    let missing = refuses!(create_table, "EntityNotFoundException");
    let error = catalog(&[&missing]).create_table(&new_table()).await.unwrap_err();
    assert_eq!(error.to_string(), "database mixpanel does not exist in the catalog");
}

#[tokio::test]
async fn a_table_is_read_with_the_version_to_swap_by() {
    let state = catalog(&[&given_table(table)]).table("signup").await.unwrap().unwrap();
    assert_eq!((state.version.as_str(), state.columns.len()), ("3", 2));
    assert_eq!(state.partition_keys, ["mp_date"]);
    assert_eq!(state.location, "s3://lake/42/signup/");

    let absent = refuses!(get_table, "EntityNotFoundException");
    assert_eq!(catalog(&[&absent]).table("signup").await.unwrap(), None);
    let denied = refuses!(get_table, "AccessDeniedException");
    catalog(&[&denied]).table("signup").await.unwrap_err();
}

#[tokio::test]
async fn a_table_without_a_version_cannot_be_swapped_and_is_an_error() {
    let unversioned = || Table::builder().name("signup").build().unwrap();
    catalog(&[&given_table(unversioned)]).table("signup").await.unwrap_err();
}

#[tokio::test]
async fn columns_are_appended_by_version_without_archiving_the_old_one() {
    let (read, update) = (given_table(table), updated());
    let added = [column("zeta", "boolean"), column("alpha", "double")];
    catalog(&[&read, &update]).append_columns("signup", "3", &added, "42:0-3").await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

#[tokio::test]
async fn a_table_that_moved_on_is_a_conflict_before_and_during_the_update() {
    let added = [column("zeta", "boolean")];
    let (read, update) = (given_table(table), never!(update_table));
    let stale = catalog(&[&read, &update]).append_columns("signup", "2", &added, "42:0-3").await;
    assert!(matches!(stale.unwrap_err(), CatalogError::Conflict(_)));
    assert_eq!(update.num_calls(), 0);

    let overtaken = refuses!(update_table, "ConcurrentModificationException");
    let raced = catalog(&[&read, &overtaken]).append_columns("signup", "3", &added, "42:0-3").await;
    assert!(matches!(raced.unwrap_err(), CatalogError::Conflict(_)));
}

#[tokio::test]
async fn an_update_that_changes_nothing_or_repeats_a_column_is_not_sent() {
    let (read, update) = (given_table(table), never!(update_table));
    let catalog = catalog(&[&read, &update]);
    catalog.append_columns("signup", "3", &[], "42:0-3").await.unwrap();
    for name in ["plan", "PLAN", "mp_date"] {
        let error =
            catalog.append_columns("signup", "3", &[column(name, "string")], "42:0-3").await;
        assert!(matches!(error.unwrap_err(), CatalogError::Refused { .. }), "{name}");
    }
    assert_eq!(update.num_calls(), 0);
}

#[rstest]
#[case::limit("ResourceNumberLimitExceededException", "a Glue limit is reached")]
#[case::input("InvalidInputException", "Glue does not accept the input")]
#[case::denied("AccessDeniedException", "needs glue:UpdateTable")]
#[case::lake_formation("AccessDeniedException", "Lake Formation, also ALTER on the table")]
#[tokio::test]
async fn a_refusal_says_where_to_look(#[case] code: &'static str, #[case] hint: &str) {
    let refusal = mock!(Client::update_table)
        .sequence()
        .http_status(400, Some(glue::error(code)))
        .repeatedly()
        .build();
    let catalog = catalog(&[&given_table(table), &refusal]);
    let error = catalog
        .append_columns("signup", "3", &[column("a", "string")], "42:0-3")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cannot update table mixpanel.signup"), "{error}");
    assert!(error.to_string().contains(hint), "{error}");
}

#[tokio::test]
async fn tables_are_read_to_the_last_page_and_filtered() {
    let page = |names: &[&str], next: Option<&str>| {
        let tables = names.iter().map(|name| Table::builder().name(*name).build().unwrap());
        let page = GetTablesOutput::builder().set_table_list(Some(tables.collect()));
        page.set_next_token(next.map(str::to_owned)).build()
    };
    let first = mock!(Client::get_tables)
        .match_requests(|r| r.next_token().is_none())
        .then_output(move || page(&["mp_z", "other"], Some("more")));
    let second = mock!(Client::get_tables)
        .match_requests(|r| r.next_token() == Some("more"))
        .then_output(move || page(&["mp_a"], None));
    let names = catalog(&[&first, &second]).tables("mp_").await.unwrap();
    assert_eq!(names, ["mp_a", "mp_z"]);
}
