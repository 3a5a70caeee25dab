//! An encoded column chunk, and the metadata, statistics and page indexes that its file has of it.

use crate::options::compression::Compression;
use crate::parquet::compressor::codec;
use crate::parquet::leaf::physical;
use crate::parquet::pieces::Pieces;
use crate::parquet::statistics::{Bounds, nans, without_bounds};
use bytes::Bytes;
use mixlake_schema::ColumnType;
use parquet::basic::{BoundaryOrder, Encoding, PageType};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::reader::Length;
use parquet::schema::types::ColumnDescPtr;
use std::ops::Range;

/// An encoded column chunk. What its file says of it takes ten times as much memory as what is held
/// here, so that is made when the file is put together.
#[derive(Clone)]
pub(crate) struct ColumnChunk<B = Pieces> {
    /// Its pages: the dictionary, if there is one, and the data behind it.
    pub bytes: B,
    pub encoding: Encoding,
    /// How long the page of the dictionary is.
    pub dictionary: Option<u32>,
    pub data: Vec<DataPage>,
    /// How long all pages are that are not compressed.
    pub plain_bytes: usize,
    pub bloom_filter: Option<Sbbf>,
}

/// A page of values.
#[derive(Clone)]
pub(crate) struct DataPage {
    /// With its header.
    pub length: u32,
    pub rows: u32,
    /// Those that are not null.
    pub values: u32,
    /// None without values, and where a text has no short upper bound.
    pub bounds: Option<Bounds>,
}

impl ColumnChunk<Range<usize>> {
    /// The chunk with its bytes, which lie in these blocks.
    pub(crate) fn among(self, blocks: &[Bytes]) -> ColumnChunk {
        self.map(|range| Pieces::of(blocks, range))
    }

    /// The chunk with its place in a file whose first bytes these blocks follow.
    pub(crate) fn behind(self, start: u64) -> ColumnChunk<Range<u64>> {
        self.map(|range| start + range.start as u64..start + range.end as u64)
    }
}

impl<A> ColumnChunk<A> {
    /// The same chunk, with its bytes elsewhere.
    pub(crate) fn map<B>(self, to: impl FnOnce(A) -> B) -> ColumnChunk<B> {
        let Self { bytes, encoding, dictionary, data, plain_bytes, bloom_filter } = self;
        ColumnChunk { bytes: to(bytes), encoding, dictionary, data, plain_bytes, bloom_filter }
    }
}

impl<B: Length> ColumnChunk<B> {
    /// The pages, and what is to be said of them.
    pub(crate) fn close(
        self,
        column_type: ColumnType,
        descriptor: ColumnDescPtr,
        compression: Compression,
    ) -> Result<(B, ColumnCloseResult)> {
        let (offset_index, column_index) = (self.offset_index()?, self.column_index(column_type)?);
        let rows = self.data.iter().map(|page| i64::from(page.rows)).sum();
        let values = self.data.iter().map(|page| i64::from(page.values)).sum::<i64>();
        let filled = self.data.iter().filter(|page| page.values > 0);
        let bounds = Bounds::of_all(column_type, filled.map(|page| page.bounds.as_ref()));
        let nulls = u64::try_from(rows - values)?;
        let statistics = match bounds {
            Some(bounds) => bounds.statistics(column_type, nulls),
            None => without_bounds(column_type, nulls),
        };
        let written = self.bytes.len();
        let metadata = ColumnChunkMetaData::builder(descriptor)
            .set_compression(codec(compression)?)
            .set_encodings(vec![self.encoding, Encoding::PLAIN, Encoding::RLE])
            .set_page_encoding_stats(self.encoding_stats()?)
            .set_total_compressed_size(i64::try_from(written)?)
            .set_total_uncompressed_size(i64::try_from(self.plain_bytes)?)
            .set_num_values(rows)
            .set_data_page_offset(self.data_offset())
            .set_dictionary_page_offset(self.dictionary.map(|_| 0))
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: written,
            rows_written: u64::try_from(rows)?,
            metadata,
            bloom_filter: self.bloom_filter,
            column_index,
            offset_index: Some(offset_index),
        };
        Ok((self.bytes, close))
    }

    /// Where the data begins: behind the dictionary.
    fn data_offset(&self) -> i64 {
        self.dictionary.unwrap_or_default().into()
    }

    fn encoding_stats(&self) -> Result<Vec<PageEncodingStats>> {
        let encoding = self.encoding;
        let of = |page_type, count| PageEncodingStats { page_type, encoding, count };
        let dictionary = self.dictionary.map(|_| of(PageType::DICTIONARY_PAGE, 1));
        let data = of(PageType::DATA_PAGE, i32::try_from(self.data.len())?);
        Ok(dictionary.into_iter().chain([data]).collect())
    }

    /// Where each page is, and how many rows it has.
    fn offset_index(&self) -> Result<OffsetIndexMetaData> {
        let mut index = OffsetIndexBuilder::new();
        let mut offset = self.data_offset();
        for page in &self.data {
            index.append_offset_and_size(offset, i32::try_from(page.length)?);
            index.append_row_count(page.rows.into());
            offset += i64::from(page.length);
        }
        Ok(index.build())
    }

    /// Between which bounds the values of each page are; none if those of a page have none.
    fn column_index(&self, column_type: ColumnType) -> Result<Option<ColumnIndexMetaData>> {
        let mut index = ColumnIndexBuilder::new(physical(column_type));
        for page in &self.data {
            let (empty, nulls) = (page.values == 0, i64::from(page.rows - page.values));
            let (min, max) = match &page.bounds {
                Some(bounds) => (bounds.min.clone(), bounds.max.clone()),
                None if empty => Default::default(),
                None => return Ok(None),
            };
            index.append(empty, min, max, nulls, nans(column_type));
        }
        let bounds = || self.data.iter().filter_map(|page| page.bounds.as_ref());
        let ascending = bounds().zip(bounds().skip(1)).all(|(page, next)| page.max <= next.min);
        if column_type == ColumnType::String && ascending {
            index.set_boundary_order(BoundaryOrder::ASCENDING);
        }
        Ok(Some(index.build()?))
    }
}
