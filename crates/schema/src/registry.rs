//! The registry: the only place that decides names and types.
//!
//! It gives each property of each type a column, in the order in which they are first seen, and never
//! removes one (rules 6, 7, 10 and 12).

use crate::names::{clean_event, is_hidden};
use crate::table::{Column, OVERFLOW, Table};
use crate::types::ColumnType;
use crate::used_names::UsedNames;
use crate::{MASTER_TABLE, Profile};
use mixlake_domain::{DataFormat, Date};
use std::collections::{BTreeMap, HashMap};

/// All names given in a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// The zone whose days and hours are the project's slices; slice labels do not contain it.
    zone: Option<String>,
    /// The first date of slices of ingestion.
    ingestion_start: Option<Date>,
    tables: BTreeMap<String, Table>,
    events: Names,
}

/// An event's original name and its clean one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    /// The name in Mixpanel.
    pub event: String,
    /// The name in `mp_event_name` and in table names.
    pub name: String,
    /// The date of the first slice that had it.
    pub first_seen: Option<Date>,
    /// Whether it accepts new columns.
    pub freeze: Freeze,
    /// The name that it had before, which was hidden from query engines ([`Registry::unhide`]). Nothing
    /// else ever gets that name.
    pub renamed_from: Option<String>,
}

/// Whether an event uses columns that its table did not have when the event was frozen.
///
/// This depends on the position of a column in its table, which never changes. So a slice that is
/// exported again gives the same rows, in whatever order its events come and whatever was added in
/// between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Freeze {
    /// It uses all columns.
    #[default]
    Open,
    /// It uses the first columns of its table, up to this number.
    At(usize),
    /// It was frozen and uses all columns again; in the document it is not frozen.
    Thawed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    given: Vec<EventName>,
    used: UsedNames,
    by_event: HashMap<String, usize>,
}

/// Two registries gave one name to different things.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("another run gave the name {wanted:?}, which was meant for {what:?}, to something else")]
pub struct NameTaken {
    /// The property or event.
    pub what: String,
    /// The name that it had been given.
    pub wanted: String,
}

/// Names that no event gets, because tables and folders of the lake use them.
const NOT_FOR_EVENTS: [&str; 12] = [
    MASTER_TABLE,
    "mp_people_data",
    "mp_identity_mappings_data",
    "mp_export_runs",
    "schema",
    "_budget",
    "_identities",
    "_identity_facts",
    "_reports",
    "_slices",
    "_staging",
    "_quarantine",
];

impl Default for Names {
    fn default() -> Self {
        let mut used = UsedNames::default();
        for name in NOT_FOR_EVENTS {
            used.insert(name.to_owned());
        }
        Self { given: Vec::new(), used, by_event: HashMap::new() }
    }
}

impl Names {
    fn insert(&mut self, name: EventName) {
        self.used.insert(name.name.clone());
        self.used.extend(name.renamed_from.clone());
        self.by_event.insert(name.event.clone(), self.given.len());
        self.given.push(name);
    }
}

impl Registry {
    /// The zone whose days and hours are the slices; none before the first slice.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// Sets the zone of the slices. It does not change later.
    pub fn set_zone(&mut self, zone: &str) {
        self.zone.get_or_insert_with(|| zone.to_owned());
    }

    /// The first date of slices of ingestion; none in a lake without them.
    #[must_use]
    pub fn ingestion_start(&self) -> Option<Date> {
        self.ingestion_start
    }

    /// Sets the date from which slices are of ingestion.
    pub fn set_ingestion_start(&mut self, start: Option<Date>) {
        self.ingestion_start = start;
    }

    /// The events seen, in the order in which they were first seen.
    #[must_use]
    pub fn events(&self) -> &[EventName] {
        &self.events.given
    }

    /// What an event is called, if it has been seen.
    #[must_use]
    pub fn find_event(&self, event: &str) -> Option<&EventName> {
        self.events.by_event.get(event).map(|&place| &self.events.given[place])
    }

    /// The tables by name.
    #[must_use]
    pub fn tables(&self) -> &BTreeMap<String, Table> {
        &self.tables
    }

    pub(crate) fn insert_table(&mut self, name: String, format: DataFormat, columns: Vec<Column>) {
        let mut table = Table::new(format, &[]);
        for column in columns {
            table.insert(column);
        }
        self.tables.insert(name, table);
    }

    pub(crate) fn insert_event(&mut self, name: EventName) {
        self.events.insert(name);
    }

    /// Returns a table. A new one gets its built-in columns.
    pub fn table_or_new(
        &mut self,
        name: &str,
        format: DataFormat,
        built_in: &[(&str, &str, ColumnType)],
    ) -> &mut Table {
        self.tables.entry(name.to_owned()).or_insert_with(|| Table::new(format, built_in))
    }

    /// Returns an existing table.
    pub fn table_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.tables.get_mut(name)
    }

    /// The position of an event in [`Self::events`]; a new event gets its name now.
    pub fn event(&mut self, event: &str, profile: Profile, seen: Date) -> usize {
        if let Some(&index) = self.events.by_event.get(event) {
            return index;
        }
        let limit = profile.name_bytes();
        let name = self.events.used.free(&clean_event(event, limit), "", limit);
        self.events.insert(EventName {
            event: event.to_owned(),
            name,
            first_seen: Some(seen),
            freeze: Freeze::Open,
            renamed_from: None,
        });
        self.events.given.len() - 1
    }

    /// If the name of an event is hidden from query engines, gives it a visible name, as for a new
    /// event. Returns whether this was needed. Only registries of earlier versions have hidden names.
    ///
    /// The old name stays in `renamed_from`, because the files to be moved are there. If the event has
    /// its own table, it is described under both names, with the same columns.
    pub fn unhide(&mut self, event: usize, profile: Profile) -> bool {
        let limit = profile.name_bytes();
        let Names { given, used, .. } = &mut self.events;
        let event = &mut given[event];
        if !is_hidden(&event.name) {
            return false;
        }
        let name = used.free(&clean_event(&event.event, limit), "", limit);
        used.insert(name.clone());
        let old = std::mem::replace(&mut event.name, name.clone());
        if let Some(table) = self.tables.get(&old).cloned() {
            self.tables.insert(name, table);
        }
        event.renamed_from = Some(old);
        true
    }

    /// Freezes an event to the first `columns` of its table. An event that is already frozen does not
    /// change. Returns the number of columns.
    pub fn freeze(&mut self, event: usize, columns: usize) -> usize {
        let freeze = &mut self.events.given[event].freeze;
        match *freeze {
            Freeze::At(columns) => columns,
            Freeze::Open | Freeze::Thawed => {
                *freeze = Freeze::At(columns);
                columns
            }
        }
    }

    /// Removes the freeze of an event.
    pub fn thaw(&mut self, event: usize) {
        let freeze = &mut self.events.given[event].freeze;
        if matches!(freeze, Freeze::At(_)) {
            *freeze = Freeze::Thawed;
        }
    }

    /// Replays all names of `self` on a registry that others have written since. All names must come
    /// out the same; otherwise the data that was built with them cannot be used.
    pub fn rebase(&self, mut onto: Self, profile: Profile) -> Result<Self, NameTaken> {
        if let Some(zone) = &self.zone {
            onto.set_zone(zone);
        }
        for ours in &self.events.given {
            let seen = ours.first_seen.unwrap_or_default();
            let theirs = onto.event(&ours.event, profile, seen);
            if ours.renamed_from.is_some() {
                onto.unhide(theirs, profile);
            }
            same(&ours.event, &ours.name, &onto.events.given[theirs].name)?;
            onto.rebase_freeze(ours, theirs)?;
        }
        for (name, ours) in &self.tables {
            let built_in: Vec<_> = ours
                .columns()
                .iter()
                .filter(|c| c.built_in && c.name != OVERFLOW)
                .map(|c| (c.property.as_str(), c.name.as_str(), c.column_type))
                .collect();
            let theirs = onto.table_or_new(name, ours.format(), &built_in);
            same(name, ours.format().name(), theirs.format().name())?;
            for column in ours.columns() {
                let id = theirs.adopt(column, profile);
                let given = id.map_or("", |id| theirs.columns()[id].name.as_str());
                same(&column.property, &column.name, given)?;
            }
        }
        Ok(onto)
    }

    /// If the event was frozen at other columns, its rows were written with other columns.
    fn rebase_freeze(&mut self, ours: &EventName, theirs: usize) -> Result<(), NameTaken> {
        match ours.freeze {
            Freeze::Open => {}
            Freeze::Thawed => self.thaw(theirs),
            Freeze::At(columns) => {
                let given = self.freeze(theirs, columns);
                same(&ours.event, &columns.to_string(), &given.to_string())?;
            }
        }
        Ok(())
    }
}

fn same(what: &str, ours: &str, theirs: &str) -> Result<(), NameTaken> {
    if ours == theirs {
        return Ok(());
    }
    Err(NameTaken { what: what.to_owned(), wanted: ours.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Resolved, ValueType, clean};
    use proptest::prelude::*;
    use std::collections::HashSet;

    const BUILT_IN: [(&str, &str, ColumnType); 2] =
        [("event", "mp_event_name", ColumnType::String), ("time", "time", ColumnType::Timestamp)];

    fn day() -> Date {
        "2026-11-10".parse().unwrap()
    }

    fn table(registry: &mut Registry) -> &mut Table {
        registry.table_or_new("t", DataFormat::Parquet, &BUILT_IN)
    }

    fn name(registry: &mut Registry, property: &str, value_type: ValueType) -> String {
        let table = table(registry);
        match table.resolve(property, value_type, Profile::Portable, day()) {
            Resolved::Column(id) | Resolved::Overflow(id) => table.columns()[id].name.clone(),
        }
    }

    #[test]
    fn the_first_of_colliding_names_stays_plain() {
        let mut registry = Registry::default();
        let given = ["XY", "Xy", "xy", "XY"].map(|p| name(&mut registry, p, ValueType::String));
        assert_eq!(given, ["xy", "xy_1", "xy_2", "xy"]);
    }

    #[test]
    fn a_later_type_gets_its_own_column() {
        let mut registry = Registry::default();
        assert_eq!(name(&mut registry, "x", ValueType::Number), "x");
        assert_eq!(name(&mut registry, "x", ValueType::String), "x_string");
        assert_eq!(name(&mut registry, "x", ValueType::Boolean), "x_boolean");
        assert_eq!(name(&mut registry, "x_string", ValueType::String), "x_string_1");
        assert_eq!(name(&mut registry, "x", ValueType::Number), "x");
    }

    #[test]
    fn built_in_names_are_taken_from_the_start() {
        let mut registry = Registry::default();
        // The table of one event has no event name column, and a table that is not full has no overflow
        // column.
        registry.table_or_new("t", DataFormat::Parquet, &[]);
        let printed = registry.to_document(&"42".parse().unwrap());
        let read = Registry::from_document(&printed, &"42".parse().unwrap()).unwrap();
        for mut registry in [registry, read] {
            for taken in ["mp_event_name", "mp_date", "mp_properties", "distinct_id"] {
                assert_eq!(name(&mut registry, taken, ValueType::String), format!("{taken}_1"));
            }
        }
    }

    #[test]
    fn after_the_first_name_that_has_no_room_a_shorter_one_has_none_either() {
        let mut registry = Registry::default();
        let long = |i: usize| format!("{i} {}", "名".repeat(250));
        let first =
            (0..500).find(|&i| name(&mut registry, &long(i), ValueType::String) == OVERFLOW);
        assert!((340..420).contains(&first.unwrap()), "{first:?} of about 950 bytes");
        assert_eq!(name(&mut registry, "x", ValueType::Boolean), OVERFLOW);
        assert_eq!(name(&mut registry, &long(0), ValueType::String), clean(&long(0), 127));
    }

    #[test]
    fn an_event_stays_frozen_where_it_was_until_it_is_opened_again() {
        let mut base = Registry::default();
        let event = base.event("e", Profile::Portable, day());
        let mut ours = base.clone();
        assert_eq!((ours.freeze(event, 10), ours.freeze(event, 12)), (10, 10));
        let rebased =
            |ours: &Registry, theirs: &Registry| ours.rebase(theirs.clone(), Profile::Portable);
        assert_eq!(rebased(&ours, &base).unwrap(), ours);
        assert_eq!(rebased(&base, &ours).unwrap(), ours, "who did not look at it changes nothing");
        let mut theirs = base;
        theirs.freeze(event, 11);
        assert!(rebased(&ours, &theirs).is_err(), "what was written used other columns");
        let mut open = ours.clone();
        open.thaw(event);
        let open = rebased(&open, &ours).unwrap();
        let project = "42".parse().unwrap();
        let read = Registry::from_document(&open.to_document(&project), &project).unwrap();
        assert_eq!(read.events()[event].freeze, Freeze::Open);
    }

    #[test]
    fn a_frozen_table_that_has_the_rest_already_still_has_room() {
        let mut registry = Registry::default();
        table(&mut registry).overflow_column(day());
        assert_eq!(name(&mut registry, "x", ValueType::String), "x");
    }

    #[test]
    fn at_the_limit_the_stem_is_cut_and_never_a_suffix() {
        let mut registry = Registry::default();
        let long = "y".repeat(200);
        assert_eq!(name(&mut registry, &long, ValueType::Number).len(), 127);
        let by_type = format!("{}_string", "y".repeat(120));
        assert_eq!(name(&mut registry, &by_type, ValueType::String), by_type);
        let collided = format!("{}_string_1", "y".repeat(118));
        assert_eq!(name(&mut registry, &long, ValueType::String), collided);
    }

    #[test]
    fn past_the_budget_new_properties_share_one_column_and_known_ones_keep_theirs() {
        let mut registry = Registry::default();
        for i in 0..2_000 {
            name(&mut registry, &format!("p{i}"), ValueType::Number);
        }
        let columns = table(&mut registry).columns().to_vec();
        assert_eq!(columns.len(), Profile::Portable.columns());
        assert_eq!(columns.last().unwrap().name, "mp_properties");
        assert_eq!(name(&mut registry, "p3", ValueType::Number), "p3");
        assert_eq!(name(&mut registry, "p3", ValueType::String), "mp_properties");
    }

    #[test]
    fn the_document_reads_back_as_the_same_registry() {
        let project = "42".parse().unwrap();
        let mut registry = Registry::default();
        for i in 0..1_700 {
            name(
                &mut registry,
                &format!("$p {}", i % 900),
                [ValueType::String, ValueType::Number][i % 2],
            );
        }
        registry.event("Sign-up!", Profile::Portable, day());
        let document = registry.to_document(&project);
        let back = Registry::from_document(&document, &project).unwrap();
        assert_eq!(back, registry);
        assert_eq!(back.to_document(&project), document);
    }

    #[test]
    fn a_registry_of_another_project_or_a_later_format_is_refused() {
        let document = Registry::default().to_document(&"42".parse().unwrap());
        let other = Registry::from_document(&document, &"43".parse().unwrap());
        assert!(other.unwrap_err().to_string().contains("\"42\""));
        let later = br#"{"format":2,"project_id":"42","events":[],"tables":{}}"#;
        let later = Registry::from_document(later, &"42".parse().unwrap());
        assert!(later.unwrap_err().to_string().contains("format 2"));
    }

    #[test]
    fn thousands_of_names_that_clean_to_one_are_told_apart() {
        let mut registry = Registry::default();
        for i in 0..20_000_u32 {
            let event: String = format!("{i:05}")
                .chars()
                .map(|c| char::from_u32(u32::from(c) + 0x4e00).unwrap())
                .collect();
            registry.event(&event, Profile::Portable, day());
        }
        let names: HashSet<_> = registry.events().iter().map(|e| &e.name).collect();
        assert_eq!(names.len(), 20_000);
        assert_eq!(registry.events()[19_999].name, "e______19999");
    }

    fn additions() -> impl Strategy<Value = Vec<(String, ValueType)>> {
        let types =
            prop::sample::select(vec![ValueType::String, ValueType::Number, ValueType::Boolean]);
        prop::collection::vec(("[abA$ ]{1,3}", types), 0..30)
    }

    proptest! {
        #[test]
        fn names_are_unique_and_stable_under_replay(additions in additions()) {
            let mut registry = Registry::default();
            let given: Vec<_> = additions.iter().map(|(p, t)| name(&mut registry, p, *t)).collect();
            let again: Vec<_> = additions.iter().map(|(p, t)| name(&mut registry, p, *t)).collect();
            prop_assert_eq!(given, again);
            let columns = table(&mut registry).columns().to_vec();
            let names: HashSet<_> = columns.iter().map(|c| &c.name).collect();
            prop_assert_eq!(names.len(), columns.len());
        }

        #[test]
        fn a_rebase_keeps_every_name_of_both_or_refuses(base in additions(), a in additions(), b in additions()) {
            let mut common = Registry::default();
            table(&mut common);
            for (p, t) in &base { name(&mut common, p, *t); }
            let (mut ours, mut theirs) = (common.clone(), common);
            for (p, t) in &a { name(&mut ours, p, *t); }
            for (p, t) in &b { name(&mut theirs, p, *t); }
            if let Ok(both) = ours.rebase(theirs.clone(), Profile::Portable) {
                let merged = both.tables()["t"].columns();
                prop_assert!(merged.starts_with(theirs.tables()["t"].columns()));
                for column in ours.tables()["t"].columns() {
                    prop_assert!(merged.contains(column));
                }
            }
        }

        #[test]
        fn a_rebase_onto_itself_changes_nothing(additions in additions()) {
            let mut registry = Registry::default();
            table(&mut registry);
            for (p, t) in &additions { name(&mut registry, p, *t); }
            prop_assert_eq!(registry.rebase(registry.clone(), Profile::Portable), Ok(registry));
        }
    }
}
