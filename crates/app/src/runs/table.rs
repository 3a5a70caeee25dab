//! The columns of the table of runs, and the cell of each.

use super::row::RunRow;
use crate::SliceCounts;
use mixlake_columnar::Cell;
use mixlake_domain::Timestamp;
use mixlake_schema::ColumnType::{Bigint, Number, String as Text, Timestamp as Time};
use mixlake_schema::{Column, ColumnType};

/// A column: its name, its comment in the catalog, its type, and the value of a row.
pub(super) struct FixedColumn {
    name: &'static str,
    comment: &'static str,
    column_type: ColumnType,
    cell: fn(&RunRow) -> Option<Cell>,
}

/// All columns, in their order. A later version adds columns at the end. Names and types never change.
pub(super) const COLUMNS: [FixedColumn; 25] = [
    column("run_began", "when the run began that tried the slice", Time, |row| at(row.run_began)),
    column("began", "when the run began with the slice", Time, |row| at(row.began)),
    column("ended", "when the run ended with the slice", Time, |row| at(row.ended)),
    column("why", "schedule, catch_up, sync, backfill or manual", Text, |row| text(row.why.name())),
    column("dataset", "what was exported, such as events", Text, |row| text(row.dataset)),
    column(
        "slice",
        "the slice: a day, or an hour of a day; of profiles and identities, their table",
        Text,
        |row| text(&row.slice),
    ),
    column("slice_from", "the start of the slice", Time, |row| row.slice_from.and_then(at)),
    column("slice_to", "the end of the slice", Time, |row| row.slice_to.and_then(at)),
    column("status", "published, unchanged, superseded or failed", Text, |row| text(&row.status)),
    column("error", "why it failed, as a word; the report has the text", Text, |row| {
        row.error.and_then(text)
    }),
    column("received", "lines that came", Bigint, |row| counted(row, |counts| counts.received)),
    column("written", "rows of the slice", Bigint, |row| counted(row, |counts| counts.written)),
    column("duplicates", "repeated rows that were dropped", Bigint, |row| {
        counted(row, |counts| counts.duplicates)
    }),
    column("quarantined", "lines that are not events", Bigint, |row| {
        counted(row, |counts| counts.quarantined)
    }),
    column("suppressed", "events of erased people, which were left out", Bigint, |row| {
        counted(row, |counts| counts.suppressed)
    }),
    column("mended", "events in which half of a surrogate pair became U+FFFD", Bigint, |row| {
        counted(row, |counts| counts.mended)
    }),
    column(
        "rows_removed",
        "rows by which days of the slice have fewer than before",
        Bigint,
        |row| row.changed.as_ref().and_then(|changed| count(changed.rows_removed)),
    ),
    column("targets_appended", "days of tables that got files", Bigint, |row| {
        row.changed.as_ref().and_then(|changed| count(changed.targets_appended))
    }),
    column("targets_replaced", "days of tables that got a new generation", Bigint, |row| {
        row.changed.as_ref().and_then(|changed| count(changed.targets_replaced))
    }),
    column("new_columns", "columns that the slice added", Bigint, |row| {
        row.changed.as_ref().and_then(|changed| count(changed.new_columns))
    }),
    column("bytes", "bytes of the files of the slice", Bigint, |row| {
        row.changed.as_ref().and_then(|changed| count(changed.bytes))
    }),
    column("queries", "queries that were sent to Mixpanel", Bigint, |row| count(row.queries)),
    column("seconds", "how long the run worked on the slice", Number, |row| {
        Some(Cell::Number(row.seconds()))
    }),
    column("report", "where the report of the run is", Text, |row| {
        row.report.as_deref().and_then(text)
    }),
    column("version", "the version of Mixlake", Text, |row| text(row.version)),
];

const fn column(
    name: &'static str,
    comment: &'static str,
    column_type: ColumnType,
    cell: fn(&RunRow) -> Option<Cell>,
) -> FixedColumn {
    FixedColumn { name, comment, column_type, cell }
}

impl FixedColumn {
    /// Name, comment and type.
    pub(super) fn described(&self) -> (&'static str, &'static str, ColumnType) {
        (self.name, self.comment, self.column_type)
    }
}

/// The cells of a row for these columns of the table. A column that this version does not know stays
/// empty.
pub(super) fn cells(row: &RunRow, columns: &[Column]) -> Vec<Option<Cell>> {
    let cell = |column: &Column| {
        let known = COLUMNS.iter().find(|known| known.name == column.name)?;
        (known.cell)(row)
    };
    columns.iter().map(cell).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "cells of other columns can be empty")]
fn at(time: Timestamp) -> Option<Cell> {
    Some(Cell::Long(time.as_millisecond()))
}

#[expect(clippy::unnecessary_wraps, reason = "cells of other columns can be empty")]
fn text(text: &str) -> Option<Cell> {
    Some(Cell::Text(text.to_owned()))
}

fn count(count: u64) -> Option<Cell> {
    i64::try_from(count).ok().map(Cell::Long)
}

fn counted(row: &RunRow, of: fn(SliceCounts) -> u64) -> Option<Cell> {
    count(of(row.counts?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_schema::clean;

    #[test]
    fn names_are_those_that_query_engines_take_as_they_are() {
        for column in &COLUMNS {
            assert_eq!(clean(column.name, 255), column.name);
            assert!(column.comment.len() <= 255, "{}", column.name);
        }
    }
}
