//! The use case *profiles*: all profiles of users, or of the groups of a key, become one table that is replaced as
//! a whole.
//!
//! 1. receive: read all pages of a session. Only pages that fit together prove that they are all profiles. Nothing
//!    is visible yet.
//! 2. transform the pages.
//! 3. reserve: add new names to the registry by compare-and-swap.
//! 4. begin: enter in the state of the lake that the table is being written.
//! 5. publish: write the files of a new generation, then the manifest. Equal profiles write nothing.
//!
//! If another run invalidates a step, the export starts again at step 2. The pages are not requested again.

mod error;
#[cfg(test)]
mod messages;
mod names;
mod pages;
mod publish;
mod received;
mod report;
mod session;
mod state;

pub use error::ProfilesError;
pub use report::{ProfilesReport, TableOutcome, TableReport, TableStatus};
pub use session::PagesProblem;
pub use state::{ProfilesState, PublishedProfiles, TableExports};

use crate::export::{Effort, RunTime, Safeguards};
use crate::people::People;
use crate::ports::{Clock, ObjectStore, ProfileSource, SourceError};
use mixlake_columnar::{Options, Superseded};
use mixlake_domain::{Dataset, Layout, TableName, Timestamp};
use pages::Pages;
use publish::Published;

/// The parameters of an export of profiles.
#[derive(Clone, Copy)]
pub struct ProfileExporter<'a> {
    /// The source of the profiles of one table.
    pub source: &'a dyn ProfileSource,
    /// The store for files.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// The options of the transformation.
    pub options: &'a Options,
    /// The clock. Of two exports at the same time, the one that began later wins.
    pub clock: &'a Clock,
    /// The time limits of the run, if it has any.
    pub time: Option<RunTime>,
    /// What the export may do to live rows.
    pub safeguards: Safeguards,
}

/// The number of times that profiles are transformed before the export fails.
const ROUNDS: u32 = 8;

impl ProfileExporter<'_> {
    /// Checks that the store responds and the table can be used, before any work.
    pub async fn check(&self, table: &TableName) -> Result<(), ProfilesError> {
        self.registry().await?;
        let events = self.registry_of(Dataset::Events).await?.value.unwrap_or_default();
        if events.tables().contains_key(table.as_str()) {
            return Err(ProfilesError::Taken(table.to_string()));
        }
        Ok(())
    }

    /// Exports the profiles of a table.
    pub async fn export(&self, table: &TableName) -> TableOutcome {
        let (began, queries) = (self.now(), self.source.queries());
        let outcome = self.table(table).await;
        log(table, &outcome);
        let queries = self.source.queries().saturating_sub(queries);
        let effort = Effort { began, ended: self.now(), queries };
        TableOutcome { table: table.clone(), outcome, effort }
    }

    async fn table(&self, table: &TableName) -> Result<TableReport, ProfilesError> {
        self.check(table).await?;
        let pages = self.receive(table).await?;
        match self.publish_pages(table, &pages).await {
            Err(error) if error.is_for_later() => {
                self.keep(table, pages).await;
                Err(error)
            }
            result => {
                pages.discard(self.store).await;
                result
            }
        }
    }

    async fn publish_pages(
        &self,
        table: &TableName,
        pages: &Pages,
    ) -> Result<TableReport, ProfilesError> {
        let mut superseded = Superseded::default();
        for _ in 0..ROUNDS {
            let people = People::read(self.store, self.layout).await?;
            let received = self.transform(table, pages, &superseded, people.as_ref()).await?;
            let late = &received.transformed.superseded;
            if !late.is_empty() {
                tracing::info!(%table, "two profiles of a person are far apart; the export reads the pages again");
                superseded = superseded.merged(late);
                self.discard(&received).await;
                continue;
            }
            let published = match self.judge(table, &received.transformed).await {
                Ok(taken) => self
                    .publish(table, pages.began, &received, people.as_ref())
                    .await
                    .map(|published| (published, taken)),
                Err(error) => Err(error),
            };
            self.discard(&received).await;
            match published? {
                (Published::Done(outcome, manifest), rows_taken) => {
                    let report = self.report(table, pages, &received, (outcome, manifest));
                    return Ok(TableReport { rows_taken, ..report });
                }
                (Published::Newer, _) => {
                    let nothing = (crate::Outcome::Unchanged, None);
                    let report = self.report(table, pages, &received, nothing);
                    return Ok(TableReport { status: TableStatus::Superseded, ..report });
                }
                (Published::Lost, _) => {
                    tracing::info!(%table, "another run changed the lake; the export starts again");
                }
            }
        }
        Err(ProfilesError::Contended(ROUNDS))
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Returns an error if the run's time is used up.
    fn in_time(&self) -> Result<(), ProfilesError> {
        match self.time {
            Some(time) if self.now() >= time.ends => Err(SourceError::OutOfTime.into()),
            Some(_) | None => Ok(()),
        }
    }
}

fn log(table: &TableName, outcome: &Result<TableReport, ProfilesError>) {
    match outcome {
        Ok(done) => {
            if let Some(taken) = &done.rows_taken {
                tracing::warn!(target: crate::TOLD, %table, before = taken.before, after = taken.after,
                    "there are fewer profiles than before");
            }
            tracing::info!(
                %table, pages = done.pages, received = done.counts.received,
                written = done.counts.written, duplicates = done.counts.duplicates,
                quarantined = done.counts.quarantined, bytes = done.bytes,
                "the profiles are {}", done.status
            );
        }
        Err(error) => tracing::error!(
            target: crate::TOLD,
            %table, error = crate::chain(error), "the export of profiles failed"
        ),
    }
}
