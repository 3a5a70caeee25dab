//! Repairs until nothing new comes to light.

use super::{Doctor, Finding, Remedy};
use crate::reconcile::ReconcileError;

/// How often what is wrong is looked for again after a repair, which may bring more to light.
const ROUNDS: usize = 4;

/// What became of a lake.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was wrong, and is not any more.
    pub repaired: Vec<Finding>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be put right, and why.
    pub failed: Vec<(Finding, String)>,
}

impl Doctor<'_> {
    /// Puts right what can be.
    pub async fn put_right(&self) -> Result<Outcome, ReconcileError> {
        let mut outcome = Outcome { findings: self.examine().await?, ..Outcome::default() };
        for round in 0..ROUNDS {
            let mut todo = outcome.findings.clone();
            // What readers were sent away from just now may still be read by queries that began before.
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
    /// Takes in what a round has done. Answers whether it brought nothing new to light.
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
        // The catalog may have been brought up to date in part. A day that is busy has no findings.
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
