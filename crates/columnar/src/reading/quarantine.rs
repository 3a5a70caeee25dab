//! The quarantine file: lines that are no events, as received, each with its reason.

use crate::reading::bad_line::BadLine;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::io::{self, Write};

/// Collects bad lines as gzip JSON lines, so that they cost little memory.
#[derive(Debug)]
pub(crate) struct Quarantine {
    lines: u64,
    /// The first reasons, each once.
    reasons: Vec<String>,
    gzip: GzEncoder<Vec<u8>>,
}

/// How many reasons an error names.
const REASONS: usize = 3;

/// A line of the quarantine file.
#[derive(Serialize)]
struct Record<'a> {
    reason: String,
    /// The line, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    /// The line's bytes, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_base64: Option<String>,
}

impl Quarantine {
    pub(crate) fn new() -> Self {
        // The header carries no time, so equal lines give equal bytes.
        Self {
            lines: 0,
            reasons: Vec::new(),
            gzip: GzEncoder::new(Vec::new(), Compression::default()),
        }
    }

    pub(crate) fn add(&mut self, line: &[u8], reason: &BadLine) -> io::Result<()> {
        self.add_with(line, reason.to_string())
    }

    /// Adds a line with a reason that was written before.
    pub(crate) fn add_with(&mut self, line: &[u8], reason: String) -> io::Result<()> {
        let text = std::str::from_utf8(line).ok();
        let record = Record {
            reason,
            line: text,
            line_base64: text.is_none().then(|| STANDARD.encode(line)),
        };
        if self.reasons.len() < REASONS && !self.reasons.contains(&record.reason) {
            self.reasons.push(record.reason.clone());
        }
        serde_json::to_writer(&mut self.gzip, &record)?;
        self.gzip.write_all(b"\n")?;
        self.lines += 1;
        Ok(())
    }

    /// The first reasons, each once.
    pub(crate) fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Bytes held, about: what is compressed already.
    pub(crate) fn memory(&self) -> usize {
        self.gzip.get_ref().len()
    }

    /// The number of lines, and the file; none if there are no lines.
    pub(crate) fn finish(self) -> io::Result<(u64, Option<Bytes>)> {
        let bytes = self.gzip.finish()?;
        Ok((self.lines, (self.lines > 0).then(|| bytes.into())))
    }
}
