//! Partitions: batches of the sizes that Glue accepts, and results per item.

mod glue;

use aws_sdk_glue::Client;
use aws_sdk_glue::operation::batch_create_partition::BatchCreatePartitionOutput;
use aws_sdk_glue::operation::batch_delete_partition::BatchDeletePartitionOutput;
use aws_sdk_glue::operation::batch_get_partition::BatchGetPartitionOutput;
use aws_sdk_glue::operation::batch_update_partition::BatchUpdatePartitionOutput;
use aws_sdk_glue::operation::get_partition::GetPartitionOutput;
use aws_sdk_glue::operation::get_partitions::GetPartitionsOutput;
use aws_sdk_glue::types::{
    BatchUpdatePartitionFailureEntry, ErrorDetail, Partition as GluePartition, PartitionError,
    SerDeInfo, StorageDescriptor,
};
use aws_smithy_mocks::{Rule, mock};
use glue::{catalog, never, refuses};
use mixlake_app::ports::{Catalog, CatalogError, Partition};
use mixlake_domain::DataFormat;
use rstest::rstest;
use std::error::Error as _;

fn partition(value: &str, generation: &str) -> Partition {
    let location = format!("s3://lake/42/signup/{value}/{generation}/");
    Partition { value: value.to_owned(), location }
}

fn days(count: usize, generation: &str) -> Vec<Partition> {
    (0..count).map(|i| partition(&format!("day-{i:04}"), generation)).collect()
}

fn values(of: &[Partition]) -> Vec<String> {
    of.iter().map(|p| p.value.clone()).collect()
}

/// A partition left by another tool, with the Parquet format.
fn foreign(value: &str, generation: &str) -> GluePartition {
    let hive = "org.apache.hadoop.hive.ql.io.parquet";
    let serde = format!("{hive}.serde.ParquetHiveSerDe");
    read_with(value, generation, &serde, &format!("{hive}.MapredParquetInputFormat"))
}

fn read_with(value: &str, generation: &str, serde: &str, input_format: &str) -> GluePartition {
    let serde = SerDeInfo::builder().serialization_library(serde).parameters("theirs", "serde");
    let storage = StorageDescriptor::builder()
        .location(partition(value, generation).location)
        .input_format(input_format)
        .serde_info(serde.build())
        .parameters("theirs", "storage")
        .build();
    GluePartition::builder()
        .values(value)
        .storage_descriptor(storage)
        .parameters("theirs", "partition")
        .build()
}

/// Only these of the requested partitions exist.
fn existing(partitions: Vec<GluePartition>) -> Rule {
    mock!(Client::batch_get_partition).then_compute_output(move |r| {
        assert!(r.partitions_to_get().len() <= 1000, "Glue reads 1,000 at a time");
        let asked =
            |p: &&GluePartition| r.partitions_to_get().iter().any(|key| key.values() == p.values());
        let found = partitions.iter().filter(asked).cloned().collect();
        BatchGetPartitionOutput::builder().set_partitions(Some(found)).build()
    })
}

fn detail(code: &str) -> ErrorDetail {
    ErrorDetail::builder().error_code(code).error_message("told by the test").build()
}

fn item_error(value: &str, code: &str) -> PartitionError {
    PartitionError::builder().partition_values(value).error_detail(detail(code)).build()
}

/// Creates all but one, which fails with a code.
fn creates(all_but: Option<(&'static str, &'static str)>) -> Rule {
    mock!(Client::batch_create_partition).then_compute_output(move |r| {
        assert!(r.partition_input_list().len() <= 100, "Glue writes 100 at a time");
        let error = all_but.map(|(value, code)| vec![item_error(value, code)]);
        BatchCreatePartitionOutput::builder().set_errors(error).build()
    })
}

fn updates(all_but: Option<(&'static str, &'static str)>) -> Rule {
    mock!(Client::batch_update_partition).then_compute_output(move |r| {
        assert!(r.entries().len() <= 100, "Glue writes 100 at a time");
        let error = all_but.map(|(value, code)| {
            let entry = BatchUpdatePartitionFailureEntry::builder().partition_value_list(value);
            vec![entry.error_detail(detail(code)).build()]
        });
        BatchUpdatePartitionOutput::builder().set_errors(error).build()
    })
}

#[rstest]
#[case::parquet(DataFormat::Parquet, "parquet.serde.ParquetHiveSerDe", "ParquetInputFormat")]
#[case::json(DataFormat::Json, "jsonserde.JsonSerDe", "mapred.TextInputFormat")]
#[tokio::test]
async fn new_partitions_have_formats_of_their_own_and_no_columns(
    #[case] format: DataFormat,
    #[case] library: &'static str,
    #[case] input_format: &'static str,
) {
    let create = mock!(Client::batch_create_partition)
        .match_requests(move |r| {
            let storage = r.partition_input_list()[0].storage_descriptor().unwrap();
            storage.columns().is_empty()
                && storage.columns.is_some()
                && storage.location() == Some("s3://lake/42/signup/2026-11-10/g1/")
                && storage.input_format().unwrap().ends_with(input_format)
                && storage.output_format().is_some()
                && storage.serde_info().unwrap().serialization_library().unwrap().ends_with(library)
        })
        .then_output(|| BatchCreatePartitionOutput::builder().build());
    let update = never!(batch_update_partition);
    let catalog = catalog(&[&existing(vec![]), &create, &update]);
    catalog.put_partitions("signup", format, &[partition("2026-11-10", "g1")]).await.unwrap();
    assert_eq!((create.num_calls(), update.num_calls()), (1, 0));
}

#[tokio::test]
async fn many_partitions_go_in_the_batches_that_glue_takes() {
    let there = days(250, "g1").iter().map(|p| foreign(&p.value, "g1")).collect();
    let (get, create, update) = (existing(there), creates(None), updates(None));
    let catalog = catalog(&[&get, &create, &update]);
    catalog.put_partitions("signup", DataFormat::Parquet, &days(1_234, "g2")).await.unwrap();
    assert_eq!((get.num_calls(), update.num_calls(), create.num_calls()), (2, 3, 10));
}

#[tokio::test]
async fn partitions_that_are_where_they_belong_are_left_alone() {
    let get = existing(vec![foreign("2026-11-10", "g1")]);
    let (create, update) = (never!(batch_create_partition), never!(batch_update_partition));
    let catalog = catalog(&[&get, &create, &update]);
    catalog
        .put_partitions("signup", DataFormat::Parquet, &[partition("2026-11-10", "g1")])
        .await
        .unwrap();
    catalog.put_partitions("signup", DataFormat::Parquet, &[]).await.unwrap();
    assert_eq!((create.num_calls(), update.num_calls()), (0, 0));
}

#[tokio::test]
async fn a_moved_partition_keeps_what_others_put_on_it() {
    let update = mock!(Client::batch_update_partition)
        .match_requests(|r| {
            let entry = &r.entries()[0];
            let input = entry.partition_input().unwrap();
            let expected = foreign("2026-11-10", "g2");
            entry.partition_value_list() == ["2026-11-10"]
                && input.values() == ["2026-11-10"]
                && input.parameters() == expected.parameters()
                && input.storage_descriptor() == expected.storage_descriptor()
        })
        .then_output(|| BatchUpdatePartitionOutput::builder().build());
    let catalog = catalog(&[&existing(vec![foreign("2026-11-10", "g1")]), &update]);
    catalog
        .put_partitions("signup", DataFormat::Parquet, &[partition("2026-11-10", "g2")])
        .await
        .unwrap();
    assert_eq!(update.num_calls(), 1);
}

/// A tool that adds the partition while the table has another format gives it that format.
#[rstest]
#[case::serde("org.apache.hadoop.hive.serde2.OpenCSVSerde", "MapredParquetInputFormat")]
#[case::input_format("ParquetHiveSerDe", "org.apache.hadoop.mapred.TextInputFormat")]
#[tokio::test]
async fn a_partition_that_is_read_in_another_way_is_corrected_and_keeps_the_rest(
    #[case] serde: &'static str,
    #[case] input_format: &'static str,
) {
    let update = mock!(Client::batch_update_partition)
        .match_requests(|r| {
            let input = r.entries()[0].partition_input().unwrap();
            let (storage, theirs) = (input.storage_descriptor().unwrap(), foreign("", ""));
            let library = storage.serde_info().unwrap().serialization_library().unwrap();
            storage.location() == Some(&partition("2026-11-10", "g1").location)
                && library.ends_with("parquet.serde.ParquetHiveSerDe")
                && storage.input_format().unwrap().ends_with("MapredParquetInputFormat")
                && storage.output_format().unwrap().ends_with("MapredParquetOutputFormat")
                && storage.parameters() == theirs.storage_descriptor().unwrap().parameters()
                && input.parameters() == theirs.parameters()
        })
        .then_output(|| BatchUpdatePartitionOutput::builder().build());
    let there = read_with("2026-11-10", "g1", serde, input_format);
    let catalog = catalog(&[&existing(vec![there]), &update]);
    let right = [partition("2026-11-10", "g1")];
    let changed = catalog.put_partitions("signup", DataFormat::Parquet, &right).await.unwrap();
    assert_eq!((changed, update.num_calls()), (vec!["2026-11-10".to_owned()], 1));
}

#[tokio::test]
async fn a_repaired_partition_is_read_as_ours_and_keeps_the_parameters_of_others() {
    let update = mock!(Client::batch_update_partition)
        .match_requests(|r| {
            let input = r.entries()[0].partition_input().unwrap();
            let storage = input.storage_descriptor().unwrap();
            let serde = storage.serde_info().unwrap().serialization_library().unwrap();
            input.parameters() == foreign("2026-11-10", "g2").parameters()
                && storage.location() == Some(&partition("2026-11-10", "g2").location)
                && storage.columns().is_empty()
                && serde.ends_with("ParquetHiveSerDe")
        })
        .then_output(|| BatchUpdatePartitionOutput::builder().build());
    let catalog = catalog(&[&existing(vec![foreign("2026-11-10", "g1")]), &update]);
    let to = [partition("2026-11-10", "g2")];
    catalog.repair_partitions("signup", DataFormat::Parquet, &to).await.unwrap();
    assert_eq!(update.num_calls(), 1);
}

#[tokio::test]
async fn a_partition_that_somebody_adds_meanwhile_is_compared_and_moved() {
    let first = mock!(Client::batch_get_partition)
        .sequence()
        .output(|| BatchGetPartitionOutput::builder().build())
        .output(|| {
            let partitions = vec![foreign("2026-11-10", "g1")];
            BatchGetPartitionOutput::builder().set_partitions(Some(partitions)).build()
        })
        .build();
    let create = creates(Some(("2026-11-10", "AlreadyExistsException")));
    let update = updates(None);
    let catalog = catalog(&[&first, &create, &update]);
    let both = [partition("2026-11-10", "g2"), partition("2026-11-11", "g1")];
    catalog.put_partitions("signup", DataFormat::Parquet, &both).await.unwrap();
    assert_eq!((create.num_calls(), update.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_partition_that_comes_and_goes_meanwhile_is_a_conflict() {
    let create = creates(Some(("2026-11-10", "AlreadyExistsException")));
    let catalog = catalog(&[&existing(vec![]), &create]);
    let error = catalog
        .put_partitions("signup", DataFormat::Parquet, &[partition("2026-11-10", "g2")])
        .await;
    assert!(matches!(error.unwrap_err(), CatalogError::Conflict(_)));
}

#[tokio::test]
async fn an_item_that_fails_inside_a_200_is_listed_with_its_code() {
    let create = creates(Some(("day-0001", "InternalServiceException")));
    let catalog = catalog(&[&existing(vec![]), &create]);
    let error =
        catalog.put_partitions("signup", DataFormat::Parquet, &days(3, "g1")).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot create partitions of table mixpanel.signup");
    assert_eq!(
        error.source().unwrap().to_string(),
        "1 of the partitions failed: day-0001: InternalServiceException told by the test"
    );
}

#[tokio::test]
async fn a_partition_that_vanishes_while_it_is_moved_is_a_conflict() {
    let update = updates(Some(("2026-11-10", "EntityNotFoundException")));
    let catalog = catalog(&[&existing(vec![foreign("2026-11-10", "g1")]), &update]);
    let error = catalog
        .put_partitions("signup", DataFormat::Parquet, &[partition("2026-11-10", "g2")])
        .await;
    assert!(matches!(error.unwrap_err(), CatalogError::Conflict(_)));
}

#[tokio::test]
async fn partitions_are_removed_25_at_a_time_and_need_not_exist() {
    let delete = mock!(Client::batch_delete_partition).then_compute_output(|r| {
        assert!(r.partitions_to_delete().len() <= 25, "Glue deletes 25 at a time");
        let missing = item_error("day-0001", "EntityNotFoundException");
        BatchDeletePartitionOutput::builder().errors(missing).build()
    });
    let catalog = catalog(&[&delete]);
    catalog.remove_partitions("signup", &values(&days(60, "g1"))).await.unwrap();
    assert_eq!(delete.num_calls(), 3);
}

#[tokio::test]
async fn a_removal_that_fails_is_listed() {
    let delete = mock!(Client::batch_delete_partition).then_output(|| {
        let denied = item_error("day-0001", "AccessDeniedException");
        BatchDeletePartitionOutput::builder().errors(denied).build()
    });
    let error = catalog(&[&delete]).remove_partitions("signup", &values(&days(2, "g1"))).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the role needs glue:BatchDeletePartition"), "{error}");
}

#[tokio::test]
async fn keys_that_glue_hands_back_are_read_one_by_one_and_may_not_exist() {
    let batch = mock!(Client::batch_get_partition).then_compute_output(|r| {
        let (first, rest) = r.partitions_to_get().split_first().unwrap();
        let found = foreign(&first.values()[0], "g1");
        let rest = rest.to_vec();
        BatchGetPartitionOutput::builder()
            .partitions(found)
            .set_unprocessed_keys(Some(rest))
            .build()
    });
    let asked = days(3, "g1");
    let (second, third) = (asked[1].value.clone(), asked[2].value.clone());
    let there = mock!(Client::get_partition)
        .match_requests(move |r| r.partition_values() == [second.clone()])
        .then_compute_output(|r| {
            let found = foreign(&r.partition_values()[0], "g1");
            GetPartitionOutput::builder().partition(found).build()
        });
    let gone = mock!(Client::get_partition)
        .match_requests(move |r| r.partition_values() == [third.clone()])
        .sequence()
        .http_status(400, Some(glue::error("EntityNotFoundException")))
        .repeatedly()
        .build();
    let catalog = catalog(&[&batch, &there, &gone]);
    let found = catalog.partitions("signup", &values(&asked)).await.unwrap();
    assert_eq!(found, asked[..2]);
}

#[tokio::test]
async fn all_partitions_are_read_to_the_last_page_without_their_columns() {
    let page = |value: &str, next: Option<&str>| {
        let page = GetPartitionsOutput::builder().partitions(foreign(value, "g1"));
        page.set_next_token(next.map(str::to_owned)).build()
    };
    let first = mock!(Client::get_partitions)
        .match_requests(|r| r.next_token().is_none() && r.exclude_column_schema() == Some(true))
        .then_output(move || page("2026-11-11", Some("more")));
    let second = mock!(Client::get_partitions)
        .match_requests(|r| r.next_token() == Some("more"))
        .then_output(move || page("2026-11-10", None));
    let found = catalog(&[&first, &second]).partitions("signup", &[]).await.unwrap();
    assert_eq!(found, [partition("2026-11-10", "g1"), partition("2026-11-11", "g1")]);
}

#[tokio::test]
async fn partitions_of_no_table_are_not_found() {
    let rules = [
        refuses!(get_partitions, "EntityNotFoundException"),
        refuses!(batch_get_partition, "EntityNotFoundException"),
        refuses!(batch_delete_partition, "EntityNotFoundException"),
        refuses!(delete_partition, "EntityNotFoundException"),
        refuses!(get_table, "EntityNotFoundException"),
    ];
    let catalog = catalog(&rules.each_ref());
    let one = days(1, "g1");
    let errors = [
        catalog.partitions("signup", &[]).await.unwrap_err(),
        catalog.put_partitions("signup", DataFormat::Parquet, &one).await.unwrap_err(),
        catalog.remove_partitions("signup", &values(&one)).await.unwrap_err(),
        catalog.remove_partitions("signup", &values(&days(2, "g1"))).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "table mixpanel.signup does not exist in the catalog");
    }
}
