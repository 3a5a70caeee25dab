//! The receipt of an erasure: a document in the lake that says what was searched and removed, and when the
//! last copy goes. It has salted hashes and no identifier.

use super::report::{ErasedTarget, Searched};
use super::{EraseError, Eraser, ErasureReport};
use crate::document::{self, DocumentError, Edit};
use crate::hash;
use crate::manifest::Format;
use crate::ports::ObjectStore;
use mixlake_domain::{Layout, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was done for a person. Later erasures of the same person are added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    format: Format,
    state: State,
    /// The salted hashes of the identifiers.
    people: Vec<String>,
    began: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    searched: Searched,
    /// The rows that were removed.
    targets: Vec<ErasedTarget>,
    /// The bad lines that were removed, by the key of the object that had them.
    bad_lines: BTreeMap<String, u64>,
    /// The objects that were deleted.
    staged: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_copy_goes: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// A run works on it, or was interrupted.
    Running,
    Done,
}

/// The name of the receipt of a person.
pub(super) fn name(people: &[String]) -> String {
    hash::of_parts(people.iter().map(String::as_str))
}

impl Receipt {
    pub(super) async fn read(
        store: &dyn ObjectStore,
        layout: &Layout,
        people: &[String],
    ) -> Result<Option<Self>, DocumentError> {
        Ok(document::read(store, &layout.erasure(&name(people))).await?.value)
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn of(report: &ErasureReport, began: Timestamp) -> Self {
        Self {
            format: Format,
            state: State::Running,
            people: report.people.clone(),
            began,
            ended: None,
            searched: report.searched,
            targets: Vec::new(),
            bad_lines: BTreeMap::new(),
            staged: BTreeSet::new(),
            last_copy_goes: None,
        }
    }

    /// Adds what was found. After an interrupted run, what is found again counts once.
    fn add(&mut self, report: &ErasureReport) {
        let again = self.state == State::Running;
        for found in &report.targets {
            let is_same = |known: &&mut ErasedTarget| {
                (&known.table, known.mp_date) == (&found.table, found.mp_date)
            };
            match self.targets.iter_mut().find(is_same) {
                Some(known) if again => {
                    known.rows = known.rows.max(found.rows);
                    known.files = known.files.max(found.files);
                }
                Some(known) => {
                    known.rows += found.rows;
                    known.files += found.files;
                }
                None => self.targets.push(found.clone()),
            }
        }
        let lines = report.bad_lines.iter();
        self.bad_lines.extend(lines.map(|found| (found.object.clone(), found.lines)));
        self.staged.extend(report.staged.iter().cloned());
        (self.state, self.searched) = (State::Running, report.searched);
    }
}

impl Eraser<'_> {
    /// Enters what was found, before anything is removed.
    pub(super) async fn begin_receipt(
        &self,
        report: &ErasureReport,
    ) -> Result<Receipt, EraseError> {
        let now = self.now();
        self.change_receipt(report, |receipt| {
            let mut receipt = receipt.unwrap_or_else(|| Receipt::of(report, now));
            receipt.add(report);
            receipt
        })
        .await
    }

    /// Enters that all of it was removed, or when the last copy goes.
    pub async fn end_receipt(&self, report: &ErasureReport) -> Result<(), EraseError> {
        let now = self.now();
        self.change_receipt(report, |receipt| {
            let mut receipt = receipt.unwrap_or_else(|| Receipt::of(report, now));
            receipt.state = State::Done;
            receipt.ended = Some(now);
            receipt.last_copy_goes = report.last_copy_goes;
            receipt
        })
        .await?;
        Ok(())
    }

    async fn change_receipt(
        &self,
        report: &ErasureReport,
        change: impl Fn(Option<Receipt>) -> Receipt,
    ) -> Result<Receipt, EraseError> {
        let key = self.layout.erasure(&name(&report.people));
        let read =
            || async { Ok::<_, EraseError>(document::read::<Receipt>(self.store, &key).await?) };
        let decide = |read: document::Read<Receipt>| {
            let before = read.value;
            let after = change(before.clone());
            Ok(if before.as_ref() == Some(&after) {
                Edit::Keep(after)
            } else {
                Edit::json(&after.clone(), after)
            })
        };
        let changed = document::change(self.store, &key, read, decide).await?;
        changed.ok_or(EraseError::Contended)
    }
}
