//! Sparse columns for `mixlake-bench pages`, which compares the pages that are made here with those of
//! the `parquet` crate's column writers. Nothing that is shipped has this module.

use crate::error::TransformError;
use crate::files::encode::Encoding;
use crate::options::Options;
use crate::parquet::compressor::Compressor;
use crate::parquet::file::assemble;
use crate::parquet::page::ChunkEncoder;
use crate::parquet::row_group::RowGroup;
use crate::rows::buffer::{Buffer, RowKey, Sorting};
use crate::rows::column::{SparseColumn, booleans, longs, numbers};
use crate::rows::part::Part;
use crate::rows::row_order::RowOrder;
use crate::rows::string_column::{StringRef, Strings};
use crate::rows::validity::{Bitmap, Validity};
use crate::{Compression, Transformed};
use bytes::Bytes;
use foldhash::HashMap;
use mixlake_schema::{Column, ColumnId, MASTER_TABLE};
use std::iter::once;
use std::ops::Range;

/// The row groups of a table before they are encoded.
pub struct Table {
    columns: Vec<Column>,
    groups: Vec<Buffer>,
    sorting: Sorting,
}

impl Table {
    /// The table of all events, without rows. `events` is how many event names there are.
    #[must_use]
    pub fn new(done: &Transformed, events: u32) -> Self {
        let columns = done.registry.tables()[MASTER_TABLE].columns().to_vec();
        let sorting = Sorting::ByEvent((0..events).collect());
        Self { columns, groups: Vec::new(), sorting }
    }

    /// The columns of the table, by their ids.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Begins a row group. Each row has the rank of its event's name, and a time.
    pub fn begin(&mut self, rows: impl Iterator<Item = (u32, i64)>) -> Group<'_> {
        let mut buffer = Buffer::default();
        for ((event, time), tie) in rows.zip(0..) {
            buffer.begin(RowKey { event, time, tie });
        }
        self.groups.push(buffer);
        Group(self.groups.last_mut().expect("it was just added"))
    }

    /// The file of all row groups, as a slice makes it.
    pub fn file(&mut self, options: &Options) -> Result<Bytes, TransformError> {
        let mut kept: Option<ChunkEncoder> = None;
        let mut groups = Vec::new();
        for buffer in &mut self.groups {
            let rows = std::mem::take(buffer);
            let encoding = Encoding::begin(rows, &self.columns, self.sorting.clone(), options);
            let (encoded, rows) = encoding.end(&mut kept)?;
            groups.push(RowGroup { rows: rows.rows(), chunks: encoded.chunks });
            *buffer = rows;
        }
        Ok(assemble(groups, &self.columns, options, Vec::new())?.0)
    }

    /// The row groups in the order in which their rows are written.
    pub fn sorted(&self) -> impl Iterator<Item = Sorted<'_>> {
        self.groups.iter().map(|buffer| Sorted {
            columns: buffer.columns().collect(),
            order: buffer.row_order(&self.sorting),
        })
    }
}

/// A row group under construction. Values come by column, in the order of their rows.
pub struct Group<'a>(&'a mut Buffer);

impl Group<'_> {
    /// Adds a text.
    pub fn text(&mut self, row: u32, column: ColumnId, text: &[u8]) {
        self.0.text(row, column, Part::whole(text));
    }

    /// Adds a number.
    pub fn number(&mut self, row: u32, column: ColumnId, number: f64) {
        self.0.number(row, column, number);
    }

    /// Adds a boolean.
    pub fn boolean(&mut self, row: u32, column: ColumnId, boolean: bool) {
        self.0.boolean(row, column, boolean);
    }

    /// Adds a timestamp or an integer.
    pub fn long(&mut self, row: u32, column: ColumnId, long: i64) {
        self.0.long(row, column, long);
    }
}

/// A row group whose order of rows is known.
pub struct Sorted<'a> {
    columns: HashMap<ColumnId, &'a SparseColumn>,
    order: RowOrder,
}

/// The values of a column in the order in which they are written.
pub struct Values<'a> {
    validity: Validity,
    /// The values.
    pub values: Typed<'a>,
}

/// Values by their type.
pub enum Typed<'a> {
    /// Texts.
    Texts(Texts<'a>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Timestamps and integers.
    Longs(Vec<i64>),
    /// Booleans.
    Booleans(Vec<bool>),
}

/// Texts, which lie where they were put.
pub struct Texts<'a> {
    strings: Strings<'a>,
    refs: Vec<StringRef>,
}

impl Texts<'_> {
    /// Some of the texts.
    #[must_use]
    pub fn some(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        self.refs[range].iter().map(|&at| self.strings.get(at))
    }
}

impl Sorted<'_> {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.order.rows
    }

    /// The values of a column in their order; none if no row has one.
    #[must_use]
    pub fn column(&self, id: ColumnId) -> Option<Values<'_>> {
        let order = &self.order;
        let (validity, values) = match *self.columns.get(&id)? {
            SparseColumn::String(texts) => {
                let texts = texts.locate();
                let validity = Validity::of(once(texts.rows()), order)?;
                let refs = validity.arrange(once(texts.refs()));
                (validity, Typed::Texts(Texts { strings: texts.strings, refs }))
            }
            SparseColumn::Number(cells) => {
                let (validity, values) = Validity::with(numbers(cells), order)?;
                (validity, Typed::Numbers(values))
            }
            SparseColumn::Long(cells) => {
                let (validity, values) = Validity::with(longs(cells), order)?;
                (validity, Typed::Longs(values))
            }
            SparseColumn::Boolean(bits) => {
                let (validity, values) = Validity::with(booleans(bits), order)?;
                (validity, Typed::Booleans(values))
            }
        };
        Some(Values { validity, values })
    }
}

impl Values<'_> {
    /// Which rows have a value, as bits of words, and the number of the first word.
    #[must_use]
    pub fn words(&self) -> (usize, &[u64]) {
        let Bitmap { first, words } = self.validity.bits();
        (first, words)
    }
}

/// How the pages that are made here are compressed.
pub struct Pack(Compressor, Vec<u8>);

impl Pack {
    /// With the parameters of this compression.
    pub fn new(compression: Compression) -> parquet::errors::Result<Self> {
        Ok(Self(Compressor::new(compression)?, Vec::new()))
    }

    /// The compressed bytes of a page.
    pub fn page(&mut self, plain: &[u8]) -> parquet::errors::Result<Bytes> {
        Ok(Bytes::copy_from_slice(self.0.compress(plain, &mut self.1)?))
    }
}
