//! A number that says which rows a file has, whatever its bytes are.
//!
//! Equal rows give an equal number. The order of the rows and of the columns, the cut into files and row
//! groups, the format, the compression, the version of the writer and columns without values do not change
//! it. The number of two files together is the sum of theirs. A row that is there twice counts twice.
//!
//! The number is a format: files carry it, and files of different versions are compared by it. So the
//! following never changes. `XXH64` and `XXH128` are XXH3 of 64 and 128 bits, of a seed and bytes. Texts and
//! names are UTF-8.
//!
//! ```text
//! type   = XXH64(0, name of the type)        string, number, boolean, timestamp or bigint
//! column = XXH64(type, name of the column)
//! cell   = XXH64(column, text)               of a text
//!          mix(column ^ value)               of others; the value in 64 bits: those of the double;
//!                                            the integer; milliseconds since 1970; 0 or 1 for a boolean
//! row    = XXH128(0, sum of its cells)       the sum modulo 2^64, as 8 bytes, the lowest first
//! rows   = sum of its rows                   modulo 2^128
//!
//! mix(x):  x ^= x >> 30;  x *= 0xbf58476d1ce4e5b9;  x ^= x >> 27;  x *= 0x94d049bb133111eb;  x ^= x >> 31
//! ```
//!
//! `mix` is how SplitMix64 ends: no two values of a column share a cell's hash. A null is no cell; an empty
//! text is one. A row without cells counts too, as the hash of 0 is not 0. Doubles count by their bits, so
//! -0.0 is not 0.0. The number finds changes that happen; it does not prove that nobody has made different
//! rows of an equal number on purpose.

use crate::places::Present;
use mixlake_schema::ColumnType;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;
use twox_hash::{XxHash3_64 as Hash64, XxHash3_128 as Hash128};

/// Says which rows a file has, whatever its bytes are; the default says that it has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsHash(u128);

impl Add for RowsHash {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl AddAssign for RowsHash {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for RowsHash {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for RowsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is no [`RowsHash`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no hash of rows: 32 hexadecimal digits are expected")]
pub struct ParseRowsHashError(String);

impl FromStr for RowsHash {
    type Err = ParseRowsHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or_else(|| ParseRowsHashError(text.to_owned()))
    }
}

/// What the cells of a column are hashed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnHash(u64);

impl ColumnHash {
    pub(crate) fn new(name: &str, column_type: ColumnType) -> Self {
        let of_type = Hash64::oneshot(column_type.name().as_bytes());
        Self(Hash64::oneshot_with_seed(of_type, name.as_bytes()))
    }

    #[inline]
    pub(crate) fn text(self, text: &[u8]) -> u64 {
        Hash64::oneshot_with_seed(self.0, text)
    }

    /// The cell of a double, by its bits, or of an integer or a timestamp.
    #[inline]
    pub(crate) fn fixed(self, bits: u64) -> u64 {
        mix(self.0 ^ bits)
    }

    #[inline]
    pub(crate) fn boolean(self, value: bool) -> u64 {
        mix(self.0 ^ u64::from(value))
    }
}

#[inline]
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// For each row of a row group, by its place: the sum of its cells so far.
#[derive(Debug, Default)]
pub(crate) struct RowSums(Vec<u64>);

impl RowSums {
    pub(crate) fn new(rows: usize) -> Self {
        Self(vec![0; rows])
    }

    /// Adds the cells of a column, in the order of their places.
    pub(crate) fn add(&mut self, present: &Present, cells: impl IntoIterator<Item = u64>) {
        let mut cells = cells.into_iter();
        if let Some(first) = present.solid() {
            return add_all(&mut self.0[first..first + present.values], &mut cells);
        }
        for (number, mut word) in present.bits().words() {
            let sums = &mut self.0[number * 64..];
            if word == u64::MAX {
                add_all(&mut sums[..64], &mut cells);
                continue;
            }
            while word != 0 {
                let sum = &mut sums[word.trailing_zeros() as usize];
                *sum = sum.wrapping_add(cells.next().expect("each bit stands for a value"));
                word &= word - 1;
            }
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.0.len()
    }

    /// The sum of a row.
    pub(crate) fn row(&mut self, place: usize) -> Option<&mut u64> {
        self.0.get_mut(place)
    }

    /// Adds what another thread has found of the same rows; who had nothing to do has no sums.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        for (sum, other) in self.0.iter_mut().zip(other.0) {
            *sum = sum.wrapping_add(other);
        }
    }

    pub(crate) fn hash(&self) -> RowsHash {
        self.0.iter().map(|sum| RowsHash(Hash128::oneshot(&sum.to_le_bytes()))).sum()
    }
}

/// Adds a cell to each row.
fn add_all(sums: &mut [u64], cells: &mut impl Iterator<Item = u64>) {
    for (sum, cell) in sums.iter_mut().zip(cells) {
        *sum = sum.wrapping_add(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// These numbers never change. They come from another implementation, in Python:
    ///
    /// ```python
    /// import struct, xxhash
    /// hash = xxhash.xxh3_64_intdigest
    /// column = lambda name, type: hash(name, hash(type))
    /// text = lambda name, text: hash(text, column(name, b"string"))
    /// def fixed(name, type, bits):
    ///     x = column(name, type) ^ bits
    ///     x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    ///     x = (x ^ x >> 27) * 0x94d049bb133111eb % 2**64
    ///     return x ^ x >> 31
    /// row = lambda *cells: xxhash.xxh3_128_intdigest((sum(cells) % 2**64).to_bytes(8, "little"))
    /// print("%016x" % fixed(b"price", b"number", *struct.unpack("<Q", struct.pack("<d", 1.5))))
    /// ```
    #[test]
    fn the_hash_is_this_format() {
        let text = |text: &str| ColumnHash::new("name", ColumnType::String).text(text.as_bytes());
        let price =
            |number: f64| ColumnHash::new("price", ColumnType::Number).fixed(number.to_bits());
        let paid = |paid: bool| ColumnHash::new("paid", ColumnType::Boolean).boolean(paid);
        let time = |column_type, time: i64| {
            ColumnHash::new("time", column_type).fixed(time.cast_unsigned())
        };
        let cells = [
            (text(""), 0x1110_3568_0957_201a),
            (text("Köln"), 0x136d_9e37_e5cd_c012),
            (text(&"x".repeat(300)), 0x1fc0_66a3_cac1_ea93),
            (price(1.5), 0x73c8_e875_3f56_d3d1),
            (price(-0.0), 0xfa42_ebde_b872_86f1),
            (paid(true), 0xcd87_6091_fca8_7341),
            (paid(false), 0x79e0_7f76_cdad_64b6),
            (time(ColumnType::Timestamp, 1_794_268_800_000), 0x7e55_bf25_9fd7_8373),
            (time(ColumnType::Bigint, -1), 0x0944_0da5_7fb1_13a4),
        ];
        for (cell, expected) in cells {
            assert_eq!(cell, expected, "{expected:016x}");
        }
        let without_cells = RowSums(vec![0]).hash();
        assert_eq!(without_cells.to_string(), "2c0a8a99dc147d5445c3b49d035665b2");
        let all = cells.iter().fold(0, |sum: u64, (cell, _)| sum.wrapping_add(*cell));
        let both = RowSums(vec![all, 0]).hash();
        assert_eq!(both.to_string(), "36e5c5c834f72143c6c9a6dfa16f4e2b");
    }

    #[test]
    fn other_texts_are_no_hashes() {
        let digits = "2c0a8a99dc147d5445c3b49d035665b2";
        assert!(RowsHash::from_str(digits).is_ok());
        for text in ["", &digits[1..], &format!("{digits}0"), &format!("+{}", &digits[1..])] {
            assert_eq!(RowsHash::from_str(text), Err(ParseRowsHashError(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn a_hash_that_is_printed_is_read_back(number: u128) {
            prop_assert_eq!(RowsHash(number).to_string().parse(), Ok(RowsHash(number)));
        }

        #[test]
        fn hashes_add_up_in_any_order(a: u128, b: u128, c: u128) {
            let [a, b, c] = [a, b, c].map(RowsHash);
            prop_assert_eq!((a + b) + c, [c, a, b].into_iter().sum());
            prop_assert_eq!(a + RowsHash::default(), a);
        }
    }
}
