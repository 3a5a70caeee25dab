//! Moves the rows of a table that engines ignore because of its name to a table that they see.
//!
//! Earlier versions gave such names to events. The event gets a visible name in the registry. Then each
//! day is moved in four steps: the ledger lists the new table for the slices too; the new day lists
//! copies of the files; the ledger no longer lists the old table; the old day lists nothing. An export
//! between two steps finds in the ledger which days it has to write. After a crash the next run
//! continues, because the old day still lists files. Engines do not see the old table, so no row is
//! visible twice.

use super::Doctor;
use super::accounts::Accounts;
use super::facts::TargetFacts;
use super::gather::Scope;
use super::repair::RepairError;
use crate::commit::{Change, Removal};
use crate::document::{self, Edit, Read};
use crate::ledger::{Ledger, State};
use crate::manifest::{LiveFile, Manifest};
use crate::reconcile::ReconcileError;
use bytes::Bytes;
use mixlake_domain::{Dataset, Date, Origin, TableName, Target};
use mixlake_schema::{Profile, Registry};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Doctor<'_> {
    /// Gives the event a visible name and moves its rows, day by day. A day that cannot be moved now
    /// does not stop the others.
    pub(super) async fn rename(
        &self,
        old: &str,
        event: &str,
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let Some(new) = self.visible_name(event).await? else { return Ok(()) };
        let shallow = Doctor { deep: false, ..*self };
        let facts = shallow.facts(Scope::Lake).await?;
        let Some((old, table)) = facts.tables.get_key_value(old) else { return Ok(()) };
        let live = table.targets.iter().filter(|(_, found)| found.is_live());
        let mut failed = Ok(());
        for date in live.map(|(date, _)| *date) {
            let of = |table: &TableName| Target { table: table.clone(), date };
            let moved = shallow.move_target(&of(old), &of(&new), accounts).await;
            failed = failed.and(moved);
        }
        failed
    }

    /// The visible name of an event, which is set now if it has none. `None` if the event does not
    /// exist.
    async fn visible_name(&self, event: &str) -> Result<Option<TableName>, RepairError> {
        let read =
            || async { Ok::<_, RepairError>(self.lake.read_registry(Dataset::Events).await?) };
        let decide = |read: Read<Registry>| {
            let Some(mut registry) = read.value else { return Ok(Edit::Keep(None)) };
            let place = registry.events().iter().position(|known| known.event == event);
            let Some(place) = place else { return Ok(Edit::Keep(None)) };
            // The shorter limit of names, which every profile accepts.
            let is_new = registry.unhide(place, Profile::Portable);
            let name = Some(registry.events()[place].name.parse()?);
            if !is_new {
                return Ok(Edit::Keep(name));
            }
            Ok(Edit::Write(Bytes::from(registry.to_document(self.lake.project)), name))
        };
        let key = self.lake.layout.registry(Dataset::Events);
        document::change(self.lake.store, &key, read, decide).await?.ok_or(RepairError::Names)
    }

    async fn move_target(
        &self,
        old: &Target,
        new: &Target,
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let targets = BTreeSet::from([old.clone(), new.clone()]);
        let facts = self.facts(Scope::Targets(&targets, accounts)).await?;
        let (Some(from), Some(to)) = (facts.target(old), facts.target(new)) else { return Ok(()) };
        if from.busy || to.busy {
            return Err(RepairError::Busy);
        }
        let (Some(manifest), Some(when)) = (&from.manifest, &from.precondition) else {
            return Ok(());
        };
        let moving = moving(manifest, to)?;
        let ledgers = facts.accounts.ledgers_of(old);
        for date in &ledgers {
            self.in_ledger(*date, old, |targets| {
                targets.insert(new.clone());
            })
            .await?;
        }
        if !moving.is_empty() {
            self.take_over((old, manifest), (new, to), &moving).await?;
        }
        for date in &ledgers {
            self.in_ledger(*date, old, |targets| {
                targets.remove(old);
            })
            .await?;
        }
        let names = manifest.files.iter().map(|file| file.name.clone()).collect();
        let seen = (Some(manifest.clone()), when.clone());
        self.change(old, seen, Change::remove(&names)).await
    }

    /// Adds copies of the old target's files to the new target.
    async fn take_over(
        &self,
        (old, manifest): (&Target, &Manifest),
        (new, found): (&Target, &TargetFacts),
        moving: &[LiveFile],
    ) -> Result<(), RepairError> {
        let (store, layout) = (self.lake.store, self.lake.layout);
        let Some(when) = &found.precondition else { return Ok(()) };
        for hash in moving.iter().filter_map(|file| file.identities.as_ref()) {
            store.copy(&layout.identities(old, hash), &layout.identities(new, hash)).await?;
        }
        let avoid = found.objects.values().map(|object| object.generation.clone()).collect();
        let source = (old, &manifest.generation);
        let change = Change::copies(Removal::Nothing, moving, source, avoid);
        self.change(new, (found.manifest.clone(), when.clone()), change).await
    }

    /// Changes the targets of a date's slices that have files of a target.
    async fn in_ledger(
        &self,
        date: Date,
        of: &Target,
        edit: impl Fn(&mut BTreeSet<Target>),
    ) -> Result<(), RepairError> {
        let (store, layout) = (self.lake.store, self.lake.layout);
        let read = || async move {
            let read = Ledger::read(store, layout, date).await;
            read.map_err(|error| RepairError::from(ReconcileError::from(error)))
        };
        let decide = |read: Read<Ledger>| {
            let Some(mut ledger) = read.value else { return Ok(Edit::Keep(())) };
            let before = ledger.clone();
            for entry in ledger.slices.iter_mut().filter(|entry| entry.targets.contains(of)) {
                if entry.state != State::Published {
                    return Err(RepairError::Busy);
                }
                edit(&mut entry.targets);
            }
            if ledger == before { Ok(Edit::Keep(())) } else { Ok(Edit::json(&ledger, ())) }
        };
        let done = document::change(store, &layout.ledger(date), read, decide).await?;
        done.ok_or(RepairError::Overtaken)
    }
}

/// The files of the old day that the new day has to list: all except for those of slices that it already
/// has, because they were moved or exported since.
fn moving(old: &Manifest, new: &TargetFacts) -> Result<Vec<LiveFile>, RepairError> {
    let live: Vec<&LiveFile> = new.manifest.iter().flat_map(|manifest| &manifest.files).collect();
    let mut moving = Vec::new();
    for file in &old.files {
        let overlapping = live.iter().map(|live| &live.origin);
        let mut overlapping = overlapping.filter(|it| it.overlaps(&file.origin)).peekable();
        let is_narrower = |other: &Origin| !other.covers(&file.origin);
        if overlapping.peek().is_none() {
            moving.push(file.clone());
        } else if overlapping.all(is_narrower) {
            return Err(RepairError::InParts(file.origin.clone()));
        }
    }
    Ok(moving)
}
