//! The use-case *export*: a slice of time becomes rows of tables.
//!
//! A slice goes through four steps, and a crash between any two of them leaves nothing half done:
//!
//! 1. receive: the stream is read to its proven end and transformed; nothing is visible yet;
//! 2. reserve: new names enter the registry by compare-and-swap;
//! 3. enter the slice in the ledger as being written;
//! 4. publish each day it touches, then enter it as published.
//!
//! Whatever a step learns that makes the work of the steps before it useless (a name was taken, an
//! older twin of a row was already encoded, another run took the slice over) starts the slice
//! again with that knowledge.

mod claim;
mod elsewhere;
mod publish;
mod receive;
mod report;
mod reserve;
mod spool;
mod staging;
mod start;

pub use report::{ExportReport, NewColumn, SliceOutcome, SliceReport, SliceStatus, Totals};
pub use start::StartError;

use crate::document::DocumentError;
use crate::ledger::Ledger;
use crate::ports::{Clock, EventSource, ObjectStore, SourceError, StoreError};
use crate::{
    document,
    export::publish::Published,
    export::receive::{Received, Windows},
};
use mixlake_columnar::{Options, Superseded, TransformError};
use mixlake_domain::{Date, Layout, Slice, SliceLabel, Window, Zone};

/// What an export works with.
pub struct Exporter<'a> {
    /// Where events come from.
    pub source: &'a dyn EventSource,
    /// Where files go.
    pub store: &'a dyn ObjectStore,
    /// Where in the store.
    pub layout: &'a Layout,
    /// The zone whose days and hours are the slices.
    pub zone: &'a Zone,
    /// How events become rows.
    pub options: &'a Options,
    /// The first date of slices of ingestion, if there are to be any.
    pub ingestion_start: Option<Date>,
    /// Tells whether that date has begun.
    pub clock: &'a Clock,
}

/// Why a slice is not published.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The events could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The events could not be transformed.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest or ledger cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error("{location} cannot be used")]
    Registry {
        /// Where it lies.
        location: String,
        /// What is wrong.
        #[source]
        cause: mixlake_schema::DocumentError,
    },
    /// The identities of a file's rows cannot be used.
    #[error("{location} is missing or cannot be used; export the slice of its file again")]
    Identities {
        /// Where they lie.
        location: String,
        /// What is wrong.
        #[source]
        cause: mixlake_columnar::NoIdentities,
    },
    /// The lake's slices are days and hours of another zone.
    #[error(
        "timezone: the slices of this lake are days and hours of {has}; the setting says {wanted}. Another zone needs another s3_prefix or project"
    )]
    Zone {
        /// The zone that it has.
        has: String,
        /// The zone that was asked for.
        wanted: String,
    },
    /// Slices of ingestion would not begin where they do in this lake.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An earlier slice failed for a reason that would meet this one too.
    #[error("not tried: what kept {0} from being exported would keep this slice too")]
    NotTried(SliceLabel),
    /// The slice was cut down to this window, and even that could not be had whole.
    #[error("{window} cannot be had whole, and a shorter time is not asked for")]
    Minute {
        /// The window.
        window: Box<Window>,
        /// How the last attempt ended.
        #[source]
        cause: Box<ExportError>,
    },
    /// Others changed the same things again and again.
    #[error(
        "other runs changed the same slice {0} times in a row; run it again when they are done"
    )]
    Contended(u32),
}

impl ExportError {
    /// Whether the next slice would meet it too.
    fn meets_every_slice(&self) -> bool {
        match self {
            Self::Source(error) => match error {
                SourceError::RateLimited { .. }
                | SourceError::NotYet { .. }
                | SourceError::Refused(_) => true,
                SourceError::Incomplete { .. }
                | SourceError::Unavailable { .. }
                | SourceError::Unreachable { .. } => false,
            },
            Self::Store(_) | Self::Registry { .. } | Self::Zone { .. } => true,
            Self::Start(error) => error.meets_every_slice(),
            Self::Transform(_)
            | Self::Document(_)
            | Self::Identities { .. }
            | Self::NotTried(_)
            | Self::Minute { .. }
            | Self::Contended(_) => false,
        }
    }
}

/// How often a slice starts again before it gives up.
const ROUNDS: u32 = 8;

impl Exporter<'_> {
    /// Looks whether the store answers and the lake is one of these settings, before any work.
    pub async fn check(&self) -> Result<(), ExportError> {
        self.registry().await.map(|_| ())
    }

    /// Exports slices one after another. A slice that fails does not keep the next from being
    /// tried, unless the reason would meet every slice.
    pub async fn export(&self, slices: &[Slice]) -> ExportReport {
        let mut report = ExportReport::default();
        let mut stopped = None;
        for slice in slices {
            let outcome = match stopped {
                Some(label) => Err(ExportError::NotTried(label)),
                None => self.slice(slice).await,
            };
            if outcome.as_ref().is_err_and(ExportError::meets_every_slice) {
                stopped.get_or_insert(slice.label());
            }
            match &outcome {
                Ok(done) => tracing::info!(
                    slice = %done.slice, received = done.counts.received,
                    written = done.counts.written, duplicates = done.counts.duplicates,
                    quarantined = done.counts.quarantined, bytes = done.bytes,
                    "the slice is {}", done.status
                ),
                Err(error) => tracing::error!(
                    %slice, error = crate::chain(error), "the slice failed"
                ),
            }
            report.slices.push(SliceOutcome { slice: slice.clone(), outcome });
        }
        report
    }

    /// Exports one slice.
    pub async fn slice(&self, wanted: &Slice) -> Result<SliceReport, ExportError> {
        let mut known = Superseded::default();
        let mut windows = Windows::of(wanted);
        for _ in 0..ROUNDS {
            let slice = self.covering(wanted).await?;
            if slice != *windows.slice() {
                windows = Windows::of(&slice);
            }
            let registry = self.registry().await?;
            let received = self.receive(&mut windows, &registry, &known).await?;
            if !received.transformed.superseded.is_empty() {
                tracing::info!(%slice, "repeated rows lie far apart; reading the slice again");
                known = known.merged(&received.transformed.superseded);
                self.discard(&received).await;
                continue;
            }
            match self.elsewhere(slice.label(), &received).await {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => {
                    tracing::info!(%slice, rows = rows.len(), "other slices have rows of this one; reading it again without them");
                    known = known.merged(&rows);
                    self.discard(&received).await;
                    continue;
                }
                Err(error) => {
                    self.discard(&received).await;
                    return Err(error);
                }
            }
            let published = self.reserve_and_publish(&slice, &received).await;
            self.discard(&received).await;
            if let Some(published) = published? {
                return Ok(published.into_report(&slice, &received, &registry));
            }
            // The source may answer otherwise by now: what was superseded need not be any more.
            known = Superseded::default();
        }
        Err(ExportError::Contended(ROUNDS))
    }

    /// None if others made what was received useless.
    async fn reserve_and_publish(
        &self,
        slice: &Slice,
        received: &Received,
    ) -> Result<Option<Published>, ExportError> {
        if !self.reserve(&received.transformed.registry).await? {
            tracing::info!(%slice, "a name was given to something else meanwhile; starting again");
            return Ok(None);
        }
        let published = self.publish(slice, received).await?;
        if published.is_none() {
            tracing::info!(%slice, "another run took the slice over, or published rows of it; starting again");
        }
        Ok(published)
    }

    /// The slice to export for this one to be: a day that was exported whole is exported whole.
    async fn covering(&self, slice: &Slice) -> Result<Slice, ExportError> {
        let ledger = self.ledger(slice.label()).await?;
        if let Some(other) = ledger.of_other_time(slice.label()) {
            return Err(StartError::Both { slice: slice.label(), other }.into());
        }
        let label = ledger.covering(slice.label());
        Ok(Slice::of_label(label, self.zone).unwrap_or_else(|| slice.clone()))
    }

    async fn ledger(&self, slice: SliceLabel) -> Result<Ledger, ExportError> {
        let key = self.layout.ledger(slice.date());
        Ok(document::read(self.store, &key).await?.value.unwrap_or_default())
    }

    async fn discard(&self, received: &Received) {
        staging::discard(self.store, &received.files).await;
    }
}
