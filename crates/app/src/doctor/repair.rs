//! Applies the remedies of findings.

use super::Doctor;
use super::accounts::Accounts;
use super::facts::{Facts, TargetFacts};
use super::finding::{Finding, Kind, Remedy};
use super::gather::Scope;
use crate::chain;
use crate::commit::{Change, Commit, CommitError, Guard, Outcome, Seen};
use crate::manifest::Manifest;
use crate::ports::{CatalogError, Partition, Put, StoreError};
use crate::reconcile::{OnDrift, ReconcileError, Reconciler};
use mixlake_domain::{Date, Origin, SliceLabel, TableName, TableNameError, Target};
use mixlake_schema::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Failed = Vec<(Finding, String)>;

/// The reason why a remedy was not applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum RepairError {
    #[error("an export is writing to this day; try again later")]
    Busy,
    #[error("somebody else changed the day at the same time; try again later")]
    Overtaken,
    #[error("other runs changed the registry too often; try again later")]
    Names,
    #[error(
        "the new table has parts of {0}, but the old table has {0} as one slice. Export {0} again, then repair again"
    )]
    InParts(Origin),
    #[error("{0}")]
    NotCatalogued(String),
    #[error("{0:?} is not a day of a table")]
    NoDay(String),
    #[error(transparent)]
    Table(#[from] TableNameError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<CommitError> for RepairError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => ReconcileError::from(error).into(),
            CommitError::Contended(_) => Self::Overtaken,
        }
    }
}

/// The remedies by target and by table.
#[derive(Default)]
struct Plan<'f> {
    targets: BTreeMap<(&'f str, Option<Date>), Vec<&'f Finding>>,
    tables: BTreeMap<&'f str, Vec<&'f Finding>>,
    left: Vec<(&'f Finding, &'f [String])>,
    back: Vec<(&'f Finding, SliceLabel)>,
    names: Vec<&'f Finding>,
    hidden: Vec<(&'f Finding, &'f str)>,
    encryption: Vec<(&'f Finding, &'f [String])>,
}

impl<'f> Plan<'f> {
    fn of(findings: &'f [Finding]) -> Self {
        let mut plan = Self::default();
        for finding in findings {
            let table = finding.table.as_str();
            match &finding.remedy {
                Remedy::Strike { date, .. } | Remedy::LeaveBehind { date, .. } => {
                    plan.targets.entry((table, *date)).or_default().push(finding);
                }
                Remedy::Reconcile
                | Remedy::RemovePartitions { .. }
                | Remedy::RepairPartition { .. } => {
                    plan.tables.entry(table).or_default().push(finding);
                }
                Remedy::Delete { keys } => plan.left.push((finding, keys.as_slice())),
                Remedy::GoBack { slice, .. } => plan.back.push((finding, *slice)),
                Remedy::Rename { event } => plan.hidden.push((finding, event)),
                Remedy::Encrypt { keys } => plan.encryption.push((finding, keys.as_slice())),
                Remedy::CompleteRegistry => plan.names.push(finding),
                Remedy::Wait { .. } | Remedy::ByHand { .. } => {}
            }
        }
        plan
    }

    /// Whether any target changes.
    fn is_of_targets(&self) -> bool {
        !(self.targets.is_empty()
            && self.left.is_empty()
            && self.back.is_empty()
            && self.hidden.is_empty())
    }

    /// The findings about targets.
    fn of_targets(&self) -> Vec<&'f Finding> {
        let targets = self.targets.values().flatten().copied();
        let back = self.back.iter().map(|(finding, _)| *finding);
        let back = back.chain(self.hidden.iter().map(|(finding, _)| *finding));
        targets.chain(back).chain(self.left.iter().map(|(finding, _)| *finding)).collect()
    }
}

impl Doctor<'_> {
    /// Applies the remedy of each finding that still holds. Returns the remedies that failed, and the
    /// reasons.
    ///
    /// First the registry is completed and each target is repaired, then the catalog is updated.
    /// Replaced files are deleted last, when readers use the new folders.
    pub async fn repair(&self, findings: &[Finding]) -> Vec<(Finding, String)> {
        let mut plan = Plan::of(findings);
        let mut failed = Failed::new();
        if !plan.names.is_empty() {
            let done = self.complete().await;
            add(&mut failed, &plan.names, done);
        }
        let mut accounts = Arc::default();
        if plan.is_of_targets() {
            match self.accounts().await {
                Ok(now) => accounts = now,
                Err(error) => {
                    add(&mut failed, &plan.of_targets(), Err(error.into()));
                    plan = Plan {
                        tables: plan.tables,
                        encryption: plan.encryption,
                        ..Plan::default()
                    };
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
        for (target, findings) in plan.targets {
            let done = self.renew(target, &findings, &accounts).await;
            add(&mut failed, &findings, done);
        }
        for (table, findings) in plan.tables {
            let done = self.follow(table, &findings).await;
            add(&mut failed, &findings, done);
        }
        for (finding, keys) in plan.encryption {
            let done = self.encrypt(keys).await;
            add(&mut failed, &[finding], done);
        }
        for (finding, keys) in plan.left {
            let done = self.sweep(finding, keys, &accounts).await.map(|_| ());
            add(&mut failed, &[finding], done);
        }
        failed
    }

    /// Copies the live files of a target to a new generation, except for those that findings remove, and
    /// changes the manifest. Objects that readers must not see stay where they are.
    async fn renew(
        &self,
        (table, date): (&str, Option<Date>),
        findings: &[&Finding],
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let target = &Target { table: table.parse()?, date };
        // Findings from whole files can be checked only by reading whole files again.
        let deep = findings.iter().any(|finding| finding.kind == Kind::ContentDiffers);
        let facts = Doctor { deep, ..*self }.facts_of(target, accounts).await?;
        let still = self.still(&facts, findings);
        let Some((_, seen)) = seen(&facts, target)? else { return Ok(()) };
        if still.is_empty() {
            return Ok(());
        }
        let struck = still.iter().flat_map(|finding| finding.struck()).cloned().collect();
        self.change(target, seen, Change::remove(&struck)).await
    }

    /// Changes a target, unless somebody else changes it at the same time.
    pub(super) async fn change(
        &self,
        target: &Target,
        seen: Seen,
        change: Change<'_>,
    ) -> Result<(), RepairError> {
        let commit = Commit { store: self.lake.store, layout: self.lake.layout };
        let done = commit.change::<RepairError>(target, seen, change, &[], &OnlyFirst).await?;
        match done.0 {
            Outcome::Superseded => Err(RepairError::Overtaken),
            Outcome::Unchanged | Outcome::Appended | Outcome::Replaced { .. } => Ok(()),
        }
    }

    /// Updates the catalog from the manifests. A finding about a whole table covers all of its days,
    /// because drift affects each of them.
    async fn follow(&self, table: &str, findings: &[&Finding]) -> Result<(), RepairError> {
        let lake = &self.lake;
        let table: TableName = table.parse()?;
        let of_day = |value: &String| {
            let date = value.parse().ok()?;
            Some(lake.layout.manifest(&Target::day(table.clone(), date)))
        };
        let mut keys = BTreeSet::new();
        for finding in findings {
            match &finding.remedy {
                Remedy::Reconcile => {
                    let objects = lake.store.list(&lake.layout.table(&table)).await?;
                    let all = objects.into_iter().map(|object| object.key);
                    keys.extend(all.filter(|key| key.ends_with("/_manifest.json")));
                }
                Remedy::RemovePartitions { values } => {
                    keys.extend(values.iter().filter_map(of_day));
                }
                Remedy::RepairPartition { value } => {
                    self.describe(&table, value).await?;
                    keys.extend(of_day(value));
                }
                Remedy::Strike { .. }
                | Remedy::LeaveBehind { .. }
                | Remedy::Delete { .. }
                | Remedy::GoBack { .. }
                | Remedy::CompleteRegistry
                | Remedy::Rename { .. }
                | Remedy::Wait { .. }
                | Remedy::Encrypt { .. }
                | Remedy::ByHand { .. } => {}
            }
        }
        let repairing = Reconciler { on_drift: OnDrift::Repair, ..*lake };
        let done = repairing.reconcile(keys.iter().map(String::as_str)).await;
        done.failed.first().map_or(Ok(()), |(key, error)| {
            Err(RepairError::NotCatalogued(format!("{key}: {}", chain(&**error))))
        })
    }

    /// Describes a partition like a new one, at its current location.
    async fn describe(&self, table: &TableName, value: &str) -> Result<(), RepairError> {
        let (catalog, name) = (self.lake.catalog, self.lake.name_of(table));
        let registry = self.lake.registry().await?;
        let format = registry.tables().get(table.as_str()).map(Table::format).unwrap_or_default();
        let there: Vec<Partition> = catalog.partitions(&name, &[value.to_owned()]).await?;
        if !there.is_empty() {
            catalog.repair_partitions(&name, format, &there).await?;
        }
        Ok(())
    }

    /// Deletes files in replaced folders, if the finding still holds. Returns whether it did.
    pub(super) async fn sweep(
        &self,
        finding: &Finding,
        keys: &[String],
        accounts: &Arc<Accounts>,
    ) -> Result<bool, RepairError> {
        let target = target_of(finding)?;
        let shallow = Doctor { deep: false, ..*self };
        let facts = shallow.facts_of(&target, accounts).await?;
        let Some((_, (Some(manifest), precondition))) = seen(&facts, &target)? else {
            return Ok(false);
        };
        if self.still(&facts, &[finding]).is_empty() || !self.has_been_old(&manifest).await? {
            return Ok(false);
        }
        let swept = manifest.swept(keys);
        let commit = Commit { store: self.lake.store, layout: self.lake.layout };
        let is_done = commit.swap(&swept, precondition).await? == Put::Done
            // The refused write may be our own: the SDK repeats a request whose response was lost.
            || commit.read(&target).await.map_err(CommitError::from)?.0.as_ref() == Some(&swept);
        if !is_done {
            return Err(RepairError::Overtaken);
        }
        for key in keys {
            self.lake.store.delete(key).await?;
        }
        Ok(true)
    }

    /// The current facts of a target.
    async fn facts_of(
        &self,
        target: &Target,
        accounts: &Arc<Accounts>,
    ) -> Result<Facts, ReconcileError> {
        let targets = BTreeSet::from([target.clone()]);
        self.facts(Scope::Targets(&targets, accounts)).await
    }

    /// Whether the manifest that was read is old. Objects were listed before it was read, so this is
    /// checked again. If it changes from now on, its conditional write fails.
    async fn has_been_old(&self, manifest: &Manifest) -> Result<bool, StoreError> {
        let key = self.lake.layout.manifest(&manifest.target);
        let listed = self.lake.store.list(&key).await?;
        Ok(listed.iter().any(|object| object.key == key && self.is_old(object)))
    }

    /// The findings that these facts show too.
    pub(super) fn still<'f>(&self, facts: &Facts, findings: &[&'f Finding]) -> Vec<&'f Finding> {
        let now = super::check::findings(facts, self.engines);
        findings.iter().copied().filter(|finding| now.contains(finding)).collect()
    }
}

/// A finding holds for the manifest that was read, and not for later ones.
struct OnlyFirst;

#[async_trait::async_trait]
impl Guard<RepairError> for OnlyFirst {
    async fn may_go_on(&self, _: Option<&Manifest>, is_first: bool) -> Result<bool, RepairError> {
        Ok(is_first)
    }
}

/// A target with its manifest; `None` if it has none.
fn seen<'f>(
    facts: &'f Facts,
    target: &Target,
) -> Result<Option<(&'f TargetFacts, Seen)>, RepairError> {
    match facts.target(target) {
        Some(found) if found.busy => Err(RepairError::Busy),
        Some(found) => {
            let seen = found.manifest.clone().zip(found.precondition.clone());
            Ok(seen.map(|(manifest, precondition)| (found, (Some(manifest), precondition))))
        }
        None => Ok(None),
    }
}

/// The target that a finding about replaced files is about: a day, or a whole table if it names no day.
fn target_of(finding: &Finding) -> Result<Target, RepairError> {
    let date = match finding.subject.as_str() {
        "" => None,
        day => Some(day.parse().map_err(|_| RepairError::NoDay(day.to_owned()))?),
    };
    Ok(Target { table: finding.table.parse()?, date })
}

fn add(failed: &mut Failed, findings: &[&Finding], done: Result<(), RepairError>) {
    if let Err(error) = done {
        let error = chain(&error);
        failed.extend(findings.iter().map(|&finding| (finding.clone(), error.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_about_no_day_is_refused_and_not_taken_for_the_whole_table() {
        let about = |subject: &str| {
            target_of(&Finding::problem(Kind::LeftBehind, "t", subject, "", Remedy::Reconcile))
        };
        let table: TableName = "t".parse().unwrap();
        assert_eq!(about("").unwrap(), Target::whole(table.clone()));
        let day = "2026-11-10".parse().unwrap();
        assert_eq!(about("2026-11-10").unwrap(), Target::day(table, day));
        assert!(matches!(about("2026-13-10"), Err(RepairError::NoDay(_))));
    }
}
