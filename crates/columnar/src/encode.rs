//! Encodes the columns of a buffer as the column chunks of one row group.

use crate::buffer::Buffer;
use crate::column::Ordered;
use bytes::Bytes;
use mixlake_schema::{Column, ColumnId, ColumnType};
use parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, Type as Physical, ZstdLevel,
};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::errors::Result;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, ColumnPath, Type, TypePtr};
use std::sync::{Arc, LazyLock};

/// A row group whose columns are encoded and compressed; a column without values is not there.
pub(crate) struct RowGroup {
    pub rows: usize,
    /// In the order of their ids.
    pub chunks: Vec<(ColumnId, Chunk)>,
}

/// An encoded column chunk.
pub(crate) struct Chunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

impl RowGroup {
    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.bytes.len()).sum()
    }

    /// Encodes a buffer. `columns` are the table's.
    pub(crate) fn encode(buffer: Buffer, ranks: &[u32], columns: &[Column]) -> Result<Self> {
        let (sparse, places, rows) = buffer.into_columns(ranks);
        let mut chunks = Vec::with_capacity(sparse.len());
        for (id, column) in sparse {
            if let Some((levels, values)) = column.ordered(&places, rows) {
                chunks.push((id, Chunk::encode(&columns[id], &levels, values)?));
            }
        }
        Ok(Self { rows, chunks })
    }
}

impl Chunk {
    fn encode(column: &Column, levels: &[i16], values: Ordered) -> Result<Self> {
        let mut sink = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut sink));
        let mut writer = get_column_writer(descriptor(column)?, properties(), pages);
        write(&mut writer, levels, values)?;
        let close = writer.close()?;
        Ok(Self { bytes: sink.into_inner()?.into(), close })
    }

    /// The chunk of a column in a row group that has no value of it.
    pub(crate) fn nulls(column: &Column, rows: usize) -> Result<Self> {
        let none = match column.column_type {
            ColumnType::String => Ordered::Text(Vec::new()),
            ColumnType::Number => Ordered::Number(Vec::new()),
            ColumnType::Boolean => Ordered::Boolean(Vec::new()),
            ColumnType::Timestamp | ColumnType::Bigint => Ordered::Long(Vec::new()),
        };
        Self::encode(column, &vec![0; rows], none)
    }
}

fn write(writer: &mut ColumnWriter<'_>, levels: &[i16], values: Ordered) -> Result<()> {
    let levels = Some(levels);
    match (writer, values) {
        (ColumnWriter::ByteArrayColumnWriter(w), Ordered::Text(v)) => {
            w.write_batch(&v, levels, None)?
        }
        (ColumnWriter::DoubleColumnWriter(w), Ordered::Number(v)) => {
            w.write_batch(&v, levels, None)?
        }
        (ColumnWriter::BoolColumnWriter(w), Ordered::Boolean(v)) => {
            w.write_batch(&v, levels, None)?
        }
        (ColumnWriter::Int64ColumnWriter(w), Ordered::Long(v)) => {
            w.write_batch(&v, levels, None)?
        }
        _ => unreachable!("the writer was made for the type of the column"),
    };
    Ok(())
}

/// How all files are written.
pub(crate) fn properties() -> WriterPropertiesPtr {
    static PROPERTIES: LazyLock<WriterPropertiesPtr> = LazyLock::new(|| {
        Arc::new(
            WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_created_by(concat!("mixlake version ", env!("CARGO_PKG_VERSION")).to_owned())
                .build(),
        )
    });
    Arc::clone(&PROPERTIES)
}

/// The leaf of a column: its physical type and the annotations that engines go by.
pub(crate) fn leaf(column: &Column) -> Result<TypePtr> {
    let (physical, converted, logical) = match column.column_type {
        ColumnType::String => {
            (Physical::BYTE_ARRAY, ConvertedType::UTF8, Some(LogicalType::String))
        }
        ColumnType::Number => (Physical::DOUBLE, ConvertedType::NONE, None),
        ColumnType::Boolean => (Physical::BOOLEAN, ConvertedType::NONE, None),
        // Without a logical type: the older annotation says UTC milliseconds to every engine.
        ColumnType::Timestamp => (Physical::INT64, ConvertedType::TIMESTAMP_MILLIS, None),
        ColumnType::Bigint => (Physical::INT64, ConvertedType::NONE, None),
    };
    let leaf = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(converted)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(leaf))
}

fn descriptor(column: &Column) -> Result<ColumnDescPtr> {
    let path = ColumnPath::new(vec![column.name.clone()]);
    Ok(Arc::new(ColumnDescriptor::new(leaf(column)?, 1, 0, path)))
}
