//! Publishes the profiles of a table: a new generation, then the manifest. Equal profiles write nothing.

use super::pages::{Pages, delete};
use super::received::Received;
use super::report::{TableReport, TableStatus};
use super::state::{PublishedProfiles, Turn};
use super::{ProfileExporter, ProfilesError};
use crate::commit::{Change, Commit, Guard, Outcome, put_once};
use crate::document::{self, Edit, Read, SWAPS};
use crate::export::new_columns;
use crate::hash;
use crate::manifest::Manifest;
use crate::people::{self, People};
use crate::registry;
use bytes::Bytes;
use mixlake_domain::{Dataset, Origin, TableName, Target, Timestamp};
use mixlake_schema::Registry;

/// The result of an attempt to publish.
pub(super) enum Published {
    /// The table has the profiles.
    Done(Outcome, Option<Manifest>),
    /// An export that began later takes the place of this one.
    Newer,
    /// Others invalidated what was received: it is transformed again.
    Lost,
}

impl ProfileExporter<'_> {
    /// The names and types of profiles.
    pub(super) async fn registry(&self) -> Result<Read<Registry>, ProfilesError> {
        self.registry_of(Dataset::Profiles).await
    }

    pub(super) async fn registry_of(
        &self,
        dataset: Dataset,
    ) -> Result<Read<Registry>, ProfilesError> {
        registry::read(self.store, self.layout, dataset, &self.options.project).await
    }

    /// Reserves all names of `ours`. Returns whether it could: it cannot if a name was given to something else
    /// in the meantime.
    async fn reserve(&self, ours: &Registry) -> Result<bool, ProfilesError> {
        let decide = |read: Read<Registry>| -> Result<_, ProfilesError> {
            let theirs = read.value.unwrap_or_default();
            let Ok(both) = ours.rebase(theirs.clone(), self.options.profile) else {
                return Ok(Edit::Keep(false));
            };
            if both == theirs {
                return Ok(Edit::Keep(true));
            }
            Ok(Edit::Write(Bytes::from(both.to_document(&self.options.project)), true))
        };
        let key = self.layout.registry(Dataset::Profiles);
        let changed = document::change(self.store, &key, || self.registry(), decide).await?;
        changed.ok_or(ProfilesError::Contended(SWAPS))
    }

    /// Publishes what was received.
    pub(super) async fn publish(
        &self,
        table: &TableName,
        began: Timestamp,
        received: &Received,
        people: Option<&People>,
    ) -> Result<Published, ProfilesError> {
        let published = self.publish_without(table, began, received, people).await?;
        let quarantine = received.transformed.quarantine.as_ref();
        if let (Published::Lost, Some(key), Some(bytes)) =
            (&published, self.quarantine_key(table, received), quarantine)
        {
            let written = (&*key, &**bytes);
            people::drop_bad_lines::<ProfilesError>(self.store, self.layout, written, people)
                .await?;
        }
        Ok(published)
    }

    async fn publish_without(
        &self,
        table: &TableName,
        began: Timestamp,
        received: &Received,
        people: Option<&People>,
    ) -> Result<Published, ProfilesError> {
        if !self.reserve(&received.transformed.registry).await? {
            tracing::info!(%table, "another run gave a name to something else; the export starts again");
            return Ok(Published::Lost);
        }
        match self.begin(table, began).await? {
            Turn::Ours => {}
            Turn::Newer => return Ok(Published::Newer),
            Turn::Lost => return Ok(Published::Lost),
        }
        // An erasure finds the table in the state from now on.
        if People::read(self.store, self.layout).await?.as_ref() != people {
            return Ok(Published::Lost);
        }
        let quarantine = self.quarantine_key(table, received);
        if let (Some(key), Some(bytes)) = (&quarantine, &received.transformed.quarantine) {
            put_once(self.store, key, bytes, &hash::content(bytes)).await?;
        }
        let target = Target::whole(table.clone());
        let commit = Commit { store: self.store, layout: self.layout };
        let seen = commit.read(&target).await?;
        let (origin, files) = (origin(), received.live_files());
        // A run that crashed while it added files to a generation without live files may have left some there.
        let is_empty = seen.0.as_ref().is_some_and(|manifest| manifest.files.is_empty());
        let change = Change::put(&origin, &files, is_empty && !files.is_empty());
        let guard = Ours { exporter: self, table, began };
        let (outcome, manifest) = commit
            .change::<ProfilesError>(&target, seen, change, &received.new_files(), &guard)
            .await?;
        if outcome == Outcome::Superseded {
            return Ok(match self.turn(table, began).await? {
                Turn::Newer => Published::Newer,
                Turn::Ours | Turn::Lost => Published::Lost,
            });
        }
        let (counts, ended) = (received.transformed.counts.into(), self.now());
        let done = PublishedProfiles { began, ended, counts, quarantine };
        match self.end(table, &done).await? {
            Turn::Ours | Turn::Newer => Ok(Published::Done(outcome, manifest)),
            Turn::Lost => Ok(Published::Lost),
        }
    }

    /// The key of the bad lines.
    fn quarantine_key(&self, table: &TableName, received: &Received) -> Option<String> {
        let bytes = received.transformed.quarantine.as_ref()?;
        Some(self.layout.quarantined_profiles(table, &hash::content(bytes)[..16]))
    }

    /// The report of what was published.
    pub(super) fn report(
        &self,
        table: &TableName,
        pages: &Pages,
        received: &Received,
        (outcome, manifest): (Outcome, Option<Manifest>),
    ) -> TableReport {
        let is_unchanged = outcome == Outcome::Unchanged;
        let files = manifest.iter().flat_map(|manifest| {
            let folder = self.layout.generation(&manifest.target, &manifest.generation);
            manifest.files.iter().map(move |file| format!("{folder}{}", file.name))
        });
        TableReport {
            table: table.clone(),
            status: if is_unchanged { TableStatus::Unchanged } else { TableStatus::Published },
            began: pages.began,
            pages: pages.session.as_ref().map_or(0, |session| session.pages.len() as u64),
            counts: received.transformed.counts.into(),
            bytes: received.files.iter().map(|file| file.live.bytes).sum(),
            rows_taken: None,
            change: Some(outcome).filter(|_| !is_unchanged),
            new_columns: new_columns(&received.before, &received.transformed.registry),
            objects: files.collect(),
            quarantine: self.quarantine_key(table, received),
        }
    }

    /// Deletes the staged files.
    pub(super) async fn discard(&self, received: &Received) {
        delete(self.store, &received.staged()).await;
    }
}

/// The origin of all files of profiles: the table is one snapshot.
pub(super) fn origin() -> Origin {
    Origin::Snapshot("profiles".to_owned())
}

/// Stops an export whose table was taken away, or that is older than another one.
struct Ours<'a> {
    exporter: &'a ProfileExporter<'a>,
    table: &'a TableName,
    began: Timestamp,
}

#[async_trait::async_trait]
impl Guard<ProfilesError> for Ours<'_> {
    async fn may_go_on(&self, _: Option<&Manifest>, _: bool) -> Result<bool, ProfilesError> {
        Ok(self.exporter.turn(self.table, self.began).await? == Turn::Ours)
    }
}
