//! A sparse column: its values, and the rows they are in. Rows without a value cost nothing.

use bytes::Bytes;
use mixlake_schema::ColumnType;
use parquet::data_type::ByteArray;

/// The values that a column has in one buffer of rows.
#[derive(Debug)]
pub(crate) struct SparseColumn {
    /// The rows, ascending, one for each value.
    rows: Vec<u32>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// All texts behind one another, and where each ends.
    Text {
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    /// Timestamps and integers.
    Long(Vec<i64>),
}

/// Values in the order of the rows they are written to, ready for a column writer.
pub(crate) enum Ordered {
    Text(Vec<ByteArray>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    Long(Vec<i64>),
}

impl SparseColumn {
    pub(crate) fn new(column_type: ColumnType) -> Self {
        let values = match column_type {
            ColumnType::String => Values::Text { bytes: Vec::new(), ends: Vec::new() },
            ColumnType::Number => Values::Number(Vec::new()),
            ColumnType::Boolean => Values::Boolean(Vec::new()),
            ColumnType::Timestamp | ColumnType::Bigint => Values::Long(Vec::new()),
        };
        Self { rows: Vec::new(), values }
    }

    /// Adds a text to a row beyond all rows that have a value. Answers the bytes it costs.
    pub(crate) fn push_text(&mut self, row: u32, text: &str) -> usize {
        let Values::Text { bytes, ends } = &mut self.values else {
            unreachable!("the registry gave this column another type");
        };
        bytes.extend_from_slice(text.as_bytes());
        ends.push(bytes.len());
        self.rows.push(row);
        text.len() + size_of::<usize>() + size_of::<u32>()
    }

    pub(crate) fn push_number(&mut self, row: u32, number: f64) -> usize {
        let Values::Number(numbers) = &mut self.values else {
            unreachable!("the registry gave this column another type");
        };
        numbers.push(number);
        self.rows.push(row);
        size_of::<f64>() + size_of::<u32>()
    }

    pub(crate) fn push_boolean(&mut self, row: u32, boolean: bool) -> usize {
        let Values::Boolean(booleans) = &mut self.values else {
            unreachable!("the registry gave this column another type");
        };
        booleans.push(boolean);
        self.rows.push(row);
        size_of::<bool>() + size_of::<u32>()
    }

    pub(crate) fn push_long(&mut self, row: u32, long: i64) -> usize {
        let Values::Long(longs) = &mut self.values else {
            unreachable!("the registry gave this column another type");
        };
        longs.push(long);
        self.rows.push(row);
        size_of::<i64>() + size_of::<u32>()
    }

    /// The definition levels and values in the order of the rows' places; a row whose place is
    /// [`DROPPED`] is left out. None if no value is left.
    pub(crate) fn ordered(self, places: &[u32], rows: usize) -> Option<(Vec<i16>, Ordered)> {
        let mut levels = vec![0; rows];
        let picks = if self.rows.len() > rows / DENSE {
            self.scattered(places, rows)
        } else {
            self.sorted(places)
        };
        if picks.is_empty() {
            return None;
        }
        for &(place, _) in &picks {
            levels[place as usize] = 1;
        }
        Some((levels, self.values.pick(&picks)))
    }

    /// The place and number of each value, in the order of the places, by sorting.
    fn sorted(&self, places: &[u32]) -> Vec<(u32, u32)> {
        let at = (0..).zip(&self.rows).map(|(value, &row)| (places[row as usize], value));
        let mut picks: Vec<(u32, u32)> = at.filter(|&(place, _)| place != DROPPED).collect();
        picks.sort_unstable();
        picks
    }

    /// The same by writing each value's number at its place; cheaper where most rows have one.
    fn scattered(&self, places: &[u32], rows: usize) -> Vec<(u32, u32)> {
        let mut values = vec![DROPPED; rows];
        for (value, &row) in (0..).zip(&self.rows) {
            if let Some(slot) = values.get_mut(places[row as usize] as usize) {
                *slot = value;
            }
        }
        (0..).zip(values).filter(|&(_, value)| value != DROPPED).collect()
    }
}

/// One value in so many rows: from there on scattering beats sorting.
const DENSE: usize = 16;

/// The place of a row that is not written.
pub(crate) const DROPPED: u32 = u32::MAX;

impl Values {
    fn pick(self, picks: &[(u32, u32)]) -> Ordered {
        match self {
            Self::Text { bytes, ends } => {
                let bytes = Bytes::from(bytes);
                let start = |value: usize| if value == 0 { 0 } else { ends[value - 1] };
                let text = |&(_, value): &(u32, u32)| {
                    let value = value as usize;
                    ByteArray::from(bytes.slice(start(value)..ends[value]))
                };
                Ordered::Text(picks.iter().map(text).collect())
            }
            Self::Number(all) => Ordered::Number(copied(&all, picks)),
            Self::Boolean(all) => Ordered::Boolean(copied(&all, picks)),
            Self::Long(all) => Ordered::Long(copied(&all, picks)),
        }
    }
}

fn copied<T: Copy>(all: &[T], picks: &[(u32, u32)]) -> Vec<T> {
    picks.iter().map(|&(_, value)| all[value as usize]).collect()
}
