//! The file as the `parquet` crate's typed column writers make it, one after another. Pages are compressed
//! on their way by what compresses ours.

use super::plan::{Plan, bytes_of, segments};
use bytes::Bytes;
use mixlake_columnar::Compression;
use mixlake_columnar::pages::{Pack, Table, Texts, Typed, Values};
use parquet::basic::Compression as Codec;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::{
    ColumnCloseResult, ColumnWriter, ColumnWriterImpl, get_column_writer,
};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Writes the file.
#[inline(never)]
pub(crate) fn file(
    table: &Table,
    plan: &Plan,
    compression: Compression,
    codec: Codec,
) -> Result<Vec<u8>> {
    let properties = plan.properties(Codec::UNCOMPRESSED);
    let mut file = SerializedFileWriter::new(Vec::new(), plan.root.clone(), properties.clone())?;
    let described = file.schema_descr().columns().to_vec();
    let mut chunks =
        Chunks { properties, codec, pack: Pack::new(compression)?, levels: Levels::new(plan.rows) };
    for group in table.sorted() {
        let mut target = file.next_row_group()?;
        for (&id, descriptor) in plan.ids.iter().zip(&described) {
            let values = group.column(id);
            let (bytes, close) = chunks.chunk(descriptor, values.as_ref(), group.rows())?;
            target.append_column(&bytes, close)?;
        }
        target.close()?;
    }
    file.into_inner()
}

/// What all chunks share.
struct Chunks {
    properties: WriterPropertiesPtr,
    codec: Codec,
    pack: Pack,
    levels: Levels,
}

impl Chunks {
    fn chunk(
        &mut self,
        descriptor: &ColumnDescPtr,
        values: Option<&Values<'_>>,
        rows: usize,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        let mut sink = TrackedWrite::new(Vec::new());
        let pages = Packed { pack: &mut self.pack, pages: SerializedPageWriter::new(&mut sink) };
        let properties = self.properties.clone();
        let mut writer = get_column_writer(descriptor.clone(), properties, Box::new(pages));
        let levels = &mut self.levels;
        match (&mut writer, values.map(|values| (values, &values.values))) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Some((values, Typed::Texts(all)))) => {
                write(writer, &texts(all, values), values, rows, levels)?;
            }
            (ColumnWriter::DoubleColumnWriter(writer), Some((values, Typed::Numbers(all)))) => {
                write(writer, all, values, rows, levels)?;
            }
            (ColumnWriter::Int64ColumnWriter(writer), Some((values, Typed::Longs(all)))) => {
                write(writer, all, values, rows, levels)?;
            }
            (ColumnWriter::BoolColumnWriter(writer), Some((values, Typed::Booleans(all)))) => {
                write(writer, all, values, rows, levels)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), None) => levels.nulls(writer, rows)?,
            (ColumnWriter::DoubleColumnWriter(writer), None) => levels.nulls(writer, rows)?,
            (ColumnWriter::Int64ColumnWriter(writer), None) => levels.nulls(writer, rows)?,
            (ColumnWriter::BoolColumnWriter(writer), None) => levels.nulls(writer, rows)?,
            _ => return Err(ParquetError::General("the types do not fit".to_owned())),
        }
        let mut close = writer.close()?;
        close.metadata = close.metadata.into_builder().set_compression(self.codec).build()?;
        Ok((sink.into_inner()?.into(), close))
    }
}

/// Levels to take parts of.
struct Levels {
    zeros: Vec<i16>,
    ones: Vec<i16>,
    mixed: Vec<i16>,
}

impl Levels {
    fn new(rows: usize) -> Self {
        Self { zeros: vec![0; rows], ones: vec![1; rows], mixed: Vec::new() }
    }

    fn nulls<T: DataType>(&self, writer: &mut ColumnWriterImpl<'_, T>, rows: usize) -> Result<()> {
        writer.write_batch(&[], Some(&self.zeros[..rows]), None)?;
        Ok(())
    }
}

fn write<T: DataType>(
    writer: &mut ColumnWriterImpl<'_, T>,
    all: &[T::T],
    values: &Values<'_>,
    rows: usize,
    levels: &mut Levels,
) -> Result<()> {
    for segment in segments(values, rows) {
        let some = &all[segment.values.clone()];
        let rows = segment.rows.len();
        if some.is_empty() {
            levels.nulls(writer, rows)?;
        } else if segment.is_full() {
            writer.write_batch(some, Some(&levels.ones[..rows]), None)?;
        } else {
            levels.mixed.clear();
            levels.mixed.resize(rows, 0);
            segment.present(values).for_each(|row| levels.mixed[row] = 1);
            writer.write_batch(some, Some(&levels.mixed), None)?;
        }
    }
    Ok(())
}

/// Texts that share their memory.
fn texts(all: &Texts<'_>, values: &Values<'_>) -> Vec<ByteArray> {
    let count = values.words().1.iter().map(|word| word.count_ones() as usize).sum();
    let mut bytes = Vec::with_capacity(bytes_of(&values.values, 0..count));
    all.some(0..count).for_each(|text| bytes.extend_from_slice(text));
    let bytes = Bytes::from(bytes);
    let mut start = 0;
    let slice = |text: &[u8]| {
        let end = start + text.len();
        ByteArray::from(bytes.slice(std::mem::replace(&mut start, end)..end))
    };
    all.some(0..count).map(slice).collect()
}

/// Compresses pages on their way.
struct Packed<'a> {
    pack: &'a mut Pack,
    pages: SerializedPageWriter<'a, Vec<u8>>,
}

impl PageWriter for Packed<'_> {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec> {
        let plain = page.uncompressed_size();
        let buf = self.pack.page(page.data())?;
        let page = match *page.compressed_page() {
            Page::DataPage {
                num_values, encoding, def_level_encoding, rep_level_encoding, ..
            } => {
                let statistics = None;
                Page::DataPage {
                    buf,
                    num_values,
                    encoding,
                    def_level_encoding,
                    rep_level_encoding,
                    statistics,
                }
            }
            Page::DictionaryPage { num_values, encoding, is_sorted, .. } => {
                Page::DictionaryPage { buf, num_values, encoding, is_sorted }
            }
            Page::DataPageV2 { .. } => {
                return Err(ParquetError::General("only pages of version 1 are asked for".into()));
            }
        };
        self.pages.write_page(CompressedPage::new(page, plain))
    }

    fn close(&mut self) -> Result<()> {
        self.pages.close()
    }
}
