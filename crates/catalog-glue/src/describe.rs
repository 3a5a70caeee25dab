//! Describes the lake's files in Glue, so that Athena, Spectrum, Spark and Trino can read them.

use crate::text;
use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types;
use mixlake_app::ports::{Column, Format, NewTable};
use mixlake_domain::DataFormat;

/// The classes that Hive, and engines that follow it, use to read a format.
struct Classes {
    input_format: &'static str,
    output_format: &'static str,
    serde: &'static str,
}

fn classes(format: DataFormat) -> Classes {
    match format {
        DataFormat::Parquet => Classes {
            input_format: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output_format: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        },
        // The only JSON reader that both Athena and Spectrum have.
        DataFormat::Json => Classes {
            input_format: "org.apache.hadoop.mapred.TextInputFormat",
            output_format: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            serde: "org.openx.data.jsonserde.JsonSerDe",
        },
    }
}

/// The table parameter with the use cases' notes about the table.
pub(crate) const MEMO: &str = "mixlake";

/// A new table.
pub(crate) fn table(new: &NewTable) -> Result<types::TableInput, BuildError> {
    let columns: Result<Vec<_>, _> = new.columns.iter().map(column).collect();
    // Of the type `string`, as the day is compared and printed.
    let key = |name: &&str| types::Column::builder().name(*name).r#type("string").build();
    let keys: Result<Vec<_>, _> = new.partitioning.keys().iter().map(key).collect();
    types::TableInput::builder()
        .name(&new.name)
        .description(text::description(&new.description))
        .table_type("EXTERNAL_TABLE")
        .parameters("EXTERNAL", "TRUE")
        .parameters("classification", new.format.name())
        .parameters(MEMO, &new.memo)
        .storage_descriptor(storage(new.format, &new.location, columns?))
        .set_partition_keys(Some(keys?))
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

/// Location and format of the files of a table or partition. Engines read a partition by its own
/// format, so a partition needs everything except the columns.
pub(crate) fn storage(
    format: DataFormat,
    location: &str,
    columns: Vec<types::Column>,
) -> types::StorageDescriptor {
    let Classes { input_format, output_format, serde } = classes(format);
    let serde = types::SerDeInfo::builder()
        .serialization_library(serde)
        .parameters("serialization.format", "1")
        .build();
    types::StorageDescriptor::builder()
        .set_columns(Some(columns))
        .location(location)
        .input_format(input_format)
        .output_format(output_format)
        .serde_info(serde)
        .build()
}

/// How a table tells engines to read its files.
pub(crate) fn format(storage: &types::StorageDescriptor) -> Format {
    let serde = storage.serde_info().and_then(|serde| serde.serialization_library());
    let serde = serde.unwrap_or("no serde");
    let input = storage.input_format().unwrap_or("no input format");
    let is = |format: &DataFormat| {
        let classes = classes(*format);
        (classes.serde, classes.input_format) == (serde, input)
    };
    match DataFormat::ALL.into_iter().find(is) {
        Some(format) => Format::Lake(format),
        None => Format::Other(format!("{serde} with {input}")),
    }
}

/// A new partition: without columns, so that they cannot contradict the table's.
pub(crate) fn partition(format: DataFormat, value: &str, location: &str) -> types::PartitionInput {
    types::PartitionInput::builder()
        .values(value)
        .storage_descriptor(storage(format, location, Vec::new()))
        .build()
}
