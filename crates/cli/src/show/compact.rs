//! The outcome of a compaction.

use super::words::{number, some};
use mixlake_app::compact::{CompactionOutcome, CompactionReport, Size, TargetCompaction};
use std::fmt::Write;

/// The outcome of each day of each table, the sums, and what to do next.
pub fn compaction(report: &CompactionReport, next: &str) -> String {
    let mut text = String::new();
    for target in &report.targets {
        writeln!(text, "{}", outcome(target)).expect("a text takes any other");
    }
    if report.targets.is_empty() {
        return "Nothing to compact: no table has files of these days.\n".to_owned();
    }
    let (before, after) = report.sizes();
    let compacted = report.targets.iter().filter(|target| is_compacted(target)).count() as u64;
    writeln!(
        text,
        "\n{} compacted. Before: {}. After: {}.",
        some(compacted, "day"),
        size(before),
        size(after)
    )
    .expect("a text takes any other");
    let then = if !report.is_whole() {
        "Next: fix what failed, and run the same command again.".to_owned()
    } else if compacted > 0 {
        format!("Next: {next}")
    } else {
        return text;
    };
    text + &then + "\n"
}

fn outcome(target: &TargetCompaction) -> String {
    let day = target.mp_date.map(|date| format!(" {date}")).unwrap_or_default();
    let what = match &target.outcome {
        Ok(CompactionOutcome::Compacted { after, .. }) => {
            format!("{}, {} -> {}", some(target.rows, "row"), size(target.before), size(*after))
        }
        Ok(CompactionOutcome::Unchanged) => {
            format!("{}, {}, unchanged", some(target.rows, "row"), size(target.before))
        }
        Ok(CompactionOutcome::Skipped { reason }) => format!("skipped: {reason}"),
        Err(error) => format!("FAILED: {}", mixlake_app::chain(error)),
    };
    format!("{}{day}: {what}", target.table)
}

/// `24 files of 1,234,567 bytes`.
fn size(size: Size) -> String {
    format!("{} of {} bytes", some(size.files as u64, "file"), number(size.bytes))
}

fn is_compacted(target: &TargetCompaction) -> bool {
    matches!(target.outcome, Ok(CompactionOutcome::Compacted { .. }))
}
