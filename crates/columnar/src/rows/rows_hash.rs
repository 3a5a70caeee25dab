//! A number that says which rows a file has, whatever its bytes are.
//!
//! Equal rows give an equal number. The order of the rows and of the columns, the cut into files and row
//! groups, the format, the compression, the version of the writer and columns without values do not change
//! it. The number of two files together is the sum of theirs. A row that is there twice counts twice.
//!
//! The number is a format: files carry it, and files of different versions are compared by it. So the
//! following never changes. `XXH128` is XXH3 of 128 bits, without a seed. Texts and names are UTF-8. Eight
//! bytes are a number whose lowest byte comes first. Sums and products are modulo 2^64, except where
//! another modulus is named.
//!
//! ```text
//! column      = XXH128(name of the type, a zero byte, name of the column)
//!               types: string, number, boolean, timestamp, bigint
//! seed        = lower 64 bits of column      factor = upper 64 bits of column
//! cell        = fold(seed ^ value, factor)   the value in 64 bits: those of the double; the integer;
//!                                            milliseconds since 1970; 0 or 1 for a boolean
//! text cell     h = seed + 0x9e3779b97f4a7c15 * bytes of the text
//!               while more than 16 bytes are left, of the next 16:
//!                 h = fold(h ^ first 8, factor ^ last 8)
//!               the cell, if at least 8 bytes are left, is
//!                 fold(h ^ first 8, factor ^ last 8)      these may overlap
//!               else fold(h ^ rest, factor)               the rest is filled up with zeros
//! row         = XXH128(sum of its cells)     the sum as 8 bytes
//! rows        = sum of its rows              modulo 2^128
//!
//! fold(a, b)  = upper ^ lower 64 bits of the product a * b of 128 bits
//! ```
//!
//! Each column has a seed and a factor of its own, so that the same change of two columns does not cancel
//! out in a sum. Texts of different lengths begin with numbers that are far apart, so that
//! `10000000` and `100000000`, whose last words differ by one bit, are told apart. A null is no cell; an empty
//! text is one. A row without cells counts too, as the hash of 0 is not 0. Doubles count by their bits, so
//! -0.0 is not 0.0. The number finds changes that happen; it does not prove that nobody has made different
//! rows of an equal number on purpose.

use crate::rows::validity::Validity;
use mixlake_schema::ColumnType;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;
use twox_hash::XxHash3_128 as Hash128;

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
#[error("{0:?} is not a hash of rows: a hash has 32 hexadecimal digits")]
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
pub(crate) struct ColumnHash {
    seed: u64,
    factor: u64,
}

/// Moves the seed by the length of a text: 2^64 divided by the golden ratio.
const OF_LENGTH: u64 = 0x9e37_79b9_7f4a_7c15;

impl ColumnHash {
    pub(crate) fn new(name: &str, column_type: ColumnType) -> Self {
        let column = [column_type.name(), name].join("\0");
        let [seed, factor] = halves(Hash128::oneshot(column.as_bytes()));
        Self { seed, factor }
    }

    #[inline]
    pub(crate) fn text(self, text: &[u8]) -> u64 {
        let mut hash = self.seed.wrapping_add(OF_LENGTH.wrapping_mul(text.len() as u64));
        let mut rest = text;
        while let Some((step, behind)) = rest.split_first_chunk::<16>()
            && !behind.is_empty()
        {
            let [first, last] = halves(u128::from_le_bytes(*step));
            hash = fold(hash ^ first, self.factor ^ last);
            rest = behind;
        }
        match (rest.first_chunk(), rest.last_chunk()) {
            (Some(first), Some(last)) => {
                let [first, last] = [first, last].map(|word| u64::from_le_bytes(*word));
                fold(hash ^ first, self.factor ^ last)
            }
            _ => fold(hash ^ few(rest), self.factor),
        }
    }

    /// The cell of a double, by its bits, or of an integer or a timestamp.
    #[inline]
    pub(crate) fn fixed(self, bits: u64) -> u64 {
        fold(self.seed ^ bits, self.factor)
    }

    #[inline]
    pub(crate) fn boolean(self, value: bool) -> u64 {
        self.fixed(u64::from(value))
    }
}

/// Fewer than eight bytes as a number. What overlaps is equal, so each byte is where it belongs.
#[inline]
fn few(bytes: &[u8]) -> u64 {
    let at = |index: usize| u64::from(bytes[index]) << (8 * index);
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
            first | last << (8 * (bytes.len() - 4))
        }
        _ if bytes.is_empty() => 0,
        _ => at(0) | at(bytes.len() / 2) | at(bytes.len() - 1),
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let [lower, upper] = halves(u128::from(a) * u128::from(b));
    lower ^ upper
}

/// The lower half first.
#[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
fn halves(both: u128) -> [u64; 2] {
    [both as u64, (both >> 64) as u64]
}

/// For each row of a row group, by its position: the sum of its cells so far.
#[derive(Debug, Default)]
pub(crate) struct RowSums(Vec<u64>);

impl RowSums {
    pub(crate) fn new(rows: usize) -> Self {
        Self(vec![0; rows])
    }

    /// The sums as they are stored.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|sum| sum.to_le_bytes()).collect()
    }

    /// The sums as they were stored.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(bytes.as_chunks().0.iter().map(|eight| u64::from_le_bytes(*eight)).collect())
    }

    /// Adds the cells of a column, in the order of their positions.
    pub(crate) fn add(&mut self, validity: &Validity, cells: impl IntoIterator<Item = u64>) {
        let mut cells = cells.into_iter();
        if let Some(first) = validity.dense_from() {
            return add_all(&mut self.0[first..first + validity.values], &mut cells);
        }
        for (number, mut word) in validity.bits().words() {
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

    /// Adds the cell of the next value to the row at this position, if that row is written.
    #[inline]
    pub(crate) fn add_to(&mut self, position: u32, cell: impl FnOnce() -> u64) {
        if let Some(sum) = self.0.get_mut(position as usize) {
            *sum = sum.wrapping_add(cell());
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.0.len()
    }

    /// The sum of a row.
    pub(crate) fn row(&mut self, position: usize) -> Option<&mut u64> {
        self.0.get_mut(position)
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
        self.0.iter().map(|sum| of_row(*sum)).sum()
    }

    /// The hash of some of the rows.
    pub(crate) fn hash_of(&self, rows: &[bool]) -> RowsHash {
        let wanted = self.0.iter().zip(rows).filter(|(_, is_wanted)| **is_wanted);
        wanted.map(|(sum, _)| of_row(*sum)).sum()
    }
}

fn of_row(sum: u64) -> RowsHash {
    RowsHash(Hash128::oneshot(&sum.to_le_bytes()))
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
    use std::collections::HashSet;

    /// These numbers never change. They come from another implementation, in Python:
    ///
    /// ```python
    /// import struct, xxhash
    /// M = 2**64 - 1
    /// number = lambda bytes: int.from_bytes(bytes, "little")
    /// fold = lambda a, b: a * b >> 64 ^ a * b & M
    /// def column(name, type):
    ///     both = xxhash.xxh3_128_intdigest(type + b"\0" + name)
    ///     return both & M, both >> 64
    /// def fixed(name, type, bits):
    ///     seed, factor = column(name, type)
    ///     return fold(seed ^ bits, factor)
    /// def text(name, text):
    ///     seed, factor = column(name, b"string")
    ///     h = seed + 0x9e3779b97f4a7c15 * len(text) & M
    ///     while len(text) > 16:
    ///         h = fold(h ^ number(text[:8]), factor ^ number(text[8:16]))
    ///         text = text[16:]
    ///     last = number(text[-8:]) if len(text) >= 8 else 0
    ///     return fold(h ^ number(text[:8]), factor ^ last)
    /// row = lambda *cells: xxhash.xxh3_128_intdigest((sum(cells) & M).to_bytes(8, "little"))
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
            (text(""), 0xadc9_812c_ea82_2893),
            (text("x"), 0x2306_2d1a_6bb0_5148),
            (text("xyz"), 0x1bfc_89ab_28bf_48db),
            (text("abcd"), 0xd275_af6a_237d_45db),
            (text("1234567"), 0xa325_a2f9_db5a_0c8f),
            (text("10000000"), 0x8d34_73d4_2847_e566),
            (text("100000000"), 0x1d63_d443_19cb_1ac1),
            (text("Köln"), 0x396c_1072_4bf4_d4df),
            (text("sixteen letters!"), 0x7cea_265a_4198_0d92),
            (text("seventeen letters"), 0x7b92_05c5_d109_a061),
            (text(&"x".repeat(32)), 0x5a3e_ad4d_4fee_9244),
            (text(&"x".repeat(300)), 0xf1d3_9d23_7ed3_0a85),
            (text("a text of twenty-two b"), 0x762d_e688_87fc_2822),
            (price(1.5), 0x2d94_5a8e_d07e_1494),
            (price(-0.0), 0x4689_8a12_a6cb_0419),
            (paid(true), 0x1e27_ac96_1405_4edc),
            (paid(false), 0x9c8c_e11b_b62d_8cfd),
            (time(ColumnType::Timestamp, 1_794_268_800_000), 0x9e06_d2ae_d6a4_812f),
            (time(ColumnType::Bigint, -1), 0x04fe_6bd9_0070_ced3),
        ];
        for (cell, expected) in cells {
            assert_eq!(cell, expected, "{expected:016x}");
        }
        let without_cells = RowSums(vec![0]).hash();
        assert_eq!(without_cells.to_string(), "2c0a8a99dc147d5445c3b49d035665b2");
        let all = cells.iter().fold(0, |sum: u64, (cell, _)| sum.wrapping_add(*cell));
        let both = RowSums(vec![all, 0]).hash();
        assert_eq!(both.to_string(), "f38477fe8e250b8cae0bf0a7ff783a54");
    }

    #[test]
    fn either_half_of_a_cell_tells_similar_values_apart() {
        let text = ColumnHash::new("name", ColumnType::String);
        let number = ColumnHash::new("price", ColumnType::Number);
        let time = ColumnHash::new("time", ColumnType::Timestamp);
        let all: [(&str, &dyn Fn(u32) -> u64); 6] = [
            ("short texts", &|n| text.text(n.to_string().as_bytes())),
            ("longer texts", &|n| text.text(format!("user-{n:06}").as_bytes())),
            ("long texts", &|n| text.text(format!("{n:06} of a longer text").as_bytes())),
            ("texts of one letter", &|n| text.text("0".repeat(n as usize % 5_000).as_bytes())),
            ("numbers", &|n| number.fixed(f64::from(n).to_bits())),
            ("times", &|n| time.fixed(u64::from(n))),
        ];
        for (values, cell) in all {
            let different = if values == "texts of one letter" { 5_000 } else { 20_000 };
            for shift in [0, 32] {
                let halves: HashSet<u64> =
                    (0..20_000).map(|n| cell(n) >> shift & u64::from(u32::MAX)).collect();
                // Of so many random numbers of 32 bits, two are equal once in twenty times.
                assert!(halves.len() + 2 >= different, "{values}: {}", halves.len());
            }
        }
    }

    #[test]
    fn the_same_change_in_two_columns_does_not_cancel_out() {
        let change = |n: u32| {
            let column = ColumnHash::new(&format!("column {n}"), ColumnType::Number);
            let [one, two] = [1.0_f64, 2.0].map(|number| column.fixed(number.to_bits()));
            two.wrapping_sub(one)
        };
        let changes: HashSet<u64> = (0..5_000).map(change).collect();
        assert_eq!(changes.len(), 5_000);
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
