//! The use case *identities*: the table `mp_identity_mappings_data` has the identity of each identifier that has
//! another one. It is made from what exported events say (`fact.rs`), by the rules in docs/COMPAT.md (`resolve.rs`).
//!
//! 1. The facts of each day of each table of events are stored as a hidden object that is named by the rows of the
//!    day (`state.rs`). A run reads only the days that have no object of their rows.
//! 2. The facts of all days are sorted and merged in temporary files, and the table is replaced as a whole.
//!
//! If two runs work at the same time, the one that changes the manifest first wins. The other one begins again, so
//! a run with older days never has the last word.
//!
//! If an erasure enters people in the meantime, the run deletes the facts that it has stored and begins again, because
//! it may have read rows of these people. The erasure removes what was stored before.

mod error;
mod fact;
#[cfg(test)]
mod messages;
mod report;
mod resolve;
mod sorter;
mod stars;
mod state;
mod table;

pub use error::IdentitiesError;
pub use fact::IdMerge;
pub use report::{FailedDay, IdentitiesReport};

use crate::commit::Outcome;
use crate::hash;
use crate::manifest::Manifest;
use crate::people::People;
use crate::ports::{Clock, ObjectStore, Precondition};
use futures::stream::{self, StreamExt, TryStreamExt};
use mixlake_columnar::{Options, Suppression};
use mixlake_domain::{Dataset, LakeObject, Layout, Origin, Target, Timestamp};
use resolve::resolve;
use sorter::Sorter;
use state::{FORM, Reading};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The parameters of a run.
pub struct IdentityMapper<'a> {
    /// The store.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// How files are written.
    pub options: &'a Options,
    /// How the project merges identities.
    pub merge: IdMerge,
    /// Bounds of memory and files.
    pub bounds: IdentityBounds,
    /// The clock.
    pub clock: &'a Clock,
    /// When the run has to end. It stores the days that it has read, so the next run continues.
    pub ends: Option<Timestamp>,
    /// The folder of temporary files.
    pub scratch: &'a Path,
}

/// Bounds of memory and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityBounds {
    /// Bytes of records in memory before they are stored in a temporary file. The work takes a few times as many.
    pub memory: usize,
    /// Rows of a file of the table, at most.
    pub file_rows: usize,
}

impl Default for IdentityBounds {
    fn default() -> Self {
        Self { memory: 64 << 20, file_rows: 524_288 }
    }
}

/// The number of manifests that are read at the same time.
const IN_FLIGHT: usize = 8;

/// The number of times that a run begins. Each further time, another run has changed something.
const ROUNDS: u32 = 8;

/// The days of the tables of events, with the hashes of their rows.
type Days = BTreeMap<Target, String>;

impl IdentityMapper<'_> {
    /// Brings the table up to date with the events of the lake.
    pub async fn run(&self) -> Result<IdentitiesReport, IdentitiesError> {
        let mut read = 0;
        for _ in 0..ROUNDS {
            let people = People::read(self.store, self.layout).await?;
            let mut stored = Vec::new();
            let done = self.pass(people.as_ref(), &mut stored).await;
            read += stored.len() as u64;
            if People::read(self.store, self.layout).await? != people {
                for key in stored {
                    self.store.delete(&key).await?;
                }
                continue;
            }
            match done? {
                IdentitiesReport { outcome: Some(Outcome::Superseded), .. } => {}
                report => return Ok(IdentitiesReport { days_read: read, ..report }),
            }
        }
        Err(IdentitiesError::Contended(ROUNDS))
    }

    /// `stored` gets the keys of the objects that were written.
    async fn pass(
        &self,
        people: Option<&People>,
        stored: &mut Vec<String>,
    ) -> Result<IdentitiesReport, IdentitiesError> {
        let seen = self.commit().read(&table::target()).await?;
        let (targets, kept) = self.listed().await?;
        let days = stream::iter(targets).map(|target| self.live_rows(target));
        let days = days.buffered(IN_FLIGHT).try_filter_map(|day| async { Ok(day) });
        let mut days: Days = days.try_collect().await?;
        let mut report = IdentitiesReport { days: days.len() as u64, ..Default::default() };
        let people = (people, people.map(People::suppression));
        self.read_days(&mut days, &kept, people.1.as_ref(), (stored, &mut report)).await?;
        for (target, rows) in &kept {
            if days.get(target) != Some(rows) {
                self.store.delete(&self.layout.identity_facts(target, rows)).await?;
            }
        }
        if report.days_left == 0 && report.failed.is_empty() {
            let inputs = (self.inputs(&days, people.0), people.1.as_ref());
            self.replace_table(seen, &days, inputs, &mut report).await?;
        }
        Ok(report)
    }

    /// The days that tables of events may have, and the days whose facts are stored.
    async fn listed(&self) -> Result<(Vec<Target>, BTreeSet<(Target, String)>), IdentitiesError> {
        let (mut targets, mut kept) = (Vec::new(), BTreeSet::new());
        for object in self.store.list(self.layout.root()).await? {
            if let Some(facts) = self.layout.of_identity_facts(&object.key) {
                kept.insert(facts);
            } else if let Some(key) = self.layout.read(&object.key)
                && key.object == LakeObject::Manifest
                && key.target.date.is_some()
                && Dataset::of_table(key.target.table.as_str()) == Dataset::Events
            {
                targets.push(key.target);
            }
        }
        Ok((targets, kept))
    }

    /// Reads the days whose facts are not stored.
    async fn read_days(
        &self,
        days: &mut Days,
        kept: &BTreeSet<(Target, String)>,
        suppression: Option<&Suppression>,
        (stored, report): (&mut Vec<String>, &mut IdentitiesReport),
    ) -> Result<(), IdentitiesError> {
        // Names are reserved before files are written, so it has the names of all columns of the manifests.
        let registry = self.registry(Dataset::Events).await?.value.unwrap_or_default();
        let reading = Reading::new(&registry, suppression);
        let unread = days
            .iter()
            .filter(|(target, rows)| !kept.contains(&((*target).clone(), (*rows).clone())));
        for target in unread.map(|(target, _)| target.clone()).collect::<Vec<_>>() {
            if self.may_go_on().is_err() {
                report.days_left += 1;
                continue;
            }
            match self.read_day(&target, &reading).await {
                Ok(Some(rows)) => {
                    stored.push(self.layout.identity_facts(&target, &rows));
                    days.insert(target, rows);
                }
                Ok(None) => drop(days.remove(&target)),
                Err(error) => {
                    let error = crate::chain(&error);
                    report.failed.push(FailedDay { day: target.to_string(), error });
                }
            }
        }
        Ok(())
    }

    /// Puts the facts of all days together.
    async fn replace_table(
        &self,
        seen: (Option<Manifest>, Precondition),
        days: &Days,
        (inputs, suppression): (String, Option<&Suppression>),
        report: &mut IdentitiesReport,
    ) -> Result<(), IdentitiesError> {
        let derived = Origin::Derived(inputs.clone());
        let live = seen.0.as_ref().map_or(&[][..], |manifest| &manifest.files);
        if !live.is_empty() && live.iter().all(|file| file.origin == derived) {
            report.outcome = Some(Outcome::Unchanged);
            report.identities = Some(live.iter().map(|file| file.rows).sum());
            return Ok(());
        }
        let mut facts = Sorter::new(self.disk());
        let mut count = 0;
        for (target, rows) in days {
            self.may_go_on()?;
            let Some(added) = self.add_stored((target, rows), suppression, &mut facts).await?
            else {
                report.outcome = Some(Outcome::Superseded);
                return Ok(());
            };
            count += added;
        }
        let mut table = self.new_table(&inputs).await?;
        resolve(
            facts,
            self.merge,
            self.disk(),
            &|| self.may_go_on(),
            &mut |identifier, identity| table.push(identifier, identity),
        )?;
        let (outcome, rows) = self.publish(seen, table).await?;
        (report.facts, report.identities) = (Some(count), Some(rows));
        report.outcome = Some(outcome);
        Ok(())
    }

    /// A hash of everything that the table depends on. A run that began before people were erased may have left them
    /// in the table.
    fn inputs(&self, days: &Days, people: Option<&People>) -> String {
        let people = people.map(People::fingerprint).unwrap_or_default();
        let days: Vec<String> =
            days.iter().map(|(target, rows)| format!("{target} {rows}")).collect();
        let days = days.iter().map(String::as_str);
        hash::of_parts([FORM, self.merge.name(), &people].into_iter().chain(days))
    }

    fn may_go_on(&self) -> io::Result<()> {
        match self.ends {
            Some(ends) if (self.clock)() >= ends => Err(ErrorKind::TimedOut.into()),
            Some(_) | None => Ok(()),
        }
    }
}
