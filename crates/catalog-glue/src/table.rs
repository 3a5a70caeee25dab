//! Converts a table as Glue returns it to the input that Glue expects.
//!
//! `UpdateTable` replaces everything: a field that is forgotten here is lost.

use crate::batch::value_of;
use crate::{describe, view};
use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types::{
    self, StorageDescriptor, Table, TableInput, ViewDefinition, ViewDefinitionInput,
    ViewRepresentation, ViewRepresentationInput,
};
use mixlake_app::ports::{Column, Declared, Format, NewTable, TableState};
use std::collections::HashMap;

/// The state of a table for the port. `None`: Glue returned no version, so a conditional write is not
/// possible.
pub(crate) fn state(table: Table) -> Option<TableState> {
    let storage = table.storage_descriptor.unwrap_or_else(empty_storage);
    let keys = table.partition_keys.unwrap_or_default();
    let is_view = view::is_view(table.table_type.as_deref());
    Some(TableState {
        version: table.version_id?,
        format: if is_view {
            Format::Other("a view".to_owned())
        } else {
            describe::format(&storage)
        },
        columns: storage.columns.unwrap_or_default().into_iter().map(shown).collect(),
        partition_keys: keys.into_iter().map(|key| key.name).collect(),
        location: storage.location.unwrap_or_default(),
        memo: table.parameters.and_then(|mut all| all.remove(describe::MEMO)),
    })
}

fn shown(column: types::Column) -> Column {
    Column {
        name: column.name,
        hive_type: column.r#type.unwrap_or_default(),
        comment: column.comment,
    }
}

/// The value of a partition, and its own columns and format.
pub(crate) fn declared(partition: types::Partition) -> (String, Declared) {
    let value = value_of(partition.values());
    let storage = partition.storage_descriptor.unwrap_or_else(empty_storage);
    let format = describe::format(&storage);
    let columns = storage.columns.unwrap_or_default().into_iter().map(shown).collect();
    (value, Declared { columns, format })
}

/// The table with columns added at the end; everything else is unchanged.
pub(crate) fn with_columns(
    table: Table,
    added: Vec<types::Column>,
    memo: &str,
) -> Result<TableInput, BuildError> {
    let mut storage = table.storage_descriptor.clone().unwrap_or_else(empty_storage);
    storage.columns.get_or_insert_default().extend(added);
    input(table, storage, memo)
}

/// The table as it should be. A column that keeps its name keeps everything that others added, except
/// for its type. The table keeps its properties and reader settings, except for the format.
pub(crate) fn repaired(table: Table, to: &NewTable) -> Result<TableInput, BuildError> {
    let mut storage = table.storage_descriptor.clone().unwrap_or_else(empty_storage);
    let before = storage.columns.take().unwrap_or_default().into_iter();
    let mut before: HashMap<_, _> = before.map(|c| (c.name.to_lowercase(), c)).collect();
    let column = |wanted: &Column| match before.remove(&wanted.name.to_lowercase()) {
        Some(mut column) => {
            column.r#type = Some(wanted.hive_type.clone());
            Ok(column)
        }
        None => describe::column(wanted),
    };
    let columns: Result<Vec<_>, _> = to.columns.iter().map(column).collect();
    if describe::format(&storage) == Format::Lake(to.format) {
        storage.location = Some(to.location.clone());
        storage.columns = Some(columns?);
    } else {
        storage = describe::storage(to.format, &to.location, columns?);
    }
    input(table, storage, &to.memo)
}

/// The table in another folder, and all else as it was read.
pub(crate) fn moved(table: Table, location: &str) -> Result<TableInput, BuildError> {
    let mut storage = table.storage_descriptor.clone().unwrap_or_else(empty_storage);
    storage.location = Some(location.to_owned());
    rebuilt(table, storage)
}

/// A table as it was read, with another description of its files, and our note.
fn input(
    mut table: Table,
    storage: StorageDescriptor,
    memo: &str,
) -> Result<TableInput, BuildError> {
    let parameters = table.parameters.get_or_insert_default();
    parameters.insert(describe::MEMO.to_owned(), memo.to_owned());
    rebuilt(table, storage)
}

/// A table as it was read, with another description of its files.
pub(crate) fn rebuilt(table: Table, storage: StorageDescriptor) -> Result<TableInput, BuildError> {
    TableInput::builder()
        .name(table.name)
        .set_description(table.description)
        .set_owner(table.owner)
        .set_last_access_time(table.last_access_time)
        .set_last_analyzed_time(table.last_analyzed_time)
        .retention(table.retention)
        .storage_descriptor(storage)
        .set_partition_keys(table.partition_keys)
        .set_view_original_text(table.view_original_text)
        .set_view_expanded_text(table.view_expanded_text)
        .set_table_type(table.table_type)
        .set_parameters(table.parameters)
        .set_target_table(table.target_table)
        .set_federated_table(table.federated_table)
        .set_view_definition(table.view_definition.map(definition))
        .build()
}

fn definition(view: ViewDefinition) -> ViewDefinitionInput {
    let representations = view.representations;
    let representations = representations.map(|all| all.into_iter().map(representation).collect());
    ViewDefinitionInput::builder()
        .set_is_protected(view.is_protected)
        .set_is_managed(view.is_managed)
        .set_definer(view.definer)
        .set_representations(representations)
        .view_version_id(view.view_version_id)
        .set_view_version_token(view.view_version_token)
        .set_refresh_seconds(view.refresh_seconds)
        .set_last_refresh_type(view.last_refresh_type)
        .set_sub_objects(view.sub_objects)
        .set_sub_object_version_ids(view.sub_object_version_ids)
        .set_sub_objects_statistics(view.sub_objects_statistics)
        .set_spark_pipeline_info(view.spark_pipeline_info)
        .build()
}

/// Only Glue decides whether a view is stale, so this field cannot be sent.
fn representation(view: ViewRepresentation) -> ViewRepresentationInput {
    ViewRepresentationInput::builder()
        .set_dialect(view.dialect)
        .set_dialect_version(view.dialect_version)
        .set_view_original_text(view.view_original_text)
        .set_validation_connection(view.validation_connection)
        .set_view_expanded_text(view.view_expanded_text)
        .build()
}

fn empty_storage() -> StorageDescriptor {
    StorageDescriptor::builder().build()
}

/// The first of the columns that the table already has, as a column or as a partition key. Glue and the
/// engines ignore the case of names.
pub(crate) fn duplicate<'a>(table: &Table, added: &'a [Column]) -> Option<&'a str> {
    let storage = table.storage_descriptor.as_ref();
    let columns = storage.map(StorageDescriptor::columns).unwrap_or_default();
    let taken = columns.iter().chain(table.partition_keys()).map(|c| c.name.to_lowercase());
    let mut taken: std::collections::HashSet<String> = taken.collect();
    added.iter().map(|c| c.name.as_str()).find(|name| !taken.insert(name.to_lowercase()))
}

#[cfg(test)]
mod tests;
