//! The outcome of an export of profiles.

use super::words::some;
use mixlake_app::profiles::{ProfilesReport, TableReport};

/// So many new columns are named.
const COLUMNS: usize = 10;

/// The outcome of each table, and what to do next. `location` says where an object is, `root` is the folder of the
/// project, and `next` the command that goes on from here.
pub fn profiles(
    report: &ProfilesReport,
    location: &dyn Fn(&str) -> String,
    root: &str,
    next: &str,
) -> String {
    let mut lines = Vec::new();
    for tried in &report.tables {
        match &tried.outcome {
            Ok(done) => lines.extend(table(done, location)),
            Err(error) => {
                lines.push(format!("{}: FAILED: {}", tried.table, mixlake_app::chain(error)));
            }
        }
    }
    for table in &report.not_tried {
        lines.push(format!("{table}: not tried: the problem above would stop it too."));
    }
    lines.push(String::new());
    lines.push(format!("Files: {root}"));
    lines.push(if report.is_whole() {
        format!("Next: {next}")
    } else {
        "Next: fix what failed, and run the same command again. Live tables stay.".to_owned()
    });
    lines.join("\n") + "\n"
}

fn table(done: &TableReport, location: &dyn Fn(&str) -> String) -> Vec<String> {
    let counts = done.counts;
    let mut numbers = vec![
        format!("{} received", counts.received),
        format!("{} written", counts.written),
        format!("{} duplicates", counts.duplicates),
        format!("{} quarantined", counts.quarantined),
    ];
    if counts.suppressed > 0 {
        numbers.push(format!("{} of erased people left out", counts.suppressed));
    }
    let mut lines = vec![format!("{}: {}: {}.", done.table, done.status, numbers.join(", "))];
    if let Some(taken) = &done.rows_taken {
        lines.push(format!("  fewer than before: {taken}"));
    }
    if let Some(key) = &done.quarantine {
        lines.push(format!("  bad lines, with reasons: {}", location(key)));
    }
    let new = &done.new_columns;
    if !new.is_empty() {
        let name = |column: &mixlake_app::export::NewColumn| {
            format!("{} ({} of {:?})", column.column, column.r#type, column.property)
        };
        let named: Vec<String> = new.iter().take(COLUMNS).map(name).collect();
        let more = match new.len().saturating_sub(COLUMNS) {
            0 => String::new(),
            more => format!(", and {more} more (--json names them)"),
        };
        let columns = some(new.len() as u64, "new column");
        lines.push(format!("  {columns}: {}{more}.", named.join(", ")));
    }
    lines
}
