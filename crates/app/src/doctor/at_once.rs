//! Deletes replaced files without a grace period, for an erasure that must not wait.

use super::finding::{Kind, Remedy};
use super::gather::Scope;
use super::{Doctor, check};
use crate::chain;
use crate::reconcile::ReconcileError;
use mixlake_domain::Target;
use std::collections::BTreeSet;
use std::time::Duration;

/// What became of the replaced files of some targets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DeletedAtOnce {
    /// The keys that were deleted.
    pub deleted: Vec<String>,
    /// The targets that still have such files, and the reasons.
    pub kept: Vec<(Target, String)>,
}

/// Later than any file, whatever the clocks of the store and of this computer say.
const LATER: Duration = Duration::from_hours(24);

impl Doctor<'_> {
    /// Deletes the replaced files of some targets now, by the same proof as always: the rows that replaced
    /// them are live, and readers are sent to the live folder. A query that runs now may fail.
    pub async fn delete_at_once(
        &self,
        targets: &BTreeSet<Target>,
    ) -> Result<DeletedAtOnce, ReconcileError> {
        let manifests: Vec<String> =
            targets.iter().map(|target| self.lake.layout.manifest(target)).collect();
        let catalogued = self.lake.reconcile(manifests.iter().map(String::as_str)).await;
        let eager = Doctor { now: self.now + LATER, grace: Duration::ZERO, deep: false, ..*self };
        let accounts = eager.accounts().await?;
        let facts = eager.facts(Scope::Targets(targets, &accounts)).await?;
        let mut done = DeletedAtOnce::default();
        for finding in check::findings(&facts, &[]) {
            let Remedy::Delete { keys } = &finding.remedy else { continue };
            match eager.sweep(&finding, keys, &accounts).await {
                Ok(true) => done.deleted.extend(keys.iter().cloned()),
                // It changed since it was read, and is told below.
                Ok(false) => {}
                Err(error) => tracing::warn!(
                    table = finding.table,
                    day = finding.subject,
                    error = chain(&error),
                    "cannot delete replaced files"
                ),
            }
        }
        let facts = eager.facts(Scope::Targets(targets, &accounts)).await?;
        let findings = check::findings(&facts, &[]);
        for target in targets {
            let left = facts.target(target).map_or(0, |found| found.left().count());
            if left == 0 {
                continue;
            }
            let subject = super::finding::subject(target.date);
            let about = findings.iter().find(|finding| {
                finding.kind == Kind::LeftBehind
                    && finding.table == target.table.as_str()
                    && finding.subject == subject
            });
            let manifest = self.lake.layout.manifest(target);
            let failed = catalogued.failed.iter().find(|(key, _)| *key == manifest);
            let reason = match (failed, about) {
                (Some((_, error)), _) => chain(&**error),
                (None, Some(finding)) => format!("{}: {}", finding.text, finding.remedy.text()),
                (None, None) => {
                    "the day is being written, or a document of it is damaged".to_owned()
                }
            };
            done.kept.push((target.clone(), reason));
        }
        Ok(done)
    }
}
