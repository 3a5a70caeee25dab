//! Moves the rows of a table whose name is hidden from query engines to a table that they see.
//!
//! Earlier versions gave such names to events. The event gets a visible name in the registry, then each day
//! moves in four steps: the ledger says that the slices have files in the new table too; the new day lists
//! copies of the files; the ledger no longer says the old day; the old day lists nothing. An export that comes
//! between two steps finds in the ledger which days it has to write, and after a crash the next run goes on, for
//! the old day still lists files. Engines do not see the old table, so no row is there twice.

use super::Doctor;
use super::accounts::Accounts;
use super::engines;
use super::facts::{DayFacts, Facts};
use super::finding::{Finding, Kind, Remedy};
use super::gather::Scope;
use super::repair::RepairError;
use super::restore::SWAPS;
use crate::document;
use crate::ledger::{Day, Ledger, State};
use crate::manifest::{LiveFile, Manifest};
use crate::ports::{Precondition, Put};
use crate::reconcile::ReconcileError;
use bytes::Bytes;
use mixlake_domain::Date;
use mixlake_schema::{EventName, Profile, Registry, is_hidden};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A table that engines pass over without a word.
pub(super) fn finding(name: &str, facts: &Facts) -> Option<Finding> {
    if !engines::is_hidden(name) {
        return None;
    }
    let registry = facts.registry.as_ref().filter(|_| facts.registry_etag.is_some());
    let Some(event) = registry.and_then(|registry| event_of(registry, name)) else {
        return engines::hidden_table(name);
    };
    let live = facts.tables.get(name)?.days.values().any(DayFacts::is_live);
    live.then(|| {
        let event = event.event.clone();
        let text =
            format!("engines pass over the table {name} without a word: they take it for hidden");
        Finding::problem(Kind::HiddenTable, name, event.clone(), text, Remedy::Rename { event })
    })
}

/// The event that has, or had, the table.
fn event_of<'r>(registry: &'r Registry, table: &str) -> Option<&'r EventName> {
    let had = |event: &&EventName| event.renamed_from.as_deref() == Some(table);
    let has = |event: &&EventName| event.name == table && is_hidden(table);
    registry.events().iter().find(|event| had(event) || has(event))
}

impl Doctor<'_> {
    /// Gives the event a visible name and moves its rows, day by day. A day that cannot be moved now does not
    /// keep the others.
    pub(super) async fn rename(
        &self,
        old: &str,
        event: &str,
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let Some(new) = self.visible_name(event).await? else { return Ok(()) };
        let shallow = Doctor { deep: false, ..*self };
        let facts = shallow.facts(Scope::Lake).await?;
        let days = facts.tables.get(old).into_iter().flat_map(|table| &table.days);
        let live: Vec<Date> =
            days.filter(|(_, day)| day.is_live()).map(|(date, _)| *date).collect();
        let mut failed = Ok(());
        for date in live {
            let of = |table: &str| Day { table: table.to_owned(), date };
            let moved = shallow.move_day(&of(old), &of(&new), accounts).await;
            failed = failed.and(moved);
        }
        failed
    }

    /// The name that engines see of an event, given now if it has none. None if there is no such event.
    async fn visible_name(&self, event: &str) -> Result<Option<String>, RepairError> {
        let (store, key) = (self.lake.store, self.lake.layout.registry());
        for _ in 0..SWAPS {
            let Some(object) = store.get(&key).await.map_err(ReconcileError::from)? else {
                return Ok(None);
            };
            let registry = Registry::from_document(&object.body, self.lake.project);
            let mut registry = registry.map_err(|cause| ReconcileError::Registry {
                location: store.location(&key),
                cause,
            })?;
            let Some(place) = registry.events().iter().position(|known| known.event == event)
            else {
                return Ok(None);
            };
            // The shorter limit of names: every profile takes it.
            if !registry.unhide(place, Profile::Portable) {
                return Ok(Some(registry.events()[place].name.clone()));
            }
            let document = Bytes::from(registry.to_document(self.lake.project));
            if store.put(&key, document, Precondition::Matches(object.etag)).await? == Put::Done {
                return Ok(Some(registry.events()[place].name.clone()));
            }
        }
        Err(RepairError::Names)
    }

    async fn move_day(
        &self,
        old: &Day,
        new: &Day,
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let days = BTreeSet::from([old.clone(), new.clone()]);
        let facts = self.facts(Scope::Days(&days, accounts)).await?;
        let (Some(from), Some(to)) = (facts.day_of(old), facts.day_of(new)) else { return Ok(()) };
        if from.busy || to.busy {
            return Err(RepairError::Busy);
        }
        let (Some(manifest), Some(when)) = (&from.manifest, &from.precondition) else {
            return Ok(());
        };
        let moving = moving(manifest, to)?;
        let ledgers = facts.accounts.ledgers_of(old);
        for date in &ledgers {
            self.in_ledger(*date, old, |days| {
                days.insert(new.clone());
            })
            .await?;
        }
        if !moving.is_empty() {
            self.take_over(new, (from, to), &moving).await?;
        }
        for date in &ledgers {
            self.in_ledger(*date, old, |days| {
                days.remove(old);
            })
            .await?;
        }
        let names = manifest.files.iter().map(|file| file.name.clone()).collect();
        self.swap(&manifest.without(&names), when).await
    }

    /// Lists copies of files of another day beside what a day has.
    async fn take_over(
        &self,
        day: &Day,
        (from, to): (&DayFacts, &DayFacts),
        moving: &[LiveFile],
    ) -> Result<(), RepairError> {
        let (store, layout) = (self.lake.store, self.lake.layout);
        let Some(when) = &to.precondition else { return Ok(()) };
        let folders = to.objects.values().map(|object| object.generation.clone()).collect();
        let live = to.manifest.as_ref();
        let next = Manifest::beside(live, (&day.table, day.date), moving).outside(&folders);
        let folder = layout.generation(&day.table, day.date, &next.generation);
        for file in &next.files {
            let source = if moving.contains(file) { &from.folder } else { &to.folder };
            let (at, name) = (format!("{source}{}", file.name), &file.name);
            store.copy(&at, &format!("{folder}{name}")).await?;
        }
        let table = from.manifest.as_ref().map_or("", |manifest| manifest.table.as_str());
        for hash in moving.iter().filter_map(|file| file.identities.as_ref()) {
            let at = |table: &str| layout.identities(table, day.date, hash);
            store.copy(&at(table), &at(&day.table)).await?;
        }
        self.swap(&next, when).await
    }

    /// Changes the days of the slices of a date that have files on a day.
    async fn in_ledger(
        &self,
        date: Date,
        on: &Day,
        edit: impl Fn(&mut BTreeSet<Day>),
    ) -> Result<(), RepairError> {
        let (store, layout) = (self.lake.store, self.lake.layout);
        for _ in 0..SWAPS {
            let read = Ledger::read(store, layout, date).await.map_err(ReconcileError::from)?;
            let Some(mut ledger) = read.value else { return Ok(()) };
            let before = ledger.clone();
            for entry in ledger.slices.iter_mut().filter(|entry| entry.days.contains(on)) {
                if entry.state != State::Published {
                    return Err(RepairError::Busy);
                }
                edit(&mut entry.days);
            }
            if ledger == before {
                return Ok(());
            }
            let key = layout.ledger(date);
            if document::write(store, &key, &ledger, read.precondition).await? == Put::Done {
                return Ok(());
            }
        }
        Err(RepairError::Overtaken)
    }
}

/// The files of the old day that the new day has to list: all but those of slices that it has already, moved
/// before or exported since.
fn moving(old: &Manifest, new: &DayFacts) -> Result<Vec<LiveFile>, RepairError> {
    let live: Vec<&LiveFile> = new.manifest.iter().flat_map(|manifest| &manifest.files).collect();
    let mut moving = Vec::new();
    for file in &old.files {
        let overlapping = live.iter().map(|live| live.slice);
        let mut overlapping = overlapping.filter(|slice| slice.overlaps(&file.slice)).peekable();
        if overlapping.peek().is_none() {
            moving.push(file.clone());
        } else if overlapping.all(|slice| slice != file.slice && !slice.is_day()) {
            return Err(RepairError::InHours(file.slice));
        }
    }
    Ok(moving)
}
