//! The Parquet type of a column.

use mixlake_schema::{Column, ColumnType};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// The leaf of a column: its physical type and the annotations that engines go by.
pub(crate) fn leaf(column: &Column) -> Result<TypePtr> {
    let (converted, logical) = match column.column_type {
        ColumnType::String => (ConvertedType::UTF8, Some(LogicalType::String)),
        // Without a logical type: the older annotation says UTC milliseconds to every engine.
        ColumnType::Timestamp => (ConvertedType::TIMESTAMP_MILLIS, None),
        ColumnType::Number | ColumnType::Boolean | ColumnType::Bigint => {
            (ConvertedType::NONE, None)
        }
    };
    let leaf = Type::primitive_type_builder(&column.name, physical(column.column_type))
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(converted)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(leaf))
}

/// How the values of a type lie in pages.
pub(crate) fn physical(column_type: ColumnType) -> Physical {
    match column_type {
        ColumnType::String => Physical::BYTE_ARRAY,
        ColumnType::Number => Physical::DOUBLE,
        ColumnType::Boolean => Physical::BOOLEAN,
        ColumnType::Timestamp | ColumnType::Bigint => Physical::INT64,
    }
}
