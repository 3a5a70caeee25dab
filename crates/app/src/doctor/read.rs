//! Reads the data files: only their footers, or completely.

use super::Doctor;
use super::content;
use super::facts::{Content, Facts, FileFacts, TargetFacts};
use super::recorded_names::RecordedNames;
use crate::hash;
use crate::manifest::LiveFile;
use crate::reconcile::{ReconcileError, footer};
use mixlake_columnar::rows_hash_of;
use mixlake_domain::{DataFormat, Dataset, Layout, SliceLabel, Target};
use mixlake_schema::Registry;
use std::collections::BTreeSet;

impl Doctor<'_> {
    /// The live files.
    pub(super) async fn files(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let Facts { registry, other_registries, tables, .. } = facts;
        for (table, of_table) in tables {
            // Only the registry of events is completed from files.
            let is_of_events = !other_registries.contains_key(&Dataset::of_table(table.as_str()));
            let registry = registry.as_ref().filter(|_| is_of_events);
            for day in of_table.targets.values_mut() {
                for file in day.manifest.iter().flat_map(|manifest| &manifest.files) {
                    let key = format!("{}{}", day.folder, file.name);
                    let read = match DataFormat::of_file(&file.name) {
                        Some(DataFormat::Json) => self.silent(&key, file).await?,
                        Some(DataFormat::Parquet) | None => {
                            self.file(&key, file, (table.as_str(), registry)).await?
                        }
                    };
                    day.files.insert(key, read);
                }
            }
        }
        Ok(())
    }

    async fn file(
        &self,
        key: &str,
        file: &LiveFile,
        (table, registry): (&str, Option<&Registry>),
    ) -> Result<FileFacts, ReconcileError> {
        let footer = footer::read(self.lake.store, key).await?;
        let mut footer = footer.map(|read| read.map_err(|error| crate::chain(&error)));
        let is_there = footer.is_some();
        let (mut recorded, mut content) = (None, Content::default());
        if let Some(Ok(footer)) = &mut footer {
            let notes = std::mem::take(&mut footer.notes);
            recorded = RecordedNames::of(&notes, self.lake.project, table);
            if self.deep {
                content = self.content(key, file).await?;
            }
        }
        let is_news = |names: &RecordedNames| registry.is_some_and(|it| names.is_news(it, table));
        let recorded = recorded.filter(is_news);
        Ok(FileFacts { is_there, footer, recorded, content })
    }

    /// A file whose content only the manifest describes.
    async fn silent(&self, key: &str, file: &LiveFile) -> Result<FileFacts, ReconcileError> {
        let is_there = self.lake.store.tail(key, 1).await?.is_some();
        let content = if self.deep { self.content(key, file).await? } else { Content::default() };
        Ok(FileFacts { is_there, footer: None, recorded: None, content })
    }

    async fn content(&self, key: &str, file: &LiveFile) -> Result<Content, ReconcileError> {
        let limit = self.engines.iter().filter_map(|engine| engine.longest_text()).min();
        let object = self.lake.store.get(key).await?;
        Ok(object.map(|object| content::examine(&object.body, file, limit)).unwrap_or_default())
    }

    /// Reads which slices the merged files have that are not live. They are named after their day, and the
    /// ledger may have its hours.
    pub(super) async fn merged(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let Facts { accounts, tables, .. } = facts;
        let days = tables.values_mut().flat_map(|table| table.targets.values_mut());
        for day in days {
            let live = day.manifest.iter().flat_map(|manifest| &manifest.files);
            let live: BTreeSet<String> =
                live.map(|file| format!("{}{}", day.folder, file.name)).collect();
            for key in day.objects.keys().filter(|key| !live.contains(*key)) {
                let name = key.rsplit('/').next().unwrap_or(key);
                let of_day = Layout::slice_of(name)
                    .is_some_and(|slice| slice.is_day() && accounts.entry(slice).is_none());
                if of_day && DataFormat::of_file(name) == Some(DataFormat::Parquet) {
                    let slices = self.slices_of(key).await?;
                    day.merged.extend(slices.map(|slices| (key.clone(), slices)));
                }
            }
        }
        Ok(())
    }

    /// The slices that the footer of a merged file names.
    async fn slices_of(&self, key: &str) -> Result<Option<Vec<SliceLabel>>, ReconcileError> {
        let Some(Ok(footer)) = footer::read(self.lake.store, key).await? else { return Ok(None) };
        let Some(slices) = footer.notes.get("slices") else { return Ok(None) };
        let slices = slices.split(',').map(|slice| SliceLabel::try_from(slice.to_owned()).ok());
        Ok(slices.collect())
    }

    /// Reads files that may have the missing rows of a slice, if all of its targets are read.
    pub(super) async fn spare(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let missing = facts.accounts.missing().filter(|missing| missing.balance.is_of_one());
        let missing =
            missing.map(|missing| missing.entry).filter(|entry| facts.accounts.holds_all_of(entry));
        let missing: Vec<(SliceLabel, Vec<Target>)> =
            missing.map(|entry| (entry.slice, entry.targets.iter().cloned().collect())).collect();
        for (slice, targets) in missing {
            for target in targets {
                let found = facts.target_mut(&target);
                for key in candidates(found, slice) {
                    if let Some(file) = self.unlisted(&key, slice).await? {
                        found.spare.insert(key, file);
                    }
                }
            }
        }
        Ok(())
    }

    /// The entry of a file in a manifest; `None` if it is not a file of a lake.
    async fn unlisted(
        &self,
        key: &str,
        slice: SliceLabel,
    ) -> Result<Option<LiveFile>, ReconcileError> {
        let Some(Ok(footer)) = footer::read(self.lake.store, key).await? else { return Ok(None) };
        let Some(object) = self.lake.store.get(key).await? else { return Ok(None) };
        Ok(Some(LiveFile {
            name: key.rsplit('/').next().unwrap_or(key).to_owned(),
            origin: slice.into(),
            rows: footer.rows,
            bytes: object.body.len() as u64,
            hash: hash::content(&object.body),
            // Not what the footer says: a page of it may be damaged.
            rows_hash: rows_hash_of(object.body.clone()).ok().map(|(_, hash)| hash),
            columns: footer.columns.into_iter().map(|(name, _)| name).collect(),
            identities: footer.notes.get("identities").cloned(),
            compacted: false,
        }))
    }
}

/// The Parquet files of a slice that no manifest lists.
fn candidates(day: &TargetFacts, slice: SliceLabel) -> Vec<String> {
    let keys = day.objects.keys().filter(|key| !day.files.contains_key(*key));
    let of_slice = |key: &&String| {
        let name = key.rsplit('/').next().unwrap_or(key);
        Layout::slice_of(name) == Some(slice)
            && DataFormat::of_file(name) == Some(DataFormat::Parquet)
    };
    keys.filter(of_slice).cloned().collect()
}
