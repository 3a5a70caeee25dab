//! Reads the values of a column chunk: the counterpart of `page.rs` and `values.rs`.
//!
//! The column readers of the `parquet` crate hand out one level for each row, and each text as an owned
//! value. Here 64 rows without a value cost one comparison, and a text is copied once, to where it goes. The
//! crate reads page headers and decompresses. Pages of other kinds than Mixlake writes are an error.

use crate::parquet::unpack;
use crate::rows::part::Part;
use bytes::Bytes;
use mixlake_schema::ColumnType;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescPtr;
use std::sync::Arc;

/// Takes the values of a column in the order of their rows. Each row is counted from the first of its row
/// group. Who reads a column of one type takes only values of this type.
pub(crate) trait Cells {
    fn text(&mut self, _row: u32, _text: Part<'_>) {}
    /// The bits of a double, an integer or a timestamp.
    fn fixed(&mut self, _row: u32, _bits: u64) {}
    fn boolean(&mut self, _row: u32, _boolean: bool) {}
}

/// Where a column chunk is in its file. It takes a fraction of the memory of the footer's description.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkPlace {
    start: u64,
    length: usize,
    /// Where the data pages begin, after the dictionary.
    data: usize,
    compression: Compression,
    /// The bytes of its pages, not compressed.
    pub plain: u64,
}

impl ChunkPlace {
    /// None for a chunk without values.
    pub(crate) fn of(chunk: &ColumnChunkMetaData) -> Result<Option<Self>> {
        let nulls =
            chunk.statistics().and_then(parquet::file::statistics::Statistics::null_count_opt);
        if nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values())) {
            return Ok(None);
        }
        let data = chunk.data_page_offset();
        let first = chunk.dictionary_page_offset().filter(|first| *first < data).unwrap_or(data);
        Ok(Some(Self {
            start: u64::try_from(first)?,
            length: usize::try_from(chunk.compressed_size())?,
            data: usize::try_from(data - first)?,
            compression: chunk.compression(),
            plain: u64::try_from(chunk.uncompressed_size())?,
        }))
    }

    /// Reads all values of the chunk of a row group with so many rows.
    pub(crate) fn read(
        &self,
        file: &impl ChunkReader,
        leaf: &ColumnDescPtr,
        (column_type, rows): (ColumnType, u32),
        cells: &mut impl Cells,
    ) -> Result<()> {
        let mut decoder = Decoder::new(column_type, rows);
        for page in self.pages(file, leaf, rows)? {
            decoder.page(&page?, cells)?;
        }
        if decoder.row != rows {
            let (name, has) = (leaf.name(), decoder.row);
            return Err(other(&format!(
                "column {name} has {has} rows, but its row group has {rows}"
            )));
        }
        Ok(())
    }

    fn pages(
        &self,
        file: &impl ChunkReader,
        leaf: &ColumnDescPtr,
        rows: u32,
    ) -> Result<impl Iterator<Item = Result<Page>>> {
        let bytes = file.get_bytes(self.start, self.length)?;
        let data = i64::try_from(self.data)?;
        let chunk = ColumnChunkMetaData::builder(leaf.clone())
            .set_compression(self.compression)
            .set_total_compressed_size(i64::try_from(self.length)?)
            .set_num_values(rows.into())
            .set_data_page_offset(data)
            .set_dictionary_page_offset((data > 0).then_some(0))
            .build()?;
        let mut pages = SerializedPageReader::new(Arc::new(bytes), &chunk, rows as usize, None)?;
        Ok(std::iter::from_fn(move || pages.get_next_page().transpose()))
    }
}

/// Reads one page after another.
struct Decoder {
    column_type: ColumnType,
    dictionary: Dictionary,
    /// The row after those of the pages before.
    row: u32,
    /// The rows of the row group.
    end: u32,
    /// The rows of a page that have values.
    rows: Vec<u32>,
    indices: Vec<u32>,
}

/// The values that the indices of a chunk stand for.
enum Dictionary {
    None,
    Texts(Bytes, Vec<(usize, usize)>),
    Fixed(Vec<u64>),
}

impl Decoder {
    fn new(column_type: ColumnType, end: u32) -> Self {
        let (rows, indices) = (Vec::new(), Vec::new());
        Self { column_type, dictionary: Dictionary::None, row: 0, end, rows, indices }
    }

    fn page(&mut self, page: &Page, cells: &mut impl Cells) -> Result<()> {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                self.dictionary = self.dictionary(buf, *num_values as usize)?;
                Ok(())
            }
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                if *def_level_encoding != Encoding::RLE {
                    return Err(other("its levels are not written as Mixlake writes them"));
                }
                let values = self.levels(buf, *num_values)?;
                self.values(values, *encoding, cells)
            }
            Page::DataPageV2 { .. } => Err(other("it has pages that Mixlake does not write")),
        }
    }

    /// Reads which rows of a page have values. Answers the bytes after that.
    fn levels<'a>(&mut self, page: &'a [u8], rows: u32) -> Result<&'a [u8]> {
        let (length, rest) = page.split_first_chunk::<4>().ok_or_else(cut)?;
        if rows > self.end - self.row {
            return Err(other("it has more rows than its row group"));
        }
        let length = u32::from_le_bytes(*length) as usize;
        let (levels, values) = rest.split_at_checked(length).ok_or_else(cut)?;
        self.rows.clear();
        unpack::positions(levels, rows as usize, self.row, &mut self.rows)?;
        self.row += rows;
        Ok(values)
    }

    fn values(&mut self, bytes: &[u8], encoding: Encoding, cells: &mut impl Cells) -> Result<()> {
        if matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY) {
            return self.by_index(bytes, cells);
        }
        if encoding != Encoding::PLAIN {
            return Err(other(&format!("its values have the encoding {encoding}")));
        }
        match self.column_type {
            ColumnType::String => texts(bytes, &self.rows, cells),
            ColumnType::Boolean => booleans(bytes, &self.rows, cells),
            ColumnType::Number | ColumnType::Timestamp | ColumnType::Bigint => {
                fixed(bytes, &self.rows, cells)
            }
        }
    }

    fn by_index(&mut self, bytes: &[u8], cells: &mut impl Cells) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let (width, packed) = bytes.split_first().ok_or_else(cut)?;
        self.indices.clear();
        unpack::numbers(packed, *width, self.rows.len(), &mut self.indices)?;
        let none = || other("an index leads out of its dictionary");
        let indexed = self.rows.iter().zip(&self.indices);
        match &self.dictionary {
            Dictionary::None => Err(none()),
            Dictionary::Texts(bytes, ends) => {
                for (&row, &index) in indexed {
                    let &(start, end) = ends.get(index as usize).ok_or_else(none)?;
                    cells.text(row, Part::new(bytes, start, end));
                }
                Ok(())
            }
            Dictionary::Fixed(values) => {
                for (&row, &index) in indexed {
                    cells.fixed(row, *values.get(index as usize).ok_or_else(none)?);
                }
                Ok(())
            }
        }
    }

    fn dictionary(&self, bytes: &Bytes, values: usize) -> Result<Dictionary> {
        if self.column_type != ColumnType::String {
            let fixed = bytes.as_chunks().0.iter().map(|eight| u64::from_le_bytes(*eight));
            return Ok(Dictionary::Fixed(fixed.take(values).collect()));
        }
        let (mut ends, mut at) = (Vec::with_capacity(values.min(bytes.len())), 0);
        for _ in 0..values {
            let (start, end) = text(bytes, at)?;
            ends.push((start, end));
            at = end;
        }
        Ok(Dictionary::Texts(bytes.clone(), ends))
    }
}

/// Where the text begins and ends whose length is at `at`.
fn text(bytes: &[u8], at: usize) -> Result<(usize, usize)> {
    let length = bytes[at..].first_chunk::<4>().ok_or_else(cut)?;
    let start = at + 4;
    let end = start + u32::from_le_bytes(*length) as usize;
    if end > bytes.len() { Err(cut()) } else { Ok((start, end)) }
}

fn texts(bytes: &[u8], rows: &[u32], cells: &mut impl Cells) -> Result<()> {
    let mut at = 0;
    for &row in rows {
        let (start, end) = text(bytes, at)?;
        cells.text(row, Part::new(bytes, start, end));
        at = end;
    }
    Ok(())
}

fn fixed(bytes: &[u8], rows: &[u32], cells: &mut impl Cells) -> Result<()> {
    let values = bytes.as_chunks().0.get(..rows.len()).ok_or_else(cut)?;
    rows.iter().zip(values).for_each(|(&row, eight)| cells.fixed(row, u64::from_le_bytes(*eight)));
    Ok(())
}

fn booleans(bytes: &[u8], rows: &[u32], cells: &mut impl Cells) -> Result<()> {
    if bytes.len() < rows.len().div_ceil(8) {
        return Err(cut());
    }
    for (at, &row) in rows.iter().enumerate() {
        cells.boolean(row, bytes[at / 8] >> (at % 8) & 1 == 1);
    }
    Ok(())
}

fn cut() -> ParquetError {
    other("a page ends too early")
}

fn other(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}
