//! Queries on columns of JSON text, with the JSON functions of each engine.

use super::Statement;
use super::dialect::Dialect;
use super::queries::on_day;
use super::table::{Json, Table};
use crate::arguments::QueryEngine;
use mixlake_app::describe::JsonText;

/// The most frequent twenty.
const TOP: &str = "ORDER BY 2 DESC\nLIMIT 20";

/// A column of JSON text in a statement.
struct Source {
    column: String,
    from: String,
    condition: String,
}

/// The queries on the columns of JSON text of a table.
pub fn of(dialect: Dialect, schema: &str, table: &Table) -> Vec<Statement> {
    let from = format!("{}.{}", dialect.name(schema), dialect.name(&table.name));
    let mut all = Vec::new();
    for json in &table.json {
        let source = Source {
            column: dialect.name(&json.column),
            from: from.clone(),
            condition: on_day(dialect, &json.date),
        };
        all.extend(of_column(dialect, &source, json));
    }
    all
}

fn of_column(dialect: Dialect, source: &Source, json: &Json) -> Vec<Statement> {
    match &json.text {
        JsonText::Object(key) => {
            let mut all = vec![keys(dialect, source)];
            if let Some(key) = key {
                all.push(value(dialect, source, key));
                all.extend(typed(dialect, source, key));
            }
            all
        }
        JsonText::List => vec![list(dialect, source), elements(dialect, source)],
    }
}

/// SUPER values of the column, under a name. What is no JSON becomes null.
fn as_super(source: &Source, name: &str) -> String {
    let Source { column, from, condition } = source;
    format!(
        "FROM (\n    SELECT CASE WHEN can_json_parse({column}) THEN json_parse({column}) END AS {name}\n    \
         FROM {from}\n    WHERE {condition}\n) AS t"
    )
}

fn keys(dialect: Dialect, source: &Source) -> Statement {
    let Source { column, from, condition } = source;
    let sql = match dialect.0 {
        QueryEngine::Redshift => format!(
            "SELECT key_name, count(*) AS events\n{}, UNPIVOT t.doc AS key_value AT key_name\nGROUP BY 1\n{TOP}",
            as_super(source, "doc")
        ),
        QueryEngine::Athena => format!(
            "SELECT k.key_name, count(*) AS events\nFROM {from}\n\
             CROSS JOIN UNNEST(map_keys(try_cast(try(json_parse({column})) AS map(varchar, json)))) AS k (key_name)\n\
             WHERE {condition}\nGROUP BY 1\n{TOP}"
        ),
        QueryEngine::Spark => format!(
            "SELECT k.key_name, count(*) AS events\nFROM {from}\n\
             LATERAL VIEW explode(json_object_keys({column})) k AS key_name\n\
             WHERE {condition}\nGROUP BY 1\n{TOP}"
        ),
    };
    Statement::new("Objects are stored as JSON text. The keys of those in a column:", sql)
}

fn value(dialect: Dialect, source: &Source, key: &str) -> Statement {
    let Source { column, from, condition } = source;
    let extracted = match dialect.0 {
        QueryEngine::Redshift => {
            format!("json_extract_path_text({column}, {}, true)", dialect.text(key))
        }
        QueryEngine::Athena => {
            format!("json_extract_scalar({column}, {})", dialect.text(&path(dialect, key)))
        }
        QueryEngine::Spark => {
            format!("get_json_object({column}, {})", dialect.text(&path(dialect, key)))
        }
    };
    let about = match dialect.0 {
        QueryEngine::Redshift => {
            "The values of a key, as text. `true`: what is no JSON gives null."
        }
        QueryEngine::Athena => {
            "The values of a key, as text. It is null where the value is an object or a list itself."
        }
        QueryEngine::Spark => "The values of a key, as text.",
    };
    let sql = format!(
        "SELECT {extracted} AS key_value, count(*) AS events\nFROM {from}\n\
         WHERE {condition} AND {column} IS NOT NULL\nGROUP BY 1\n{TOP}"
    );
    Statement::new(about, sql)
}

/// The same value in the engine's own type for nested values.
fn typed(dialect: Dialect, source: &Source, key: &str) -> Vec<Statement> {
    let Source { column, from, condition } = source;
    match dialect.0 {
        QueryEngine::Redshift => {
            let mut all = Vec::new();
            if key.chars().any(char::is_uppercase) {
                let sql = "SET enable_case_sensitive_identifier TO true";
                all.push(Statement::new("The key of the next query has capital letters.", sql));
            }
            let key = dialect.name(key);
            let sql = format!(
                "SELECT t.doc.{key} AS key_value\n{}\nWHERE t.doc.{key} IS NOT NULL\nLIMIT 20",
                as_super(source, "doc")
            );
            let about = "The same as SUPER, whose nested values are reached by name and number: doc.a.b[0].";
            all.push(Statement::new(about, sql));
            all
        }
        QueryEngine::Athena => {
            let path = dialect.text(&path(dialect, key));
            vec![Statement::new(
                "The same as JSON, whatever the value is.",
                format!(
                    "SELECT json_format(json_extract({column}, {path})) AS key_value\nFROM {from}\n\
                     WHERE {condition} AND json_extract({column}, {path}) IS NOT NULL\nLIMIT 20"
                ),
            )]
        }
        QueryEngine::Spark => {
            let key = dialect.text(key);
            vec![Statement::new(
                "The same from a map of all keys.",
                format!(
                    "SELECT from_json({column}, 'MAP<STRING, STRING>')[{key}] AS key_value\nFROM {from}\n\
                     WHERE {condition} AND {column} IS NOT NULL\nLIMIT 20"
                ),
            )]
        }
    }
}

fn list(dialect: Dialect, source: &Source) -> Statement {
    let Source { column, from, condition } = source;
    let (length, first) = match dialect.0 {
        QueryEngine::Redshift => (
            format!("json_array_length({column}, true)"),
            format!("json_extract_array_element_text({column}, 0, true)"),
        ),
        QueryEngine::Athena => (
            format!("json_array_length({column})"),
            format!("json_format(json_extract({column}, '$[0]'))"),
        ),
        QueryEngine::Spark => {
            (format!("json_array_length({column})"), format!("get_json_object({column}, '$[0]')"))
        }
    };
    let sql = format!(
        "SELECT {length} AS elements, {first} AS first_element\nFROM {from}\n\
         WHERE {condition} AND {column} IS NOT NULL\nLIMIT 20"
    );
    Statement::new("Lists are stored as JSON text, too. Their lengths and first elements:", sql)
}

fn elements(dialect: Dialect, source: &Source) -> Statement {
    let Source { column, from, condition } = source;
    let sql = match dialect.0 {
        QueryEngine::Redshift => format!(
            "SELECT json_serialize(element) AS list_element, count(*) AS events\n{}, t.list AS element\n\
             GROUP BY 1\n{TOP}",
            as_super(source, "list")
        ),
        QueryEngine::Athena => format!(
            "SELECT json_format(e.element) AS list_element, count(*) AS events\nFROM {from}\n\
             CROSS JOIN UNNEST(try_cast(try(json_parse({column})) AS array(json))) AS e (element)\n\
             WHERE {condition}\nGROUP BY 1\n{TOP}"
        ),
        QueryEngine::Spark => format!(
            "SELECT e.element AS list_element, count(*) AS events\nFROM {from}\n\
             LATERAL VIEW explode(from_json({column}, 'ARRAY<STRING>')) e AS element\n\
             WHERE {condition}\nGROUP BY 1\n{TOP}"
        ),
    };
    Statement::new("A row for each element of the lists.", sql)
}

/// The path to a key of an object.
fn path(dialect: Dialect, key: &str) -> String {
    let is_word = !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word {
        return format!("$.{key}");
    }
    match dialect.0 {
        QueryEngine::Redshift | QueryEngine::Athena => format!("$[\"{key}\"]"),
        QueryEngine::Spark => format!("$['{key}']"),
    }
}
