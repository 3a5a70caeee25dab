//! Queries that every engine has in the same form.

use super::Statement;
use super::dialect::Dialect;
use super::table::{Events, Table};
use crate::arguments::QueryEngine;
use mixlake_domain::PARTITION_KEY;

/// The queries on a table.
pub fn of(dialect: Dialect, schema: &str, table: &Table) -> Vec<Statement> {
    let from = format!("{}.{}", dialect.name(schema), dialect.name(&table.name));
    let mut all = vec![
        columns(dialect, schema, table),
        documented(dialect, schema, table),
        days(dialect, &from, table),
        users(dialect, &from, table),
        hours(dialect, &from, table),
    ];
    all.extend(values(dialect, &from, table));
    all
}

fn columns(dialect: Dialect, schema: &str, table: &Table) -> Statement {
    let (schema_text, name_text) = (dialect.text(schema), dialect.text(&table.name));
    let sql = match dialect.0 {
        QueryEngine::Redshift => format!(
            "SELECT columnname, external_type\nFROM svv_external_columns\n\
             WHERE schemaname = {schema_text} AND tablename = {name_text}\nORDER BY columnnum"
        ),
        QueryEngine::Athena => format!(
            "SELECT column_name, data_type\nFROM information_schema.columns\n\
             WHERE table_schema = {schema_text} AND table_name = {name_text}\nORDER BY ordinal_position"
        ),
        QueryEngine::Spark => {
            format!("DESCRIBE TABLE {}.{}", dialect.name(schema), dialect.name(&table.name))
        }
    };
    let about =
        "The columns of the table. schema/events.json in the lake says which property each is.";
    Statement::new(about, sql)
}

/// The queries of Mixpanel's documentation: one for a table of all events, and one for a table of one.
fn documented(dialect: Dialect, schema: &str, table: &Table) -> Statement {
    let count = |table: &str| {
        format!("SELECT count(*) AS events\nFROM {}.{}", dialect.name(schema), dialect.name(table))
    };
    match &table.events {
        Events::All { value, own_table } => Statement::new(
            format!(
                "How many events have a name. This table has all events; with schema_type=multischema each event has \
                 its own table: {}",
                count(own_table)
            ),
            format!(
                "{}\nWHERE {} = {}",
                count(&table.name),
                dialect.name("mp_event_name"),
                dialect.text(value)
            ),
        ),
        Events::One(event) => Statement::new(
            format!(
                "How many events {event:?} there are: with schema_type=multischema each event has its own table."
            ),
            count(&table.name),
        ),
    }
}

fn days(dialect: Dialect, from: &str, table: &Table) -> Statement {
    let date = dialect.name(PARTITION_KEY);
    let (first, last) = (dialect.text(&table.days.0), dialect.text(&table.days.1));
    Statement::new(
        "Events by day. A condition on mp_date, the partition, limits what is read; its values are texts such as \
         '2026-11-10', dates in the project's zone.",
        format!(
            "SELECT {date}, count(*) AS events\nFROM {from}\nWHERE {date} BETWEEN {first} AND {last}\n\
             GROUP BY {date}\nORDER BY {date}"
        ),
    )
}

fn users(dialect: Dialect, from: &str, table: &Table) -> Statement {
    let (date, user) = (dialect.name(PARTITION_KEY), dialect.name("distinct_id"));
    let (first, last) = (dialect.text(&table.days.0), dialect.text(&table.days.1));
    Statement::new(
        "Unique users by day.",
        format!(
            "SELECT {date}, count(DISTINCT {user}) AS users\nFROM {from}\n\
             WHERE {date} BETWEEN {first} AND {last}\nGROUP BY {date}\nORDER BY {date}"
        ),
    )
}

fn hours(dialect: Dialect, from: &str, table: &Table) -> Statement {
    let hour = dialect.hour(table.time, &table.zone);
    Statement::new(
        format!("Events by hour of a day, in the zone {}. The column is in UTC.", table.zone),
        format!(
            "SELECT {hour} AS hour_start, count(*) AS events\nFROM {from}\nWHERE {}\n\
             GROUP BY 1\nORDER BY 1",
            on_day(dialect, &table.days.1)
        ),
    )
}

/// None if the table has no column for it.
fn values(dialect: Dialect, from: &str, table: &Table) -> Option<Statement> {
    let column = dialect.name(table.text.as_ref()?);
    Some(Statement::new(
        "The most frequent values of a property on a day. Names are quoted, because a property may be called as a \
         reserved word.",
        format!(
            "SELECT {column}, count(*) AS events\nFROM {from}\nWHERE {}\nGROUP BY 1\n\
             ORDER BY 2 DESC\nLIMIT 20",
            on_day(dialect, &table.days.1)
        ),
    ))
}

/// The condition of a query on one day.
pub fn on_day(dialect: Dialect, date: &str) -> String {
    format!("{} = {}", dialect.name(PARTITION_KEY), dialect.text(date))
}
