//! Views in a Glue that is as strict as AWS: what is sent, and what stays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod standin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mixlake_app::ports::{Catalog, CatalogError, View, ViewColumn};
use mixlake_schema::ColumnType;
use mixlake_testkit::glue::Glue;
use serde_json::{Value, json};
use standin::{DATABASE, Wire};

const NAME: &str = "mp_view_names";

fn view(columns: &[&str]) -> View {
    let column = |name: &&str| ViewColumn {
        name: (*name).to_owned(),
        column_type: ColumnType::Timestamp,
        comment: Some(format!("{name}\n")),
    };
    View {
        name: NAME.to_owned(),
        sql: "SELECT 1".to_owned(),
        columns: columns.iter().map(column).collect(),
        mark: format!("42:{}", columns.len()),
    }
}

fn definition(input: &Value) -> Value {
    let text = input["ViewOriginalText"].as_str().unwrap();
    let encoded = text.strip_prefix("/* Presto View: ").unwrap().strip_suffix(" */").unwrap();
    serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_view_is_described_as_athena_and_trino_read_it() {
    let glue = Glue::new(DATABASE);
    standin::catalog(0, Wire::quiet(&glue)).create_view(&view(&["größe ($)"])).await.unwrap();
    let input = glue.input(NAME).unwrap();
    let expected = json!({
        "originalSql": "SELECT 1",
        "catalog": "awsdatacatalog",
        "schema": DATABASE,
        "columns": [{"name": "größe ($)", "type": "timestamp(3)"}],
    });
    assert_eq!(definition(&input), expected);
    assert_eq!(input["TableType"], "VIRTUAL_VIEW");
    assert_eq!(input["ViewExpandedText"], "/* Presto View */");
    let parameters =
        json!({"presto_view": "true", "comment": "Presto View", "mixlake_view": "42:1"});
    assert_eq!(input["Parameters"], parameters);
    let column = json!([{"Name": "größe ($)", "Type": "timestamp", "Comment": "größe ($) "}]);
    assert_eq!(input["StorageDescriptor"]["Columns"], column);
}

#[tokio::test(start_paused = true)]
async fn what_others_added_to_a_view_stays() {
    let glue = Glue::new(DATABASE);
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    catalog.create_view(&view(&["a"])).await.unwrap();
    glue.edit(NAME, |input| {
        input["Owner"] = json!("bo");
        input["Parameters"]["owner"] = json!("ana");
    });
    let version = catalog.view(NAME).await.unwrap().unwrap().version;
    catalog.update_view(&version, &view(&["a", "b"])).await.unwrap();
    let input = glue.input(NAME).unwrap();
    assert_eq!(definition(&input)["columns"].as_array().unwrap().len(), 2);
    assert_eq!(input["Owner"], "bo");
    assert_eq!(input["Parameters"]["owner"], "ana");
    assert_eq!(input["Parameters"]["mixlake_view"], "42:2");
    assert_eq!(glue.history(NAME).archived, 0);
}

#[tokio::test(start_paused = true)]
async fn a_view_that_somebody_made_anew_is_theirs() {
    let glue = Glue::new(DATABASE);
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    catalog.create_view(&view(&["a"])).await.unwrap();
    glue.edit(NAME, |input| {
        input["Parameters"] = json!({"presto_view": "true", "comment": "Presto View"});
    });
    let state = catalog.view(NAME).await.unwrap().unwrap();
    assert_eq!(state.mark, None);
    let errors = [
        catalog.update_view(&state.version, &view(&["b"])).await.unwrap_err(),
        catalog.remove_view(NAME, "42:1").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
    }
    assert_eq!(catalog.views("mp_").await.unwrap(), [NAME]);
}

/// The parameter alone makes no view: nothing that is a table is ever deleted.
#[tokio::test(start_paused = true)]
async fn a_table_with_the_mark_of_a_view_is_a_table() {
    let glue = Glue::new(DATABASE);
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    catalog.create_view(&view(&["a"])).await.unwrap();
    glue.edit(NAME, |input| input["TableType"] = json!("EXTERNAL_TABLE"));
    assert_eq!(catalog.view(NAME).await.unwrap().unwrap().mark, None);
    let error = catalog.remove_view(NAME, "42:1").await.unwrap_err();
    assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
    assert_eq!(catalog.tables("").await.unwrap(), [NAME]);
}
