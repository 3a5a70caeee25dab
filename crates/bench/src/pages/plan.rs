//! What the `parquet` crate's writers are told, and how a column is cut for them.

use mixlake_columnar::pages::{Typed, Values};
use mixlake_schema::{Column, ColumnId};
use parquet::basic::Compression as Codec;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::{ColumnPath, TypePtr};
use std::ops::Range;
use std::sync::Arc;

/// A page of ours ends after so many values.
const PAGE_VALUES: usize = 8_192;

/// Levels and values that a writer of the crate takes at a time.
const BATCH: usize = 8_192;

/// The largest dictionary, as ours.
const DICTIONARY_BYTES: usize = 4 << 20;

/// What is known of a file before it is written.
pub(crate) struct Plan {
    /// The columns of the table.
    pub columns: Vec<Column>,
    /// The columns of the file, by their ids.
    pub ids: Vec<ColumnId>,
    pub root: TypePtr,
    /// The most rows of a row group.
    pub rows: usize,
    /// By column of the file.
    told: Vec<Told>,
}

/// What the crate is told of a column. It cannot find that out by itself, and here it costs nothing.
#[derive(Clone, Copy)]
struct Told {
    /// Whether a dictionary pays in any of the row groups.
    dictionary: bool,
    /// The most values of a row group.
    values: usize,
}

impl Plan {
    /// By a file that ours wrote.
    pub(crate) fn of(file: &ParquetMetaData, columns: &[Column]) -> Option<Self> {
        let schema = file.file_metadata().schema_descr();
        let names = schema.columns().iter().map(|column| column.name());
        let id = |name: &str| columns.iter().position(|column| column.name == name);
        let mut told = vec![Told { dictionary: false, values: 0 }; schema.num_columns()];
        for group in file.row_groups() {
            for (told, chunk) in told.iter_mut().zip(group.columns()) {
                let nulls = chunk.statistics()?.null_count_opt()?;
                let values =
                    usize::try_from(chunk.num_values()).ok()? - usize::try_from(nulls).ok()?;
                told.dictionary |= chunk.dictionary_page_offset().is_some();
                told.values = told.values.max(values);
            }
        }
        let rows = file.row_groups().iter().map(RowGroupMetaData::num_rows).max()?;
        Some(Self {
            columns: columns.to_vec(),
            ids: names.map(id).collect::<Option<_>>()?,
            root: schema.root_schema_ptr(),
            rows: usize::try_from(rows).ok()?,
            told,
        })
    }

    /// Pages of about as many values as ours, and dictionaries where ours has one.
    pub(crate) fn properties(&self, codec: Codec) -> WriterPropertiesPtr {
        let mut properties = WriterProperties::builder()
            .set_compression(codec)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_data_page_row_count_limit(self.rows)
            .set_write_batch_size(BATCH);
        for (&id, &Told { dictionary, values }) in self.ids.iter().zip(&self.told) {
            let name = &self.columns[id].name;
            let path = || ColumnPath::new(vec![name.clone()]);
            if !dictionary {
                properties = properties.set_column_dictionary_enabled(path(), false);
            }
            if values > PAGE_VALUES {
                let limit = PAGE_VALUES * self.rows / values;
                properties = properties.set_column_data_page_row_count_limit(path(), limit);
            }
            if self.columns[id].built_in && name == "distinct_id" {
                let most = self.rows as u64;
                properties = properties
                    .set_column_bloom_filter_enabled(path(), true)
                    .set_column_bloom_filter_fpp(path(), 0.01)
                    .set_column_bloom_filter_max_ndv(path(), most);
            }
        }
        Arc::new(properties.build())
    }
}

/// Rows of which none has a value, or some, or all.
pub(crate) struct Segment {
    pub rows: Range<usize>,
    /// The places of its values among those of the column.
    pub values: Range<usize>,
}

/// So many words of rows without a value make a segment of their own.
const GAP: usize = 16;

/// Cuts the rows of a column where many have no value, so that the crate takes those as one run.
pub(crate) fn segments(values: &Values<'_>, rows: usize) -> Vec<Segment> {
    let (first, words) = values.words();
    let mut segments = Vec::new();
    let (mut row, mut value, mut at) = (0, 0, 0);
    while let Some(start) = (at..words.len()).find(|&at| words[at] != 0) {
        let mut end = start + 1;
        while let Some(next) = (end..words.len().min(end + GAP)).find(|&at| words[at] != 0) {
            end = next + 1;
        }
        let from = (first + start) * 64 + words[start].trailing_zeros() as usize;
        let to = (first + end) * 64 - words[end - 1].leading_zeros() as usize;
        let count = words[start..end].iter().map(|word| word.count_ones() as usize).sum::<usize>();
        segments.extend((row < from).then_some(Segment { rows: row..from, values: value..value }));
        segments.push(Segment { rows: from..to, values: value..value + count });
        (row, value, at) = (to, value + count, end);
    }
    segments.extend((row < rows).then_some(Segment { rows: row..rows, values: value..value }));
    segments
}

impl Segment {
    /// Whether every row has a value.
    pub(crate) fn is_full(&self) -> bool {
        self.values.len() == self.rows.len()
    }

    /// The rows of its values, counted from its first row.
    pub(crate) fn present<'a>(
        &self,
        values: &'a Values<'_>,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let (first, words) = values.words();
        let Range { start, end } = self.rows.clone();
        let words =
            (first..).zip(words).skip(start / 64 - first).take(end.div_ceil(64) - start / 64);
        words.flat_map(move |(number, &word)| Bits(word).map(move |bit| number * 64 + bit - start))
    }
}

/// The places of the bits of a word.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = (self.0 != 0).then(|| self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

/// How many bytes some texts have.
pub(crate) fn bytes_of(values: &Typed<'_>, range: Range<usize>) -> usize {
    match values {
        Typed::Texts(texts) => texts.some(range).map(<[u8]>::len).sum(),
        Typed::Numbers(_) | Typed::Longs(_) | Typed::Booleans(_) => 0,
    }
}
