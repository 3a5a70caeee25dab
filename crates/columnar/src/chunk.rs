//! Writes the pages of one column chunk.
//!
//! The `parquet` crate's column writers take one level for each row, so that a table of 4,000
//! columns costs its nulls; and they look every text up again in a dictionary of their own. So the
//! bytes of pages are made here, from bitmaps and numbered values. Page headers, indexes, metadata
//! and the file are the crate's.

use crate::metadata::{Chunk, DataPage};
use crate::places::{Bits, Present};
use crate::rle;
use crate::statistics::Bounds;
use crate::values::PageValues;
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::errors::Result;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use std::ops::Range;
use zstd::zstd_safe::{CParameter, ParamSwitch};

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

/// Pages of fewer bytes keep what does not repeat as it is: the table of a code for it costs more than
/// to write the page. Of 4,408 columns that is a twentieth of all instructions for 1.3 % more bytes.
const CODED_BYTES: usize = 1_000;

/// One value in so many makes a bloom filter err.
const FALSE_POSITIVES: f64 = 0.01;

impl Encoder {
    pub(crate) fn new() -> Result<Self> {
        let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
        zstd.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
        Ok(Self { zstd, plain: Vec::new(), packed: Vec::new(), chunk: Vec::new() })
    }

    /// The chunk of a column; `filtered` gives it a bloom filter.
    pub(crate) fn chunk(
        &mut self,
        rows: usize,
        present: &Present,
        values: &dyn PageValues,
        filtered: bool,
    ) -> Result<Chunk> {
        let mut pages = Pages::new(self, values.encoding());
        pages.dictionary(values)?;
        for page in pages_of(present, rows, values) {
            pages.data(&page, present, values)?;
        }
        let bloom_filter = filtered.then(|| bloom_filter(values)).transpose()?;
        pages.close(bloom_filter)
    }

    /// The chunk of a column in a row group that has no value of it.
    pub(crate) fn nulls(&mut self, rows: usize) -> Result<Chunk> {
        let mut pages = Pages::new(self, Encoding::PLAIN);
        pages.levels(Bits::NONE, rows);
        pages.page(rows, 0, None)?;
        pages.close(None)
    }

    /// Compresses what stands in `plain`.
    fn compressed(&mut self) -> Result<Bytes> {
        let mode =
            if self.plain.len() < CODED_BYTES { ParamSwitch::Disable } else { ParamSwitch::Auto };
        self.zstd.set_parameter(CParameter::LiteralCompressionMode(mode))?;
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
    encoding: Encoding,
    dictionary: Option<u32>,
    data: Vec<DataPage>,
    plain_bytes: usize,
}

impl<'a> Pages<'a> {
    fn new(encoder: &'a mut Encoder, encoding: Encoding) -> Self {
        let mut room = std::mem::take(&mut encoder.chunk);
        room.clear();
        let sink = TrackedWrite::new(room);
        Self { encoder, sink, encoding, dictionary: None, data: Vec::new(), plain_bytes: 0 }
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

    fn data(&mut self, page: &PageRange, present: &Present, values: &dyn PageValues) -> Result<()> {
        let bits = present.bits().part(page.rows.start / 64..page.rows.end.div_ceil(64));
        self.levels(bits, page.rows.len());
        values.write(page.values.clone(), &mut self.encoder.plain);
        let bounds = Bounds::of(values.extremes(page.values.clone()));
        self.page(page.rows.len(), page.values.len(), bounds)
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
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.plain_bytes += spec.uncompressed_size;
        number(spec.compressed_size)
    }

    fn close(self, bloom_filter: Option<Sbbf>) -> Result<Chunk> {
        let Self { encoder, sink, encoding, dictionary, mut data, plain_bytes } = self;
        // Chunks are held until their file is whole: in no more room than they need.
        encoder.chunk = sink.into_inner()?;
        let bytes = Bytes::copy_from_slice(&encoder.chunk);
        data.shrink_to_fit();
        Ok(Chunk { bytes, encoding, dictionary, data, plain_bytes, bloom_filter })
    }
}

/// How the pages of all chunks are compressed.
pub(crate) fn compression() -> Result<Compression> {
    Ok(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
}

fn number(number: usize) -> Result<u32> {
    Ok(u32::try_from(number)?)
}
