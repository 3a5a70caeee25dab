//! Files of JSON lines, and standard input, as an event source.
//!
//! The input is read once, to its verified end, before any slice is exported. So a pipe works like a
//! file, thirty days need one read, and damaged input is refused before any change to the lake. Each
//! line is stored in a temporary file (the spill file) for its day. Slices are exported from there, as often
//! as necessary.
//!
//! Every line is accounted for. A line without a time belongs to the day of the event before it, if
//! that day was requested, otherwise to the first day of the run.

mod accounts;
mod foreign_format;
mod gunzip;
mod input;
mod problem;
mod profiles;
mod reading;
mod records;
mod selection;
mod spill;
mod values;

pub use accounts::{Accounts, DateRange, Dates};
pub use input::Input;
pub use profiles::FileProfiles;
pub use selection::Selection;

use crate::blocking::blocking;
use crate::lake_folder::HIDDEN;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_domain::{Slice, SliceLabel, Window};
use problem::Problem;
use reading::Reader;
use spill::{Position, Spill, SpillWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{io, iter};

/// Why the input cannot be exported. The lake was not changed.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The problem of each file that cannot be used.
    #[error("{}", .0.join("\n"))]
    Unsound(Vec<String>),
    /// The lines could not be stored.
    #[error(
        "cannot write the temporary file in {} that stores the lines of the input; \
         free some space there, or use a lake on another disk", folder.display()
    )]
    Spill {
        /// Where the temporary file is.
        folder: PathBuf,
        /// What happened.
        #[source]
        cause: io::Error,
    },
}

/// An input that was read completely, as an event source.
#[derive(Debug, Clone)]
pub struct FileSource {
    days: Arc<[SliceLabel]>,
    spill: Arc<Spill>,
}

impl FileSource {
    /// A folder on the disk of a local lake, which needs room for the rows of the lines anyway. Nothing
    /// is created: if the lake does not exist yet, this is a parent folder.
    #[must_use]
    pub fn room(lake: &Path) -> PathBuf {
        let hidden = lake.join(HIDDEN).join("tmp");
        let above = lake.ancestors().map(Path::to_owned);
        let here = |folder: PathBuf| {
            if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }
        };
        let mut folders = iter::once(hidden).chain(above).map(here);
        folders.find(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir)
    }

    /// Reads all inputs to their ends. The required lines are stored in a temporary file in `folder`,
    /// which no other process can see. `progress` gets the number of lines so far.
    pub fn read(
        inputs: &[Input],
        selection: &Selection,
        folder: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Self, Accounts), InputError> {
        let full = |cause| InputError::Spill { folder: folder.to_owned(), cause };
        // Lines without a time need a place even if no day was requested.
        let writer = SpillWriter::new(folder, selection.days.len().max(1)).map_err(full)?;
        let mut reader = Reader::new(selection, writer, progress);
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
        let (writer, accounts) = reader.finish();
        let spill = writer.finish().map_err(full)?;
        let days = selection.days.iter().map(Slice::label).collect();
        Ok((Self { days, spill: Arc::new(spill) }, accounts))
    }
}

#[async_trait::async_trait]
impl EventSource for FileSource {
    async fn fetch(&self, window: &Window, _attempt: u32) -> Result<EventChunks, SourceError> {
        let label = window.slice().label();
        let Some(day) = self.days.iter().position(|day| *day == label) else {
            let what = format!("the input was not read for {label}; export the whole day from it");
            return Err(SourceError::Refused(what));
        };
        let spill = Arc::clone(&self.spill);
        let next = move |at: Option<Position>| {
            let spill = Arc::clone(&spill);
            async move {
                let Some(at) = at else { return Ok(None) };
                let piece = blocking(move || spill.piece(at)).await;
                piece
                    .map(|(lines, next)| Some((lines.into(), next)))
                    .map_err(|error| unreadable(&error))
            }
        };
        Ok(stream::try_unfold(self.spill.first(day), next).boxed())
    }
}

/// Reading it again will not help.
fn unreadable(error: &io::Error) -> SourceError {
    SourceError::Refused(format!(
        "cannot read the temporary file with the lines of the input: {error}"
    ))
}

#[cfg(test)]
mod messages;
#[cfg(test)]
mod tests;
