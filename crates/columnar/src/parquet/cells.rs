//! Reads a column of a row group as a whole.

use super::leaf::column_type;
use super::rehash::RowsHashError;
use mixlake_schema::ColumnType;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::RowGroupReader;

/// The cells of a column: for each row whether it has a value, and the values.
pub(crate) struct Cells<T> {
    pub levels: Vec<i16>,
    pub values: Vec<T>,
}

impl<T> Cells<T> {
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, &T)> {
        let filled = self.levels.iter().enumerate().filter(|(_, level)| **level > 0);
        filled.map(|(row, _)| row).zip(&self.values)
    }
}

/// Reads a column of a row group.
pub(crate) fn cells<T: DataType>(
    group: &dyn RowGroupReader,
    column: usize,
) -> Result<Cells<T::T>, RowsHashError> {
    let rows = usize::try_from(group.metadata().num_rows()).map_err(ParquetError::from)?;
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column)?);
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut has = 0;
    loop {
        let (records, ..) =
            reader.read_records(rows - has.min(rows) + 1, Some(&mut levels), None, &mut values)?;
        has += records;
        if records == 0 {
            break;
        }
    }
    if has != rows {
        let column = group.metadata().column(column).column_descr().name().to_owned();
        return Err(RowsHashError::Rows { column, has, rows });
    }
    Ok(Cells { levels, values })
}

/// The names and types of the columns.
pub(crate) fn leaves(
    metadata: &ParquetMetaData,
) -> Result<Vec<(String, ColumnType)>, RowsHashError> {
    let leaves = metadata.file_metadata().schema_descr().columns().iter();
    leaves
        .map(|leaf| {
            let known = column_type(leaf);
            let known = known.ok_or_else(|| RowsHashError::Type(leaf.path().string()))?;
            Ok((leaf.name().to_owned(), known))
        })
        .collect()
}
