//! The profiles of a stand-in.

use super::data::unpacked;
use bytes::Bytes;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Profiles, as the engage API has them in `results`: one JSON text a line.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    lines: Arc<Vec<Bytes>>,
}

impl Profiles {
    /// Reads a file of lines, plain or gzip.
    pub fn load(path: &Path) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let bytes = std::fs::read(path).map_err(named)?;
        Ok(Self::parse(&unpacked(bytes).map_err(named)?))
    }

    /// Takes lines unchanged, without blank ones.
    #[must_use]
    pub fn parse(json_lines: &[u8]) -> Self {
        let lines = json_lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Self { lines: Arc::new(lines.map(Bytes::copy_from_slice).collect()) }
    }

    /// The number of profiles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no profiles.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The profiles of a page; none after the last one.
    pub(super) fn page(&self, number: usize, size: usize) -> &[Bytes] {
        let pages = self.lines.chunks(size.max(1));
        pages.into_iter().nth(number).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_full_but_the_last() {
        let profiles = Profiles::parse(b"{}\n\n{\"a\":1}\n[]\n");
        assert_eq!(profiles.len(), 3);
        assert_eq!(profiles.page(0, 2).concat(), b"{}{\"a\":1}");
        assert_eq!(profiles.page(1, 2).concat(), b"[]");
        assert!(profiles.page(2, 2).is_empty() && profiles.page(1, 3).is_empty());
    }
}
