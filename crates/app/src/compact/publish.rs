//! Merges files and puts the new ones in their place.

use super::groups::Group;
use super::report::Size;
use super::{CompactError, CompactionOutcome, Compactor};
use crate::commit::{Body, Change, Guard, NewFile, Outcome, put_once};
use crate::hash::Digest;
use crate::manifest::{LiveFile, Manifest};
use mixlake_columnar::{CompactedFile, Compaction, Identities};
use mixlake_domain::{DataFormat, Date, Layout, Origin, Target};
use mixlake_schema::Registry;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};

impl Compactor<'_> {
    /// Merges the files of some groups of a target, and changes its manifest once.
    pub(super) async fn merge(
        &self,
        registry: &Registry,
        target: &Target,
        manifest: &Manifest,
        groups: &[Group<'_>],
    ) -> Result<CompactionOutcome, CompactError> {
        let merged: Vec<LiveFile> =
            groups.iter().flat_map(|group| &group.files).map(|file| (*file).clone()).collect();
        let (mut live, mut bodies) = (Vec::new(), Vec::new());
        for group in groups {
            match self.merged(registry, manifest, group).await {
                Ok(files) => {
                    for (file, body) in files {
                        live.push(file);
                        bodies.push(body);
                    }
                }
                Err(CompactError::Missing { location }) => {
                    // The files may belong to a generation that was replaced and then deleted.
                    let (now, _) = self.commit().read(target).await?;
                    let is_live = now.is_some_and(|now| now.generation == manifest.generation);
                    if is_live {
                        return Err(CompactError::Missing { location });
                    }
                    return Ok(CompactionOutcome::overtaken());
                }
                Err(error) => return Err(error),
            }
        }
        let names: BTreeSet<String> = merged.iter().map(|file| file.name.clone()).collect();
        let change = Change::merge(&names, &live);
        let new = live.iter().zip(&bodies).map(|(live, body)| NewFile { live, body });
        let new: Vec<NewFile<'_>> = new.collect();
        let dates = groups.iter().map(|group| group.date).collect();
        let guard = StillLive { compactor: self, target, dates, merged: &merged };
        let seen = self.commit().read(target).await?;
        let (outcome, now) = self.commit().change(target, seen, change, &new, &guard).await?;
        Ok(match outcome {
            Outcome::Superseded => CompactionOutcome::overtaken(),
            Outcome::Unchanged => CompactionOutcome::Unchanged,
            Outcome::Appended | Outcome::Replaced { .. } => {
                let files = now.map(|manifest| manifest.files).unwrap_or_default();
                CompactionOutcome::Compacted { after: Size::of(&files), outcome }
            }
        })
    }

    /// The merged files of a group.
    async fn merged(
        &self,
        registry: &Registry,
        manifest: &Manifest,
        group: &Group<'_>,
    ) -> Result<Vec<(LiveFile, Body)>, CompactError> {
        let target = &manifest.target;
        let mut inputs = Vec::with_capacity(group.files.len());
        for file in &group.files {
            inputs.push(self.fetch(manifest, file).await?);
        }
        let how = Compaction {
            registry,
            table: target.table.as_str(),
            compression: self.compression,
            version: self.version,
            bounds: self.bounds,
            scratch: self.scratch,
        };
        let mut compacted = how.merge(inputs)?;
        let identities = self.merged_identities(manifest, group, compacted.files()).await?;
        let (origin, day) = (group.origin(), group.day());
        let mut files = Vec::with_capacity(compacted.files());
        for part in 0..compacted.files() {
            let identities = identities.as_ref().map(|parts| parts[part].clone());
            let mut notes = vec![("slice", day.to_string()), ("slices", slices(&origin))];
            notes.extend(identities.iter().map(|hash| ("identities", hash.clone())));
            let file = compacted.write(part, &notes)?;
            let name = Layout::file_name(&day, part, DataFormat::Parquet);
            let live =
                live_file(name, &origin, identities, &file).map_err(CompactError::Scratch)?;
            files.push((live, Body::File(file.file)));
        }
        Ok(files)
    }

    /// Stores the identities of the rows, divided among so many files, and answers their hashes. Whether two
    /// slices have a row in common is asked of all files of a slice.
    async fn merged_identities(
        &self,
        manifest: &Manifest,
        group: &Group<'_>,
        parts: usize,
    ) -> Result<Option<Vec<String>>, CompactError> {
        let Some(all) = self.identities(manifest, &group.files).await? else { return Ok(None) };
        let mut hashes = Vec::with_capacity(parts);
        for part in Identities::merged(&all, parts) {
            let hash = part.hash();
            let key = self.layout.identities(&manifest.target, &hash);
            if !put_once(self.store, &key, part.bytes(), &hash).await? {
                return Err(CompactError::Identities { location: self.store.location(&key) });
            }
            hashes.push(hash);
        }
        Ok(Some(hashes))
    }
}

/// The slices of an origin, as the footer has them.
fn slices(origin: &Origin) -> String {
    let labels: Vec<String> = origin.slices().iter().map(ToString::to_string).collect();
    labels.join(",")
}

fn live_file(
    name: String,
    origin: &Origin,
    identities: Option<String>,
    file: &CompactedFile,
) -> io::Result<LiveFile> {
    Ok(LiveFile {
        name,
        origin: origin.clone(),
        rows: file.rows,
        bytes: file.bytes,
        hash: digest(&file.file)?,
        rows_hash: Some(file.rows_hash),
        columns: file.columns.clone(),
        identities,
        compacted: true,
    })
}

/// What is read of a file at a time.
const PIECE: usize = 256 << 10;

fn digest(mut file: &File) -> io::Result<String> {
    let (mut digest, mut piece) = (Digest::default(), vec![0; PIECE]);
    file.rewind()?;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(digest.finish()),
            read => digest.update(&piece[..read]),
        }
    }
}

/// Checks whether the merged files are still live.
struct StillLive<'a> {
    compactor: &'a Compactor<'a>,
    target: &'a Target,
    dates: BTreeSet<Date>,
    merged: &'a [LiveFile],
}

#[async_trait::async_trait]
impl Guard<CompactError> for StillLive<'_> {
    /// Names of files are used again in other generations, so the whole entries are compared.
    async fn may_go_on(&self, current: Option<&Manifest>, _: bool) -> Result<bool, CompactError> {
        let live = current.map_or(&[][..], |manifest| &manifest.files);
        if !self.merged.iter().all(|file| live.contains(file)) {
            return Ok(false);
        }
        Ok(self.compactor.being_written(self.target, &self.dates).await?.is_none())
    }
}
