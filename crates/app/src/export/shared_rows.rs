//! Finds rows that another slice has too.
//!
//! Slices of event time have no row in common if the source respects their bounds, because time is a
//! part of what makes rows equal. A source whose bounds are slightly off sends rows near an edge twice.
//! With slices of ingestion and pipeline files, an event that was sent twice can be in any two slices.
//! So each file with such rows lists their identities in an object next to the tables. A slice leaves
//! out the rows that live files of other slices have. The slice that was published first keeps them.

use super::received::Received;
use super::staging::SliceFile;
use super::{ExportError, Exporter};
use crate::hash;
use crate::manifest::{LiveFile, Manifest};
use mixlake_columnar::{FarApart, Identities, NoIdentities, Superseded, TransformError};
use mixlake_domain::{Origin, Slice, Target};

impl Exporter<'_> {
    /// Stores the identities of a file's rows. The object is named by its content, so several runs can
    /// write it, and it does not matter whether the file is ever published.
    pub(super) async fn keep_identities(
        &self,
        file: &SliceFile,
        identities: &Identities,
    ) -> Result<(), ExportError> {
        let Some(hash) = &file.live.identities else { return Ok(()) };
        let key = self.layout.identities(&file.target, hash);
        // Usually the slice is exported for the first time.  If not, the object exists and is not
        // written again.
        let is_there = match self.store.get(&key).await? {
            Some(object) => hash::content(&object.body) == *hash,
            None => self.put_once(&key, identities.bytes(), hash).await?,
        };
        if is_there { Ok(()) } else { Err(self.unusable(&key, NoIdentities)) }
    }

    /// The rows of a slice that live files of other slices have, on any of its targets.
    pub(super) async fn shared_rows(
        &self,
        slice: &Slice,
        received: &Received,
    ) -> Result<Superseded, ExportError> {
        let mut found = Superseded::default();
        for target in received.targets() {
            if received.may_be_shared(&target) {
                self.compare_with_live(&target, slice, received, &mut found).await?;
            }
        }
        Ok(found)
    }

    /// An erasure replaces files and deletes the identities of the old ones. So if these are gone, the
    /// manifest is read again.
    async fn compare_with_live(
        &self,
        target: &Target,
        slice: &Slice,
        received: &Received,
        found: &mut Superseded,
    ) -> Result<(), ExportError> {
        let mut seen = self.manifest(target).await?.0;
        loop {
            let compared = self.compare(target, seen.as_ref(), slice, received, found).await;
            let Err(error @ ExportError::Identities { .. }) = compared else { return compared };
            let now = self.manifest(target).await?.0;
            if now == seen {
                return Err(error);
            }
            seen = now;
        }
    }

    /// Whether a manifest lists a file of another slice that has a row of this one. Files that were
    /// compared before are not read again.
    pub(super) async fn has_shared_rows(
        &self,
        target: &Target,
        manifest: Option<&Manifest>,
        slice: &Slice,
        received: &Received,
    ) -> Result<bool, ExportError> {
        let mut found = Superseded::default();
        if received.may_be_shared(target) {
            match self.compare(target, manifest, slice, received, &mut found).await {
                // They are read again when the slice starts again.
                Err(ExportError::Identities { .. }) => return Ok(true),
                compared => compared?,
            }
        }
        Ok(!found.is_empty())
    }

    async fn compare(
        &self,
        target: &Target,
        manifest: Option<&Manifest>,
        slice: &Slice,
        received: &Received,
        found: &mut Superseded,
    ) -> Result<(), ExportError> {
        let live = manifest.iter().flat_map(|manifest| &manifest.files);
        let others: Vec<&LiveFile> = live
            .filter(|file| self.may_share_rows(file, slice) && !received.compared.has(target, file))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let before = found.len();
        for ours in received.live_files(target) {
            let Some(ours) = self.identities(target, &ours).await? else { continue };
            for theirs in &others {
                let Some(theirs) = self.identities(target, theirs).await? else { continue };
                found.leave_out(&ours, &theirs);
                let most = self.options.bounds.superseded;
                if found.len() > most {
                    return Err(TransformError::from(FarApart::TooMany(most)).into());
                }
            }
        }
        if found.len() == before {
            for file in others {
                received.compared.add(target, file);
            }
        }
        Ok(())
    }

    /// Whether a live file of another slice may have rows of this one.
    fn may_share_rows(&self, file: &LiveFile, slice: &Slice) -> bool {
        let near = || {
            let mut others =
                file.origin.slices().iter().filter_map(|label| Slice::of_label(*label, self.zone));
            others.any(|other| other.shares_an_edge_with(slice))
        };
        file.identities.is_some()
            && !file.origin.overlaps(&Origin::from(slice.label()))
            && (self.options.across_slices || near())
    }

    /// `None` if no row of the file can be in another slice.
    async fn identities(
        &self,
        target: &Target,
        file: &LiveFile,
    ) -> Result<Option<Identities>, ExportError> {
        let Some(hash) = &file.identities else { return Ok(None) };
        let key = self.layout.identities(target, hash);
        let object =
            self.store.get(&key).await?.ok_or_else(|| self.unusable(&key, NoIdentities))?;
        if hash::content(&object.body) != *hash {
            return Err(self.unusable(&key, NoIdentities));
        }
        Identities::read(object.body).map(Some).map_err(|cause| self.unusable(&key, cause))
    }

    fn unusable(&self, key: &str, cause: NoIdentities) -> ExportError {
        ExportError::Identities { location: self.store.location(key), cause }
    }
}
