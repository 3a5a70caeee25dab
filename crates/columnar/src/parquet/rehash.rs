//! Computes the hash of the rows of a Parquet file from its columns: to check the hash in its footer, and for
//! files of versions that wrote none.

use crate::parquet::leaf::column_type;
use crate::rows::rows_hash::{ColumnHash, RowSums, RowsHash};
use bytes::Bytes;
use mixlake_schema::ColumnType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

/// Why a file does not tell its rows.
#[derive(Debug, thiserror::Error)]
pub enum RowsHashError {
    /// It cannot be read.
    #[error("cannot read the Parquet file")]
    Parquet(#[from] ParquetError),
    /// It is not of Mixlake.
    #[error("column {0} has a type that Mixlake does not write")]
    Type(String),
    /// A column has more or fewer rows than its row group.
    #[error("column {column} has {has} rows, but its row group has {rows}")]
    Rows {
        /// The name of the column.
        column: String,
        /// The rows that it has, or more.
        has: usize,
        /// The rows that there should be.
        rows: usize,
    },
}

/// How many rows a Parquet file of Mixlake has, and their hash, from what it holds. It need not say them
/// itself. Takes the memory of a page, and 8 bytes for each row of a row group.
pub fn rows_hash_of(file: Bytes) -> Result<(u64, RowsHash), RowsHashError> {
    let reader = SerializedFileReader::new(file)?;
    let (mut rows, mut hash) = (0, RowsHash::default());
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number)?;
        let sums = sums(group.as_ref())?;
        rows += sums.rows() as u64;
        hash += sums.hash();
    }
    Ok((rows, hash))
}

fn sums(group: &dyn RowGroupReader) -> Result<RowSums, RowsHashError> {
    let rows = usize::try_from(group.metadata().num_rows()).map_err(ParquetError::from)?;
    let mut sums = RowSums::new(rows);
    for (number, leaf) in group.metadata().schema_descr().columns().iter().enumerate() {
        let name = leaf.name();
        let Some(column_type) = column_type(leaf) else {
            return Err(RowsHashError::Type(leaf.path().string()));
        };
        let hash = ColumnHash::new(name, column_type);
        let reader = group.get_column_reader(number)?;
        let has = match column_type {
            ColumnType::String => {
                add::<ByteArrayType>(reader, &mut sums, |text: &ByteArray| hash.text(text.data()))
            }
            ColumnType::Number => {
                add::<DoubleType>(reader, &mut sums, |number| hash.fixed(number.to_bits()))
            }
            ColumnType::Boolean => {
                add::<BoolType>(reader, &mut sums, |&boolean| hash.boolean(boolean))
            }
            ColumnType::Timestamp | ColumnType::Bigint => {
                add::<Int64Type>(reader, &mut sums, |long| hash.fixed(long.cast_unsigned()))
            }
        }?;
        if has != rows {
            return Err(RowsHashError::Rows { column: name.to_owned(), has, rows });
        }
    }
    Ok(sums)
}

/// Rows that are read at a time.
const AT_ONCE: usize = 1_024;

/// Adds the cells of a column to the sums of their rows. Answers how many rows it has.
fn add<T: DataType>(
    reader: ColumnReader,
    sums: &mut RowSums,
    cell: impl Fn(&T::T) -> u64,
) -> Result<usize, ParquetError> {
    let mut reader: ColumnReaderImpl<T> = get_typed_column_reader(reader);
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut row = 0;
    loop {
        levels.clear();
        values.clear();
        let (records, ..) = reader.read_records(AT_ONCE, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(row);
        }
        let filled = (row..).zip(&levels).filter(|&(_, &level)| level > 0);
        for ((row, _), value) in filled.zip(&values) {
            if let Some(sum) = sums.row(row) {
                *sum = sum.wrapping_add(cell(value));
            }
        }
        row += records;
    }
}
