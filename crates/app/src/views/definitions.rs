//! What the views are. No I/O.

use super::given_names::GivenNames;
use super::kind::Kind;
use super::parts::{Frame, Item, quoted};
use super::source::Source;
use crate::ports::View;
use mixlake_domain::PARTITION_KEY;
use mixlake_schema::{Column, ColumnType, MASTER_TABLE};
use std::collections::HashMap;

const DISTINCT_ID: &str = "distinct_id";
const RESOLVED: &str = "resolved_distinct_id";
/// What the names of columns of profiles begin with.
const OF_PROFILE: &str = "profile_";
/// Columns that a table may get later, and a view must have room for.
const BUILT_IN: [&str; 5] = ["mp_event_name", "time", DISTINCT_ID, "mp_properties", PARTITION_KEY];

/// The tables that the views of a table of events show.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    /// The prefix of their names in the catalog.
    pub prefix: &'a str,
    /// The project.
    pub project: &'a str,
    /// A table of events.
    pub events: Source<'a>,
    /// The profiles of users, if there are any.
    pub profiles: Option<Source<'a>>,
    /// The users that identifiers stand for, if there are any.
    pub identities: Option<Source<'a>>,
}

/// The views of a table of events. Tables of one event have no joins: there would be hundreds of views.
#[must_use]
pub fn definitions(tables: &Tables<'_>) -> Vec<View> {
    let mut views = tables.names();
    if tables.events.table == MASTER_TABLE && tables.events.has(DISTINCT_ID) {
        views.extend(tables.users());
        views.extend(tables.profiles());
    }
    views.extend(tables.text());
    views
}

impl Tables<'_> {
    fn names(&self) -> Vec<View> {
        let names = original_names(self.events.known.columns());
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for position in self.events.present() {
            let column = self.events.column(position);
            let item = item("", column, names[position].clone());
            if is_first(column) { first.push(item) } else { others.push(item) }
        }
        first.extend(self.date(""));
        self.frame(Kind::Names, self.in_catalog(self.events.table)).views(&first, others)
    }

    fn users(&self) -> Vec<View> {
        let Some(mappings) = self.mappings() else { return Vec::new() };
        let (mut first, others) = self.events_beside([RESOLVED], str::to_owned);
        first.push(resolved());
        let from = format!("{} e\n{mappings}", self.in_catalog(self.events.table));
        self.frame(Kind::Users, from).views(&first, others)
    }

    fn profiles(&self) -> Vec<View> {
        let Some(profiles) = self.profiles.filter(|profiles| profiles.has(DISTINCT_ID)) else {
            return Vec::new();
        };
        // A property of events can have the name of a column of profiles.
        let beside = |name: &str| match name.strip_prefix(OF_PROFILE) {
            Some(_) => format!("event_{name}"),
            None => name.to_owned(),
        };
        let (mut first, mut others) = self.events_beside([RESOLVED], beside);
        let mut from = format!("{} e\n", self.in_catalog(self.events.table));
        let mut user = format!("e.{}", quoted(DISTINCT_ID));
        if let Some(mappings) = self.mappings() {
            first.push(resolved());
            from = format!("{from}{mappings}\n");
            user = resolved().expression;
        }
        let of_profile = |position: usize| {
            let column = profiles.column(position);
            item("p.", column, format!("{OF_PROFILE}{}", column.name))
        };
        others.extend(profiles.present().into_iter().map(of_profile));
        let table = self.in_catalog(profiles.table);
        let from = format!("{from}LEFT JOIN {table} p ON p.{} = {user}", quoted(DISTINCT_ID));
        self.frame(Kind::Profiles, from).views(&first, others)
    }

    fn text(&self) -> Vec<View> {
        let present = self.events.present();
        let mut of_property: HashMap<&str, Vec<&Column>> = HashMap::new();
        for &position in present.iter().filter(|&&position| !self.events.column(position).built_in)
        {
            let column = self.events.column(position);
            of_property.entry(&column.property).or_default().push(column);
        }
        if of_property.values().all(|columns| columns.len() == 1) {
            return Vec::new();
        }
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for position in present {
            let column = self.events.column(position);
            if is_first(column) {
                first.push(item("", column, column.name.clone()));
                continue;
            }
            let of_one_type = vec![column];
            let same = of_property.get(column.property.as_str()).filter(|_| !column.built_in);
            let same = same.unwrap_or(&of_one_type);
            // The columns of a property are one item, at the place of the first of them.
            if same[0].name == column.name {
                others.push(together(same, self.events.known.columns()));
            }
        }
        first.extend(self.date(""));
        self.frame(Kind::Text, self.in_catalog(self.events.table)).views(&first, others)
    }

    /// The columns of events in a view that has other columns too: those that each part has, and the others.
    fn events_beside<'n>(
        &self,
        reserved: impl IntoIterator<Item = &'n str>,
        wanted: impl Fn(&str) -> String,
    ) -> (Vec<Item>, Vec<Item>) {
        let mut given = GivenNames::reserving(BUILT_IN.into_iter().chain(reserved));
        // Names are given to all columns in the order of the registry, so they do not change.
        let mut name = |column: &Column| {
            if column.built_in { column.name.clone() } else { given.give(&wanted(&column.name)) }
        };
        let names: Vec<String> = self.events.known.columns().iter().map(&mut name).collect();
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for position in self.events.present() {
            let column = self.events.column(position);
            let item = item("e.", column, names[position].clone());
            if is_first(column) { first.push(item) } else { others.push(item) }
        }
        first.extend(self.date("e."));
        (first, others)
    }

    /// The day, if the table is partitioned by it.
    fn date(&self, of: &str) -> Option<Item> {
        let has_date = self.events.state.partition_keys.iter().any(|key| key == PARTITION_KEY);
        has_date.then(|| Item {
            expression: format!("{of}{}", quoted(PARTITION_KEY)),
            name: PARTITION_KEY.to_owned(),
            column_type: ColumnType::String,
            property: None,
        })
    }

    /// The join with the users that identifiers stand for.
    fn mappings(&self) -> Option<String> {
        let identities = self.identities?;
        let usable = identities.has(DISTINCT_ID) && identities.has(RESOLVED);
        let (table, id) = (self.in_catalog(identities.table), quoted(DISTINCT_ID));
        usable.then(|| format!("LEFT JOIN {table} m ON m.{id} = e.{id}"))
    }

    fn in_catalog(&self, table: &str) -> String {
        quoted(&format!("{}{table}", self.prefix))
    }

    fn frame(&self, kind: Kind, from: String) -> Frame<'_> {
        let Self { prefix, project, .. } = *self;
        Frame { kind, table: self.events.table, prefix, project, from }
    }
}

/// The name of each column in a view with original names, in the order of the registry. The first type of a
/// property has its name; later types have the suffix that their columns have.
fn original_names(columns: &[Column]) -> Vec<String> {
    let mut given = GivenNames::reserving(BUILT_IN);
    let mut seen = HashMap::new();
    let mut name = |column: &Column| {
        if column.built_in {
            return column.name.clone();
        }
        let types = seen.entry(column.property.clone()).or_insert(0);
        *types += 1;
        match (*types, column.property.trim().is_empty()) {
            (_, true) => given.give(&column.name),
            (1, false) => given.give(&column.property),
            (_, false) => given.give(&format!("{}_{}", column.property, column.column_type.name())),
        }
    };
    columns.iter().map(&mut name).collect()
}

/// Whether each part of a view has the column.
fn is_first(column: &Column) -> bool {
    column.built_in && column.name != "mp_properties"
}

fn item(of: &str, column: &Column, name: String) -> Item {
    Item {
        expression: format!("{of}{}", quoted(&column.name)),
        name,
        column_type: column.column_type,
        property: Some(column.property.clone()),
    }
}

/// The user that an event belongs to.
fn resolved() -> Item {
    let (id, resolved) = (quoted(DISTINCT_ID), quoted(RESOLVED));
    Item {
        expression: format!("coalesce(m.{resolved}, e.{id})"),
        name: RESOLVED.to_owned(),
        column_type: ColumnType::String,
        property: None,
    }
}

/// The columns of a property as one. It has the name of the column that came first, and is text if there are
/// several.
fn together(columns: &[&Column], known: &[Column]) -> Item {
    let [column] = columns else {
        let property = &columns[0].property;
        let plain = known.iter().find(|column| !column.built_in && column.property == *property);
        let texts: Vec<String> = columns.iter().map(|column| as_text(column)).collect();
        return Item {
            expression: format!("coalesce({})", texts.join(", ")),
            name: plain.unwrap_or(columns[0]).name.clone(),
            column_type: ColumnType::String,
            property: Some(property.clone()),
        };
    };
    item("", column, column.name.clone())
}

/// A column as text. Whole numbers have no decimal point, as in Mixpanel.
fn as_text(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.column_type {
        ColumnType::String => name,
        ColumnType::Number => format!(
            "CASE WHEN {name} = floor({name}) AND abs({name}) <= 9.007199254740992E15 \
             THEN CAST(CAST({name} AS bigint) AS varchar) ELSE json_format(CAST({name} AS json)) END"
        ),
        ColumnType::Boolean | ColumnType::Timestamp | ColumnType::Bigint => {
            format!("CAST({name} AS varchar)")
        }
    }
}
