//! Cuts a column chunk into pages and writes them.
//!
//! The column writers of the `parquet` crate take one level for each row, so a table of 4,000 columns pays for
//! its nulls. They also look up every string again in a dictionary of their own. So the bytes of pages are made
//! here, from validity bitmaps and dictionary indices. The crate writes page headers, indexes, metadata and
//! the file.

use crate::options::compression::Compression;
use crate::parquet::compressor::Compressor;
use crate::parquet::metadata::{ColumnChunk, DataPage};
use crate::parquet::pieces::Arena;
use crate::parquet::rle;
use crate::parquet::statistics::Bounds;
use crate::parquet::values::PageValues;
use crate::rows::validity::{Bitmap, Validity};
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::errors::Result;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use std::ops::Range;

/// What is made once for many chunks: a compressor, and room to write in.
pub(crate) struct ChunkEncoder {
    compressor: Compressor,
    plain: Vec<u8>,
    packed: Vec<u8>,
    /// The pages of all chunks.
    sink: TrackedWrite<Arena>,
}

/// A chunk whose bytes are among those of its encoder.
pub(crate) type ChunkInBlocks = ColumnChunk<Range<usize>>;

/// A page ends after so many values: small enough that a query for one event reads a fraction of
/// them, large enough to compress well.
const PAGE_VALUES: usize = 8_192;

/// Or after so many bytes.
const PAGE_BYTES: usize = 1 << 20;

/// One value in so many makes a bloom filter err.
const FALSE_POSITIVES: f64 = 0.01;

impl ChunkEncoder {
    pub(crate) fn new(compression: Compression) -> Result<Self> {
        let compressor = Compressor::new(compression)?;
        let sink = TrackedWrite::new(Arena::default());
        Ok(Self { compressor, plain: Vec::new(), packed: Vec::new(), sink })
    }

    /// The blocks of the bytes of all chunks that were made since this was asked the last time.
    pub(crate) fn take(&mut self) -> Result<Vec<Bytes>> {
        // What a large value needed is given back; what many pages need is kept.
        for room in [&mut self.plain, &mut self.packed] {
            if room.capacity() > 2 * PAGE_BYTES {
                *room = Vec::new();
            }
        }
        let sink = std::mem::replace(&mut self.sink, TrackedWrite::new(Arena::default()));
        Ok(sink.into_inner()?.finish())
    }

    /// The chunk of a column; `filtered` gives it a bloom filter.
    pub(crate) fn chunk(
        &mut self,
        rows: usize,
        validity: &Validity,
        values: &dyn PageValues,
        filtered: bool,
    ) -> Result<ChunkInBlocks> {
        let mut pages = Pages::new(self, values.encoding());
        pages.dictionary(values)?;
        for page in pages_of(validity, rows, values) {
            pages.data(&page, validity, values)?;
        }
        let bloom_filter = filtered.then(|| bloom_filter(values)).transpose()?;
        Ok(pages.close(bloom_filter))
    }

    /// The chunk of a column in a row group that has no value of it.
    pub(crate) fn nulls(&mut self, rows: usize) -> Result<ChunkInBlocks> {
        let mut pages = Pages::new(self, Encoding::PLAIN);
        pages.levels(Bitmap::NONE, rows);
        pages.page(rows, 0, None)?;
        Ok(pages.close(None))
    }

    /// Compresses what stands in `plain`.
    fn compressed(&mut self) -> Result<Bytes> {
        Ok(Bytes::copy_from_slice(self.compressor.compress(&self.plain, &mut self.packed)?))
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

/// Cuts the rows into pages: at multiples of 64, and between any two rows if 64 values are large.
fn pages_of(validity: &Validity, rows: usize, values: &dyn PageValues) -> Vec<PageRange> {
    let all = 0..validity.values;
    if all.len() <= PAGE_VALUES && values.bytes(all.clone()) < PAGE_BYTES {
        return vec![PageRange { rows: 0..rows, values: all }];
    }
    let mut cut = Cut { pages: Vec::new(), page: PageRange { rows: 0..0, values: 0..0 }, bytes: 0 };
    for (number, word) in validity.bits().words().filter(|&(_, word)| word != 0) {
        let before = cut.page.values.end;
        let count = word.count_ones() as usize;
        let bytes = values.bytes(before..before + count);
        if bytes < PAGE_BYTES {
            cut.add(count, bytes, (number + 1) * 64, validity.values);
            continue;
        }
        for (bit, value) in (0..64).filter(|bit| word >> bit & 1 == 1).zip(before..) {
            cut.add(1, values.bytes(value..value + 1), number * 64 + bit + 1, validity.values);
        }
    }
    cut.page.rows.end = rows;
    cut.pages.push(cut.page);
    cut.pages
}

/// Pages that are cut, and the one that is being filled.
struct Cut {
    pages: Vec<PageRange>,
    page: PageRange,
    bytes: usize,
}

impl Cut {
    /// Adds values, and ends the page behind them, before row `next`, if it is full and others follow.
    fn add(&mut self, values: usize, bytes: usize, next: usize, all: usize) {
        let page = &mut self.page;
        page.values.end += values;
        self.bytes += bytes;
        let full = page.values.len() >= PAGE_VALUES || self.bytes >= PAGE_BYTES;
        if full && page.values.end < all {
            self.bytes = 0;
            page.rows.end = next;
            let next = PageRange { rows: next..next, values: page.values.end..page.values.end };
            self.pages.push(std::mem::replace(page, next));
        }
    }
}

/// The pages of a chunk under construction.
struct Pages<'a> {
    encoder: &'a mut ChunkEncoder,
    /// Where the first begins.
    start: usize,
    encoding: Encoding,
    dictionary: Option<u32>,
    data: Vec<DataPage>,
    plain_bytes: usize,
}

impl<'a> Pages<'a> {
    fn new(encoder: &'a mut ChunkEncoder, encoding: Encoding) -> Self {
        let start = encoder.sink.bytes_written();
        Self { encoder, start, encoding, dictionary: None, data: Vec::new(), plain_bytes: 0 }
    }

    fn dictionary(&mut self, values: &dyn PageValues) -> Result<()> {
        let plain = &mut self.encoder.plain;
        plain.clear();
        let Some(different) = values.dictionary(plain) else { return Ok(()) };
        let page = Page::DictionaryPage {
            buf: self.encoder.compressed()?,
            num_values: number(different)?,
            encoding: self.encoding,
            is_sorted: true,
        };
        self.dictionary = Some(self.write(page)?);
        Ok(())
    }

    fn data(
        &mut self,
        page: &PageRange,
        validity: &Validity,
        values: &dyn PageValues,
    ) -> Result<()> {
        let Range { start, end } = page.rows;
        // A page that ends at a word of bits shares none with the next; the last one has all that are left.
        if start % 64 == 0 && (end % 64 == 0 || page.values.end == validity.values) {
            self.levels(validity.bits().part(start / 64..end.div_ceil(64)), page.rows.len());
        } else {
            let words = validity.bits().copied(page.rows.clone());
            self.levels(Bitmap { first: 0, words: &words }, page.rows.len());
        }
        values.write(page.values.clone(), &mut self.encoder.plain);
        let bounds = Bounds::of(values.extremes(page.values.clone()));
        self.page(page.rows.len(), page.values.len(), bounds)
    }

    /// Begins a page by its definition levels, after their length.
    fn levels(&mut self, bits: Bitmap<'_>, rows: usize) {
        let plain = &mut self.encoder.plain;
        plain.clear();
        plain.extend([0; 4]);
        rle::levels(bits, rows, plain);
        let length = u32::try_from(plain.len() - 4).expect("a page has few levels");
        plain[..4].copy_from_slice(&length.to_le_bytes());
    }

    fn page(&mut self, rows: usize, values: usize, bounds: Option<Bounds>) -> Result<()> {
        let page = Page::DataPage {
            buf: self.encoder.compressed()?,
            num_values: number(rows)?,
            encoding: self.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let length = self.write(page)?;
        self.data.push(DataPage { length, rows: number(rows)?, values: number(values)?, bounds });
        Ok(())
    }

    /// Writes a page. Answers how long it is.
    fn write(&mut self, page: Page) -> Result<u32> {
        let page = CompressedPage::new(page, self.encoder.plain.len());
        let spec = SerializedPageWriter::new(&mut self.encoder.sink).write_page(page)?;
        self.plain_bytes += spec.uncompressed_size;
        number(spec.compressed_size)
    }

    fn close(self, bloom_filter: Option<Sbbf>) -> ChunkInBlocks {
        let Self { encoder, start, encoding, dictionary, mut data, plain_bytes } = self;
        // Chunks are held until their file is whole: in no more room than they need.
        data.shrink_to_fit();
        let bytes = start..encoder.sink.bytes_written();
        ColumnChunk { bytes, encoding, dictionary, data, plain_bytes, bloom_filter }
    }
}

fn number(number: usize) -> Result<u32> {
    Ok(u32::try_from(number)?)
}
