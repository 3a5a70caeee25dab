//! The use case *compact*: the files of a closed day become few large ones, sorted across the day.
//!
//! The files of a target that hold slices of one date and basis are merged, because a day slice replaces them
//! together. A file of several slices has all of them as its origin. The new files are written to a new
//! generation, and the manifest is changed by a conditional write, so readers see the files before or after.
//!
//! An export may run at the same time. Compaction does not touch slices that a ledger has as being written. If
//! an export has replaced a merged file in the meantime, the compaction of this target is given up, and the next
//! run does it again. An export that adds files in the meantime stays, because its files are kept. An export
//! whose manifest is older than the compaction writes again, based on the new one.

mod error;
mod fetch;
mod groups;
mod publish;
mod report;

pub use error::CompactError;
pub use report::{CompactionOutcome, CompactionReport, Size, TargetCompaction};

use crate::commit::Commit;
use crate::ledger::{Ledger, State};
use crate::manifest::{LiveFile, Manifest};
use crate::ports::{Clock, ObjectStore};
use crate::registry;
use futures::stream::{self, StreamExt, TryStreamExt};
use groups::{Group, Verdict, groups};
use mixlake_columnar::{CompactionBounds, Compression};
use mixlake_domain::{Dataset, Date, Layout, ProjectId, Span, Target, Zone};
use mixlake_schema::Registry;
use std::collections::BTreeSet;
use std::path::Path;

/// The parameters of a compaction.
pub struct Compactor<'a> {
    /// The store for files.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// Whose lake it is.
    pub project: &'a ProjectId,
    /// The compression of the new files.
    pub compression: Compression,
    /// The version that the new files name as their writer.
    pub version: &'a str,
    /// Bounds of memory and files.
    pub bounds: CompactionBounds,
    /// The clock. It decides which days have ended.
    pub clock: &'a Clock,
    /// The folder of temporary files.
    pub scratch: &'a Path,
}

/// The number of manifests that are read at the same time.
const IN_FLIGHT: usize = 8;

impl Compactor<'_> {
    /// Compacts days. If a target fails, the next one is still tried. Days that have not ended in the zone
    /// of the lake are refused before any work.
    pub async fn compact(&self, dates: &[Date]) -> Result<CompactionReport, CompactError> {
        let mut report = CompactionReport::default();
        let Some(mut registry) = self.registry().await? else { return Ok(report) };
        self.check(&registry, dates)?;
        for date in dates {
            let live = self.live_targets(&registry, *date).await?;
            // Names are reserved before files are written, so a registry that is read after the manifests has the
            // name of each of their columns.
            registry = self.registry().await?.unwrap_or(registry);
            for (target, manifest) in live {
                let before = report::Before::of(&manifest.files);
                let outcome = self.target(&registry, &target, &manifest).await;
                report.targets.push(before.report(target, outcome));
            }
        }
        Ok(report)
    }

    /// The last dates that have ended, the oldest first. A lake without a registry has none.
    pub async fn last_dates(&self, days: u32) -> Result<Vec<Date>, CompactError> {
        let Some(registry) = self.registry().await? else { return Ok(Vec::new()) };
        let today = zone_of(&registry)?.date_of((self.clock)());
        let before = |days: u32| today.checked_sub(Span::new().days(days)).ok();
        Ok((1..=days).rev().filter_map(before).collect())
    }

    fn check(&self, registry: &Registry, dates: &[Date]) -> Result<(), CompactError> {
        let zone = zone_of(registry)?;
        let today = zone.date_of((self.clock)());
        match dates.iter().find(|date| **date >= today) {
            Some(date) => Err(CompactError::NotEnded { date: *date, today, zone }),
            None => Ok(()),
        }
    }

    /// The targets of a date that have files.
    async fn live_targets(
        &self,
        registry: &Registry,
        date: Date,
    ) -> Result<Vec<(Target, Manifest)>, CompactError> {
        let tables = registry.tables().keys().filter_map(|table| table.parse().ok());
        let targets: Vec<Target> = tables.map(|table| Target::day(table, date)).collect();
        let read = |target: Target| async move {
            let (manifest, _) = self.commit().read(&target).await?;
            Ok::<_, CompactError>((target, manifest))
        };
        let read = stream::iter(targets).map(read).buffered(IN_FLIGHT);
        let read: Vec<(Target, Option<Manifest>)> = read.try_collect().await?;
        let live = read.into_iter().filter_map(|(target, manifest)| Some((target, manifest?)));
        Ok(live.filter(|(_, manifest)| !manifest.files.is_empty()).collect())
    }

    async fn target(
        &self,
        registry: &Registry,
        target: &Target,
        manifest: &Manifest,
    ) -> Result<CompactionOutcome, CompactError> {
        let mut wanted: Vec<Group<'_>> = Vec::new();
        for group in groups(&manifest.files) {
            match group.verdict() {
                Verdict::Merge => wanted.push(group),
                Verdict::Done => {}
                Verdict::JsonLines => {
                    return Ok(CompactionOutcome::skipped("its files are JSON lines"));
                }
            }
        }
        if wanted.is_empty() {
            return Ok(CompactionOutcome::Unchanged);
        }
        let dates = wanted.iter().map(|group| group.date).collect();
        if let Some(slice) = self.being_written(target, &dates).await? {
            let why = format!("{slice} is being exported; the next compaction takes the day");
            return Ok(CompactionOutcome::Skipped { reason: why });
        }
        self.merge(registry, target, manifest, &wanted).await
    }

    /// A slice of these dates that may be writing to the target.
    async fn being_written(
        &self,
        target: &Target,
        dates: &BTreeSet<Date>,
    ) -> Result<Option<String>, CompactError> {
        for date in dates {
            let ledger = Ledger::read(self.store, self.layout, *date).await?;
            let ledger = ledger.value.unwrap_or_default();
            let open = ledger.slices.iter().find(|entry| match entry.state {
                State::Writing | State::WritingAnew => entry.targets.contains(target),
                State::Published => false,
            });
            if let Some(entry) = open {
                return Ok(Some(entry.slice.to_string()));
            }
        }
        Ok(None)
    }

    async fn registry(&self) -> Result<Option<Registry>, CompactError> {
        let read =
            registry::read::<CompactError>(self.store, self.layout, Dataset::Events, self.project);
        Ok(read.await?.value)
    }

    fn commit(&self) -> Commit<'_> {
        Commit { store: self.store, layout: self.layout }
    }

    /// The key of a live file.
    fn key(&self, manifest: &Manifest, file: &LiveFile) -> String {
        let folder = self.layout.generation(&manifest.target, &manifest.generation);
        format!("{folder}{}", file.name)
    }
}

/// The zone of the lake. Without slices, no zone was chosen yet.
fn zone_of(registry: &Registry) -> Result<Zone, CompactError> {
    Ok(registry.zone().map_or(Ok(Zone::UTC), Zone::parse)?)
}
