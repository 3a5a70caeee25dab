//! The slice's line in the ledger: entered before anything is written, looked at before anything is
//! put where readers see it, and ended when every manifest lists the slice.

use super::receive::Received;
use super::staging::SliceFile;
use super::{ExportError, Exporter};
use crate::ledger::{self, Day, Entry, Ledger, State};
use crate::ports::Put;
use crate::{document, hash};
use mixlake_domain::SliceLabel;

/// How often a document is read and swapped anew before it is given up. Each time somebody else has
/// made a step, so this many in a row mean that something is wrong with the store.
pub(super) const SWAPS: u32 = 64;

/// How a step that others can interfere with ended.
pub(super) enum Step<T> {
    Done(T),
    /// Another run has taken the slice over.
    Lost,
}

impl Exporter<'_> {
    /// The ledger's line for what was received.
    pub(super) fn entry(&self, slice: SliceLabel, received: &Received) -> Entry {
        let quarantine = received.transformed.quarantine.as_ref();
        let quarantine =
            quarantine.map(|bytes| self.layout.quarantine(&slice, &hash::content(bytes)[..16]));
        let counts = received.transformed.counts.into();
        let files = received.files.iter().map(|f| (f.table.as_str(), f.date, &f.live));
        Entry {
            slice,
            state: State::Writing,
            content: ledger::content(files, counts, quarantine.as_deref()),
            days: received.days(),
            counts,
            quarantine,
        }
    }

    /// Enters the slice as being written.
    pub(super) async fn begin(&self, ours: &Entry) -> Result<Step<Entry>, ExportError> {
        let key = self.layout.ledger(ours.slice.date());
        for _ in 0..SWAPS {
            let read = Ledger::read(self.store, self.layout, ours.slice.date()).await?;
            let mut ledger = read.value.unwrap_or_default();
            let other = ledger.of_other_time(ours.slice).is_some();
            if other || ledger.covering(ours.slice) != ours.slice {
                return Ok(Step::Lost);
            }
            let before = ledger.clone();
            ledger.begin(ours.clone());
            let begun = ledger.entry(ours.slice).cloned().unwrap_or_else(|| ours.clone());
            if ledger == before {
                return Ok(Step::Done(begun));
            }
            match document::write(self.store, &key, &ledger, read.precondition).await? {
                Put::Done => return Ok(Step::Done(begun)),
                Put::Refused => {}
            }
        }
        Err(ExportError::Contended(SWAPS))
    }

    /// Enters the slice as published. One that was begun anew since is not ours to end, even with
    /// the same content: it has other days to look at.
    pub(super) async fn end(
        &self,
        mut ours: Entry,
        begun: &Entry,
    ) -> Result<Step<()>, ExportError> {
        ours.state = State::Published;
        let key = self.layout.ledger(ours.slice.date());
        for _ in 0..SWAPS {
            let read = Ledger::read(self.store, self.layout, ours.slice.date()).await?;
            let mut ledger = read.value.unwrap_or_default();
            match ledger.entry(ours.slice) {
                Some(entry) if *entry == ours => return Ok(Step::Done(())),
                Some(entry) if entry == begun => ledger.insert(ours.clone()),
                _ => return Ok(Step::Lost),
            }
            match document::write(self.store, &key, &ledger, read.precondition).await? {
                Put::Done => return Ok(Step::Done(())),
                Put::Refused => {}
            }
        }
        Err(ExportError::Contended(SWAPS))
    }

    /// Whether the slice is still ours to write, or published as we would publish it.
    pub(super) async fn still_ours(&self, begun: &Entry) -> Result<bool, ExportError> {
        let ledger = self.ledger(begun.slice).await?;
        Ok(ledger.entry(begun.slice).is_some_and(|entry| {
            entry == begun || entry.state == State::Published && entry.content == begun.content
        }))
    }
}

impl SliceFile {
    pub(super) fn day(&self) -> Day {
        Day { table: self.table.clone(), date: self.date }
    }
}
