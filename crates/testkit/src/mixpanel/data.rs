//! The lines of a stand-in.

use super::line::Line;
use super::params::ExportParams;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use mixlake_domain::{Date, Timestamp, Zone};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// JSON lines, read once and shared by all servers.
#[derive(Debug, Clone, Default)]
pub struct Data {
    lines: Arc<Vec<Anchored>>,
}

/// A line with the line whose time it has: itself, or a neighbour if it is broken.
#[derive(Debug)]
struct Anchored {
    line: Line,
    anchor: Option<usize>,
}

impl Data {
    /// Reads files of JSON lines, plain or gzip, in order.
    pub fn load<P: AsRef<Path>>(paths: &[P]) -> io::Result<Self> {
        let mut all = Vec::new();
        for path in paths {
            let name = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.as_ref().display()))
            };
            let bytes = std::fs::read(path).map_err(name)?;
            all.extend_from_slice(&unpacked(bytes).map_err(name)?);
            if !all.ends_with(b"\n") {
                all.push(b'\n');
            }
        }
        Ok(Self::parse(&all))
    }

    /// Takes JSON lines unchanged.
    #[must_use]
    pub fn parse(json_lines: &[u8]) -> Self {
        let bytes = Bytes::copy_from_slice(json_lines.strip_suffix(b"\n").unwrap_or(json_lines));
        let lines: Vec<Line> = bytes
            .split(|byte| *byte == b'\n')
            .filter(|_| !bytes.is_empty())
            .map(|raw| Line::new(bytes.slice_ref(raw)))
            .collect();
        let first_valid = lines.iter().position(|line| line.time_ms().is_some());
        let mut anchor = first_valid;
        let anchored = lines.into_iter().enumerate().map(|(index, line)| {
            if line.time_ms().is_some() {
                anchor = Some(index);
            }
            Anchored { line, anchor }
        });
        Self { lines: Arc::new(anchored.collect()) }
    }

    /// The number of lines, including broken ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The day of the latest event, UTC.
    pub(super) fn last_day(&self) -> Option<Date> {
        let latest = self.lines.iter().filter_map(|anchored| anchored.line.time_ms()).max()?;
        Some(Zone::UTC.date_of(Timestamp::from_millisecond(latest).ok()?))
    }

    /// The lines that a query selects, in the order of the data.
    pub(super) fn select<'a>(&'a self, params: &'a ExportParams) -> impl Iterator<Item = &'a Line> {
        let selected = |anchored: &&Anchored| match anchored.anchor {
            Some(anchor) => params.covers(&self.lines[anchor].line) && params.names(&anchored.line),
            None => true,
        };
        let limit = params.limit().unwrap_or(usize::MAX);
        self.lines.iter().filter(selected).map(|anchored| &anchored.line).take(limit)
    }
}

pub(super) fn unpacked(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn ask(data: &Data, pairs: &[(&str, &str)]) -> String {
        let pairs: HashMap<String, String> =
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let params = ExportParams::read(&pairs, "2026-12-31".parse().unwrap()).unwrap();
        let mut out = Vec::new();
        for line in data.select(&params) {
            line.write(false, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    const MIXED: &str = concat!(
        "first and broken\n",
        r#"{"event":"a","properties":{"time":1794355199}}"#,
        "\n", // 2026-11-10T23:59:59
        "\n",
        r#"{"event":"b","properties":{"time":1794355200}}"#,
        "\n", // 2026-11-11T00:00:00
        r#"{"event":"b","properties":{"time":17"#,
    );

    #[test]
    fn broken_lines_travel_with_the_line_before_them() {
        let data = Data::parse(MIXED.as_bytes());
        let day = |date| ask(&data, &[("from_date", date), ("to_date", date)]);
        assert_eq!(day("2026-11-10") + &day("2026-11-11"), format!("{MIXED}\n"));
        assert_eq!(day("2026-11-10").lines().count(), 3);
    }

    #[test]
    fn an_allow_list_keeps_broken_lines() {
        let data = Data::parse(MIXED.as_bytes());
        let both = [("from_date", "2026-11-10"), ("to_date", "2026-11-11")];
        let only_a = [both[0], both[1], ("event", r#"["a"]"#)];
        assert_eq!(ask(&data, &only_a).lines().count(), 4);
    }

    #[test]
    fn no_bytes_are_no_lines() {
        assert!(Data::parse(b"").is_empty());
        assert_eq!(Data::parse(b"\n\n").len(), 2);
    }
}
