//! What became of a slice in a run.

use super::failure;
use crate::SliceCounts;
use crate::commit::Outcome;
use crate::export::{ExportReport, SliceOutcome, SliceReport};
use crate::identities::{IdentitiesError, IdentitiesReport};
use crate::profiles::{ProfilesReport, TableOutcome, TableReport};
use mixlake_domain::{Dataset, Slice, Timestamp};
use std::time::Duration;

/// A row of the table of runs: a slice that a run tried.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// When the run began.
    pub run_began: Timestamp,
    /// When the run began with the slice.
    pub began: Timestamp,
    /// When it ended with the slice.
    pub ended: Timestamp,
    /// Why it tried the slice.
    pub why: Why,
    /// What was exported.
    pub dataset: &'static str,
    /// The slice: the one that was exported, which can be the day of the hour that was asked for. Of profiles, their
    /// table.
    pub slice: String,
    /// Its start.
    pub slice_from: Option<Timestamp>,
    /// Its end.
    pub slice_to: Option<Timestamp>,
    /// `published`, `unchanged`, `superseded` or `failed`.
    pub status: String,
    /// Why it failed, as a word of a fixed list. Texts of errors can quote what was received.
    pub error: Option<&'static str>,
    /// The counts of its lines; none of a slice that failed.
    pub counts: Option<SliceCounts>,
    /// What changed in the lake; none of a slice that failed.
    pub changed: Option<Changed>,
    /// The queries that were sent to Mixpanel for it.
    pub queries: u64,
    /// Where the report of the run is, if it is kept.
    pub report: Option<String>,
    /// The version of Mixlake.
    pub version: &'static str,
}

/// What a slice changed in the lake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// By how many rows days have fewer than before.
    pub rows_removed: u64,
    /// Targets that got files.
    pub targets_appended: u64,
    /// Targets that got a new generation.
    pub targets_replaced: u64,
    /// Columns that it added.
    pub new_columns: u64,
    /// The size of its files.
    pub bytes: u64,
}

/// Why a run tried a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was its turn in the schedule.
    Schedule,
    /// An earlier run of the schedule should have published it.
    CatchUp,
    /// Its day was compared with Mixpanel again.
    Sync,
    /// It is a part of a backfill.
    Backfill,
    /// A person asked for it.
    Manual,
}

impl Why {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Schedule, Self::CatchUp, Self::Sync, Self::Backfill, Self::Manual];

    /// The word in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::CatchUp => "catch_up",
            Self::Sync => "sync",
            Self::Backfill => "backfill",
            Self::Manual => "manual",
        }
    }
}

impl RunRow {
    /// How long the run worked on the slice.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let took = Duration::try_from(self.ended.duration_since(self.began));
        took.unwrap_or_default().as_secs_f64()
    }
}

/// The rows of a run: a row for each slice that it tried. Slices that it did not come to, or found
/// published and did not ask for, have none.
#[must_use]
pub fn rows(
    report: &ExportReport,
    run_began: Timestamp,
    (location, version): (Option<&str>, &'static str),
    why: impl Fn(&Slice) -> Why,
) -> Vec<RunRow> {
    let row = |outcome: &SliceOutcome| {
        let effort = outcome.effort?;
        let row = RunRow {
            run_began,
            began: effort.began,
            ended: effort.ended,
            why: why(&outcome.slice),
            dataset: "events",
            slice: outcome.slice.to_string(),
            slice_from: Some(outcome.slice.start()),
            slice_to: Some(outcome.slice.end()),
            status: "failed".to_owned(),
            error: None,
            counts: None,
            changed: None,
            queries: effort.queries,
            report: location.map(str::to_owned),
            version,
        };
        match &outcome.outcome {
            Ok(done) if done.status.was_received() => Some(row.done(done)),
            Ok(_) => None,
            Err(error) => Some(RunRow { error: Some(failure::word(error)), ..row }),
        }
    };
    report.slices.iter().filter_map(row).collect()
}

/// The rows of a run that exported profiles: a row for each table that it tried.
#[must_use]
pub fn profile_rows(
    report: &ProfilesReport,
    run_began: Timestamp,
    (location, version): (Option<&str>, &'static str),
    why: Why,
) -> Vec<RunRow> {
    let row = |tried: &TableOutcome| {
        let row = RunRow {
            run_began,
            began: tried.effort.began,
            ended: tried.effort.ended,
            why,
            dataset: "profiles",
            slice: tried.table.to_string(),
            slice_from: None,
            slice_to: None,
            status: "failed".to_owned(),
            error: None,
            counts: None,
            changed: None,
            queries: tried.effort.queries,
            report: location.map(str::to_owned),
            version,
        };
        match &tried.outcome {
            Ok(done) => row.of_table(done),
            Err(error) => RunRow { error: Some(failure::word_of_profiles(error)), ..row },
        }
    };
    report.tables.iter().map(row).collect()
}

/// The row of a run that made the table of identities.
#[must_use]
pub fn identity_row(
    done: &Result<IdentitiesReport, IdentitiesError>,
    (began, ended): (Timestamp, Timestamp),
    version: &'static str,
    why: Why,
) -> RunRow {
    let row = RunRow {
        run_began: began,
        began,
        ended,
        why,
        dataset: "identities",
        slice: Dataset::Identities.main_table().to_owned(),
        slice_from: None,
        slice_to: None,
        status: "failed".to_owned(),
        error: None,
        counts: None,
        changed: None,
        queries: 0,
        report: None,
        version,
    };
    let report = match done {
        Ok(report) => report,
        Err(error) => return RunRow { error: Some(failure::word_of_identities(error)), ..row },
    };
    let status = match &report.outcome {
        None => {
            let word = if report.is_whole() { failure::OUT_OF_TIME } else { failure::UNREADABLE };
            return RunRow { error: Some(word), ..row };
        }
        Some(Outcome::Unchanged) => "unchanged",
        Some(Outcome::Appended | Outcome::Replaced { .. } | Outcome::Superseded) => "published",
    };
    let targets_replaced = u64::from(status == "published");
    let changed = Changed { targets_replaced, ..Changed::default() };
    RunRow { status: status.to_owned(), changed: Some(changed), ..row }
}

impl RunRow {
    fn of_table(self, done: &TableReport) -> Self {
        let taken = done.rows_taken.as_ref().map_or(0, |taken| taken.before - taken.after);
        let is = |wanted: fn(&Outcome) -> bool| u64::from(done.change.as_ref().is_some_and(wanted));
        let changed = Changed {
            rows_removed: taken,
            targets_appended: is(|outcome| matches!(outcome, Outcome::Appended)),
            targets_replaced: is(|outcome| matches!(outcome, Outcome::Replaced { .. })),
            new_columns: done.new_columns.len() as u64,
            bytes: done.bytes,
        };
        let status = done.status.to_string();
        Self { status, counts: Some(done.counts), changed: Some(changed), ..self }
    }

    fn done(self, done: &SliceReport) -> Self {
        let of = |wanted: fn(&Outcome) -> bool| {
            done.changes.iter().filter(|change| wanted(&change.outcome)).count() as u64
        };
        let removed = done.rows_taken.iter().map(|taken| taken.before - taken.after);
        let changed = Changed {
            rows_removed: removed.sum(),
            targets_appended: of(|outcome| matches!(outcome, Outcome::Appended)),
            targets_replaced: of(|outcome| matches!(outcome, Outcome::Replaced { .. })),
            new_columns: done.new_columns.len() as u64,
            bytes: done.bytes,
        };
        Self {
            slice: done.slice.clone(),
            slice_from: done.from.parse().ok(),
            slice_to: done.to.parse().ok(),
            status: done.status.to_string(),
            counts: Some(done.counts),
            changed: Some(changed),
            ..self
        }
    }
}
