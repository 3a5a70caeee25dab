//! The statements of `mixlake sql`: made by functions without I/O from what is known of a lake.

mod dialect;
mod json;
mod queries;
mod render;
mod role;
mod table;
#[cfg(test)]
mod tests;

pub use render::render;
pub use role::Role;
pub use table::Table;

use crate::arguments::QueryEngine;
use dialect::Dialect;
use serde::Serialize;

/// A statement, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What it answers or does, in a sentence or two.
    pub about: String,
    /// The statement, without a semicolon.
    pub sql: String,
}

impl Statement {
    fn new(about: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { about: about.into(), sql: sql.into() }
    }
}

/// Where an engine finds the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The Glue database.
    pub database: String,
    /// Its region, if it was named.
    pub region: Option<String>,
    /// The external schema in Redshift.
    pub schema: String,
    /// The role that Redshift assumes, if it was named.
    pub role: Option<Role>,
}

impl Place {
    /// What comes before the name of a table.
    fn schema_of(&self, engine: QueryEngine) -> &str {
        match engine {
            QueryEngine::Redshift => &self.schema,
            QueryEngine::Athena | QueryEngine::Spark => &self.database,
        }
    }
}

/// The statements for these tables. Without tables, words in angle brackets stand for what a lake would tell.
pub fn statements(engine: QueryEngine, place: &Place, tables: &[Table]) -> Vec<Statement> {
    let dialect = Dialect(engine);
    let mut all = Vec::new();
    if engine == QueryEngine::Redshift {
        all.push(external_schema(place));
    }
    let schema = place.schema_of(engine);
    for table in tables {
        all.extend(queries::of(dialect, schema, table));
        all.extend(json::of(dialect, schema, table));
    }
    all
}

/// What stands for a role that was not named.
const ROLE: &str = "<ROLE_ARN>";

fn external_schema(place: &Place) -> Statement {
    let dialect = Dialect(QueryEngine::Redshift);
    let role = match &place.role {
        Some(Role::Default) => "default".to_owned(),
        Some(Role::Arn(arn)) => dialect.text(arn),
        None => dialect.text(ROLE),
    };
    let mut lines = vec![
        format!("CREATE EXTERNAL SCHEMA IF NOT EXISTS {}", dialect.name(&place.schema)),
        "FROM DATA CATALOG".to_owned(),
        format!("DATABASE {}", dialect.text(&place.database)),
    ];
    lines.extend(place.region.iter().map(|region| format!("REGION {}", dialect.text(region))));
    lines.push(format!("IAM_ROLE {role}"));
    Statement::new(
        "Connects Redshift to the Glue database. Run it once, as an administrator; new tables, columns and days \
         are then seen at once. The role must be attached to the cluster or workgroup, and read Glue and the \
         bucket. CREATE EXTERNAL DATABASE IF NOT EXISTS is left out, because the database exists: with a \
         misspelled name, that clause would create an empty one.",
        lines.join("\n"),
    )
}
