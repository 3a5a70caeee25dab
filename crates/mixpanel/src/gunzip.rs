//! Decompresses gzip in pieces, and checks at the end that the data was complete.

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, ErrorKind, Read};

/// Output is returned when there is this much of it. Each time the decoder is left, it copies the last
/// 32 KB, so a smaller size takes more time.
const PIECE: usize = 128 << 10;

/// A gzip body that is being decompressed. Do not use it after an error.
pub(crate) struct Gunzip {
    decoder: MultiGzDecoder<Packed>,
    output: Vec<u8>,
    /// How much output there is.
    length: usize,
}

/// Input that has arrived.
struct Packed {
    bytes: Bytes,
    /// Whether no more input follows.
    ended: bool,
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, bytes: usize) {
        drop(self.bytes.split_to(bytes));
    }
}

impl Read for Packed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl Gunzip {
    pub(crate) fn new() -> Self {
        let packed = Packed { bytes: Bytes::new(), ended: false };
        Self { decoder: MultiGzDecoder::new(packed), output: vec![0; PIECE], length: 0 }
    }

    /// Decompresses from the front of `packed` until there is enough output or no more input. In the
    /// latter case the output is kept for the next call, and nothing is returned.
    pub(crate) fn unpack(&mut self, packed: &mut Bytes) -> io::Result<Bytes> {
        std::mem::swap(&mut self.decoder.get_mut().bytes, packed);
        let filled = self.fill();
        std::mem::swap(&mut self.decoder.get_mut().bytes, packed);
        filled?;
        if self.length < PIECE {
            return Ok(Bytes::new());
        }
        self.length = 0;
        Ok(std::mem::replace(&mut self.output, vec![0; PIECE]).into())
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.length < PIECE {
            match self.decoder.read(&mut self.output[self.length..]) {
                Ok(0) => break,
                Ok(read) => self.length += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The last output, if the trailer was there and its length and checksum are correct.
    pub(crate) fn finish(mut self) -> io::Result<Bytes> {
        self.decoder.get_mut().ended = true;
        self.output.truncate(self.length);
        self.decoder.read_to_end(&mut self.output)?;
        Ok(self.output.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Vec<u8>> {
        let mut gunzip = Gunzip::new();
        let mut plain = Vec::new();
        for piece in pieces {
            let mut packed = Bytes::copy_from_slice(piece);
            while !packed.is_empty() {
                plain.extend_from_slice(&gunzip.unpack(&mut packed)?);
            }
        }
        plain.extend_from_slice(&gunzip.finish()?);
        Ok(plain)
    }

    #[test]
    fn every_missing_tail_is_noticed() {
        let packed = gzip("events and more events\n".repeat(20).as_bytes());
        for length in 0..packed.len() {
            assert!(unpacked([&packed[..length]]).is_err(), "cut at {length} of {}", packed.len());
        }
    }

    #[test]
    fn every_wrong_byte_of_the_content_or_the_trailer_is_noticed() {
        // The first ten bytes are the header; only the first four of them matter.
        let packed = gzip(b"events and more events\n");
        for at in (0..4).chain(10..packed.len()) {
            let mut wrong = packed.clone();
            wrong[at] = !wrong[at];
            assert!(unpacked([&wrong[..]]).is_err(), "byte {at} of {}", packed.len());
        }
    }

    #[test]
    fn what_follows_the_trailer_is_another_member_or_an_error() {
        let (one, two) = (gzip(b"one\n"), gzip(b"two\n"));
        assert_eq!(unpacked([&one[..], &two[..]]).unwrap(), b"one\ntwo\n");
        assert!(unpacked([&one[..], b"!"]).is_err());
        assert!(unpacked([&one[..], &two[..5]]).is_err());
    }

    #[test]
    fn a_bomb_unpacks_in_bounded_steps() {
        let bomb = gzip(&vec![0; 4 << 20]);
        let mut packed = Bytes::from(bomb);
        let mut gunzip = Gunzip::new();
        while !packed.is_empty() {
            assert!(gunzip.unpack(&mut packed).unwrap().len() <= PIECE);
        }
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_bytes(
            plain in prop::collection::vec(any::<u8>(), 0..5000),
            times in 1_usize..60,
            size in 1_usize..300,
        ) {
            let plain = plain.repeat(times);
            let packed = gzip(&plain);
            prop_assert_eq!(unpacked(packed.chunks(size)).unwrap(), plain);
        }
    }
}
