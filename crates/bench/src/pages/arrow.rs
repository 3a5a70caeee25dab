//! The file as the `parquet` crate's writers for Arrow arrays make it. They take rows without any value,
//! and rows that all have one, as a run.

use super::plan::{Plan, Segment, segments};
use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, new_null_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Float64Type, Int64Type, Schema};
use mixlake_columnar::pages::{Table, Texts, Typed, Values};
use mixlake_schema::ColumnType;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::Compression as Codec;
use parquet::errors::Result;
use parquet::file::writer::SerializedFileWriter;
use std::sync::Arc;

/// Writes the file.
#[inline(never)]
pub(crate) fn file(table: &Table, plan: &Plan, codec: Codec) -> Result<Vec<u8>> {
    let field = |&id: &usize| {
        let column = &plan.columns[id];
        Field::new(&column.name, data_type(column.column_type), true)
    };
    let fields: Vec<Field> = plan.ids.iter().map(field).collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = plan.properties(codec);
    let mut file = SerializedFileWriter::new(Vec::new(), plan.root.clone(), properties)?;
    let factory = ArrowRowGroupWriterFactory::new(&file, schema.clone());
    let nulls = Nulls::new(plan.rows);
    for (number, group) in table.sorted().enumerate() {
        let writers = factory.create_column_writers(number)?;
        let mut target = file.next_row_group()?;
        for ((&id, field), mut writer) in plan.ids.iter().zip(schema.fields()).zip(writers) {
            match group.column(id) {
                Some(values) => write(&mut writer, field, &values, group.rows(), &nulls)?,
                None => put(&mut writer, field, &nulls.of(field.data_type(), group.rows()))?,
            }
            writer.close()?.append_to_row_group(&mut target)?;
        }
        target.close()?;
    }
    file.into_inner()
}

/// Texts go in as bytes: they are known to be UTF-8, and nothing looks again.
fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::String => DataType::Binary,
        ColumnType::Number => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Timestamp | ColumnType::Bigint => DataType::Int64,
    }
}

/// Arrays without a value, to take parts of.
struct Nulls([ArrayRef; 4]);

impl Nulls {
    const TYPES: [DataType; 4] =
        [DataType::Binary, DataType::Float64, DataType::Boolean, DataType::Int64];

    fn new(rows: usize) -> Self {
        Self(Self::TYPES.map(|data_type| new_null_array(&data_type, rows)))
    }

    fn of(&self, data_type: &DataType, rows: usize) -> ArrayRef {
        let place = Self::TYPES.iter().position(|it| it == data_type).unwrap_or_default();
        self.0[place].slice(0, rows)
    }
}

fn put(writer: &mut ArrowColumnWriter, field: &Field, array: &ArrayRef) -> Result<()> {
    compute_leaves(field, array)?.iter().try_for_each(|leaf| writer.write(leaf))
}

fn write(
    writer: &mut ArrowColumnWriter,
    field: &Field,
    values: &Values<'_>,
    rows: usize,
    nulls: &Nulls,
) -> Result<()> {
    for segment in segments(values, rows) {
        let array = match &values.values {
            _ if segment.values.is_empty() => nulls.of(field.data_type(), segment.rows.len()),
            Typed::Texts(all) => texts(all, values, &segment),
            Typed::Numbers(all) => fixed::<Float64Type>(all, values, &segment),
            Typed::Longs(all) => fixed::<Int64Type>(all, values, &segment),
            Typed::Booleans(all) => booleans(all, values, &segment),
        };
        put(writer, field, &array)?;
    }
    Ok(())
}

/// Which rows have a value; none if all have.
fn validity(values: &Values<'_>, segment: &Segment) -> Option<NullBuffer> {
    if segment.is_full() {
        return None;
    }
    let (first, words) = values.words();
    let (from, to) = (segment.rows.start / 64 - first, segment.rows.end.div_ceil(64) - first);
    let words = Buffer::from_vec(words[from..to].to_vec());
    let bits = BooleanBuffer::new(words, segment.rows.start % 64, segment.rows.len());
    Some(NullBuffer::new(bits))
}

fn fixed<T: ArrowPrimitiveType>(
    all: &[T::Native],
    values: &Values<'_>,
    segment: &Segment,
) -> ArrayRef {
    let some = &all[segment.values.clone()];
    let spread = if segment.is_full() {
        some.to_vec()
    } else {
        let mut spread = vec![T::Native::default(); segment.rows.len()];
        segment.present(values).zip(some).for_each(|(row, &value)| spread[row] = value);
        spread
    };
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(spread), validity(values, segment)))
}

fn booleans(all: &[bool], values: &Values<'_>, segment: &Segment) -> ArrayRef {
    let some = &all[segment.values.clone()];
    let mut spread = vec![false; segment.rows.len()];
    segment.present(values).zip(some).for_each(|(row, &value)| spread[row] = value);
    Arc::new(BooleanArray::new(BooleanBuffer::from(spread), validity(values, segment)))
}

fn texts(all: &Texts<'_>, values: &Values<'_>, segment: &Segment) -> ArrayRef {
    let some = all.some(segment.values.clone());
    let mut bytes = Vec::with_capacity(some.clone().map(<[u8]>::len).sum());
    let mut ends = Vec::with_capacity(segment.rows.len() + 1);
    let end = |bytes: &Vec<u8>| i32::try_from(bytes.len()).expect("a row group is far smaller");
    ends.push(0);
    for (row, text) in segment.present(values).zip(some) {
        ends.resize(row + 1, end(&bytes));
        bytes.extend_from_slice(text);
        ends.push(end(&bytes));
    }
    let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
    Arc::new(BinaryArray::new(ends, Buffer::from_vec(bytes), validity(values, segment)))
}
