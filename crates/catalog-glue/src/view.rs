//! Describes a view in Glue, so that Athena and Trino can read it.

use crate::{describe, table};
use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types::{Column, SerDeInfo, StorageDescriptor, Table, TableInput};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mixlake_app::ports::{View, ViewColumn, ViewState};

/// The type of a table that is a view.
pub(crate) const VIRTUAL_VIEW: &str = "VIRTUAL_VIEW";

/// What Athena and Trino know a view by.
const COMMENT: &str = "Presto View";

/// The parameter by which Mixlake knows its own views.
const MARK: &str = "mixlake_view";

/// Whether a table is a view, whoever made it.
pub(crate) fn is_view(table_type: Option<&str>) -> bool {
    table_type == Some(VIRTUAL_VIEW)
}

/// The mark of a view; none for a table, and for a view that somebody else made.
pub(crate) fn mark(table: &Table) -> Option<&str> {
    let parameters = table.parameters().filter(|_| is_view(table.table_type()))?;
    parameters.get(MARK).map(String::as_str)
}

/// `None`: Glue returned no version, so a conditional write is not possible.
pub(crate) fn state(table: &Table) -> Option<ViewState> {
    let version = table.version_id().map(str::to_owned)?;
    Some(ViewState { version, mark: mark(table).map(str::to_owned) })
}

/// A new view. For Trino, the description of a table comes before its parameter `comment`, so it is the same.
pub(crate) fn new(view: &View, database: &str) -> Result<TableInput, BuildError> {
    TableInput::builder()
        .name(&view.name)
        .table_type(VIRTUAL_VIEW)
        .description(COMMENT)
        .set_parameters(Some(parameters(view).collect()))
        .view_original_text(original_text(view, database))
        .view_expanded_text("/* Presto View */")
        .storage_descriptor(storage(view)?)
        .set_partition_keys(Some(Vec::new()))
        .build()
}

/// A view as it was read, with another definition.
pub(crate) fn changed(
    before: Table,
    view: &View,
    database: &str,
) -> Result<TableInput, BuildError> {
    let mut table = before;
    table.view_original_text = Some(original_text(view, database));
    table.parameters.get_or_insert_default().extend(parameters(view));
    table::rebuilt(table, storage(view)?)
}

/// What engines know a view by, and what Mixlake knows its own by.
fn parameters(view: &View) -> impl Iterator<Item = (String, String)> {
    let parameters = [("presto_view", "true"), ("comment", COMMENT), (MARK, &view.mark)];
    parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter()
}

fn original_text(view: &View, database: &str) -> String {
    format!("/* Presto View: {} */", STANDARD.encode(view.definition(database)))
}

/// The columns, as Athena shows them. A view has no files.
fn storage(view: &View) -> Result<StorageDescriptor, BuildError> {
    let columns: Result<Vec<_>, _> = view.columns.iter().map(column).collect();
    let storage = StorageDescriptor::builder().set_columns(Some(columns?)).location("");
    Ok(storage.serde_info(SerDeInfo::builder().build()).build())
}

fn column(column: &ViewColumn) -> Result<Column, BuildError> {
    describe::column(&mixlake_app::ports::Column {
        name: column.name.clone(),
        hive_type: column.column_type.hive().to_owned(),
        comment: column.comment.clone(),
    })
}
