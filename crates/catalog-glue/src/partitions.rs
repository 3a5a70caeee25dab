//! Partitions: read, added, moved and removed in batches.

use crate::batch::{self, GONE, ItemError, all_done};
use crate::database::Database;
use crate::describe;
use crate::failure::{
    BATCH_CREATE, BATCH_DELETE, BATCH_GET, BATCH_UPDATE, DELETE_PARTITION, GET_PARTITION,
    GET_PARTITIONS, failure, refused,
};
use crate::partition::{Wanted, by_value, corrected, repaired};
use aws_sdk_glue::error::ProvideErrorMetadata;
use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, Partition as GluePartition, PartitionInput,
    PartitionValueList,
};
use futures::{StreamExt, stream};
use mixlake_app::ports::{CatalogError, Partition};
use mixlake_domain::DataFormat;
use std::collections::{BTreeSet, HashMap};

/// Concurrent reads of single partitions.
const AT_ONCE: usize = 8;

const EXISTS: &str = "AlreadyExistsException";
const MOVED_ON: &str = "ConcurrentModificationException";

/// The partitions of one table.
pub(crate) struct Partitions<'a> {
    pub(crate) database: &'a Database,
    pub(crate) table: &'a str,
}

/// Whether partitions are read with their own columns. If a crawler made the table, these are thousands
/// of days times thousands of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    Included,
    Excluded,
}

impl Partitions<'_> {
    fn subject(&self) -> String {
        self.database.subject(self.table)
    }

    /// All partitions.
    pub(crate) async fn all(&self, schema: Schema) -> Result<Vec<GluePartition>, CatalogError> {
        let excluded = schema == Schema::Excluded;
        let request = self.database.client.get_partitions().exclude_column_schema(excluded);
        let request = request.database_name(&self.database.name).table_name(self.table);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failure(GET_PARTITIONS, &self.subject(), e))?;
            found.extend(page.partitions.unwrap_or_default());
        }
        Ok(found)
    }

    /// The partitions with these values that exist.
    ///
    /// A batch returns every key without a result as unprocessed, whether the partition does not exist
    /// or the batch was cut short. Only a read of the single partition tells which.
    pub(crate) async fn some(&self, values: &[&str]) -> Result<Vec<GluePartition>, CatalogError> {
        let (mut found, handed_back) = self.batches(values).await?;
        let reads = handed_back.into_iter().map(|key| self.one(key));
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some(partition) = reads.next().await {
            found.extend(partition?);
        }
        Ok(found)
    }

    /// The same, except for unprocessed keys, which nearly always do not exist. The call that adds them
    /// reports those that do, without a read of each day of a backfill.
    async fn likely(&self, values: &[&str]) -> Result<Vec<GluePartition>, CatalogError> {
        Ok(self.batches(values).await?.0)
    }

    async fn batches(
        &self,
        values: &[&str],
    ) -> Result<(Vec<GluePartition>, Vec<PartitionValueList>), CatalogError> {
        let (mut found, mut handed_back) = (Vec::new(), Vec::new());
        for values in values.chunks(batch::READ) {
            let key = |value: &&str| PartitionValueList::builder().values(*value).build();
            let keys: Result<Vec<_>, _> = values.iter().map(key).collect();
            let keys = keys.map_err(|e| refused(BATCH_GET, &self.subject(), e))?;
            let (partitions, keys) = self.batch_get(keys).await?;
            found.extend(partitions);
            handed_back.extend(keys);
        }
        Ok((found, handed_back))
    }

    async fn one(&self, key: PartitionValueList) -> Result<Option<GluePartition>, CatalogError> {
        let request = self.database.client.get_partition().set_partition_values(Some(key.values));
        let request = request.database_name(&self.database.name).table_name(self.table);
        match request.send().await {
            Ok(answer) => Ok(answer.partition),
            Err(error) if error.code() == Some(GONE) => Ok(None),
            Err(error) => Err(failure(GET_PARTITION, &self.subject(), error)),
        }
    }

    async fn batch_get(
        &self,
        keys: Vec<PartitionValueList>,
    ) -> Result<(Vec<GluePartition>, Vec<PartitionValueList>), CatalogError> {
        let request = self.database.client.batch_get_partition();
        let request = request.database_name(&self.database.name).table_name(self.table);
        let answer = request.set_partitions_to_get(Some(keys)).send().await;
        let answer = answer.map_err(|e| failure(BATCH_GET, &self.subject(), e))?;
        Ok((answer.partitions.unwrap_or_default(), answer.unprocessed_keys.unwrap_or_default()))
    }

    /// Adds missing partitions, corrects those with another location or format, and leaves the rest
    /// unchanged. Returns the values of the partitions that had to change.
    pub(crate) async fn put(
        &self,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<Vec<String>, CatalogError> {
        let locations = partitions.iter().map(|p| (p.value.as_str(), p.location.as_str()));
        let wanted = Wanted { format, locations: locations.collect() };
        let values: Vec<&str> = wanted.locations.keys().copied().collect();
        let existing = by_value(self.likely(&values).await?);
        let right = |value: &str| existing.get(value).is_some_and(|there| wanted.is(value, there));
        let wrong = values.iter().filter(|value| !right(value)).map(|&v| v.to_owned()).collect();
        let missing: Vec<&str> =
            values.into_iter().filter(|value| !existing.contains_key(*value)).collect();
        let overtaken = self.create(&wanted, &missing).await?;
        self.correct(&wanted, existing).await?;
        self.compare(&wanted, &overtaken).await?;
        Ok(wrong)
    }

    /// Makes existing partitions identical to new ones.
    pub(crate) async fn repair(
        &self,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<(), CatalogError> {
        let values: Vec<&str> = partitions.iter().map(|p| p.value.as_str()).collect();
        let mut existing = by_value(self.some(&values).await?);
        let anew = |p: &Partition| {
            existing.remove(&p.value).map(|there| repaired(there, format, &p.location))
        };
        let inputs: Option<Vec<_>> = partitions.iter().map(anew).collect();
        self.update(&inputs.ok_or_else(|| self.conflict())?).await
    }

    /// Corrects partitions that somebody else added in the meantime, if they are wrong.
    async fn compare(&self, wanted: &Wanted<'_>, values: &[String]) -> Result<(), CatalogError> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let existing = by_value(self.some(&values).await?);
        if existing.len() < values.len() {
            return Err(self.conflict());
        }
        self.correct(wanted, existing).await
    }

    fn conflict(&self) -> CatalogError {
        CatalogError::Conflict(format!("partitions of {}", self.subject()))
    }

    /// Returns the values of the partitions that already exist.
    async fn create(
        &self,
        wanted: &Wanted<'_>,
        missing: &[&str],
    ) -> Result<Vec<String>, CatalogError> {
        let mut undone = Vec::new();
        for values in missing.chunks(batch::WRITE) {
            let Wanted { format, locations } = wanted;
            let input = |value: &&str| describe::partition(*format, value, locations[value]);
            let inputs = values.iter().map(input);
            let request = self.database.client.batch_create_partition();
            let request = request.database_name(&self.database.name).table_name(self.table);
            let answer = request.set_partition_input_list(Some(inputs.collect())).send().await;
            let answer = answer.map_err(|e| failure(BATCH_CREATE, &self.subject(), e))?;
            undone.extend(answer.errors.unwrap_or_default().into_iter().map(ItemError::from));
        }
        let (exist, undone): (Vec<_>, Vec<_>) =
            undone.into_iter().partition(|item| item.code == EXISTS);
        all_done(BATCH_CREATE, &self.subject(), undone)?;
        Ok(exist.into_iter().map(|item| item.value).collect())
    }

    /// Corrects location and format of wrong partitions; everything else on them stays.
    async fn correct(
        &self,
        wanted: &Wanted<'_>,
        existing: HashMap<String, GluePartition>,
    ) -> Result<(), CatalogError> {
        let changes = existing.into_iter().filter_map(|(value, partition)| {
            let location = wanted.locations.get(value.as_str())?;
            (!wanted.is(&value, &partition)).then(|| corrected(partition, wanted.format, location))
        });
        let mut changes: Vec<_> = changes.collect();
        changes.sort_by(|a, b| a.values.cmp(&b.values));
        self.update(&changes).await
    }

    async fn update(&self, partitions: &[PartitionInput]) -> Result<(), CatalogError> {
        let mut undone = Vec::new();
        for inputs in partitions.chunks(batch::WRITE) {
            undone.extend(self.batch_update(inputs).await?);
        }
        // Partitions have no version for a conditional write. If one was removed or is being changed,
        // that is a conflict.
        if undone.iter().any(|item| matches!(item.code.as_str(), GONE | MOVED_ON)) {
            return Err(self.conflict());
        }
        all_done(BATCH_UPDATE, &self.subject(), undone)
    }

    async fn batch_update(
        &self,
        inputs: &[PartitionInput],
    ) -> Result<Vec<ItemError>, CatalogError> {
        let entry = |input: &PartitionInput| {
            BatchUpdatePartitionRequestEntry::builder()
                .set_partition_value_list(input.values.clone())
                .partition_input(input.clone())
                .build()
        };
        let entries: Result<Vec<_>, _> = inputs.iter().map(entry).collect();
        let entries = entries.map_err(|e| refused(BATCH_UPDATE, &self.subject(), e))?;
        let request = self.database.client.batch_update_partition();
        let request = request.database_name(&self.database.name).table_name(self.table);
        let answer = request.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|e| failure(BATCH_UPDATE, &self.subject(), e))?;
        Ok(answer.errors.unwrap_or_default().into_iter().map(ItemError::from).collect())
    }

    /// Removes partitions. Missing partitions count as removed. Returns the values of those that
    /// existed.
    pub(crate) async fn remove(&self, values: &[String]) -> Result<Vec<String>, CatalogError> {
        let mut removed: BTreeSet<String> = values.iter().cloned().collect();
        let mut undone = Vec::new();
        for values in removed.iter().cloned().collect::<Vec<_>>().chunks(batch::DELETE) {
            undone.extend(match values {
                [value] => self.delete(value).await?,
                values => self.batch_delete(values).await?,
            });
        }
        let (gone, undone): (Vec<_>, Vec<_>) =
            undone.into_iter().partition(|item| item.code == GONE);
        all_done(BATCH_DELETE, &self.subject(), undone)?;
        removed.retain(|value| gone.iter().all(|item| item.value != *value));
        Ok(removed.into_iter().collect())
    }

    async fn batch_delete(&self, values: &[String]) -> Result<Vec<ItemError>, CatalogError> {
        let key = |value: &String| PartitionValueList::builder().values(value).build();
        let keys: Result<Vec<_>, _> = values.iter().map(key).collect();
        let keys = keys.map_err(|e| refused(BATCH_DELETE, &self.subject(), e))?;
        let request = self.database.client.batch_delete_partition();
        let request = request.database_name(&self.database.name).table_name(self.table);
        let answer = request.set_partitions_to_delete(Some(keys)).send().await;
        let answer = answer.map_err(|e| failure(BATCH_DELETE, &self.subject(), e))?;
        Ok(answer.errors.unwrap_or_default().into_iter().map(ItemError::from).collect())
    }

    /// The usual case is a day that lost its last file; it needs no batch.
    async fn delete(&self, value: &str) -> Result<Vec<ItemError>, CatalogError> {
        let request = self.database.client.delete_partition().partition_values(value);
        let request = request.database_name(&self.database.name).table_name(self.table);
        match request.send().await {
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.code() == Some(GONE) => {
                // Either the partition or the whole table is missing.
                let table = self.database.read(self.table).await?;
                table.ok_or_else(|| CatalogError::NotFound(self.subject()))?;
                Ok(vec![ItemError::gone(value)])
            }
            Err(error) => Err(failure(DELETE_PARTITION, &self.subject(), error)),
        }
    }
}
