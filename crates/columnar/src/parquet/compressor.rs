//! Compresses the pages of Parquet files.

use crate::options::compression::Compression;
use flate2::{Compress, FlushCompress, Status};
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use zstd::zstd_safe::{CParameter, ParamSwitch, compress_bound};

/// The name of a compression in the metadata of a file.
pub(crate) fn codec(compression: Compression) -> Result<Codec> {
    Ok(match compression {
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd => Codec::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?),
        Compression::Gzip => Codec::GZIP(GzipLevel::try_new(GZIP_LEVEL)?),
    })
}

/// Level 1: higher ones cost more processor time than they save in storage.
const ZSTD_LEVEL: i32 = 1;

/// The shortest repetition that zstd looks for, in bytes. Shorter ones are many in numbers and short
/// texts; left to the entropy coding, they take a tenth fewer of zstd's instructions and 0.7 % more
/// bytes.
const MIN_MATCH: u32 = 7;

/// In pages of fewer bytes zstd keeps what does not repeat as it is: the table of a code for it costs more
/// than to write the page. Of 4,408 columns that is a twentieth of all instructions for 1.3 % more bytes.
const CODED_BYTES: usize = 1_000;

/// The fastest level that codes what does not repeat by its frequency (docs/PERFORMANCE.md).
const GZIP_LEVEL: u32 = 2;

/// The window of gzip, as a power of two; the largest, as every reader of gzip takes it.
const GZIP_WINDOW: u8 = 15;

/// Compresses one page after another.
pub(crate) enum Compressor {
    Snappy(Box<snap::raw::Encoder>),
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip(Compress),
}

impl Compressor {
    pub(crate) fn new(compression: Compression) -> Result<Self> {
        Ok(match compression {
            Compression::Snappy => Self::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Zstd => {
                let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
                zstd.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
                Self::Zstd(zstd)
            }
            Compression::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Self::Gzip(Compress::new_gzip(level, GZIP_WINDOW))
            }
        })
    }

    /// The compressed bytes of a page, in `room`, whose content is overwritten.
    pub(crate) fn compress<'a>(&mut self, plain: &[u8], room: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        match self {
            Self::Snappy(snappy) => {
                let most = snap::raw::max_compress_len(plain.len());
                if room.len() < most {
                    room.resize(most, 0);
                }
                let length = snappy.compress(plain, room).map_err(external)?;
                return Ok(&room[..length]);
            }
            Self::Zstd(zstd) => {
                let short = plain.len() < CODED_BYTES;
                let mode = if short { ParamSwitch::Disable } else { ParamSwitch::Auto };
                zstd.set_parameter(CParameter::LiteralCompressionMode(mode))?;
                room.clear();
                room.reserve(compress_bound(plain.len()));
                zstd.compress_to_buffer(plain, room)?;
            }
            Self::Gzip(gzip) => {
                room.clear();
                gzip.reset();
                compress_all(gzip, plain, room)?;
            }
        }
        Ok(room)
    }
}

/// A whole gzip member of all bytes.
fn compress_all(gzip: &mut Compress, plain: &[u8], room: &mut Vec<u8>) -> Result<()> {
    loop {
        let taken = usize::try_from(gzip.total_in())?;
        room.reserve((plain.len() - taken) / 2 + 64);
        let status = gzip.compress_vec(&plain[taken..], room, FlushCompress::Finish);
        if status.map_err(external)? == Status::StreamEnd {
            return Ok(());
        }
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    fn plain(compression: Compression, packed: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match compression {
            Compression::Snappy => {
                plain = snap::raw::Decoder::new().decompress_vec(packed).unwrap();
            }
            Compression::Zstd => plain = zstd::bulk::decompress(packed, 1 << 20).unwrap(),
            Compression::Gzip => {
                flate2::read::GzDecoder::new(packed).read_to_end(&mut plain).unwrap();
            }
        }
        plain
    }

    proptest! {
        #[test]
        fn each_page_comes_back_whatever_was_compressed_before(
            pages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3_000), 1_usize..9), 1..5),
        ) {
            for compression in Compression::ALL {
                let mut compressor = Compressor::new(compression).unwrap();
                let mut room = Vec::new();
                for (page, times) in &pages {
                    let page = page.repeat(*times);
                    let packed = compressor.compress(&page, &mut room).unwrap();
                    prop_assert_eq!(plain(compression, packed), page, "{}", compression.name());
                }
            }
        }
    }
}
