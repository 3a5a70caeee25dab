//! Repairs until no new problem is found.

use super::{Doctor, Finding, Remedy};
use crate::reconcile::ReconcileError;

/// The number of rounds. A repair may make more problems visible.
const ROUNDS: usize = 4;

/// The result of a repair.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The problems that were repaired.
    pub repaired: Vec<Finding>,
    /// The remaining problems.
    pub findings: Vec<Finding>,
    /// The remedies that failed, and the reasons.
    pub failed: Vec<(Finding, String)>,
}

impl Doctor<'_> {
    /// Repairs what can be repaired.
    pub async fn put_right(&self) -> Result<Outcome, ReconcileError> {
        let mut outcome = Outcome { findings: self.examine().await?, ..Outcome::default() };
        for round in 0..ROUNDS {
            let mut todo = outcome.findings.clone();
            // Queries that started earlier may still read files that were replaced just now.
            todo.retain(|finding| round == 0 || !matches!(finding.remedy, Remedy::Delete { .. }));
            let failed = self.repair(&todo).await;
            let now = self.examine().await?;
            if outcome.replace(&todo, failed, now) {
                break;
            }
        }
        Ok(outcome)
    }
}

impl Outcome {
    /// Adds the result of a round. Returns whether it found nothing new.
    fn replace(
        &mut self,
        todo: &[Finding],
        failed: Vec<(Finding, String)>,
        now: Vec<Finding>,
    ) -> bool {
        self.failed.retain(|(before, _)| !todo.contains(before));
        self.failed.extend(failed);
        let before = std::mem::replace(&mut self.findings, now);
        let (still, gone): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|finding| self.findings.contains(finding));
        // The catalog may have been updated in part. A busy day has no findings.
        let of_a_day = |finding: &Finding| {
            matches!(
                finding.remedy,
                Remedy::Strike { .. }
                    | Remedy::LeaveBehind { .. }
                    | Remedy::Delete { .. }
                    | Remedy::GoBack { .. }
            )
        };
        self.failed.retain(|(failed, _)| self.findings.contains(failed) || of_a_day(failed));
        let failed = |finding: &Finding| self.failed.iter().any(|(failed, _)| failed == finding);
        let waits = |finding: &Finding| matches!(finding.remedy, Remedy::Wait { .. });
        self.repaired.extend(gone.into_iter().filter(|gone| !failed(gone) && !waits(gone)));
        still.len() == self.findings.len()
    }
}
