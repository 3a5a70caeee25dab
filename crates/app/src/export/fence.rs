//! The slice's entry in the ledger. It works as a fence against other runs: it is written before any
//! file, checked before each change that readers see, and completed when every manifest lists the slice.

use super::received::Received;
use super::{ExportError, Exporter};
use crate::document::{self, Edit, Read, SWAPS};
use crate::hash;
use crate::ledger::{self, Entry, Ledger, State};
use mixlake_domain::SliceLabel;

/// The result of a step that another run can prevent.
pub(super) enum Step<T> {
    Done(T),
    /// Another run has taken over the slice.
    Lost,
}

impl Exporter<'_> {
    /// The ledger entry for a received slice.
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
            files: None,
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

    /// Enters the slice as published. If another run has entered it again since, this run must not
    /// complete it, even if the content is equal: that entry has other targets to check.
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

    /// Whether this run may still write the slice, or another run has published the same content.
    pub(super) async fn still_ours(&self, begun: &Entry) -> Result<bool, ExportError> {
        let ledger = self.ledger(begun.slice).await?;
        Ok(ledger.entry(begun.slice).is_some_and(|entry| {
            entry == begun || entry.state == State::Published && entry.content == begun.content
        }))
    }
}
