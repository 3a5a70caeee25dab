//! Collection: deletes what nobody can need any more.
//!
//! Files of replaced generations are deleted by the same proof as in a repair (`replaced_files`), after the same
//! grace. The collection reads no footers, so it costs less than an examination of the lake. Staged files and
//! unfinished uploads are deleted when no run can still use them.

use super::facts::Facts;
use super::{Doctor, Finding, Kind, Remedy, targets};
use crate::ports::StoreError;
use crate::reconcile::ReconcileError;
use mixlake_domain::{Date, Target};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Staged files and uploads are deleted after this time. A run uses parts of earlier runs for a day.
const STAGED: Duration = Duration::from_hours(48);

/// The result of a collection.
#[derive(Debug, Default, Serialize)]
pub struct Collection {
    /// Days whose replaced files were deleted.
    pub deleted: Vec<Deleted>,
    /// Replaced files that stay, and why.
    pub kept: Vec<Finding>,
    /// Days whose replaced files could not be deleted, and why.
    pub failed: Vec<NotDeleted>,
    /// Staged files that were deleted.
    pub staged: u64,
    /// Unfinished uploads that were ended.
    pub uploads: u64,
}

/// A day of a table whose replaced files were deleted.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// The table.
    pub table: String,
    /// The day; empty for a table without partitions.
    pub subject: String,
    /// The number of files.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}

/// A day of a table whose replaced files could not be deleted.
#[derive(Debug, Serialize)]
pub struct NotDeleted {
    /// The table.
    pub table: String,
    /// The day; empty for a table without partitions.
    pub subject: String,
    /// The reason.
    pub error: String,
}

impl Doctor<'_> {
    /// Deletes replaced files, staged files and unfinished uploads. With dates, the first and the last one, only
    /// replaced files of these days are deleted.
    pub async fn collect(&self, dates: Option<(Date, Date)>) -> Result<Collection, ReconcileError> {
        let mut facts = self.facts_without_files().await?;
        let mut found = Vec::new();
        for (name, table) in &facts.tables {
            let is_asked = |date: &Option<Date>| {
                dates.is_none_or(|(from, to)| date.is_some_and(|it| from <= it && it <= to))
            };
            for date in table.targets.keys().filter(|date| is_asked(date)) {
                let target = Target { table: name.clone(), date: *date };
                targets::findings(&target, &facts, &mut found);
            }
        }
        let mut collection = Collection::default();
        let accounts = Arc::new(std::mem::take(&mut facts.accounts));
        for finding in found.into_iter().filter(|finding| finding.kind == Kind::LeftBehind) {
            match &finding.remedy {
                Remedy::Delete { keys } => {
                    let done = self.sweep(&finding, keys, &accounts).await;
                    let (table, subject) = (finding.table.clone(), finding.subject.clone());
                    match done {
                        Ok(true) => collection.deleted.push(Deleted {
                            table,
                            subject,
                            files: keys.len(),
                            bytes: size(&facts, keys),
                        }),
                        // It changed since it was read: the next collection looks at it again.
                        Ok(false) => {}
                        Err(error) => {
                            let error = crate::chain(&error);
                            collection.failed.push(NotDeleted { table, subject, error });
                        }
                    }
                }
                Remedy::Reconcile
                | Remedy::RemovePartitions { .. }
                | Remedy::RepairPartition { .. }
                | Remedy::Strike { .. }
                | Remedy::LeaveBehind { .. }
                | Remedy::GoBack { .. }
                | Remedy::CompleteRegistry
                | Remedy::Encrypt { .. }
                | Remedy::Rename { .. }
                | Remedy::Wait { .. }
                | Remedy::ByHand { .. } => collection.kept.push(finding),
            }
        }
        collection.staged = self.delete_staged().await?;
        let root = self.lake.layout.root();
        let before = self.now.checked_sub(STAGED).unwrap_or(std::time::UNIX_EPOCH);
        collection.uploads = self.lake.store.abort_uploads(root, before).await?;
        Ok(collection)
    }

    async fn delete_staged(&self) -> Result<u64, StoreError> {
        let staged = Doctor { grace: STAGED, ..*self };
        let mut deleted = 0;
        for object in self.lake.store.list(&self.lake.layout.staged()).await? {
            if staged.is_old(&object) {
                self.lake.store.delete(&object.key).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}

/// The size of objects, as they were listed.
fn size(facts: &Facts, keys: &[String]) -> u64 {
    let targets = facts.tables.values().flat_map(|table| table.targets.values());
    let objects: BTreeMap<_, _> = targets.flat_map(|target| &target.objects).collect();
    keys.iter().filter_map(|key| objects.get(key)).map(|object| object.size).sum()
}
