//! The use case *export*: a slice of time becomes rows of tables.
//!
//! A slice goes through four steps. A crash between two steps leaves nothing half visible:
//!
//! 1. receive: read the stream until it has proven complete, and transform it. Nothing is visible yet.
//! 2. reserve: add new names to the registry by compare-and-swap.
//! 3. begin: enter the slice in the ledger as being written.
//! 4. publish: write each day that the slice touches, then enter the slice as published.
//!
//! A step can learn something that invalidates earlier steps: a name was given to another property, the
//! older of two duplicates was already encoded, or another run took over the slice. Then the slice
//! starts again with that information.

mod checkpoint;
mod error;
mod evidence;
mod fence;
mod missing;
mod publish;
mod published;
mod receive;
mod received;
mod report;
mod reserve;
mod rows_taken;
mod safeguards;
mod shared_rows;
mod staging;
mod start;
mod start_error;
mod time;

pub use error::ExportError;
pub(crate) use evidence::{TELLING, is_more};
pub(crate) use missing::missing_of;
pub use missing::{Expected, Missing};
pub(crate) use published::new_columns;
pub use report::{
    Effort, ExportReport, NewColumn, SliceOutcome, SliceReport, SliceStatus, TargetChange, Totals,
};
pub use safeguards::{OnEmpty, RowsTaken, Safeguards};
pub use start_error::StartError;
pub use time::RunTime;

use crate::ledger::{Entry, Ledger, State};
use crate::people::People;
use crate::ports::{Clock, EventSource, ObjectStore};
use mixlake_columnar::{Options, Superseded};
use mixlake_domain::{Basis, Date, Layout, Slice, SliceLabel, Target, Zone};
use published::Published;
use receive::Known;
use received::Received;
use std::collections::BTreeSet;
use std::time::Duration;

/// The parameters of an export.
pub struct Exporter<'a> {
    /// The source of events.
    pub source: &'a dyn EventSource,
    /// The store for files.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// The zone of the slices.
    pub zone: &'a Zone,
    /// The options of the transformation.
    pub options: &'a Options,
    /// The first date of slices of ingestion, if there are any.
    pub ingestion_start: Option<Date>,
    /// The clock. It decides whether that date has begun, and how much of the run's time is left.
    pub clock: &'a Clock,
    /// The time limits of the run, if it has any.
    pub time: Option<RunTime>,
    /// Whether published slices are exported again.
    pub force: bool,
    /// What the export may do to live rows.
    pub safeguards: Safeguards,
}

/// The number of times that a slice is started before it fails.
const ROUNDS: u32 = 8;

impl Exporter<'_> {
    /// Checks that the store responds and the lake matches these settings, before any work.
    pub async fn check(&self) -> Result<(), ExportError> {
        self.registry().await.map(|_| ())
    }

    /// Exports slices one after another. If a slice fails, the next one is still tried, unless it would
    /// fail for the same reason. A slice is not started if, judging by the slices before it, it may not
    /// fit into the remaining time.
    pub async fn export(&self, slices: &[Slice]) -> ExportReport {
        let mut report = ExportReport::default();
        let mut stopped = None;
        let mut longest = Duration::ZERO;
        for slice in slices {
            let (outcome, effort) = match (stopped, self.fits(longest)) {
                (Some(label), _) => (Err(ExportError::NotTried(label)), None),
                (None, Err(error)) => (Err(error), None),
                (None, Ok(())) => self.measured(slice).await,
            };
            longest = effort.map_or(longest, |it| longest.max(time::since(it.began, it.ended)));
            let meets_every_slice =
                |error: &ExportError| error.meets_every_slice(self.source.is_one_stream());
            if outcome.as_ref().is_err_and(meets_every_slice) {
                stopped.get_or_insert(slice.label());
            }
            log(slice, &outcome);
            report.slices.push(SliceOutcome { slice: slice.clone(), outcome, effort });
        }
        report
    }

    /// Exports one slice, and tells what that took. Slices are exported one after another, so the queries
    /// that the source sends meanwhile are those of the slice.
    async fn measured(&self, slice: &Slice) -> (Result<SliceReport, ExportError>, Option<Effort>) {
        let (began, queries) = (self.now(), self.source.queries());
        let outcome = self.slice(slice).await;
        let queries = self.source.queries().saturating_sub(queries);
        (outcome, Some(Effort { began, ended: self.now(), queries }))
    }

    /// Exports one slice.
    pub async fn slice(&self, wanted: &Slice) -> Result<SliceReport, ExportError> {
        let mut superseded = Superseded::default();
        let mut windows = self.windows(wanted).await?;
        let mut asked_again = false;
        for _ in 0..ROUNDS {
            let (slice, published) = self.covering(wanted).await?;
            if let Some(entry) = published.filter(|_| !self.force) {
                return Ok(SliceReport::existing(&slice, entry));
            }
            if slice != *windows.slice() {
                windows = self.windows(&slice).await?;
            }
            let registry = self.registry().await?;
            let people = People::read(self.store, self.layout).await?;
            let known = Known { superseded: superseded.clone(), people };
            let received = self.receive(&mut windows, &registry, &known).await?;
            match self.what_to_do(&slice, &received, &mut asked_again).await {
                Ok(Next::Publish(taken)) => {
                    let published = self.reserve_and_publish(&slice, &received, &known).await;
                    self.discard(&received).await;
                    if let Some(published) = published? {
                        return Ok(published.into_report(&slice, &received, &registry, taken));
                    }
                    // The source may respond differently now, so rows that were superseded need not be
                    // any more.
                    superseded = Superseded::default();
                }
                Ok(Next::ReadAgain(rows)) => {
                    superseded = superseded.merged(&rows);
                    self.discard(&received).await;
                }
                Err(error) => {
                    self.discard(&received).await;
                    return Err(error);
                }
            }
        }
        Err(ExportError::Contended(ROUNDS))
    }

    /// The next step after a slice was received.
    async fn what_to_do(
        &self,
        slice: &Slice,
        received: &Received,
        asked_again: &mut bool,
    ) -> Result<Next, ExportError> {
        let late = &received.transformed.superseded;
        if !late.is_empty() {
            tracing::info!(%slice, "repeated rows are far apart; the export reads the slice again");
            return Ok(Next::ReadAgain(late.clone()));
        }
        let taken = self.rows_taken(slice, received).await?;
        if received.transformed.counts.received == 0 && !taken.is_empty() {
            let rows = taken.iter().map(|day| day.before).sum();
            match self.safeguards.empty {
                OnEmpty::Refuse => return Err(ExportError::Empty { rows }),
                OnEmpty::AskAgain if !*asked_again => {
                    *asked_again = true;
                    tracing::warn!(%slice, rows, "the answer is empty, but rows are live; the export asks a second time");
                    return Ok(Next::ReadAgain(Superseded::default()));
                }
                OnEmpty::AskAgain | OnEmpty::Allow => {}
            }
        } else if !taken.is_empty() {
            // A slice of files may have only bad lines, but these must not replace rows.
            evidence::holds_an_event(&received.transformed)?;
            if !self.safeguards.fewer_rows {
                return Err(ExportError::Fewer { taken });
            }
        }
        let shared = self.shared_rows(slice, received).await?;
        if shared.is_empty() {
            return Ok(Next::Publish(taken));
        }
        tracing::info!(%slice, rows = shared.len(), "other slices hold rows of this slice; the export reads it again without them");
        Ok(Next::ReadAgain(shared))
    }

    /// Returns `None` if other runs invalidated what was received.
    async fn reserve_and_publish(
        &self,
        slice: &Slice,
        received: &Received,
        known: &Known,
    ) -> Result<Option<Published>, ExportError> {
        if !self.reserve(&received.transformed.registry).await? {
            tracing::info!(%slice, "another run gave a name to something else; the export starts again");
            return Ok(None);
        }
        let published = self.publish(slice, received, known.people.as_ref()).await?;
        if published.is_none() {
            tracing::info!(%slice, "another run took over the slice or published its rows, or a person was erased; the export starts again");
        }
        Ok(published)
    }

    /// The slice to export instead of this one, and its ledger entry if it is published. If a longer slice
    /// that covers it was exported, or its files were merged, all of that is exported again.
    async fn covering(&self, slice: &Slice) -> Result<(Slice, Option<Entry>), ExportError> {
        let ledger = self.ledger(slice.label()).await?;
        if let Some(other) = ledger.of_other_time(slice.label()) {
            return Err(StartError::Both { slice: slice.label(), other }.into());
        }
        let label = ledger.covering(slice.label());
        let published = ledger.entry(label).filter(|entry| entry.state == State::Published);
        let slice = Slice::of_label(label, self.zone).unwrap_or_else(|| slice.clone());
        if (self.force || published.is_none()) && self.is_compacted(&ledger, label).await? {
            return Ok((Slice::day(label.date(), self.zone), None));
        }
        Ok((slice, published.cloned()))
    }

    /// Whether rows of a slice of event time are in one file with rows of other slices. They can be
    /// replaced only together, so the whole day is exported again.
    async fn is_compacted(&self, ledger: &Ledger, slice: SliceLabel) -> Result<bool, ExportError> {
        if slice.is_day() || slice.basis() != Basis::EventTime {
            return Ok(false);
        }
        let replaced = ledger.slices.iter().filter(|entry| entry.slice.overlaps(&slice));
        let targets: BTreeSet<Target> = replaced.flat_map(|entry| entry.targets.clone()).collect();
        let manifests = self.manifests(targets.into_iter().collect()).await?;
        let mut manifests = manifests.iter().filter_map(|(_, manifest)| manifest.as_ref());
        Ok(manifests.any(|manifest| !publish::lost_to(manifest, slice).is_empty()))
    }

    async fn ledger(&self, slice: SliceLabel) -> Result<Ledger, ExportError> {
        self.ledger_of(slice.date()).await
    }

    async fn discard(&self, received: &Received) {
        staging::discard(self.store, &received.files).await;
    }
}

/// The next step after a slice was received.
enum Next {
    /// Publish the slice. It removes these rows.
    Publish(Vec<RowsTaken>),
    /// Receive the slice again, without these rows.
    ReadAgain(Superseded),
}

fn log(slice: &Slice, outcome: &Result<SliceReport, ExportError>) {
    match outcome {
        Ok(done) => {
            for taken in &done.rows_taken {
                tracing::warn!(target: crate::TOLD, %slice, before = taken.before, after = taken.after,
                    "the slice has fewer rows than before: {taken}");
            }
            tracing::info!(
                slice = %done.slice, received = done.counts.received,
                written = done.counts.written, duplicates = done.counts.duplicates,
                quarantined = done.counts.quarantined, bytes = done.bytes,
                "the slice is {}", done.status
            );
        }
        Err(ExportError::NotTried(_)) => tracing::info!(%slice, "the slice was not tried"),
        Err(error) => tracing::error!(
            target: crate::TOLD,
            %slice, error = crate::chain(error), "the slice failed"
        ),
    }
}
