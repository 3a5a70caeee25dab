use super::definitions::{Tables, definitions};
use super::kind::Kind;
use super::source::Source;
use crate::ports::{Column, Format, TableState, View};
use mixlake_domain::{DataFormat, Date};
use mixlake_schema::ColumnType::{String as Text, Timestamp};
use mixlake_schema::ValueType::{self, Boolean, Number, String};
use mixlake_schema::{ColumnType, MASTER_TABLE, Profile, Registry, Table};
use rstest::rstest;
use std::collections::HashSet;
use std::fmt::Write;

const DAY: Date = Date::constant(2026, 11, 10);
const EVENTS: [(&str, &str, ColumnType); 3] = [
    ("event", "mp_event_name", Text),
    ("time", "time", Timestamp),
    ("distinct_id", "distinct_id", Text),
];

/// A table of the registry, and the same in the catalog.
struct Given {
    name: &'static str,
    known: Table,
    state: TableState,
}

impl Given {
    fn new(name: &'static str, built_in: &[(&str, &str, ColumnType)]) -> Self {
        let mut registry = Registry::default();
        let known = registry.table_or_new(name, DataFormat::Parquet, built_in).clone();
        let state = TableState {
            version: "0".to_owned(),
            columns: Vec::new(),
            partition_keys: Vec::new(),
            location: "s3://lake/42/".to_owned(),
            format: Format::Lake(DataFormat::Parquet),
            memo: None,
        };
        let mut given = Self { name, known, state };
        given.catch_up();
        given
    }

    fn events(properties: &[(&str, ValueType)]) -> Self {
        let mut given = Self::new(MASTER_TABLE, &EVENTS);
        given.state.partition_keys.push("mp_date".to_owned());
        given.add(properties);
        given
    }

    fn profiles(properties: &[(&str, ValueType)]) -> Self {
        let mut given = Self::new("mp_people_data", &EVENTS[2..]);
        given.add(properties);
        given
    }

    fn identities() -> Self {
        let built_in = [EVENTS[2], ("resolved_distinct_id", "resolved_distinct_id", Text)];
        Self::new("mp_identity_mappings_data", &built_in)
    }

    fn add(&mut self, properties: &[(&str, ValueType)]) {
        for (property, value_type) in properties {
            self.known.resolve(property, *value_type, Profile::Mixpanel, DAY);
        }
        self.catch_up();
    }

    /// The catalog gets the columns of the registry.
    fn catch_up(&mut self) {
        for column in &self.known.columns()[self.state.columns.len()..] {
            self.state.columns.push(Column {
                name: column.name.clone(),
                hive_type: column.column_type.hive().to_owned(),
                comment: None,
            });
        }
    }

    fn source(&self) -> Source<'_> {
        Source { table: self.name, known: &self.known, state: &self.state }
    }
}

fn views(events: &Given, profiles: Option<&Given>, identities: Option<&Given>) -> Vec<View> {
    definitions(&Tables {
        prefix: "pre_",
        project: "42",
        events: events.source(),
        profiles: profiles.map(Given::source),
        identities: identities.map(Given::source),
    })
}

fn names(views: &[View]) -> Vec<&str> {
    views.iter().map(|view| view.name.as_str()).collect()
}

fn columns(view: &View) -> Vec<&str> {
    view.columns.iter().map(|column| column.name.as_str()).collect()
}

const AWKWARD: &[(&str, ValueType)] = &[
    ("Plan", String),
    ("plan", String),
    ("$city", String),
    ("Total Price (€)", Number),
    ("say \"hi\"", Boolean),
    ("名前", String),
    ("two\nlines", String),
    ("time", String),
    ("mp_date", String),
    ("resolved_distinct_id", String),
    ("profile_plan", String),
    ("Plan", Number),
    ("", String),
    ("Age", Number),
    ("Age", Boolean),
    ("Age", String),
];

#[test]
fn views_list_their_columns_one_by_one() {
    let (profiles, identities) =
        (Given::profiles(&[("Plan", String), ("$email", String)]), Given::identities());
    let mut text = std::string::String::new();
    for view in views(&Given::events(AWKWARD), Some(&profiles), Some(&identities)) {
        let _ = writeln!(text, "{}\n{}\n", view.name, view.sql);
        for column in &view.columns {
            let property = column.comment.as_deref().unwrap_or("-");
            let _ =
                writeln!(text, "  {}  {}  {property:?}", column.name, column.column_type.hive());
        }
        let _ = writeln!(text);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_definition_is_the_json_that_engines_read() {
    let events = Given::events(&[("Plan \"x\"", Number)]);
    insta::assert_snapshot!(views(&events, None, None)[0].definition("mixpanel"));
}

#[test]
fn joins_are_there_with_the_tables_that_they_need() {
    let events = Given::events(&[("Plan", String)]);
    let (profiles, identities) = (Given::profiles(&[]), Given::identities());
    let of = |profiles, identities| {
        let views = views(&events, profiles, identities);
        views.into_iter().map(|view| view.name).collect::<Vec<_>>()
    };
    assert_eq!(of(None, None), ["pre_mp_view_names"]);
    assert_eq!(of(None, Some(&identities)), ["pre_mp_view_names", "pre_mp_view_users"]);
    assert_eq!(of(Some(&profiles), None), ["pre_mp_view_names", "pre_mp_view_profiles"]);
    let views = views(&events, Some(&profiles), None);
    assert!(
        views[1].sql.ends_with(
            "LEFT JOIN \"pre_mp_people_data\" p ON p.\"distinct_id\" = e.\"distinct_id\""
        ),
        "{}",
        views[1].sql
    );
    assert!(!columns(&views[1]).contains(&"resolved_distinct_id"));
}

#[test]
fn a_table_of_one_event_has_its_names_and_its_text() {
    let mut events = Given::events(&[("Plan", String), ("Plan", Number)]);
    events.name = "signup";
    let (profiles, identities) = (Given::profiles(&[]), Given::identities());
    let views = views(&events, Some(&profiles), Some(&identities));
    assert_eq!(names(&views), ["pre_mp_view_names_signup", "pre_mp_view_text_signup"]);
}

#[test]
fn a_column_that_the_catalog_does_not_have_yet_is_left_out_and_keeps_its_name_for_later() {
    let mut events = Given::events(&[("Plan", String), ("PLAN", String)]);
    let all = events.state.columns.clone();
    events.state.columns.retain(|column| column.name != "plan");
    let before = views(&events, None, None);
    assert_eq!(columns(&before[0])[3..], ["mp_date", "plan_1"]);
    events.state.columns = all;
    let after = views(&events, None, None);
    assert_eq!(columns(&after[0])[3..], ["mp_date", "plan", "plan_1"]);
    assert_ne!(before[0].mark, after[0].mark);
}

#[test]
fn columns_that_others_added_or_retyped_are_left_out() {
    let mut events = Given::events(&[("Plan", String)]);
    let others = Column { name: "mine".to_owned(), hive_type: "int".to_owned(), comment: None };
    events.state.columns.push(others);
    events.state.columns[3].hive_type = "int".to_owned();
    assert_eq!(columns(&views(&events, None, None)[0])[3..], ["mp_date"]);
}

#[test]
fn names_stay_when_properties_come() {
    let mut events = Given::events(AWKWARD);
    let (mut profiles, identities) = (Given::profiles(AWKWARD), Given::identities());
    let before = views(&events, Some(&profiles), Some(&identities));
    events.add(&[
        ("PLAN", String),
        ("resolved_distinct_id", Number),
        ("profile_email", String),
        ("event_profile_plan", String),
    ]);
    profiles.add(&[("email", String)]);
    let after = views(&events, Some(&profiles), Some(&identities));
    assert_eq!(names(&before), names(&after));
    for (before, after) in before.iter().zip(&after) {
        let new: HashSet<&str> = columns(after).into_iter().collect();
        assert!(columns(before).iter().all(|name| new.contains(name)), "{}", after.name);
        assert_eq!(new.len(), after.columns.len(), "{}: no name twice", after.name);
    }
}

#[test]
fn a_view_whose_text_would_be_too_long_is_several() {
    let properties: Vec<std::string::String> = (0..4_000)
        .map(|i| format!("A property with quite a long name, number {i} – Größe"))
        .collect();
    let properties: Vec<(&str, ValueType)> =
        properties.iter().map(|property| (property.as_str(), Number)).collect();
    let events = Given::events(&properties);
    let views =
        views(&events, Some(&Given::profiles(&[("Plan", String)])), Some(&Given::identities()));
    let of_names: Vec<&View> = views.iter().filter(|view| view.name.contains("names")).collect();
    let numbered: Vec<&str> = of_names.iter().map(|view| view.name.as_str()).collect();
    assert!(numbered.len() > 2, "{numbered:?}");
    assert_eq!(numbered[..3], ["pre_mp_view_names", "pre_mp_view_names2", "pre_mp_view_names3"]);
    let built_in = ["mp_event_name", "time", "distinct_id", "mp_date"];
    let mut others = Vec::new();
    for view in &of_names {
        assert_eq!(columns(view)[..4], built_in);
        others.extend(columns(view).split_off(4));
    }
    assert_eq!(others.len(), 4_000);
    assert_eq!(others.iter().collect::<HashSet<_>>().len(), 4_000);
    for view in &views {
        assert!(view.sql.len() <= 262_144, "{}: {} bytes", view.name, view.sql.len());
        let definition = view.definition("a_database_of_our_own").len().div_ceil(3) * 4 + 24;
        assert!(definition <= 409_600, "{}: {definition} bytes", view.name);
    }
    assert!(views.iter().any(|view| view.name == "pre_mp_view_users2"));
    assert!(views.last().unwrap().columns.iter().any(|column| column.name == "profile_plan"));
}

#[rstest]
#[case("mp_view_names", Some(MASTER_TABLE))]
#[case("mp_view_names12", Some(MASTER_TABLE))]
#[case("mp_view_text_signup_2", Some("signup_2"))]
#[case("mp_view_text3_signup_2", Some("signup_2"))]
#[case("mp_view_mine", None)]
#[case("mp_view_namesake", None)]
#[case("signup", None)]
fn the_name_of_a_view_tells_its_table(#[case] view: &str, #[case] table: Option<&str>) {
    assert_eq!(Kind::table_of(view), table);
}

#[test]
fn a_name_is_read_as_it_is_given() {
    for kind in [Kind::Names, Kind::Users, Kind::Profiles, Kind::Text] {
        for (table, part) in [(MASTER_TABLE, 1), (MASTER_TABLE, 2), ("e_2", 1), ("names2_x", 30)] {
            assert_eq!(Kind::table_of(&kind.name(table, part)), Some(table));
        }
    }
}
