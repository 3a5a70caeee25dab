//! The outcome of an export.

use super::words::{dates, number, some};
use mixlake_app::SliceCounts;
use mixlake_app::export::{ExportError, ExportReport, NewColumn, SliceOutcome, SliceStatus};
use mixlake_folder::Accounts;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What is known of a run beside its report.
pub struct Run<'a> {
    /// Where an object is.
    pub location: &'a dyn Fn(&str) -> String,
    /// The folder of the project.
    pub root: &'a str,
    /// What became of the lines of the input, if there was one.
    pub input: Option<&'a Accounts>,
    /// The command that goes on from here.
    pub next: &'a str,
}

/// So many new columns are named.
const COLUMNS: usize = 10;

/// The outcome of each slice, the sums, and what to do next.
pub fn export(report: &ExportReport, run: &Run<'_>) -> String {
    let mut text = String::new();
    rows(&mut text, report);
    for whole in report.whole() {
        for taken in &whole.rows_taken {
            line(&mut text, &format!("{}: {taken}", whole.slice));
        }
        if whole.counts.mended > 0 {
            let mended = some(whole.counts.mended, "event");
            let what =
                format!("{}: half of a surrogate pair became U+FFFD in {mended}", whole.slice);
            line(&mut text, &what);
        }
        if whole.counts.suppressed > 0 {
            let lines = some(whole.counts.suppressed, "line");
            line(&mut text, &format!("{}: left out {lines} of erased people", whole.slice));
        }
        if let Some(key) = &whole.quarantine {
            line(
                &mut text,
                &format!("{}: bad lines, with reasons: {}", whole.slice, (run.location)(key)),
            );
        }
    }
    text.push('\n');
    for sentence in summary(report, run) {
        line(&mut text, &sentence);
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn rows(text: &mut String, report: &ExportReport) {
    let head = ["slice", "received", "written", "duplicates", "quarantined", "bytes", ""];
    line(text, &row(&head.map(str::to_owned)));
    for slice in &report.slices {
        match &slice.outcome {
            Ok(whole) => {
                let status = whole.status.to_string();
                line(text, &row(&cells(&whole.slice, whole.counts, whole.bytes, status)));
            }
            Err(ExportError::NotTried(_)) => {}
            Err(error) => {
                let (label, why) = (slice.slice.to_string(), mixlake_app::chain(error));
                line(text, &format!("{label:<14}FAILED: {why}"));
            }
        }
    }
    if report.slices.len() > 1 {
        let totals = report.totals();
        line(text, &row(&cells("total", totals.counts, totals.bytes, String::new())));
    }
}

/// The cells of a line: what it is of, its numbers, and what became of it.
fn cells(of: &str, counts: SliceCounts, bytes: u64, status: String) -> [String; 7] {
    let numbers = [counts.received, counts.written, counts.duplicates, counts.quarantined, bytes];
    let [received, written, duplicates, quarantined, bytes] = numbers.map(|n| n.to_string());
    [of.to_owned(), received, written, duplicates, quarantined, bytes, status]
}

fn row(cells: &[String; 7]) -> String {
    let [of, received, written, duplicates, quarantined, bytes, status] = cells;
    format!(
        "{of:<14}{received:>10}{written:>10}{duplicates:>12}{quarantined:>13}{bytes:>12}  {status}"
    )
}

/// The sums, and what to do next.
pub(super) fn summary(report: &ExportReport, run: &Run<'_>) -> Vec<String> {
    let totals = report.totals();
    let mut said = vec![slices(report)];
    said.extend(not_tried(&report.slices));
    said.push(format!(
        "{} in {}.",
        some(totals.counts.written, "row"),
        some(totals.objects, "file")
    ));
    said.extend(new_columns(report));
    said.extend(run.input.and_then(left_out));
    said.push(format!("Files: {}", run.root));
    said.push(if report.is_whole() {
        format!("Next: {}", run.next)
    } else {
        "Next: fix what failed, and run the same command again. Published slices stay.".to_owned()
    });
    said
}

/// `4 slices: 3 published, 1 failed.`
fn slices(report: &ExportReport) -> String {
    let of = |wanted: SliceStatus| report.whole().filter(|w| w.status == wanted).count();
    let not_tried = report.slices.iter().filter(|slice| was_not_tried(slice)).count();
    let failed = report.slices.iter().filter(|slice| slice.outcome.is_err()).count() - not_tried;
    let counts = [
        (of(SliceStatus::Published), "published"),
        (of(SliceStatus::Unchanged), "unchanged"),
        (of(SliceStatus::Existing), "existing, not fetched again (--force fetches them)"),
        (failed, "failed"),
        (not_tried, "not tried"),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{count} {what}")).collect();
    format!("{}: {}.", some(report.slices.len() as u64, "slice"), told.join(", "))
}

fn was_not_tried(slice: &SliceOutcome) -> bool {
    matches!(slice.outcome, Err(ExportError::NotTried(_)))
}

/// One sentence for all of them: the reason is told once already.
fn not_tried(slices: &[SliceOutcome]) -> Option<String> {
    let mut skipped = slices.iter().filter(|slice| was_not_tried(slice));
    let first = skipped.next()?;
    let Err(ExportError::NotTried(after)) = &first.outcome else { return None };
    let range = match skipped.next_back() {
        Some(last) => format!("{} to {} were", first.slice, last.slice),
        None => format!("{} was", first.slice),
    };
    Some(format!("{range} not tried: the problem that stopped {after} would stop them too."))
}

fn new_columns(report: &ExportReport) -> Option<String> {
    let new: Vec<&NewColumn> = report.whole().flat_map(|whole| &whole.new_columns).collect();
    let tables: BTreeSet<&str> = new.iter().map(|column| &*column.table).collect();
    let mut text = match tables.len() {
        0 => return None,
        1 => format!("{}: ", some(new.len() as u64, "new column")),
        tables => format!("{} of {tables} tables: ", some(new.len() as u64, "new column")),
    };
    let name = |column: &&NewColumn| {
        format!("{} ({} of {:?})", column.column, column.r#type, column.property)
    };
    text.push_str(&new.iter().take(COLUMNS).map(name).collect::<Vec<_>>().join(", "));
    if new.len() > COLUMNS {
        // Writing to a String cannot fail.
        write!(text, ", and {} more (--json names them)", new.len() - COLUMNS).unwrap_or_default();
    }
    text.push('.');
    Some(text)
}

/// The lines of the input that no slice got.
fn left_out(input: &Accounts) -> Option<String> {
    let mut parts = Vec::new();
    if input.outside_dates > 0 {
        let (lines, of) = (number(input.outside_dates), dates(&input.other_dates));
        parts.push(format!("{lines} of other dates ({of})"));
    }
    if input.not_selected > 0 {
        parts.push(format!("{} of other events", number(input.not_selected)));
    }
    let lines = some(input.lines, "line");
    (!parts.is_empty())
        .then(|| format!("Of {lines} of the input, the export left out {}.", parts.join(", ")))
}

#[cfg(test)]
mod tests;
