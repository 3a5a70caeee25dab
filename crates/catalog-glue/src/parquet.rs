//! How Parquet is described in Glue, so that Athena, Spectrum, Spark and Trino read it.

use crate::text;
use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types;
use mixlake_app::ports::{Column, Format, NewTable};

/// The partition key; its type is `string`, as the day is compared and printed.
pub(crate) const PARTITION_KEY: &str = "mp_date";

const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// The parameter of a table that holds what the use-cases note on it.
pub(crate) const MEMO: &str = "mixlake";

/// A new table.
pub(crate) fn table(new: &NewTable) -> Result<types::TableInput, BuildError> {
    let columns: Result<Vec<_>, _> = new.columns.iter().map(column).collect();
    let key = types::Column::builder().name(PARTITION_KEY).r#type("string").build()?;
    types::TableInput::builder()
        .name(&new.name)
        .description(text::description(&new.description))
        .table_type("EXTERNAL_TABLE")
        .parameters("EXTERNAL", "TRUE")
        .parameters("classification", "parquet")
        .parameters(MEMO, &new.memo)
        .storage_descriptor(storage(&new.location, columns?))
        .partition_keys(key)
        .build()
}

/// A column, with the property's name as its comment.
pub(crate) fn column(column: &Column) -> Result<types::Column, BuildError> {
    types::Column::builder()
        .name(&column.name)
        .r#type(&column.hive_type)
        .set_comment(column.comment.as_deref().map(text::comment))
        .build()
}

/// Where and how the files of a table or partition lie. Engines read a partition by its own
/// formats, so that a partition needs all of it but the columns.
pub(crate) fn storage(location: &str, columns: Vec<types::Column>) -> types::StorageDescriptor {
    let serde = types::SerDeInfo::builder()
        .serialization_library(SERDE)
        .parameters("serialization.format", "1")
        .build();
    types::StorageDescriptor::builder()
        .set_columns(Some(columns))
        .location(location)
        .input_format(INPUT_FORMAT)
        .output_format(OUTPUT_FORMAT)
        .serde_info(serde)
        .build()
}

/// How engines are told to read the files of a table.
pub(crate) fn format(storage: &types::StorageDescriptor) -> Format {
    let serde = storage.serde_info().and_then(|serde| serde.serialization_library());
    match (serde, storage.input_format()) {
        (Some(SERDE), Some(INPUT_FORMAT)) => Format::Parquet,
        (serde, input) => {
            let (serde, input) = (serde.unwrap_or("no serde"), input.unwrap_or("no input format"));
            Format::Other(format!("{serde} with {input}"))
        }
    }
}

/// A new partition: without columns, which therefore cannot disagree with the table's.
pub(crate) fn partition(value: &str, location: &str) -> types::PartitionInput {
    types::PartitionInput::builder()
        .values(value)
        .storage_descriptor(storage(location, Vec::new()))
        .build()
}
