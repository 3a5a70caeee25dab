//! Divides a view whose text would be too long. Each part has the first columns, and some of the others.

use super::kind::Kind;
use crate::hash;
use crate::ports::{View, ViewColumn, presto_type};
use mixlake_schema::ColumnType;

/// The most bytes of a query. Athena accepts no longer one.
const MOST_SQL: usize = 262_144;

/// The most bytes of a definition, with the list of its columns. Glue accepts a text of this length; how large
/// a whole table may be, it does not document.
const MOST_DEFINITION: usize = 409_600;

/// The bytes of a definition without its columns: keys, names of catalog and database, and Glue's own fields.
const FRAME: usize = 4_096;

/// A column of a view, and where its values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// SQL.
    pub expression: String,
    /// The name in the view.
    pub name: String,
    pub column_type: ColumnType,
    /// The original name of the property.
    pub property: Option<String>,
}

impl Item {
    /// How the query lists it.
    fn listed(&self) -> String {
        let name = quoted(&self.name);
        if self.expression == name || self.expression.ends_with(&format!(".{name}")) {
            return self.expression.clone();
        }
        format!("{} AS {name}", self.expression)
    }

    fn size(&self) -> Size {
        let sql = self.listed().len() + 4;
        // The definition is JSON in base64, and has the name twice.
        let json = escaped(&self.listed())
            + 6
            + escaped(&self.name)
            + presto_type(self.column_type).len()
            + 24;
        let comment = self.property.as_deref().map_or(0, |text| text.len().min(765));
        let listed = 40 + self.name.len() + self.column_type.hive().len() + comment;
        Size { sql, definition: json * 4 / 3 + 4 + listed }
    }
}

/// A name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// How many bytes a text has in JSON.
fn escaped(text: &str) -> usize {
    serde_json::Value::from(text).to_string().len()
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    sql: usize,
    definition: usize,
}

impl Size {
    fn and(self, other: Self) -> Self {
        Self { sql: self.sql + other.sql, definition: self.definition + other.definition }
    }

    fn fits(self) -> bool {
        self.sql <= MOST_SQL && self.definition <= MOST_DEFINITION
    }
}

/// What the parts of a view have in common.
pub(super) struct Frame<'a> {
    pub kind: Kind,
    /// The table of events.
    pub table: &'a str,
    /// The prefix of the tables in the catalog.
    pub prefix: &'a str,
    /// The project, for the mark.
    pub project: &'a str,
    /// What follows `FROM`.
    pub from: String,
}

impl Frame<'_> {
    /// The views: one, or as many as are needed. Each has the columns in `first`.
    pub(super) fn views(&self, first: &[Item], others: Vec<Item>) -> Vec<View> {
        let empty = Size { sql: FRAME, definition: FRAME };
        let start = first.iter().fold(empty, |size, item| size.and(item.size()));
        let mut parts = vec![first.to_vec()];
        let mut size = start;
        for item in others {
            let more = size.and(item.size());
            let has_others = parts.last().is_some_and(|part| part.len() > first.len());
            if more.fits() || !has_others {
                size = more;
            } else {
                parts.push(first.to_vec());
                size = start.and(item.size());
            }
            parts.last_mut().expect("there is always a part").push(item);
        }
        parts.into_iter().enumerate().map(|(index, items)| self.view(index + 1, items)).collect()
    }

    fn view(&self, part: usize, items: Vec<Item>) -> View {
        let listed: Vec<String> = items.iter().map(Item::listed).collect();
        let sql = format!("SELECT\n  {}\nFROM {}", listed.join(",\n  "), self.from);
        let column = |item: Item| ViewColumn {
            name: item.name,
            column_type: item.column_type,
            comment: item.property,
        };
        let mut view = View {
            name: format!("{}{}", self.prefix, self.kind.name(self.table, part)),
            sql,
            columns: items.into_iter().map(column).collect(),
            mark: String::new(),
        };
        let hash = hash::content(view.definition("").as_bytes());
        view.mark = format!("{}:{hash}", self.project);
        view
    }
}
