//! Encodes the rows of a buffer as JSON lines in gzip, one object a row.

use crate::buffer::Buffer;
use crate::column::{SparseColumn, booleans, longs, numbers};
use crate::pieces::Arena;
use crate::places::{InBlocks, Places, Present};
use crate::rows_hash::{ColumnHash, RowSums};
use crate::texts::{Place, View};
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
    present: Present,
    values: Arranged<'a>,
    written: usize,
}

enum Arranged<'a> {
    Text(View<'a>, Vec<Place>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    Long(Vec<i64>),
}

impl JsonLines {
    pub(crate) fn encode(
        buffer: &Buffer,
        places: &Places,
        columns: &[(ColumnId, Column)],
        sums: &mut RowSums,
    ) -> io::Result<Self> {
        let cursor = |(id, column): &(ColumnId, Column)| {
            Cursor::new(*id, column, buffer.of_column(*id), places)
        };
        let mut cursors: Vec<Cursor> = columns.iter().filter_map(cursor).collect();
        for cursor in &cursors {
            cursor.hash(sums);
        }
        let by_row = by_row(&cursors, places.rows);
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
        Ok(Self { rows: places.rows, used, gzip: gzip.finish()?.finish() })
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
        places: &Places,
    ) -> Option<Self> {
        let Column { name, column_type, .. } = column;
        let (present, values) = match values {
            SparseColumn::Text(texts) => {
                let texts = texts.placed();
                let present = Present::of(once(texts.rows()), places)?;
                let order = present.arrange(once(texts.places()));
                (present, Arranged::Text(texts.view, order))
            }
            SparseColumn::Number(cells) => arranged(numbers(cells), places, Arranged::Number)?,
            SparseColumn::Long(cells) => arranged(longs(cells), places, Arranged::Long)?,
            SparseColumn::Boolean(bits) => arranged(booleans(bits), places, Arranged::Boolean)?,
        };
        // Names of columns have no character that needs an escape.
        let key = format!("\"{name}\":").into_bytes();
        let present = present.without_places();
        let hash = ColumnHash::new(name, *column_type);
        Some(Self { id, key, column_type: *column_type, hash, present, values, written: 0 })
    }

    /// Adds the hash of each value to the sum of its row.
    fn hash(&self, sums: &mut RowSums) {
        let (hash, present) = (self.hash, &self.present);
        match &self.values {
            Arranged::Text(texts, order) => {
                sums.add(present, order.iter().map(|&place| hash.text(texts.get(place))));
            }
            Arranged::Number(all) => {
                sums.add(present, all.iter().map(|number| hash.fixed(number.to_bits())));
            }
            Arranged::Boolean(all) => {
                sums.add(present, all.iter().map(|&boolean| hash.boolean(boolean)));
            }
            Arranged::Long(all) => {
                sums.add(present, all.iter().map(|long| hash.fixed(long.cast_unsigned())));
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
            Arranged::Text(texts, order) => {
                let text = std::str::from_utf8(texts.get(order[at])).map_err(io::Error::other)?;
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
    places: &Places,
    form: impl FnOnce(Vec<T>) -> Arranged<'a>,
) -> Option<(Present, Arranged<'a>)> {
    let (present, values) = Present::with(values, places)?;
    Some((present, form(values)))
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
    for place in cursors.iter().flat_map(|cursor| places(&cursor.present)) {
        ends[place] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        // First where each row begins; filling the rows moves that to where it ends.
        total += std::mem::replace(end, total);
    }
    let mut all = vec![0; total];
    for (number, cursor) in (0..).zip(cursors) {
        for place in places(&cursor.present) {
            all[ends[place]] = number;
            ends[place] += 1;
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

fn places(present: &Present) -> impl Iterator<Item = usize> {
    present.bits().words().flat_map(|(number, word)| {
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
