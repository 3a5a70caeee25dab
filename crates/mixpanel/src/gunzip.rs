//! Unpacks gzip piece by piece, and tells at the end whether all of it was there.

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use std::io::{self, Write};

/// Deflate packs at most 1,032 bytes into one, so one step gives at most a mebibyte, whatever the
/// sender made up.
const STEP: usize = 1024;

/// Output is handed on when there is this much of it.
const ENOUGH: usize = 64 * 1024;

/// As much output as there usually is: the decoder hands 32 KB on at a time. More makes it grow.
const ROOM: usize = ENOUGH + (32 << 10);

/// A gzip body that is being unpacked. After an error it must not be used again.
pub(crate) struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
}

impl Gunzip {
    pub(crate) fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()) }
    }

    /// Unpacks from the front of `packed` until there is enough output or no more input. The
    /// output can be empty: gzip holds bytes back.
    pub(crate) fn unpack(&mut self, packed: &mut Bytes) -> io::Result<Bytes> {
        while !packed.is_empty() && self.decoder.get_ref().len() < ENOUGH {
            let step = packed.split_to(packed.len().min(STEP));
            self.decoder.write_all(&step)?;
        }
        Ok(self.output())
    }

    /// The last output, if the trailer was there and its length and checksum are right.
    pub(crate) fn finish(mut self) -> io::Result<Bytes> {
        self.decoder.try_finish()?;
        Ok(self.output())
    }

    fn output(&mut self) -> Bytes {
        if self.decoder.get_ref().is_empty() {
            return Bytes::new();
        }
        std::mem::replace(self.decoder.get_mut(), Vec::with_capacity(ROOM)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

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
        // The first ten bytes are the header; of these only the first four matter.
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
            assert!(gunzip.unpack(&mut packed).unwrap().len() <= ENOUGH + (STEP << 10) + STEP * 40);
        }
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_bytes(
            plain in prop::collection::vec(any::<u8>(), 0..5000),
            size in 1_usize..300,
        ) {
            let packed = gzip(&plain);
            prop_assert_eq!(unpacked(packed.chunks(size)).unwrap(), plain);
        }
    }
}
