//! A table as the statements name it.

use mixlake_app::describe::{JsonColumn, JsonText, TableDescription};
use mixlake_columnar::EventNameForm;
use mixlake_domain::{Date, Span};
use mixlake_schema::{Column, ColumnType, MASTER_TABLE};

/// The most days of a query over several days.
const DAYS: i64 = 7;

/// A table as the statements name it. Where no lake tells, words in angle brackets stand for what it would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The name in the catalog.
    pub name: String,
    /// The events in it.
    pub events: Events,
    /// The first and the last day of queries over several days.
    pub days: (String, String),
    /// The zone of the project's days.
    pub zone: String,
    /// The type of `time`.
    pub time: ColumnType,
    /// A column of short texts, which are no JSON.
    pub text: Option<String>,
    /// Columns of JSON text.
    pub json: Vec<Json>,
}

/// The events in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// All of the project.
    All {
        /// A value of `mp_event_name`.
        value: String,
        /// The table of an event, if each had its own.
        own_table: String,
    },
    /// One, as Mixpanel calls it.
    One(String),
}

/// A column of JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json {
    /// The name.
    pub column: String,
    /// A day on which it has values.
    pub date: String,
    /// What the values are.
    pub text: JsonText,
}

impl Table {
    /// A table of a lake.
    pub fn of(
        found: TableDescription,
        prefix: &str,
        zone: &str,
        form: Option<EventNameForm>,
    ) -> Self {
        let events = if found.table.as_str() == MASTER_TABLE {
            let own_table = format!("{prefix}{}", found.event.name);
            Events::All { value: event_value(&found, form), own_table }
        } else {
            Events::One(found.event.event.clone())
        };
        Self {
            name: format!("{prefix}{}", found.table),
            events,
            days: (first_day(found.first, found.last).to_string(), found.last.to_string()),
            zone: zone.to_owned(),
            time: time_type(&found.columns),
            text: text_column(&found),
            json: found.json.into_iter().map(Json::of).collect(),
        }
    }

    /// The table of all events, of which no lake tells.
    pub fn unknown_of_all(prefix: &str) -> Self {
        let date = || "<YYYY-MM-DD>".to_owned();
        let json = |column: &str, text| Json { column: column.to_owned(), date: date(), text };
        Self {
            name: format!("{prefix}{MASTER_TABLE}"),
            events: Events::All {
                value: "<CLEANED_EVENT_NAME>".to_owned(),
                own_table: Self::unknown_name(prefix),
            },
            days: (date(), date()),
            zone: "UTC".to_owned(),
            time: ColumnType::Timestamp,
            text: Some("<column>".to_owned()),
            json: vec![
                json("<column_of_objects>", JsonText::Object(Some("<key>".to_owned()))),
                json("<column_of_lists>", JsonText::List),
            ],
        }
    }

    /// The table of an event, of which no lake tells.
    pub fn unknown_of_one(prefix: &str) -> Self {
        Self {
            name: Self::unknown_name(prefix),
            events: Events::One("<EVENT NAME>".to_owned()),
            json: Vec::new(),
            ..Self::unknown_of_all(prefix)
        }
    }

    fn unknown_name(prefix: &str) -> String {
        format!("{prefix}<cleaned_event_name>")
    }
}

impl Json {
    fn of(found: JsonColumn) -> Self {
        let text = match found.text {
            JsonText::Object(key) => JsonText::Object(key.filter(|key| is_plain(key))),
            JsonText::List => JsonText::List,
        };
        Self { column: found.column, date: found.date.to_string(), text }
    }
}

/// Whether a key can be part of a JSON path in every engine.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.contains(|c: char| c.is_control() || "'\"`\\[]".contains(c))
}

/// A value of `mp_event_name`: from the files, or by the rules.
fn event_value(found: &TableDescription, form: Option<EventNameForm>) -> String {
    let by_rules = match form {
        Some(EventNameForm::Raw) => &found.event.event,
        Some(EventNameForm::Cleaned) | None => &found.event.name,
    };
    let value = found.event_value.as_ref().unwrap_or(by_rules);
    // A terminal would obey it.
    if value.contains(char::is_control) { "<EVENT_NAME>".to_owned() } else { value.clone() }
}

fn first_day(first: Date, last: Date) -> Date {
    last.saturating_sub(Span::new().days(DAYS - 1)).max(first)
}

fn time_type(columns: &[Column]) -> ColumnType {
    let time = columns.iter().find(|column| column.name == "time");
    time.map_or(ColumnType::Timestamp, |time| time.column_type)
}

/// A property of the project's own is preferred to one of Mixpanel's.
fn text_column(found: &TableDescription) -> Option<String> {
    let is_text = |column: &&Column| {
        column.column_type == ColumnType::String
            && !column.built_in
            && column.property != "$insert_id"
            && found.json.iter().all(|json| json.column != column.name)
    };
    let texts: Vec<&Column> = found.columns.iter().filter(is_text).collect();
    let own = texts.iter().find(|column| !column.property.starts_with('$'));
    own.or(texts.first()).map(|column| column.name.clone())
}
