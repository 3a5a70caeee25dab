//! The sparse columns of generated events, in the order in which the events came.

use anyhow::Context;
use mixlake_columnar::Transformed;
use mixlake_columnar::pages::{Group, Table};
use mixlake_schema::{Column, ColumnId, ColumnType};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{BoolType, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use std::collections::BTreeSet;

/// What the columns of files hold that left rows in the order of their arrival.
pub(crate) fn table(done: &Transformed) -> anyhow::Result<Table> {
    let mut names = BTreeSet::new();
    each_group(done, |group| {
        each::<ByteArrayType>(group, place(group, "mp_event_name")?, |_, name| {
            names.insert(name.data().to_vec());
        })
    })?;
    let names: Vec<Vec<u8>> = names.into_iter().collect();
    let mut table = Table::new(done, u32::try_from(names.len())?);
    each_group(done, |source| {
        let (mut events, mut times) = (Vec::new(), Vec::new());
        each::<ByteArrayType>(source, place(source, "mp_event_name")?, |_, name| {
            events.extend((0_u32..).zip(&names).find(|(_, known)| *known == name.data()));
        })?;
        each::<Int64Type>(source, place(source, "time")?, |_, &time| times.push(time))?;
        let columns = columns(&table, source)?;
        let keys = events.into_iter().map(|(event, _)| event).zip(times);
        let mut group = table.begin(keys);
        for (from, (id, column_type)) in columns.into_iter().enumerate() {
            copy(source, from, &mut group, id, column_type)?;
        }
        Ok(())
    })?;
    Ok(table)
}

fn each_group(
    done: &Transformed,
    mut each: impl FnMut(&dyn RowGroupReader) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for file in &done.files {
        let reader = SerializedFileReader::new(file.bytes.clone())?;
        for group in 0..reader.num_row_groups() {
            each(&*reader.get_row_group(group)?)?;
        }
    }
    Ok(())
}

fn place(group: &dyn RowGroupReader, name: &str) -> anyhow::Result<usize> {
    let columns = group.metadata().columns();
    let place = columns.iter().position(|column| column.column_descr().name() == name);
    place.with_context(|| format!("the file has no column {name}"))
}

/// Where the columns of a row group are in the table, and their types.
fn columns(
    table: &Table,
    group: &dyn RowGroupReader,
) -> anyhow::Result<Vec<(ColumnId, ColumnType)>> {
    let find = |name: &str| {
        let place = table.columns().iter().position(|column| column.name == name);
        let id = place.with_context(|| format!("the table has no column {name}"))?;
        Ok((id, table.columns()[id].column_type))
    };
    group.metadata().columns().iter().map(|column| find(column.column_descr().name())).collect()
}

fn copy(
    source: &dyn RowGroupReader,
    from: usize,
    group: &mut Group<'_>,
    id: ColumnId,
    column_type: ColumnType,
) -> anyhow::Result<()> {
    match column_type {
        ColumnType::String => {
            each::<ByteArrayType>(source, from, |row, text| group.text(row, id, text.data()))
        }
        ColumnType::Number => {
            each::<DoubleType>(source, from, |row, &number| group.number(row, id, number))
        }
        ColumnType::Boolean => {
            each::<BoolType>(source, from, |row, &boolean| group.boolean(row, id, boolean))
        }
        ColumnType::Timestamp | ColumnType::Bigint => {
            each::<Int64Type>(source, from, |row, &long| group.long(row, id, long))
        }
    }
}

/// Hands every value of a column chunk on, with its row.
pub(crate) fn each<T: DataType>(
    group: &dyn RowGroupReader,
    column: usize,
    mut each: impl FnMut(u32, &T::T),
) -> anyhow::Result<()> {
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column)?);
    let rows = usize::try_from(group.metadata().num_rows())?;
    let (mut levels, mut values) = (Vec::with_capacity(rows), Vec::new());
    while reader.read_records(rows, Some(&mut levels), None, &mut values)?.0 > 0 {}
    let with = (0..).zip(&levels).filter(|&(_, &level)| level == 1);
    with.zip(&values).for_each(|((row, _), value)| each(row, value));
    Ok(())
}

/// Whether two columns hold the same.
pub(crate) fn is_same(
    a: &dyn RowGroupReader,
    b: &dyn RowGroupReader,
    place: usize,
    column: &Column,
) -> anyhow::Result<bool> {
    fn values<T: DataType>(
        group: &dyn RowGroupReader,
        place: usize,
    ) -> anyhow::Result<Vec<(u32, T::T)>> {
        let mut values = Vec::new();
        each::<T>(group, place, |row, value| values.push((row, value.clone())))?;
        Ok(values)
    }
    Ok(match column.column_type {
        ColumnType::String => {
            values::<ByteArrayType>(a, place)? == values::<ByteArrayType>(b, place)?
        }
        ColumnType::Number => values::<DoubleType>(a, place)? == values::<DoubleType>(b, place)?,
        ColumnType::Boolean => values::<BoolType>(a, place)? == values::<BoolType>(b, place)?,
        ColumnType::Timestamp | ColumnType::Bigint => {
            values::<Int64Type>(a, place)? == values::<Int64Type>(b, place)?
        }
    })
}
