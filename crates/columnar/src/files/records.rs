//! Rows of a table whose columns Mixlake itself names, as one Parquet file. Rows of events do not come this
//! way: `Transform` makes their files.

use crate::error::TransformError;
use crate::files::data_file::pair;
use crate::files::encode::Encoding;
use crate::options::Options;
use crate::parquet::file::assemble;
use crate::parquet::row_group::RowGroup;
use crate::rows::buffer::{Buffer, RowKey, Sorting};
use crate::rows::part::Part;
use crate::rows::rows_hash::RowsHash;
use bytes::Bytes;
use mixlake_domain::DataFormat;
use mixlake_schema::Column;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::BTreeMap;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A double.
    Number(f64),
    /// An integer, or milliseconds since 1970.
    Long(i64),
}

/// A file of such rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsFile {
    /// The number of rows.
    pub rows: u64,
    /// Which rows these are, whatever the bytes are.
    pub rows_hash: RowsHash,
    /// The names of the columns that have values, in order.
    pub columns: Vec<String>,
    /// The file.
    pub bytes: Bytes,
}

/// Writes the rows of a table, in their order. Each row has a cell for each column, which must be of the
/// type of the column.
pub fn write_records(
    table: &str,
    columns: &[Column],
    rows: &[Vec<Option<Cell>>],
    options: &Options,
) -> Result<RecordsFile, TransformError> {
    let options = &Options { clustered: false, format: DataFormat::Parquet, ..options.clone() };
    let encoding = Encoding::begin(buffer(rows), columns, Sorting::AsTheyCame, options);
    let (encoded, _) = encoding.end(&mut None)?;
    let (count, rows_hash) = (rows.len() as u64, encoded.rows_hash);
    let metadata = vec![
        pair("project", options.project.to_string()),
        pair("table", table.to_owned()),
        pair("rows", count.to_string()),
        pair("rows_hash", rows_hash.to_string()),
        pair("version", options.version.to_owned()),
    ];
    let group = RowGroup { rows: rows.len(), chunks: encoded.chunks };
    let (bytes, columns) = assemble(vec![group], columns, options, metadata)?;
    Ok(RecordsFile { rows: count, rows_hash, columns, bytes })
}

fn buffer(rows: &[Vec<Option<Cell>>]) -> Buffer {
    let mut buffer = Buffer::default();
    for (tie, cells) in (0..).zip(rows) {
        let row = buffer.begin(RowKey { event: 0, time: 0, tie });
        for (id, cell) in cells.iter().enumerate() {
            match cell {
                Some(Cell::Text(text)) => buffer.text(row, id, Part::whole(text.as_bytes())),
                Some(Cell::Number(number)) => buffer.number(row, id, *number),
                Some(Cell::Long(long)) => buffer.long(row, id, *long),
                None => {}
            }
        }
    }
    buffer
}

/// The rows of such a file, in their order: the values of each by the names of their columns. A value of
/// a type that [`Cell`] does not have is left out: a later version wrote it.
pub fn read_records(file: Bytes) -> Result<Vec<BTreeMap<String, Cell>>, ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let rows = reader.get_row_iter(None)?.map(|row| {
        let row = row?;
        let cells = row.get_column_iter();
        Ok(cells.filter_map(|(name, field)| Some((name.clone(), cell(field)?))).collect())
    });
    rows.collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a later version may write other types")]
fn cell(field: &Field) -> Option<Cell> {
    match field {
        Field::Str(text) => Some(Cell::Text(text.clone())),
        Field::Double(number) => Some(Cell::Number(*number)),
        Field::Long(long) | Field::TimestampMillis(long) => Some(Cell::Long(*long)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Footer, TailRead, rows_hash_of};
    use mixlake_schema::{ColumnType, Registry};

    fn columns() -> Vec<Column> {
        let mut registry = Registry::default();
        for column in [
            ("slice", "the slice", ColumnType::String),
            ("began", "when it began", ColumnType::Timestamp),
            ("seconds", "how long it took", ColumnType::Number),
            ("bytes", "bytes of its files", ColumnType::Bigint),
        ] {
            registry.fixed_column("t", column).unwrap();
        }
        registry.tables()["t"].columns().to_vec()
    }

    #[test]
    fn rows_are_read_back_in_their_order() {
        let text = |text: &str| Some(Cell::Text(text.to_owned()));
        let rows = vec![
            vec![text("b"), Some(Cell::Long(1_794_268_800_000)), Some(Cell::Number(0.5)), None],
            vec![text("a"), None, None, None],
        ];
        let options = Options::of("42".parse().unwrap());
        let file = write_records("t", &columns(), &rows, &options).unwrap();
        assert_eq!(file.columns, ["slice", "began", "seconds"], "no row has bytes");
        assert_eq!(rows_hash_of(file.bytes.clone()).unwrap(), (2, file.rows_hash));
        let read = read_records(file.bytes.clone()).unwrap();
        let names = ["slice", "began", "seconds"];
        for (read, row) in read.iter().zip(&rows) {
            for (name, cell) in names.iter().zip(row) {
                assert_eq!(read.get(*name), cell.as_ref());
            }
        }
        assert_eq!(write_records("t", &columns(), &rows, &options).unwrap(), file);

        let TailRead::Whole(footer) = Footer::read(&file.bytes, file.bytes.len() as u64).unwrap()
        else {
            panic!("it is whole")
        };
        assert_eq!(footer.columns[1], ("began".to_owned(), ColumnType::Timestamp));
        assert_eq!((&*footer.notes["table"], footer.rows), ("t", 2));
    }
}
