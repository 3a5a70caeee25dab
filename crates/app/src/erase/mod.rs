//! The use case *erase*: removes a person from a lake, and keeps exports from bringing the person back.
//!
//! 1. The person is entered into the suppression document (`people.rs`). Exports that begin to receive a
//!    slice from now on leave the person out.
//! 2. Slices that the ledgers have as being written may have been received before. They are fenced: their
//!    exports lose the ledger entry and start again, and every day that they touch gets a new manifest, so
//!    that their conditional writes fail.
//! 3. Every object of the lake is searched.
//! 4. Days with rows of the person get a new generation without them. The ledger has their slices as being
//!    written meanwhile, as for an export. At the end it has the new counts, so a later export of the same
//!    lines finds the slice unchanged.
//! 5. Bad lines of the person are removed, and staged objects are deleted.
//! 6. A receipt says what was done. It has salted hashes and no identifier.
//!
//! Each step can be repeated, so a run that was interrupted is completed by running it again.

mod bad_lines;
mod error;
mod fence;
mod mark;
mod profiles;
mod receipt;
mod report;
mod resolve;
mod search;
mod settle;
mod target;

pub use error::EraseError;
pub use report::{
    ErasedLines, ErasedTarget, ErasureReport, Failure, Mention, OldCopies, Searched, Status,
};

use crate::people::People;
use crate::ports::{Clock, ObjectStore};
use fence::Fences;
use mixlake_columnar::{Person, Salt};
use mixlake_domain::{Layout, ProjectId, SliceLabel, Target, Timestamp, Zone};
use receipt::Receipt;
use search::{Columns, Found};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The parameters of an erasure.
#[derive(Clone, Copy)]
pub struct Eraser<'a> {
    /// The store of the lake.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// The project.
    pub project: &'a ProjectId,
    /// The clock.
    pub clock: &'a Clock,
    /// Random bytes, for a lake from which nobody was erased before.
    pub salt: Salt,
    /// How long replaced files stay.
    pub keep_replaced: Duration,
    /// Whether nothing is changed.
    pub dry_run: bool,
}

/// The rows that were removed from the files of a slice.
#[derive(Debug, Clone, Copy, Default)]
struct Removed {
    rows: u64,
    /// Those whose time is outside of the slice.
    outside: u64,
}

/// The state of a run.
struct Run<'a> {
    person: &'a Person,
    columns: Columns,
    zone: Zone,
    found: Found,
    removed: BTreeMap<SliceLabel, Removed>,
    report: ErasureReport,
}

impl Eraser<'_> {
    /// Erases the person with these identifiers. Objects that fail are in the report; the others are done.
    pub async fn erase(&self, identifiers: &[String]) -> Result<ErasureReport, EraseError> {
        let person = Person::new(identifiers.iter().map(String::as_str));
        let columns = self.columns().await?;
        let zone = columns.zone()?;
        let (people, is_new) = self.enter(identifiers).await?;
        let mut open = if self.dry_run { Fences::new() } else { self.fence().await? };
        let profiles = if self.dry_run { BTreeSet::new() } else { self.fence_profiles().await? };
        let found = self.search(&person, &columns).await?;
        let mut report = Self::reported(&people, identifiers, &found);
        report.newly_suppressed = is_new;
        let mut run =
            Run { person: &person, columns, zone, found, removed: BTreeMap::new(), report };
        if self.dry_run {
            run.report.status = Status::of(&run.report, true);
            let would_stay = !run.report.old_copies.is_empty();
            run.report.last_copy_goes = would_stay.then(|| self.now() + self.keep_replaced);
            return Ok(run.report);
        }
        let unfinished = self.unfinished().await?;
        let is_needed = is_new || run.found.has_any() || !unfinished.is_empty();
        // A receipt that is there and not done belongs to an interrupted run.
        let mut receipt = Receipt::read(self.store, self.layout, &run.report.people).await?;
        if is_needed {
            receipt = Some(self.begin_receipt(&run.report).await?);
        }
        self.targets(&mut run, &mut open).await;
        self.end_fences(&open, &mut run.report).await;
        self.profiles(&mut run, profiles).await;
        self.bad_lines(&mut run).await;
        self.staged(&mut run).await;
        run.report.status = Status::of(&run.report, false);
        run.report.last_copy_goes = self.last_copy_goes(&run).await?;
        if receipt.is_some_and(|receipt| !receipt.is_done()) && run.report.failed.is_empty() {
            self.end_receipt(&run.report).await?;
        }
        let key = self.layout.erasure(&receipt::name(&run.report.people));
        run.report.receipt = self.store.tail(&key, 1).await?.map(|_| key);
        Ok(run.report)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The people of the lake with the new ones, and whether they are new.
    async fn enter(&self, identifiers: &[String]) -> Result<(People, bool), EraseError> {
        let before = People::read(self.store, self.layout).await?;
        let known = |people: &People| identifiers.iter().all(|id| people.has(id));
        let is_new = !before.as_ref().is_some_and(known);
        if self.dry_run {
            return Ok((before.unwrap_or_else(|| People::with_salt(self.salt)), is_new));
        }
        let date = Zone::UTC.date_of(self.now());
        let entered =
            People::enter(self.store, self.layout, self.salt, (identifiers, date)).await?;
        Ok((entered.ok_or(EraseError::Contended)?, is_new))
    }

    /// When the last file with the person is deleted, if replaced files have the person.
    async fn last_copy_goes(&self, run: &Run<'_>) -> Result<Option<Timestamp>, EraseError> {
        let mut last = None;
        for target in run.report.old_copies.iter().map(OldCopies::target) {
            let key = self.layout.manifest(&target);
            let listed = self.store.list(&key).await?;
            let changed = listed.into_iter().find(|object| object.key == key);
            let changed = changed.and_then(|object| object.modified);
            let changed = changed.and_then(|time| Timestamp::try_from(time).ok());
            let goes = changed.unwrap_or_else(|| self.now()) + self.keep_replaced;
            last = last.max(Some(goes));
        }
        Ok(last)
    }
}

impl Run<'_> {
    fn fail(&mut self, what: String, error: &dyn std::error::Error) {
        self.report.fail(what, error);
    }

    /// The targets that have rows of the person.
    fn worklist(&self) -> Vec<Target> {
        let live = self.found.targets.iter().filter(|(_, found)| found.has_live_rows());
        live.map(|(target, _)| target.clone()).collect()
    }
}
