//! Does what findings say.

use super::Doctor;
use super::accounts::Accounts;
use super::facts::{DayFacts, Facts};
use super::finding::{Finding, Kind, Remedy};
use super::gather::Scope;
use crate::ledger::Day;
use crate::manifest::Manifest;
use crate::ports::{CatalogError, Partition, Precondition, Put, StoreError};
use crate::reconcile::{OnDrift, ReconcileError, Reconciler};
use crate::{chain, document};
use mixlake_domain::{Date, SliceLabel};
use mixlake_schema::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Failed = Vec<(Finding, String)>;

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum RepairError {
    #[error("an export is writing to this day; try again later")]
    Busy,
    #[error("somebody else changed the day at the same time; try again later")]
    Overtaken,
    #[error("others changed the registry again and again; try again later")]
    Names,
    #[error(
        "the new table has hours of {0}, which is one slice in the old one: export {0} again, then repair again"
    )]
    InHours(SliceLabel),
    #[error("{0}")]
    NotCatalogued(String),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// What there is to do, day by day and table by table.
#[derive(Default)]
struct Plan<'f> {
    days: BTreeMap<(&'f str, Date), Vec<&'f Finding>>,
    tables: BTreeMap<&'f str, Vec<&'f Finding>>,
    left: Vec<(&'f Finding, &'f [String])>,
    back: Vec<(&'f Finding, SliceLabel)>,
    names: Vec<&'f Finding>,
    hidden: Vec<(&'f Finding, &'f str)>,
}

impl<'f> Plan<'f> {
    fn of(findings: &'f [Finding]) -> Self {
        let mut plan = Self::default();
        for finding in findings {
            let table = finding.table.as_str();
            match &finding.remedy {
                Remedy::Strike { date, .. } | Remedy::LeaveBehind { date, .. } => {
                    plan.days.entry((table, *date)).or_default().push(finding);
                }
                Remedy::Reconcile
                | Remedy::RemovePartitions { .. }
                | Remedy::RepairPartition { .. } => {
                    plan.tables.entry(table).or_default().push(finding);
                }
                Remedy::Delete { keys } => plan.left.push((finding, keys.as_slice())),
                Remedy::GoBack { slice, .. } => plan.back.push((finding, *slice)),
                Remedy::Rename { event } => plan.hidden.push((finding, event)),
                Remedy::CompleteRegistry => plan.names.push(finding),
                Remedy::Wait { .. } | Remedy::ByHand { .. } => {}
            }
        }
        plan
    }

    /// Whether anything is done to days.
    fn is_of_days(&self) -> bool {
        !(self.days.is_empty()
            && self.left.is_empty()
            && self.back.is_empty()
            && self.hidden.is_empty())
    }

    /// The findings about days.
    fn of_days(&self) -> Vec<&'f Finding> {
        let days = self.days.values().flatten().copied();
        let back = self.back.iter().map(|(finding, _)| *finding);
        let back = back.chain(self.hidden.iter().map(|(finding, _)| *finding));
        days.chain(back).chain(self.left.iter().map(|(finding, _)| *finding)).collect()
    }
}

impl Doctor<'_> {
    /// Does what each finding says, if it is still so; answers what could not be done, and why.
    ///
    /// First the registry is completed and each day is made right, then the catalog follows. What was
    /// left is deleted last, when readers have been sent elsewhere.
    pub async fn repair(&self, findings: &[Finding]) -> Vec<(Finding, String)> {
        let mut plan = Plan::of(findings);
        let mut failed = Failed::new();
        if !plan.names.is_empty() {
            let done = self.complete().await;
            add(&mut failed, &plan.names, done);
        }
        let mut accounts = Arc::default();
        if plan.is_of_days() {
            match self.accounts().await {
                Ok(now) => accounts = now,
                Err(error) => {
                    add(&mut failed, &plan.of_days(), Err(error.into()));
                    plan = Plan { tables: plan.tables, ..Plan::default() };
                }
            }
        }
        for (finding, slice) in &plan.back {
            let done = self.go_back(finding, *slice, &accounts).await;
            add(&mut failed, &[finding], done);
        }
        for (finding, event) in &plan.hidden {
            let done = self.rename(&finding.table, event, &accounts).await;
            add(&mut failed, &[finding], done);
        }
        for ((table, date), findings) in plan.days {
            let done = self.renew(table, date, &findings, &accounts).await;
            add(&mut failed, &findings, done);
        }
        for (table, findings) in plan.tables {
            let done = self.follow(table, &findings).await;
            add(&mut failed, &findings, done);
        }
        for (finding, keys) in plan.left {
            let done = self.sweep(finding, keys, &accounts).await;
            add(&mut failed, &[finding], done);
        }
        failed
    }

    /// Copies the live files of a day to a new folder, but for those that findings strike, and swaps
    /// the manifest. What readers must not see stays where it is.
    async fn renew(
        &self,
        table: &str,
        date: Date,
        findings: &[&Finding],
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        // Only whole files show what only whole files have shown.
        let deep = findings.iter().any(|finding| finding.kind == Kind::ContentDiffers);
        let facts = Doctor { deep, ..*self }.facts_of(table, date, accounts).await?;
        let still = self.still(&facts, findings);
        let Some((day, manifest, precondition)) = day(&facts, table, date)? else { return Ok(()) };
        if still.is_empty() {
            return Ok(());
        }
        let struck = still.iter().flat_map(|finding| finding.struck());
        let next = manifest.without(&struck.cloned().collect());
        let folder = self.lake.layout.generation(table, date, &next.generation);
        for file in &next.files {
            let name = &file.name;
            let (from, to) = (format!("{}{name}", day.folder), format!("{folder}{name}"));
            self.lake.store.copy(&from, &to).await?;
        }
        self.swap(&next, precondition).await
    }

    /// Brings the catalog up to date with the manifests. For the table as a whole over all of its days:
    /// what drifted, holds for each.
    async fn follow(&self, table: &str, findings: &[&Finding]) -> Result<(), RepairError> {
        let lake = &self.lake;
        let mut keys = BTreeSet::new();
        for finding in findings {
            match &finding.remedy {
                Remedy::Reconcile => {
                    let objects = lake.store.list(&lake.layout.table(table)).await?;
                    let all = objects.into_iter().map(|object| object.key);
                    keys.extend(all.filter(|key| key.ends_with("/_manifest.json")));
                }
                Remedy::RemovePartitions { values } => {
                    let dates = values.iter().filter_map(|value| value.parse().ok());
                    keys.extend(dates.map(|date| lake.layout.manifest(table, date)));
                }
                Remedy::RepairPartition { value } => {
                    self.describe(table, value).await?;
                    let date = value.parse().ok();
                    keys.extend(date.map(|date| lake.layout.manifest(table, date)));
                }
                Remedy::Strike { .. }
                | Remedy::LeaveBehind { .. }
                | Remedy::Delete { .. }
                | Remedy::GoBack { .. }
                | Remedy::CompleteRegistry
                | Remedy::Rename { .. }
                | Remedy::Wait { .. }
                | Remedy::ByHand { .. } => {}
            }
        }
        let repairing = Reconciler { on_drift: OnDrift::Repair, ..*lake };
        let done = repairing.reconcile(keys.iter().map(String::as_str)).await;
        done.failed.first().map_or(Ok(()), |(key, error)| {
            Err(RepairError::NotCatalogued(format!("{key}: {}", chain(&**error))))
        })
    }

    /// Makes a partition describe its files as a new one would, where it is.
    async fn describe(&self, table: &str, value: &str) -> Result<(), RepairError> {
        let (catalog, name) = (self.lake.catalog, self.lake.name_of(table));
        let registry = self.lake.registry().await?;
        let format = registry.tables().get(table).map(Table::format).unwrap_or_default();
        let there: Vec<Partition> = catalog.partitions(&name, &[value.to_owned()]).await?;
        if !there.is_empty() {
            catalog.repair_partitions(&name, format, &there).await?;
        }
        Ok(())
    }

    /// Deletes what was left behind.
    async fn sweep(
        &self,
        finding: &Finding,
        keys: &[String],
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let Ok(date) = finding.subject.parse::<Date>() else { return Ok(()) };
        let shallow = Doctor { deep: false, ..*self };
        let facts = shallow.facts_of(&finding.table, date, accounts).await?;
        let Some((_, manifest, precondition)) = day(&facts, &finding.table, date)? else {
            return Ok(());
        };
        if self.still(&facts, &[finding]).is_empty() || !self.has_been_old(manifest).await? {
            return Ok(());
        }
        self.swap(&manifest.swept(keys), precondition).await?;
        for key in keys {
            self.lake.store.delete(key).await?;
        }
        Ok(())
    }

    /// A day as it is now.
    async fn facts_of(
        &self,
        table: &str,
        date: Date,
        accounts: &Arc<Accounts>,
    ) -> Result<Facts, ReconcileError> {
        let days = BTreeSet::from([Day { table: table.to_owned(), date }]);
        self.facts(Scope::Days(&days, accounts)).await
    }

    /// Whether the manifest that was read was written long ago: objects were listed before it was
    /// read, so that is asked again. If it changes from now on, its swap fails.
    async fn has_been_old(&self, manifest: &Manifest) -> Result<bool, StoreError> {
        let key = self.lake.layout.manifest(&manifest.table, manifest.date);
        let listed = self.lake.store.list(&key).await?;
        Ok(listed.iter().any(|object| object.key == key && self.is_old(object)))
    }

    /// Those that are found in these facts too.
    pub(super) fn still<'f>(&self, facts: &Facts, findings: &[&'f Finding]) -> Vec<&'f Finding> {
        let now = super::check::findings(facts, self.engines);
        findings.iter().copied().filter(|finding| now.contains(finding)).collect()
    }

    pub(super) async fn swap(&self, to: &Manifest, when: &Precondition) -> Result<(), RepairError> {
        let (store, layout) = (self.lake.store, self.lake.layout);
        let key = layout.manifest(&to.table, to.date);
        if document::write(store, &key, to, when.clone()).await? == Put::Done {
            return Ok(());
        }
        // Perhaps it was our own write, repeated after its answer was lost.
        let now = Manifest::read(store, layout, &to.table, to.date).await;
        let now = now.map_err(ReconcileError::from)?;
        if now.value.as_ref() == Some(to) { Ok(()) } else { Err(RepairError::Overtaken) }
    }
}

/// A day with its manifest; none without one.
fn day<'f>(
    facts: &'f Facts,
    table: &str,
    date: Date,
) -> Result<Option<(&'f DayFacts, &'f Manifest, &'f Precondition)>, RepairError> {
    let day = facts.tables.get(table).and_then(|table| table.days.get(&date));
    match day {
        Some(day) if day.busy => Err(RepairError::Busy),
        Some(day) => {
            Ok(day.manifest.as_ref().zip(day.precondition.as_ref()).map(|(m, p)| (day, m, p)))
        }
        None => Ok(None),
    }
}

fn add(failed: &mut Failed, findings: &[&Finding], done: Result<(), RepairError>) {
    if let Err(error) = done {
        let error = chain(&error);
        failed.extend(findings.iter().map(|&finding| (finding.clone(), error.clone())));
    }
}
