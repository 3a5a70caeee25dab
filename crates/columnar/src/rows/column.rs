//! A sparse column: its values, and the rows they are in. Rows without a value cost nothing.
//!
//! A value is stored beside its row number, so adding one touches one cache line. With hundreds of columns,
//! that counts.

use crate::rows::blocks::{Blocks, Size};
use crate::rows::part::Part;
use crate::rows::string_column::StringColumn;
use crate::rows::validity::InBlocks;
use mixlake_schema::ColumnType;

/// The values that a column has in one buffer of rows, in the order of their coming; the rows ascend.
#[derive(Debug)]
pub(crate) enum SparseColumn {
    String(StringColumn),
    Number(Blocks<Cell>),
    /// The row, and in the lowest bit the value.
    Boolean(Blocks<u32>),
    /// Timestamps and integers.
    Long(Blocks<Cell>),
}

/// A row and a value of eight bytes, in two halves: then no bytes lie between one cell and the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    row: u32,
    value: [u32; 2],
}

/// The bytes of a stored cell.
const CELL: usize = 12;

impl Cell {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    fn new(row: u32, value: u64) -> Self {
        Self { row, value: [value as u32, (value >> 32) as u32] }
    }

    #[inline]
    fn value(self) -> u64 {
        u64::from(self.value[1]) << 32 | u64::from(self.value[0])
    }

    fn to_bytes(self) -> [u8; CELL] {
        let mut bytes = [0; CELL];
        bytes[..4].copy_from_slice(&self.row.to_le_bytes());
        bytes[4..].copy_from_slice(&self.value().to_le_bytes());
        bytes
    }

    fn of_bytes(bytes: [u8; CELL]) -> Self {
        let [a, b, c, d, value @ ..] = bytes;
        Self::new(u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(value))
    }
}

/// The rows and values of cells, block by block.
pub(crate) fn numbers(cells: &Blocks<Cell>) -> impl InBlocks<f64> {
    cells.iter().map(|block| block.iter().map(|cell| (cell.row, f64::from_bits(cell.value()))))
}

/// The same for integers.
pub(crate) fn longs(cells: &Blocks<Cell>) -> impl InBlocks<i64> {
    cells.iter().map(|block| block.iter().map(|cell| (cell.row, cell.value().cast_signed())))
}

/// The same for booleans.
pub(crate) fn booleans(bits: &Blocks<u32>) -> impl InBlocks<bool> {
    bits.iter().map(|block| block.iter().map(|bit| (bit >> 1, bit & 1 == 1)))
}

impl SparseColumn {
    pub(crate) fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::String => Self::String(StringColumn::default()),
            ColumnType::Number => Self::Number(Blocks::default()),
            ColumnType::Boolean => Self::Boolean(Blocks::default()),
            ColumnType::Timestamp | ColumnType::Bigint => Self::Long(Blocks::default()),
        }
    }

    /// Adds a text to a row beyond all rows that have a value.
    #[inline]
    pub(crate) fn push_text(&mut self, row: u32, text: Part<'_>) {
        let Self::String(texts) = self else { wrong_type() };
        texts.push(row, text);
    }

    #[inline]
    pub(crate) fn push_number(&mut self, row: u32, number: f64) {
        let Self::Number(cells) = self else { wrong_type() };
        cells.push(Cell::new(row, number.to_bits()));
    }

    #[inline]
    pub(crate) fn push_boolean(&mut self, row: u32, boolean: bool) {
        let Self::Boolean(bits) = self else { wrong_type() };
        bits.push(row << 1 | u32::from(boolean));
    }

    #[inline]
    pub(crate) fn push_long(&mut self, row: u32, long: i64) {
        let Self::Long(cells) = self else { wrong_type() };
        cells.push(Cell::new(row, long.cast_unsigned()));
    }

    /// Adds a value of eight bytes by its bits.
    #[inline]
    pub(crate) fn push_bits(&mut self, row: u32, bits: u64) {
        let (Self::Number(cells) | Self::Long(cells)) = self else { wrong_type() };
        cells.push(Cell::new(row, bits));
    }

    /// Appends all rows and values, to be stored.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::String(texts) => texts.append_to(out),
            Self::Number(cells) | Self::Long(cells) => {
                out.extend(cells.iter().flatten().flat_map(|cell| cell.to_bytes()));
            }
            Self::Boolean(bits) => {
                out.extend(bits.iter().flatten().flat_map(|bit| bit.to_le_bytes()));
            }
        }
    }

    /// Adds rows and values that were stored.
    pub(crate) fn extend_from(&mut self, stored: &[u8]) {
        match self {
            Self::String(texts) => texts.extend_from(stored),
            Self::Number(cells) | Self::Long(cells) => {
                stored.as_chunks().0.iter().for_each(|cell| cells.push(Cell::of_bytes(*cell)));
            }
            Self::Boolean(bits) => {
                stored.as_chunks().0.iter().for_each(|bit| bits.push(u32::from_le_bytes(*bit)));
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Self::String(texts) => texts.clear(),
            Self::Number(cells) | Self::Long(cells) => cells.clear(),
            Self::Boolean(bits) => bits.clear(),
        }
    }

    pub(crate) fn size(&self) -> Size {
        match self {
            Self::String(texts) => texts.size(),
            Self::Number(cells) | Self::Long(cells) => cells.size(),
            Self::Boolean(bits) => bits.size(),
        }
    }

    /// Gives back what no value is in.
    pub(crate) fn give_back(&mut self) {
        match self {
            Self::String(texts) => texts.give_back(),
            Self::Number(cells) | Self::Long(cells) => cells.give_back(),
            Self::Boolean(bits) => bits.give_back(),
        }
    }
}

#[cold]
fn wrong_type() -> ! {
    unreachable!("the registry gave this column another type")
}
