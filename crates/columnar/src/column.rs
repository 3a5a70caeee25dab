//! A sparse column: its values, and the rows they are in. Rows without a value cost nothing.

use crate::texts::Texts;
use mixlake_schema::ColumnType;

/// The values that a column has in one buffer of rows.
#[derive(Debug)]
pub(crate) struct SparseColumn {
    /// The rows, ascending, one for each value.
    pub rows: Vec<u32>,
    pub values: Values,
}

/// Values in the order of their coming.
#[derive(Debug)]
pub(crate) enum Values {
    Text(Texts),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    /// Timestamps and integers.
    Long(Vec<i64>),
}

impl SparseColumn {
    pub(crate) fn new(column_type: ColumnType) -> Self {
        let values = match column_type {
            ColumnType::String => Values::Text(Texts::default()),
            ColumnType::Number => Values::Number(Vec::new()),
            ColumnType::Boolean => Values::Boolean(Vec::new()),
            ColumnType::Timestamp | ColumnType::Bigint => Values::Long(Vec::new()),
        };
        Self { rows: Vec::new(), values }
    }

    /// Adds a text to a row beyond all rows that have a value.
    pub(crate) fn push_text(&mut self, row: u32, text: &[u8]) {
        let Values::Text(texts) = &mut self.values else { wrong_type() };
        texts.push(text);
        self.rows.push(row);
    }

    pub(crate) fn push_number(&mut self, row: u32, number: f64) {
        let Values::Number(numbers) = &mut self.values else { wrong_type() };
        numbers.push(number);
        self.rows.push(row);
    }

    pub(crate) fn push_boolean(&mut self, row: u32, boolean: bool) {
        let Values::Boolean(booleans) = &mut self.values else { wrong_type() };
        booleans.push(boolean);
        self.rows.push(row);
    }

    pub(crate) fn push_long(&mut self, row: u32, long: i64) {
        let Values::Long(longs) = &mut self.values else { wrong_type() };
        longs.push(long);
        self.rows.push(row);
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        match &mut self.values {
            Values::Text(texts) => texts.clear(),
            Values::Number(numbers) => numbers.clear(),
            Values::Boolean(booleans) => booleans.clear(),
            Values::Long(longs) => longs.clear(),
        }
    }

    /// Bytes held, room for more included.
    pub(crate) fn memory(&self) -> usize {
        let values = match &self.values {
            Values::Text(texts) => texts.memory(),
            Values::Number(numbers) => numbers.capacity() * size_of::<f64>(),
            Values::Boolean(booleans) => booleans.capacity(),
            Values::Long(longs) => longs.capacity() * size_of::<i64>(),
        };
        values + self.rows.capacity() * size_of::<u32>()
    }
}

fn wrong_type() -> ! {
    unreachable!("the registry gave this column another type")
}
