//! The slice's line in the ledger: entered before anything is written, looked at before anything is
//! put where readers see it, and ended when every manifest lists the slice.

use super::received::Received;
use super::{ExportError, Exporter};
use crate::document::{self, Edit, Read, SWAPS};
use crate::hash;
use crate::ledger::{self, Entry, Ledger, State};
use mixlake_domain::SliceLabel;

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
        let files = received.files.iter().map(|file| (&file.target, &file.live));
        Entry {
            slice,
            state: State::Writing,
            content: ledger::content(files, counts, quarantine.as_deref()),
            targets: received.targets(),
            counts,
            quarantine,
        }
    }

    /// Enters the slice as being written.
    pub(super) async fn begin(&self, ours: &Entry) -> Result<Step<Entry>, ExportError> {
        self.change_ledger(ours.slice, |mut ledger| {
            let other = ledger.of_other_time(ours.slice).is_some();
            if other || ledger.covering(ours.slice) != ours.slice {
                return Edit::Keep(Step::Lost);
            }
            let before = ledger.clone();
            ledger.begin(ours.clone());
            let begun = ledger.entry(ours.slice).cloned().unwrap_or_else(|| ours.clone());
            if ledger == before {
                return Edit::Keep(Step::Done(begun));
            }
            Edit::json(&ledger, Step::Done(begun))
        })
        .await
    }

    /// Enters the slice as published. One that was begun anew since is not ours to end, even with
    /// the same content: it has other targets to look at.
    pub(super) async fn end(
        &self,
        mut ours: Entry,
        begun: &Entry,
    ) -> Result<Step<()>, ExportError> {
        ours.state = State::Published;
        self.change_ledger(ours.slice, |mut ledger| match ledger.entry(ours.slice) {
            Some(entry) if *entry == ours => Edit::Keep(Step::Done(())),
            Some(entry) if entry == begun => {
                ledger.insert(ours.clone());
                Edit::json(&ledger, Step::Done(()))
            }
            _ => Edit::Keep(Step::Lost),
        })
        .await
    }

    async fn change_ledger<T>(
        &self,
        slice: SliceLabel,
        decide: impl Fn(Ledger) -> Edit<Step<T>>,
    ) -> Result<Step<T>, ExportError> {
        let read = || async move { Ok(Ledger::read(self.store, self.layout, slice.date()).await?) };
        let decide = |read: Read<Ledger>| -> Result<_, ExportError> {
            Ok(decide(read.value.unwrap_or_default()))
        };
        let key = self.layout.ledger(slice.date());
        document::change(self.store, &key, read, decide).await?.ok_or(ExportError::Contended(SWAPS))
    }

    /// Whether the slice is still ours to write, or published as we would publish it.
    pub(super) async fn still_ours(&self, begun: &Entry) -> Result<bool, ExportError> {
        let ledger = self.ledger(begun.slice).await?;
        Ok(ledger.entry(begun.slice).is_some_and(|entry| {
            entry == begun || entry.state == State::Published && entry.content == begun.content
        }))
    }
}
