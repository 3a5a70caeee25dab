//! Encodes the rows of a buffer as JSON lines in gzip, one object a row.

use crate::parquet::pieces::Arena;
use crate::rows::buffer::Buffer;
use crate::rows::column::{SparseColumn, booleans, longs, numbers};
use crate::rows::row_order::RowOrder;
use crate::rows::rows_hash::{ColumnHash, RowSums};
use crate::rows::string_column::{StringRef, Strings};
use crate::rows::validity::{InBlocks, Validity};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use mixlake_domain::{Timestamp, Zone};
use mixlake_schema::{Column, ColumnId, ColumnType};
use std::io::{self, Write};
use std::iter::once;

/// Encoded rows: a whole gzip member, so that several behind one another are a file.
pub(crate) struct JsonLines {
    pub rows: usize,
    /// The columns that have values, ascending.
    pub used: Vec<ColumnId>,
    /// In blocks.
    pub gzip: Vec<Bytes>,
}

/// The values of a column in the order of their rows, and how many of them are written.
struct Cursor<'a> {
    id: ColumnId,
    /// `"name":`
    key: Vec<u8>,
    column_type: ColumnType,
    hash: ColumnHash,
    validity: Validity,
    values: Arranged<'a>,
    written: usize,
}

enum Arranged<'a> {
    Text(Strings<'a>, Vec<StringRef>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    Long(Vec<i64>),
}

impl JsonLines {
    pub(crate) fn encode(
        buffer: &Buffer,
        order: &RowOrder,
        columns: &[(ColumnId, Column)],
        sums: &mut RowSums,
    ) -> io::Result<Self> {
        let cursor = |(id, column): &(ColumnId, Column)| {
            Cursor::new(*id, column, buffer.of_column(*id), order)
        };
        let mut cursors: Vec<Cursor> = columns.iter().filter_map(cursor).collect();
        for cursor in &cursors {
            cursor.hash(sums);
        }
        let by_row = by_row(&cursors, order.rows);
        // The header carries no time, so equal rows give equal bytes.
        let mut gzip = GzEncoder::new(Arena::default(), Compression::default());
        let mut line = Vec::new();
        for row in by_row.rows() {
            line.clear();
            line.push(b'{');
            for &cursor in row {
                cursors[cursor as usize].write(&mut line)?;
            }
            line.extend_from_slice(b"}\n");
            gzip.write_all(&line)?;
        }
        let used = cursors.iter().map(|cursor| cursor.id).collect();
        Ok(Self { rows: order.rows, used, gzip: gzip.finish()?.finish() })
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        self.gzip.iter().map(Bytes::len).sum()
    }
}

impl<'a> Cursor<'a> {
    /// None if no row that is written has a value.
    fn new(
        id: ColumnId,
        column: &Column,
        values: &'a SparseColumn,
        order: &RowOrder,
    ) -> Option<Self> {
        let Column { name, column_type, .. } = column;
        let (validity, values) = match values {
            SparseColumn::String(texts) => {
                let texts = texts.locate();
                let validity = Validity::of(once(texts.rows()), order)?;
                let refs = validity.arrange(once(texts.refs()));
                (validity, Arranged::Text(texts.strings, refs))
            }
            SparseColumn::Number(cells) => arranged(numbers(cells), order, Arranged::Number)?,
            SparseColumn::Long(cells) => arranged(longs(cells), order, Arranged::Long)?,
            SparseColumn::Boolean(bits) => arranged(booleans(bits), order, Arranged::Boolean)?,
        };
        // Names of columns have no character that needs an escape.
        let key = format!("\"{name}\":").into_bytes();
        let validity = validity.without_positions();
        let hash = ColumnHash::new(name, *column_type);
        Some(Self { id, key, column_type: *column_type, hash, validity, values, written: 0 })
    }

    /// Adds the hash of each value to the sum of its row.
    fn hash(&self, sums: &mut RowSums) {
        let (hash, validity) = (self.hash, &self.validity);
        match &self.values {
            Arranged::Text(texts, refs) => {
                sums.add(validity, refs.iter().map(|&at| hash.text(texts.get(at))));
            }
            Arranged::Number(all) => {
                sums.add(validity, all.iter().map(|number| hash.fixed(number.to_bits())));
            }
            Arranged::Boolean(all) => {
                sums.add(validity, all.iter().map(|&boolean| hash.boolean(boolean)));
            }
            Arranged::Long(all) => {
                sums.add(validity, all.iter().map(|long| hash.fixed(long.cast_unsigned())));
            }
        }
    }

    /// Writes the next value.
    fn write(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        if line.len() > 1 {
            line.push(b',');
        }
        line.extend_from_slice(&self.key);
        let at = self.written;
        self.written += 1;
        match &self.values {
            Arranged::Text(texts, refs) => {
                let text = std::str::from_utf8(texts.get(refs[at])).map_err(io::Error::other)?;
                serde_json::to_writer(line, text)?;
            }
            Arranged::Number(numbers) => serde_json::to_writer(line, &numbers[at])?,
            Arranged::Boolean(booleans) => serde_json::to_writer(line, &booleans[at])?,
            Arranged::Long(longs) if self.column_type == ColumnType::Timestamp => {
                write!(line, "\"{}\"", timestamp(longs[at])?)?;
            }
            Arranged::Long(longs) => serde_json::to_writer(line, &longs[at])?,
        }
        Ok(())
    }
}

fn arranged<'a, T: Copy + Default>(
    values: impl InBlocks<T>,
    order: &RowOrder,
    form: impl FnOnce(Vec<T>) -> Arranged<'a>,
) -> Option<(Validity, Arranged<'a>)> {
    let (validity, values) = Validity::with(values, order)?;
    Some((validity, form(values)))
}

/// An instant as Hive's JSON readers take it: in UTC, without saying so. Redshift Spectrum wants six
/// decimals; the last three are zero.
fn timestamp(milliseconds: i64) -> io::Result<impl std::fmt::Display> {
    let instant = Timestamp::from_millisecond(milliseconds).map_err(io::Error::other)?;
    Ok(Zone::UTC.local(instant).strftime("%Y-%m-%d %H:%M:%S%.6f"))
}

/// The numbers of the cursors that have a value in each row.
struct ByRow {
    ends: Vec<usize>,
    cursors: Vec<u32>,
}

fn by_row(cursors: &[Cursor], rows: usize) -> ByRow {
    let mut ends = vec![0; rows];
    for position in cursors.iter().flat_map(|cursor| positions(&cursor.validity)) {
        ends[position] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        // First where each row begins; filling the rows moves that to where it ends.
        total += std::mem::replace(end, total);
    }
    let mut all = vec![0; total];
    for (number, cursor) in (0..).zip(cursors) {
        for position in positions(&cursor.validity) {
            all[ends[position]] = number;
            ends[position] += 1;
        }
    }
    ByRow { ends, cursors: all }
}

impl ByRow {
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let starts = once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.cursors[start..end])
    }
}

fn positions(validity: &Validity) -> impl Iterator<Item = usize> {
    validity.bits().words().flat_map(|(number, word)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros() as usize;
            (left != 0).then(|| {
                left &= left - 1;
                number * 64 + bit
            })
        })
    })
}
