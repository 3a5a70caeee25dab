//! The Parquet type of a column.

use mixlake_schema::{Column, ColumnType};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{ColumnDescriptor, Type, TypePtr};
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

/// The type of a column of a file; none if [`leaf`] makes no such leaf.
pub(crate) fn column_type(leaf: &ColumnDescriptor) -> Option<ColumnType> {
    let flat = leaf.path().parts().len() == 1 && leaf.self_type().is_optional();
    leaf_type(leaf).filter(|_| flat)
}

/// The type of the values of a leaf, wherever in a file it is. None for a type that [`leaf`] does not make.
pub(crate) fn leaf_type(leaf: &ColumnDescriptor) -> Option<ColumnType> {
    match (leaf.physical_type(), leaf.converted_type()) {
        (Physical::BYTE_ARRAY, ConvertedType::UTF8) => Some(ColumnType::String),
        (Physical::DOUBLE, ConvertedType::NONE) => Some(ColumnType::Number),
        (Physical::BOOLEAN, ConvertedType::NONE) => Some(ColumnType::Boolean),
        (Physical::INT64, ConvertedType::TIMESTAMP_MILLIS) => Some(ColumnType::Timestamp),
        (Physical::INT64, ConvertedType::NONE) => Some(ColumnType::Bigint),
        _ => None,
    }
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
