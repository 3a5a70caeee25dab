use super::*;
use aws_sdk_glue::primitives::DateTime;
use aws_sdk_glue::types::{
    Column as GlueColumn, FederatedTable, LastRefreshType, Order, SchemaId, SchemaReference,
    SerDeInfo, SkewedInfo, SubObjectSourceType, SubObjectStatistics, TableIdentifier, ViewDialect,
};
use mixlake_domain::{DataFormat, Partitioning};
use std::collections::BTreeMap;

fn glue_column(name: &str) -> GlueColumn {
    let column = GlueColumn::builder().name(name).r#type("string").comment("a comment");
    column.parameters("their", "parameter").build().unwrap()
}

fn storage() -> StorageDescriptor {
    let serde = SerDeInfo::builder().name("serde").serialization_library("library");
    let skewed = SkewedInfo::builder()
        .skewed_column_names("plan")
        .skewed_column_values("free")
        .skewed_column_value_location_maps("free", "s3://free/");
    let schema = SchemaId::builder().schema_arn("arn").schema_name("schema").registry_name("reg");
    let reference = SchemaReference::builder().schema_id(schema.build());
    let reference = reference.schema_version_id("v").schema_version_number(2);
    StorageDescriptor::builder()
        .columns(glue_column("plan"))
        .location("s3://lake/42/signup/")
        .additional_locations("s3://more/")
        .input_format("input")
        .output_format("output")
        .compressed(true)
        .number_of_buckets(3)
        .serde_info(serde.parameters("their", "serde").build())
        .bucket_columns("plan")
        .sort_columns(Order::builder().column("plan").sort_order(1).build().unwrap())
        .parameters("their", "storage")
        .skewed_info(skewed.build())
        .stored_as_sub_directories(true)
        .schema_reference(reference.build())
        .build()
}

fn view_definition() -> ViewDefinition {
    let representation = ViewRepresentation::builder()
        .dialect(ViewDialect::Athena)
        .dialect_version("3")
        .view_original_text("select 1")
        .view_expanded_text("select one")
        .validation_connection("connection")
        .is_stale(true);
    let statistics = SubObjectStatistics::builder()
        .source_type(SubObjectSourceType::from("TABLE"))
        .glue_version_id("4")
        .partition_count(5)
        .file_count(6)
        .total_file_bytes(7);
    ViewDefinition::builder()
        .is_protected(true)
        .is_managed(true)
        .definer("definer")
        .view_version_id(8)
        .view_version_token("token")
        .refresh_seconds(9)
        .last_refresh_type(LastRefreshType::Full)
        .sub_objects("object")
        .sub_object_version_ids(10)
        .sub_objects_statistics(statistics.build())
        .representations(representation.build())
        .spark_pipeline_info("their", "pipeline")
        .build()
}

/// A table on which everything that can be set is set.
fn table() -> Table {
    let target = TableIdentifier::builder().catalog_id("1").database_name("d");
    let federated = FederatedTable::builder().identifier("f").database_identifier("fd");
    Table::builder()
        .name("signup")
        .description("described")
        .owner("owner")
        .last_access_time(DateTime::from_secs(11))
        .last_analyzed_time(DateTime::from_secs(12))
        .retention(13)
        .storage_descriptor(storage())
        .partition_keys(glue_column("mp_date"))
        .view_original_text("original")
        .view_expanded_text("expanded")
        .table_type("EXTERNAL_TABLE")
        .parameters("their", "parameter")
        .target_table(target.name("t").region("r").build())
        .federated_table(federated.connection_name("c").connection_type("ct").build())
        .view_definition(view_definition())
        .version_id("14")
        .build()
        .unwrap()
}

/// The fields of a value by name, from its `Debug` output.
fn fields(value: &impl std::fmt::Debug) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in format!("{value:#?}").lines() {
        let top = line.strip_prefix("    ").filter(|rest| !rest.starts_with([' ', '}', ')', ']']));
        if let Some((name, _)) = top.and_then(|rest| rest.split_once(": ")) {
            name.clone_into(&mut current);
        }
        fields.entry(current.clone()).or_default().push_str(line);
    }
    // The two types name their parts differently.
    for text in fields.values_mut() {
        *text = text.replace("DefinitionInput {", "Definition {");
        *text = text.replace("RepresentationInput {", "Representation {");
    }
    fields
}

/// This includes fields that a later version of the SDK adds: they are `None` here, so the test fails.
#[test]
fn everything_that_was_on_the_table_is_written_back() {
    let input = with_columns(table(), Vec::new(), "memo").unwrap();
    let mut noted = table();
    noted.parameters.as_mut().unwrap().insert("mixlake".to_owned(), "memo".to_owned());
    // Debug prints maps in random order, so the compared maps have one entry.
    for parameters in [input.parameters().unwrap(), noted.parameters().unwrap()] {
        assert_eq!(parameters.len(), 2);
    }
    assert_eq!(input.parameters(), noted.parameters());
    let (written, read) = (fields(&input), fields(&noted));
    assert!(written.len() >= 15, "{written:?}");
    for (name, text) in written.iter().filter(|(name, _)| !name.is_empty()) {
        assert!(!text.contains("None"), "{name} is not written back");
        if name != "view_definition" && name != "parameters" {
            assert_eq!(Some(text), read.get(name), "{name}");
        }
    }
}

#[test]
fn the_definition_of_a_view_is_written_back() {
    let input = with_columns(table(), Vec::new(), "memo").unwrap().view_definition.unwrap();
    let (written, read) = (fields(&input), fields(&view_definition()));
    for (name, text) in written.iter().filter(|(name, _)| !name.is_empty()) {
        let read = read.get(name).map(|text| without(text, "is_stale"));
        assert_eq!(read, Some(without(text, "is_stale")), "{name}");
    }
}

/// The text without a field that takes three lines, and without spaces, because the order does not
/// matter.
fn without(text: &str, field: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if let Some(at) = words.iter().position(|word| word.starts_with(field)) {
        words.drain(at..(at + 4).min(words.len()));
    }
    words.sort();
    words
}

#[test]
fn a_repaired_table_keeps_what_others_put_on_it() {
    let wanted = |name: &str, hive_type: &str| Column {
        name: name.to_owned(),
        hive_type: hive_type.to_owned(),
        comment: Some("ours".to_owned()),
    };
    let to = NewTable {
        name: "signup".to_owned(),
        columns: vec![wanted("new", "boolean"), wanted("plan", "double")],
        location: "s3://lake/42/right/".to_owned(),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: "ours".to_owned(),
        memo: "42:1,0".to_owned(),
    };
    let input = repaired(table(), &to).unwrap();
    let storage = input.storage_descriptor().unwrap();
    assert_eq!(storage.location(), Some("s3://lake/42/right/"));
    assert_eq!(describe::format(storage), Format::Lake(DataFormat::Parquet));
    let [new, plan] = storage.columns() else { panic!("two columns") };
    assert_eq!((new.name(), new.r#type(), new.comment()), ("new", Some("boolean"), Some("ours")));
    assert_eq!(plan.parameters(), glue_column("plan").parameters());
    assert_eq!((plan.r#type(), plan.comment()), (Some("double"), Some("a comment")));
    assert_eq!(input.parameters().unwrap()["mixlake"], "42:1,0");
    assert_eq!((input.owner(), input.description()), (table().owner(), table().description()));
}

#[test]
fn columns_come_after_those_that_are_there() {
    let input =
        with_columns(table(), vec![glue_column("zeta"), glue_column("alpha")], "memo").unwrap();
    let columns = input.storage_descriptor.unwrap().columns.unwrap();
    assert_eq!(columns, ["plan", "zeta", "alpha"].map(glue_column));
}

#[test]
fn a_column_is_the_same_whatever_its_case_and_a_key_is_one_too() {
    let column = |name: &str| Column {
        name: name.to_owned(),
        hive_type: "string".to_owned(),
        comment: None,
    };
    for (added, expected) in [
        (vec!["zeta"], None),
        (vec!["zeta", "Plan"], Some("Plan")),
        (vec!["MP_DATE"], Some("MP_DATE")),
        (vec!["zeta", "ZETA"], Some("ZETA")),
    ] {
        let added: Vec<Column> = added.into_iter().map(column).collect();
        assert_eq!(duplicate(&table(), &added), expected);
    }
}
