//! What the exports of profiles do, and when they did: a small document of the lake.
//!
//! It is the ledger of tables that are replaced as a whole. An export enters that it is writing before it reads
//! the manifest, and looks at its entry each time before it writes a manifest. So of two exports at the same time,
//! the one that began later wins, and an erasure can take a table away from an export.

use super::{ProfileExporter, ProfilesError};
use crate::document::{self, DocumentError, Edit, Read, SWAPS};
use crate::ledger::SliceCounts;
use crate::manifest::Format;
use crate::ports::{ObjectStore, StoreError};
use mixlake_domain::{Layout, TableName, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of the exports of profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilesState {
    /// The version of the document's format.
    format: Format,
    /// By table.
    pub tables: BTreeMap<TableName, TableExports>,
}

/// What the exports of a table do, and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableExports {
    /// When the export began that is being written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<Timestamp>,
    /// Whether an erasure took the table away from an export, and has not written a new manifest yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken_away: bool,
    /// The last export that was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedProfiles>,
}

/// An export that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedProfiles {
    /// When it began to receive profiles.
    pub began: Timestamp,
    /// When it was published.
    pub ended: Timestamp,
    /// What became of its lines.
    pub counts: SliceCounts,
    /// The key of the object with its bad lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

impl Default for ProfilesState {
    fn default() -> Self {
        Self { format: Format, tables: BTreeMap::new() }
    }
}

impl ProfilesState {
    /// Reads the state of a lake. It is empty if profiles were never exported.
    pub async fn read(store: &dyn ObjectStore, layout: &Layout) -> Result<Self, DocumentError> {
        Ok(document::read(store, &layout.profiles()).await?.value.unwrap_or_default())
    }

    /// Whether a table was not exported by an export that began at this time or later.
    #[must_use]
    pub fn is_due(&self, table: &TableName, since: Timestamp) -> bool {
        let published = self.tables.get(table).and_then(|exports| exports.published.as_ref());
        published.is_none_or(|published| published.began < since)
    }

    /// Changes the state. `None`: other runs were faster each time.
    pub(crate) async fn change<R, E: From<StoreError> + From<DocumentError>>(
        store: &dyn ObjectStore,
        layout: &Layout,
        mut decide: impl FnMut(&mut Self) -> R,
    ) -> Result<Option<R>, E> {
        let key = layout.profiles();
        let read = || async { Ok::<_, E>(document::read::<Self>(store, &key).await?) };
        let decide = |read: Read<Self>| -> Result<_, E> {
            let before = read.value.unwrap_or_default();
            let mut after = before.clone();
            let answer = decide(&mut after);
            Ok(if after == before { Edit::Keep(answer) } else { Edit::json(&after, answer) })
        };
        document::change(store, &key, read, decide).await
    }
}

impl TableExports {
    /// Takes the table away from the export that is being written. Answers whether an erasure has to write a new
    /// manifest, so that a write of that export fails.
    pub(crate) fn take_away(&mut self) -> bool {
        self.taken_away |= self.writing.take().is_some();
        self.taken_away
    }

    /// Whether an export that began later is being written, or was.
    fn has_newer(&self, began: Timestamp) -> bool {
        let published = self.published.as_ref().map(|published| published.began);
        self.writing.into_iter().chain(published).any(|other| other > began)
    }
}

/// What an export finds about its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may write.
    Ours,
    /// An export that began later writes the table, or has.
    Newer,
    /// Its entry was taken away: it has to start again.
    Lost,
}

impl ProfileExporter<'_> {
    /// Enters that an export is being written.
    pub(super) async fn begin(
        &self,
        table: &TableName,
        began: Timestamp,
    ) -> Result<Turn, ProfilesError> {
        self.change_state(|state| {
            let exports = state.tables.entry(table.clone()).or_default();
            if exports.has_newer(began) {
                return Turn::Newer;
            }
            exports.writing = Some(began);
            Turn::Ours
        })
        .await
    }

    /// Whether the export may still write.
    pub(super) async fn turn(
        &self,
        table: &TableName,
        began: Timestamp,
    ) -> Result<Turn, ProfilesError> {
        let state = ProfilesState::read(self.store, self.layout).await?;
        let exports = state.tables.get(table).cloned().unwrap_or_default();
        Ok(if exports.has_newer(began) {
            Turn::Newer
        } else if exports.writing == Some(began) {
            Turn::Ours
        } else {
            Turn::Lost
        })
    }

    /// Enters that an export was published.
    pub(super) async fn end(
        &self,
        table: &TableName,
        done: &PublishedProfiles,
    ) -> Result<Turn, ProfilesError> {
        self.change_state(|state| {
            let exports = state.tables.entry(table.clone()).or_default();
            if exports.has_newer(done.began) {
                return Turn::Newer;
            }
            if exports.writing != Some(done.began) {
                return Turn::Lost;
            }
            exports.writing = None;
            exports.published = Some(done.clone());
            Turn::Ours
        })
        .await
    }

    async fn change_state<R>(
        &self,
        decide: impl FnMut(&mut ProfilesState) -> R,
    ) -> Result<R, ProfilesError> {
        let changed = ProfilesState::change::<R, ProfilesError>(self.store, self.layout, decide);
        changed.await?.ok_or(ProfilesError::Contended(SWAPS))
    }
}
