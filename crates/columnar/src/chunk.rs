//! Writes the pages of one column chunk.
//!
//! The `parquet` crate's column writers take one level for each row, so that a table of 4,000
//! columns costs its nulls; and they look every text up again in a dictionary of their own. So the
//! bytes of pages are made here, from bitmaps and numbered values. Page headers, indexes, metadata
//! and the file are the crate's.

use crate::leaf::{descriptor, physical};
use crate::places::{Bits, Present};
use crate::rle;
use crate::statistics::{Bounds, nans, without_bounds};
use crate::values::{Extremes, PageValues, of_all};
use bytes::Bytes;
use mixlake_schema::{Column, ColumnType};
use parquet::basic::{BoundaryOrder, Compression, Encoding, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use std::ops::Range;

/// An encoded column chunk.
pub(crate) struct Chunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

/// What is made once for many chunks: a compressor, and room to write in.
pub(crate) struct Encoder {
    zstd: zstd::bulk::Compressor<'static>,
    plain: Vec<u8>,
    packed: Vec<u8>,
    chunk: Vec<u8>,
}

/// A page ends after so many values: small enough that a query for one event reads a fraction of
/// them, large enough to compress well.
const PAGE_VALUES: usize = 8_192;

/// Or after so many bytes.
const PAGE_BYTES: usize = 1 << 20;

/// Level 1: higher ones cost more processor time than they save in storage.
const LEVEL: i32 = 1;

/// The shortest repetition that is looked for, in bytes. Shorter ones are many in numbers and short
/// texts; left to the entropy coding, they take a tenth fewer of zstd's instructions and 0.7 % more
/// bytes.
const MIN_MATCH: u32 = 7;

/// One value in so many makes a bloom filter err.
const FALSE_POSITIVES: f64 = 0.01;

impl Encoder {
    pub(crate) fn new() -> Result<Self> {
        let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
        zstd.set_parameter(zstd::zstd_safe::CParameter::MinMatch(MIN_MATCH))?;
        Ok(Self { zstd, plain: Vec::new(), packed: Vec::new(), chunk: Vec::new() })
    }

    /// The chunk of a column; `filtered` gives it a bloom filter.
    pub(crate) fn chunk(
        &mut self,
        column: &Column,
        rows: usize,
        present: &Present,
        values: &dyn PageValues,
        filtered: bool,
    ) -> Result<Chunk> {
        let mut pages = Pages::new(self, column.column_type);
        pages.dictionary(values)?;
        let mut extremes = Vec::new();
        for page in pages_of(present, rows, values) {
            extremes.push(pages.data(&page, present, values)?);
        }
        let bounds = of_all(values, extremes).and_then(|extremes| Bounds::of(&extremes));
        let bloom = filtered.then(|| bloom_filter(values)).transpose()?;
        pages.close(column, rows - present.values, bounds, bloom)
    }

    /// The chunk of a column in a row group that has no value of it.
    pub(crate) fn nulls(&mut self, column: &Column, rows: usize) -> Result<Chunk> {
        let mut pages = Pages::new(self, column.column_type);
        pages.nulls(rows)?;
        pages.close(column, rows, None, None)
    }

    /// Compresses what stands in `plain`.
    fn compressed(&mut self) -> Result<Bytes> {
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        self.zstd.compress_to_buffer(&self.plain, &mut self.packed)?;
        Ok(Bytes::copy_from_slice(&self.packed))
    }
}

fn bloom_filter(values: &dyn PageValues) -> Result<Sbbf> {
    let mut different = 0;
    values.each(&mut |_| different += 1);
    let mut filter = Sbbf::new_with_ndv_fpp(different, FALSE_POSITIVES)?;
    values.each(&mut |value| filter.insert(value));
    Ok(filter)
}

/// The rows of a page and the values in them.
struct PageRange {
    rows: Range<usize>,
    values: Range<usize>,
}

/// Cuts the rows into pages, at multiples of 64.
fn pages_of(present: &Present, rows: usize, values: &dyn PageValues) -> Vec<PageRange> {
    let all = 0..present.values;
    if all.len() <= PAGE_VALUES && values.bytes(all.clone()) < PAGE_BYTES {
        return vec![PageRange { rows: 0..rows, values: all }];
    }
    let mut pages = Vec::new();
    let mut page = PageRange { rows: 0..0, values: 0..0 };
    let mut bytes = 0;
    for (number, word) in present.bits().words().filter(|&(_, word)| word != 0) {
        let before = page.values.end;
        page.values.end += word.count_ones() as usize;
        bytes += values.bytes(before..page.values.end);
        let left = present.values - page.values.end;
        if (page.values.len() >= PAGE_VALUES || bytes >= PAGE_BYTES) && left > 0 {
            bytes = 0;
            page.rows.end = (number + 1) * 64;
            let next = PageRange {
                rows: page.rows.end..page.rows.end,
                values: page.values.end..page.values.end,
            };
            pages.push(std::mem::replace(&mut page, next));
        }
    }
    page.rows.end = rows;
    pages.push(page);
    pages
}

/// The pages of a chunk under construction.
struct Pages<'a> {
    encoder: &'a mut Encoder,
    sink: TrackedWrite<Vec<u8>>,
    offsets: OffsetIndexBuilder,
    index: ColumnIndexBuilder,
    /// How many values of each page are NaN, where there could be any.
    nans: Option<i64>,
    /// The upper bound of the last page, while the pages are in ascending order.
    ascending: Option<Vec<u8>>,
    stats: Vec<PageEncodingStats>,
    plain_bytes: usize,
    dictionary_offset: Option<i64>,
    first_offset: Option<i64>,
    rows: usize,
}

impl<'a> Pages<'a> {
    fn new(encoder: &'a mut Encoder, column_type: ColumnType) -> Self {
        let mut room = std::mem::take(&mut encoder.chunk);
        room.clear();
        Self {
            encoder,
            sink: TrackedWrite::new(room),
            offsets: OffsetIndexBuilder::new(),
            index: ColumnIndexBuilder::new(physical(column_type)),
            nans: nans(column_type),
            ascending: (column_type == ColumnType::String).then(Vec::new),
            stats: Vec::new(),
            plain_bytes: 0,
            dictionary_offset: None,
            first_offset: None,
            rows: 0,
        }
    }

    fn dictionary(&mut self, values: &dyn PageValues) -> Result<()> {
        let plain = &mut self.encoder.plain;
        plain.clear();
        let Some(different) = values.dictionary(plain) else { return Ok(()) };
        let page = Page::DictionaryPage {
            buf: self.encoder.compressed()?,
            num_values: number(different)?,
            encoding: Encoding::PLAIN_DICTIONARY,
            is_sorted: true,
        };
        self.dictionary_offset = Some(self.write(page)?.0);
        Ok(())
    }

    fn data(
        &mut self,
        page: &PageRange,
        present: &Present,
        values: &dyn PageValues,
    ) -> Result<Extremes> {
        let bits = present.bits().part(page.rows.start / 64..page.rows.end.div_ceil(64));
        self.levels(bits, page.rows.len());
        values.write(page.values.clone(), &mut self.encoder.plain);
        self.page(page.rows.len(), values.encoding())?;
        let nulls = page.rows.len() - page.values.len();
        let extremes = values.extremes(page.values.clone());
        match Bounds::of(&extremes) {
            Some(Bounds { min, max, .. }) => {
                self.ascending = self.ascending.take().filter(|last| *last <= min);
                self.ascending = self.ascending.take().map(|_| max.clone());
                self.index.append(false, min, max, signed(nulls)?, self.nans);
            }
            None => self.index.to_invalid(),
        }
        Ok(extremes)
    }

    fn nulls(&mut self, rows: usize) -> Result<()> {
        self.levels(Bits::NONE, rows);
        self.page(rows, Encoding::PLAIN)?;
        self.index.append(true, Vec::new(), Vec::new(), signed(rows)?, self.nans);
        Ok(())
    }

    /// Begins a page by its definition levels, after their length.
    fn levels(&mut self, bits: Bits<'_>, rows: usize) {
        let plain = &mut self.encoder.plain;
        plain.clear();
        plain.extend([0; 4]);
        rle::levels(bits, rows, plain);
        let length = u32::try_from(plain.len() - 4).expect("a page has few levels");
        plain[..4].copy_from_slice(&length.to_le_bytes());
    }

    fn page(&mut self, rows: usize, encoding: Encoding) -> Result<()> {
        let page = Page::DataPage {
            buf: self.encoder.compressed()?,
            num_values: number(rows)?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let (offset, length) = self.write(page)?;
        self.first_offset.get_or_insert(offset);
        self.rows += rows;
        self.offsets.append_offset_and_size(offset, length);
        self.offsets.append_row_count(signed(rows)?);
        Ok(())
    }

    /// Writes a page. Answers where it begins and how long it is.
    fn write(&mut self, page: Page) -> Result<(i64, i32)> {
        let (page_type, encoding) = (page.page_type(), page.encoding());
        match self.stats.last_mut() {
            Some(last) if last.page_type == page_type => last.count += 1,
            _ => self.stats.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
        let page = CompressedPage::new(page, self.encoder.plain.len());
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.plain_bytes += spec.uncompressed_size;
        let length = i32::try_from(spec.compressed_size).map_err(too_large)?;
        Ok((i64::try_from(spec.offset).map_err(too_large)?, length))
    }

    fn close(
        mut self,
        column: &Column,
        nulls: usize,
        bounds: Option<Bounds>,
        bloom_filter: Option<Sbbf>,
    ) -> Result<Chunk> {
        let nulls = nulls as u64;
        let statistics = match bounds {
            Some(bounds) => bounds.statistics(column.column_type, nulls),
            None => without_bounds(column.column_type, nulls),
        };
        // Chunks are held until their file is whole: in no more room than they need.
        self.encoder.chunk = self.sink.into_inner()?;
        let bytes = Bytes::copy_from_slice(&self.encoder.chunk);
        let mut encodings: Vec<Encoding> = self.stats.iter().map(|stats| stats.encoding).collect();
        encodings.extend([Encoding::PLAIN, Encoding::RLE]);
        let metadata = ColumnChunkMetaData::builder(descriptor(column)?)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
            .set_encodings(encodings)
            .set_page_encoding_stats(self.stats)
            .set_total_compressed_size(signed(bytes.len())?)
            .set_total_uncompressed_size(signed(self.plain_bytes)?)
            .set_num_values(signed(self.rows)?)
            .set_data_page_offset(self.first_offset.unwrap_or_default())
            .set_dictionary_page_offset(self.dictionary_offset)
            .set_statistics(statistics)
            .build()?;
        if self.ascending.is_some() {
            self.index.set_boundary_order(BoundaryOrder::ASCENDING);
        }
        let column_index = self.index.valid().then(|| self.index.build()).transpose()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter,
            column_index,
            offset_index: Some(self.offsets.build()),
        };
        Ok(Chunk { bytes, close })
    }
}

fn number(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(too_large)
}

fn signed(number: usize) -> Result<i64> {
    i64::try_from(number).map_err(too_large)
}

fn too_large(error: std::num::TryFromIntError) -> ParquetError {
    ParquetError::External(Box::new(error))
}
