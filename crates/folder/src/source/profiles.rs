//! Files of profiles: the lines are the `results` of the engage API.

use super::foreign_format;
use super::problem::Problem;
use super::reading::{beginning, content, read};
use super::records::Records;
use super::spill::{Position, Spill, SpillWriter};
use super::{Input, InputError, unreadable};
use crate::blocking::blocking;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{
    NextPage, PageEnd, PageError, PagePiece, PagePieces, ProfileSource, SourceError,
};
use mixlake_columnar::{Line, LineKind, Peek};
use std::path::Path;
use std::sync::Arc;

/// Bytes per read, and how much of the start of an input is checked to recognize its format.
const PIECE: usize = 256 << 10;

/// Profiles of files. They are one page.
#[derive(Debug, Clone)]
pub struct FileProfiles {
    spill: Arc<Spill>,
    lines: u64,
}

impl FileProfiles {
    /// Reads all inputs to their ends, so that damaged ones are refused before any work. The lines are stored in a
    /// temporary file in `folder`. `progress` gets the number of lines so far.
    pub fn read(
        inputs: &[Input],
        folder: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, InputError> {
        let full = |cause| InputError::Spill { folder: folder.to_owned(), cause };
        let writer = SpillWriter::new(folder, 1).map_err(full)?;
        let mut reader = Reader { writer, lines: 0, peek: Peek::new(None), progress };
        let mut unsound = Vec::new();
        for input in inputs {
            match reader.input(input) {
                Ok(()) => {}
                Err(Problem::Unsound(what)) => unsound.push(format!("{input} {what}")),
                Err(Problem::Spill(cause)) => return Err(full(cause)),
            }
        }
        if !unsound.is_empty() {
            return Err(InputError::Unsound(unsound));
        }
        let lines = reader.lines;
        Ok(Self { spill: Arc::new(reader.writer.finish().map_err(full)?), lines })
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

struct Reader<'a> {
    writer: SpillWriter,
    lines: u64,
    peek: Peek,
    progress: &'a mut dyn FnMut(u64),
}

impl Reader<'_> {
    fn input(&mut self, input: &Input) -> Result<(), Problem> {
        let mut content = content(input.open()?)?;
        let mut piece = beginning(&mut content, PIECE as u64)?;
        let mut records = Records::of(&piece);
        // The error in the last line.
        let mut error_at_end = None;
        while !piece.is_empty() {
            records.push(&piece, |line| {
                if is_blank(line) {
                    return Ok(());
                }
                error_at_end = foreign_format::error_at_end(line);
                self.line(line)
            })?;
            (self.progress)(self.lines);
            piece.resize(PIECE, 0);
            let length = read(&mut content, &mut piece)?;
            piece.truncate(length);
        }
        let rest = records.rest()?;
        match self.peek.line(rest) {
            LineKind::Blank => {}
            LineKind::Broken => return Err(Problem::unsound(foreign_format::CUT)),
            LineKind::Event { .. } | LineKind::EarlyEnd | LineKind::Odd => {
                error_at_end = foreign_format::error_at_end(rest);
                self.line(rest)?;
            }
        }
        match error_at_end {
            Some(error) => Err(Problem::Unsound(format!(
                "is incomplete: its last line is an error ({error}); export it again"
            ))),
            None => Ok(()),
        }
    }

    fn line(&mut self, line: Line<'_>) -> Result<(), Problem> {
        let (Line::Whole(bytes) | Line::TooLong { start: bytes, .. }) = line;
        self.lines += 1;
        self.writer.line(0, bytes).map_err(Problem::Spill)
    }
}

fn is_blank(line: Line<'_>) -> bool {
    matches!(line, Line::Whole(bytes) if bytes.trim_ascii().is_empty())
}

/// What comes next of the page.
enum At {
    Lines(Position),
    End,
}

#[async_trait::async_trait]
impl ProfileSource for FileProfiles {
    async fn page(&self, next: Option<&NextPage>, _attempt: u32) -> Result<PagePieces, PageError> {
        if let Some(next) = next {
            let what = format!("files are one page, and page {} was requested", next.page);
            return Err(SourceError::Refused(what).into());
        }
        let end = PageEnd {
            page: 0,
            // A page that is not full is the last one.
            page_size: self.lines + 1,
            session: "files".to_owned(),
            total: Some(self.lines),
            profiles: self.lines,
        };
        let spill = Arc::clone(&self.spill);
        let first = self.spill.first(0).map_or(At::End, At::Lines);
        let pieces = stream::try_unfold(Some(first), move |at| {
            let (spill, end) = (Arc::clone(&spill), end.clone());
            async move {
                match at {
                    None => Ok(None),
                    Some(At::End) => Ok(Some((PagePiece::End(end), None))),
                    Some(At::Lines(at)) => {
                        let piece = blocking(move || spill.piece(at)).await;
                        let (lines, next) =
                            piece.map_err(|error| PageError::from(unreadable(&error)))?;
                        let next = next.map_or(At::End, At::Lines);
                        Ok(Some((PagePiece::Lines(lines.into()), Some(next))))
                    }
                }
            }
        });
        Ok(pieces.boxed())
    }

    /// The files can be others next time.
    fn query(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn file(folder: &Path, name: &str, content: &[u8]) -> Input {
        let path: PathBuf = folder.join(name);
        std::fs::write(&path, content).unwrap();
        Input::File(path)
    }

    async fn page(source: &FileProfiles) -> (String, Option<PageEnd>) {
        let mut pieces = source.page(None, 0).await.unwrap();
        let (mut text, mut end) = (String::new(), None);
        while let Some(piece) = pieces.next().await {
            assert_eq!(end, None, "nothing comes after the end");
            match piece.unwrap() {
                PagePiece::Lines(lines) => text += std::str::from_utf8(&lines).unwrap(),
                PagePiece::End(said) => end = Some(said),
            }
        }
        (text, end)
    }

    #[tokio::test]
    async fn all_lines_of_all_files_are_one_page() {
        let folder = tempfile::tempdir().unwrap();
        let one = file(folder.path(), "1", b"{\"a\":1}\r\n\n{\"b\":2}\n\n \n");
        let other = file(folder.path(), "2", b"[{\"c\":3},\n {\"d\":4}]");
        let source = FileProfiles::read(&[one, other], folder.path(), &mut |_| ()).unwrap();
        for _ in 0..2 {
            let (text, end) = page(&source).await;
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            assert_eq!(lines, ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}", "{\"d\":4}"]);
            let end = end.unwrap();
            assert_eq!((end.page_size, end.total, end.profiles), (5, Some(4), 4));
        }
    }

    #[tokio::test]
    async fn a_file_without_lines_is_a_page_without_profiles() {
        let folder = tempfile::tempdir().unwrap();
        let none = file(folder.path(), "1", b"\n");
        let source = FileProfiles::read(&[none], folder.path(), &mut |_| ()).unwrap();
        let (text, end) = page(&source).await;
        assert_eq!((text.trim(), end.unwrap().profiles, source.lines()), ("", 0, 0));
    }

    #[test]
    fn files_that_are_cut_or_end_with_an_error_are_refused_before_any_work() {
        let folder = tempfile::tempdir().unwrap();
        let cut = file(folder.path(), "cut", b"{\"a\":1}\n{\"b\":");
        let error = file(folder.path(), "error", b"{\"a\":1}\n{\"error\":\"timed out\"}\n");
        let refused = FileProfiles::read(&[cut, error], folder.path(), &mut |_| ()).unwrap_err();
        let InputError::Unsound(what) = refused else { panic!("{refused:?}") };
        assert_eq!(what.len(), 2, "{what:?}");
        assert!(what[0].contains("/cut ") && what[1].contains("timed out"), "{what:?}");
    }
}
