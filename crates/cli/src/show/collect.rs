//! The outcome of a collection.

use super::words::some;
use mixlake_app::doctor::Collection;

/// What was deleted, what stays and why, and the sums.
pub fn collection(collection: &Collection) -> String {
    let mut lines = Vec::new();
    for day in &collection.deleted {
        let (files, bytes) = (some(day.files as u64, "replaced file"), some(day.bytes, "byte"));
        lines.push(format!("{}: deleted {files} ({bytes})", place(&day.table, &day.subject)));
    }
    for finding in &collection.kept {
        let (place, why) = (place(&finding.table, &finding.subject), finding.remedy.text());
        lines.push(format!("{place}: {}; {why}", finding.text));
    }
    for day in &collection.failed {
        let place = place(&day.table, &day.subject);
        lines.push(format!("{place}: could not be deleted: {}", day.error));
    }
    let files: usize = collection.deleted.iter().map(|day| day.files).sum();
    lines.push(format!(
        "deleted {}, {} and {}",
        some(files as u64, "replaced file"),
        some(collection.staged, "staged file"),
        some(collection.uploads, "unfinished upload"),
    ));
    lines.join("\n") + "\n"
}

fn place(table: &str, subject: &str) -> String {
    format!("{table} {subject}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::doctor::{Deleted, Finding, Kind, NotDeleted, Remedy, Severity};

    #[test]
    fn each_day_is_told_and_then_the_sums() {
        let (table, subject) = ("mp_master_event".to_owned(), "2026-11-10".to_owned());
        let kept = Finding {
            kind: Kind::LeftBehind,
            severity: Severity::Note,
            table: table.clone(),
            subject: "2026-11-11".to_owned(),
            text: "replaced folders still hold 1 file (10 bytes)".to_owned(),
            remedy: Remedy::Wait { reason: "delete them when no query can still read them".into() },
        };
        let done = Collection {
            deleted: vec![Deleted { table: table.clone(), subject, files: 2, bytes: 1_234 }],
            kept: vec![kept],
            failed: vec![NotDeleted {
                table,
                subject: "2026-11-12".to_owned(),
                error: "an export is writing to this day; try again later".to_owned(),
            }],
            staged: 1,
            uploads: 0,
        };
        let expected = "\
mp_master_event 2026-11-10: deleted 2 replaced files (1,234 bytes)
mp_master_event 2026-11-11: replaced folders still hold 1 file (10 bytes); delete them when no query can still read them
mp_master_event 2026-11-12: could not be deleted: an export is writing to this day; try again later
deleted 2 replaced files, 1 staged file and 0 unfinished uploads
";
        assert_eq!(collection(&done), expected);
    }
}
