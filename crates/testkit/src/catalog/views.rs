//! Views: changed by conditional writes, and never in place of something else.

use super::tables::new_table;
use mixlake_app::ports::{Catalog, CatalogError, Format, TableState, View, ViewColumn, ViewState};
use mixlake_schema::ColumnType;
use std::collections::HashSet;

/// A view of the fake catalog.
#[derive(Debug, Clone)]
pub(super) struct StoredView {
    pub(super) version: u64,
    pub(super) view: View,
    is_marked: bool,
}

impl StoredView {
    pub(super) fn create(view: &View) -> Result<Self, CatalogError> {
        check(view)?;
        Ok(Self { version: 0, view: view.clone(), is_marked: true })
    }

    pub(super) fn state(&self) -> ViewState {
        let mark = self.is_marked.then(|| self.view.mark.clone());
        ViewState { version: self.version.to_string(), mark }
    }

    /// A reader of tables finds a view, too.
    pub(super) fn as_table(&self) -> TableState {
        TableState {
            version: self.version.to_string(),
            columns: Vec::new(),
            partition_keys: Vec::new(),
            location: String::new(),
            format: Format::Other("a view".to_owned()),
            memo: None,
        }
    }

    pub(super) fn update(&mut self, version: &str, view: &View) -> Result<(), CatalogError> {
        if self.version.to_string() != version {
            return Err(CatalogError::Conflict(format!("table {}", view.name)));
        }
        *self = Self { version: self.version + 1, ..Self::create(view)? };
        Ok(())
    }

    pub(super) fn has_mark(&self, mark: &str) -> bool {
        self.is_marked && self.view.mark == mark
    }

    pub(super) fn take_over(&mut self) {
        self.version += 1;
        self.is_marked = false;
    }
}

/// Glue accepts whatever passes these checks.
fn check(view: &View) -> Result<(), CatalogError> {
    let mut names = HashSet::new();
    let is_fine = |column: &ViewColumn| {
        let name = &column.name;
        (1..=255).contains(&name.len())
            && *name == name.to_lowercase()
            && !name.contains(char::is_control)
    };
    let is_right = view.columns.iter().all(|column| is_fine(column) && names.insert(&column.name));
    let text = view.definition("database").len().div_ceil(3) * 4 + 24;
    if is_right && !view.columns.is_empty() && text <= 409_600 {
        return Ok(());
    }
    Err(CatalogError::Refused {
        action: "create",
        subject: format!("table {}", view.name),
        hint: None,
        cause: "a column or the length of the view is not allowed".into(),
    })
}

pub(super) fn view(name: &str, columns: &[&str]) -> View {
    let listed: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let column = |name: &&str| ViewColumn {
        name: (*name).to_owned(),
        column_type: ColumnType::String,
        comment: Some(format!("Of {name}\n")),
    };
    View {
        name: name.to_owned(),
        sql: format!("SELECT {} FROM \"signup\"", listed.join(", ")),
        columns: columns.iter().map(column).collect(),
        mark: format!("42:{}", columns.join("+")),
    }
}

async fn state(catalog: &dyn Catalog, name: &str) -> ViewState {
    catalog.view(name).await.unwrap().expect(name)
}

pub(super) async fn a_view_is_created_once_and_is_no_table(catalog: &dyn Catalog) {
    assert_eq!(catalog.view("v").await.unwrap(), None);
    catalog.create_view(&view("v", &["größe ($)", "a \"b\""])).await.unwrap();
    assert_eq!(state(catalog, "v").await.mark.as_deref(), Some("42:größe ($)+a \"b\""));
    catalog.create_table(&new_table("vtable")).await.unwrap();
    assert_eq!(catalog.views("v").await.unwrap(), ["v"]);
    assert_eq!(catalog.tables("v").await.unwrap(), ["vtable"]);
    for error in [
        catalog.create_view(&view("v", &["other"])).await.unwrap_err(),
        catalog.create_view(&view("vtable", &["other"])).await.unwrap_err(),
        catalog.create_table(&new_table("v")).await.unwrap_err(),
    ] {
        assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
    }
    let table = state(catalog, "vtable").await;
    assert_eq!(table.mark, None, "a table has no mark");
    let read = catalog.table("v").await.unwrap().expect("a reader of tables finds a view");
    assert_eq!((read.location.as_str(), read.memo), ("", None));
    assert_eq!(read.format, Format::Other("a view".to_owned()));
}

pub(super) async fn a_view_changes_by_its_version(catalog: &dyn Catalog) {
    catalog.create_view(&view("v", &["a"])).await.unwrap();
    let before = state(catalog, "v").await;
    catalog.update_view(&before.version, &view("v", &["a", "b"])).await.unwrap();
    let after = state(catalog, "v").await;
    assert_eq!(after.mark.as_deref(), Some("42:a+b"));
    assert_ne!(after.version, before.version);
    let stale = catalog.update_view(&before.version, &view("v", &["c"])).await.unwrap_err();
    assert!(matches!(stale, CatalogError::Conflict(_)), "{stale}");
    assert_eq!(state(catalog, "v").await, after);
    let gone = catalog.update_view("0", &view("none", &["c"])).await.unwrap_err();
    assert!(matches!(gone, CatalogError::NotFound(_)), "{gone}");
}

pub(super) async fn a_view_is_removed_by_its_mark_and_a_table_never(catalog: &dyn Catalog) {
    catalog.create_view(&view("v", &["a"])).await.unwrap();
    catalog.create_table(&new_table("signup")).await.unwrap();
    for (name, mark) in [("v", "42:other"), ("signup", "42:0-2"), ("signup", "")] {
        let error = catalog.remove_view(name, mark).await.unwrap_err();
        assert!(matches!(error, CatalogError::Conflict(_)), "{name}: {error}");
    }
    catalog.remove_view("v", "42:a").await.unwrap();
    catalog.remove_view("v", "42:a").await.unwrap();
    assert_eq!(catalog.views("").await.unwrap(), [""; 0]);
    assert_eq!(catalog.tables("").await.unwrap(), ["signup"]);
    catalog.create_table(&new_table("v")).await.unwrap();
}
