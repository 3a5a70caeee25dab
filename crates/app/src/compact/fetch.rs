//! Gets live files and the identities of their rows.

use super::{CompactError, Compactor};
use crate::fetch::fetch;
use crate::manifest::{LiveFile, Manifest};
use mixlake_columnar::{CompactionInput, Identities, rows_hash_of};
use std::fs::File;
use std::io::{self, Read, Seek};

impl Compactor<'_> {
    /// Copies a live file to a temporary file. Its bytes must be those that the manifest lists.
    pub(super) async fn fetch(
        &self,
        manifest: &Manifest,
        live: &LiveFile,
    ) -> Result<CompactionInput<File>, CompactError> {
        let key = self.key(manifest, live);
        let location = || self.store.location(&key);
        let fetched = fetch(self.store, &key, self.scratch, CompactError::Scratch).await?;
        let (mut file, hash) =
            fetched.ok_or_else(|| CompactError::Missing { location: location() })?;
        if hash != live.hash {
            return Err(CompactError::Damaged { location: location() });
        }
        let rows_hash = if let Some(hash) = live.rows_hash {
            hash
        } else {
            // Version 0.1 wrote no hash of rows, and no large files.
            let bytes = whole(&mut file).map_err(CompactError::Scratch)?;
            let rows = rows_hash_of(bytes.into());
            rows.map_err(|cause| CompactError::Rows { location: location(), cause })?.1
        };
        Ok(CompactionInput { file, rows_hash })
    }

    /// The identities of the rows of live files. None if no file has any.
    pub(super) async fn identities(
        &self,
        manifest: &Manifest,
        files: &[&LiveFile],
    ) -> Result<Option<Vec<Identities>>, CompactError> {
        let mut all = None;
        for hash in files.iter().filter_map(|file| file.identities.as_ref()) {
            let key = self.layout.identities(&manifest.target, hash);
            let unusable = || CompactError::Identities { location: self.store.location(&key) };
            let object = self.store.get(&key).await?.ok_or_else(unusable)?;
            if crate::hash::content(&object.body) != *hash {
                return Err(unusable());
            }
            let read = Identities::read(object.body).map_err(|_| unusable())?;
            all.get_or_insert_with(Vec::new).push(read);
        }
        Ok(all)
    }
}

fn whole(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
