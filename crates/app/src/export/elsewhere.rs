//! Rows that another slice has too.
//!
//! Slices of event time have none in common, for time is a part of what makes rows equal. With
//! slices of ingestion an event that was sent twice can be in two of them. So every file tells the
//! identities of its rows in an object beside the tables, and a slice leaves out what live files of
//! others have: what was published first stays.

use super::receive::Received;
use super::staging::SliceFile;
use super::{ExportError, Exporter};
use crate::ledger::Day;
use crate::manifest::{LiveFile, Manifest};
use mixlake_columnar::{FarApart, Identities, NoIdentities, Superseded, TransformError};
use mixlake_domain::SliceLabel;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The live files of others that have no row of a slice, by their hashes: they need not be read
/// again.
#[derive(Debug, Default)]
pub(super) struct Compared(Mutex<BTreeSet<(Day, String)>>);

impl Compared {
    fn has(&self, day: &Day, file: &LiveFile) -> bool {
        let compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        compared.contains(&(day.clone(), file.hash.clone()))
    }

    fn add(&self, day: &Day, file: &LiveFile) {
        let mut compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        compared.insert((day.clone(), file.hash.clone()));
    }
}

impl Exporter<'_> {
    /// Keeps the identities of a file's rows. Named by their content, it does not matter who wrote
    /// them, or whether the file is ever published.
    pub(super) async fn keep_identities(
        &self,
        file: &SliceFile,
        identities: &Identities,
    ) -> Result<(), ExportError> {
        let Some(hash) = &file.live.identities else { return Ok(()) };
        let key = self.layout.identities(&file.table, file.date, hash);
        if self.put_once(&key, identities.bytes(), hash).await? {
            return Ok(());
        }
        Err(self.unusable(&key, NoIdentities))
    }

    /// The rows of a slice that live files of other slices have, on any of its days.
    pub(super) async fn elsewhere(
        &self,
        slice: SliceLabel,
        received: &Received,
    ) -> Result<Superseded, ExportError> {
        let mut found = Superseded::default();
        if self.options.across_slices {
            for day in received.days() {
                let (manifest, _) = self.manifest(&day).await?;
                self.compare(&day, manifest.as_ref(), slice, received, &mut found).await?;
            }
        }
        Ok(found)
    }

    /// Whether a manifest lists a row of a slice in a file of another one. The files that were looked
    /// at before are not read again.
    pub(super) async fn is_elsewhere(
        &self,
        day: &Day,
        manifest: Option<&Manifest>,
        slice: SliceLabel,
        received: &Received,
    ) -> Result<bool, ExportError> {
        let mut found = Superseded::default();
        if self.options.across_slices {
            self.compare(day, manifest, slice, received, &mut found).await?;
        }
        Ok(!found.is_empty())
    }

    async fn compare(
        &self,
        day: &Day,
        manifest: Option<&Manifest>,
        slice: SliceLabel,
        received: &Received,
        found: &mut Superseded,
    ) -> Result<(), ExportError> {
        let live = manifest.iter().flat_map(|manifest| &manifest.files);
        let others: Vec<&LiveFile> = live
            .filter(|file| !file.slice.overlaps(&slice) && !received.compared.has(day, file))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let before = found.len();
        for ours in received.live_files(day) {
            let Some(ours) = self.identities(day, &ours).await? else { continue };
            for theirs in &others {
                let Some(theirs) = self.identities(day, theirs).await? else { continue };
                found.leave_out(&ours, &theirs);
                let most = self.options.bounds.superseded;
                if found.len() > most {
                    return Err(TransformError::from(FarApart::TooMany(most)).into());
                }
            }
        }
        if found.len() == before {
            for file in others {
                received.compared.add(day, file);
            }
        }
        Ok(())
    }

    /// None for a file that was written while nobody asked for the identities of its rows.
    async fn identities(
        &self,
        day: &Day,
        file: &LiveFile,
    ) -> Result<Option<Identities>, ExportError> {
        let Some(hash) = &file.identities else { return Ok(None) };
        let key = self.layout.identities(&day.table, day.date, hash);
        let object =
            self.store.get(&key).await?.ok_or_else(|| self.unusable(&key, NoIdentities))?;
        Identities::read(object.body).map(Some).map_err(|cause| self.unusable(&key, cause))
    }

    fn unusable(&self, key: &str, cause: NoIdentities) -> ExportError {
        ExportError::Identities { location: self.store.location(key), cause }
    }
}
