//! Content hashes, for names and comparisons.

use mixlake_domain::Generation;

/// The hash of some bytes, as 32 hexadecimal digits.
pub(crate) fn content(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

/// The hash of bytes that come in pieces; see [`content`].
#[derive(Default)]
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }
}

/// The hash of a list of texts. The boundaries between the texts count.
pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    digest(parts).to_hex()[..32].to_owned()
}

/// The name of a generation, from its content and its predecessor. So names are never reused.
pub(crate) fn generation<'a>(parts: impl IntoIterator<Item = &'a str>) -> Generation {
    let first: [u8; 8] = digest(parts).as_bytes()[..8].try_into().expect("8 of 32 bytes");
    Generation::from_hash(u64::from_be_bytes(first))
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}
