//! The outcome of an erasure.

use super::words::{number, some};
use crate::erase::Done;
use mixlake_app::erase::{ErasureReport, Status};

/// So many places that stay are named.
const MENTIONS: usize = 20;

/// What was found and done. `location` says where an object is.
pub fn erasure(done: &Done, location: &dyn Fn(&str) -> String) -> String {
    let Done { report, resolved, at_once } = done;
    let mut lines = Vec::new();
    if let Some(resolved) = resolved {
        lines.push(format!("the person is known as {}", resolved.join(", ")));
    }
    lines.extend(found(report));
    for mention in report.mentions.iter().take(MENTIONS) {
        let cells =
            mention.cells.map_or(String::new(), |cells| format!("{} of ", some(cells, "cell")));
        let column = mention.column.as_ref().map_or(String::new(), |name| format!("{name} in "));
        lines.push(format!(
            "stays: {cells}{column}{} contain an identifier",
            location(&mention.object)
        ));
    }
    if let Some(more) = report.mentions.len().checked_sub(MENTIONS).filter(|more| *more > 0) {
        lines.push(format!("stays: {} more places; --json names them", number(more as u64)));
    }
    for failure in &report.failed {
        lines.push(format!("{}: FAILED: {}", failure.what, failure.error));
    }
    lines.extend(old_copies(report, at_once.is_some()));
    for (target, reason) in at_once.iter().flat_map(|it| &it.kept) {
        lines.push(format!("{target}: replaced files stay: {reason}"));
    }
    if let Some(at_once) = at_once {
        let files = some(at_once.deleted.len() as u64, "replaced file");
        lines.push(format!("deleted {files}"));
    }
    lines.push(format!(
        "searched {} ({}), {} of tables",
        some(report.searched.objects, "object"),
        some(report.searched.bytes, "byte"),
        some(report.searched.targets, "day"),
    ));
    lines.push(status(report));
    if let Some(key) = &report.receipt {
        lines.push(format!("receipt: {}", location(key)));
    }
    lines.join("\n") + "\n"
}

fn found(report: &ErasureReport) -> Vec<String> {
    let mut lines = Vec::new();
    for target in &report.targets {
        let day = target.mp_date.map_or(String::new(), |date| format!(" {date}"));
        let (rows, files) = (some(target.rows, "row"), some(target.files, "file"));
        lines.push(format!("{}{day}: {rows} in {files}", target.table));
    }
    for object in &report.bad_lines {
        lines.push(format!("{}: {}", object.object, some(object.lines, "bad line")));
    }
    lines.extend(report.staged.iter().map(|key| format!("{key}: the whole object")));
    lines
}

fn old_copies(report: &ErasureReport, are_deleted: bool) -> Option<String> {
    let files: u64 = report.old_copies.iter().map(|old| old.files).sum();
    if files == 0 || are_deleted {
        return None;
    }
    let goes = report.last_copy_goes.map_or(String::new(), |time| {
        format!(" They can be deleted from {time:.0} on; mixlake collect does that, or the maintenance function.")
    });
    let what = match report.status {
        Status::WouldErase => "files with the person that would be replaced, and stay for a while",
        Status::Erased | Status::NothingFound | Status::Failed => {
            "replaced files that still have the person"
        }
    };
    Some(format!("{what}: {}.{goes}", number(files)))
}

fn status(report: &ErasureReport) -> String {
    let rows: u64 = report.targets.iter().map(|target| target.rows).sum();
    let lines: u64 = report.bad_lines.iter().map(|object| object.lines).sum();
    let (rows, lines) = (some(rows, "row"), some(lines, "bad line"));
    match report.status {
        Status::Erased => {
            format!("erased {rows} and {lines}; exports leave the person out from now on")
        }
        Status::NothingFound => {
            "nothing of the person is in the lake; exports leave the person out".to_owned()
        }
        Status::WouldErase => format!("a dry run: {rows} and {lines} would be erased"),
        Status::Failed => format!(
            "{} could not be searched or changed: run the command again when that is mended",
            number(report.failed.len() as u64)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::doctor::DeletedAtOnce;
    use mixlake_app::erase::{ErasedLines, ErasedTarget, Failure, Mention, OldCopies, Searched};
    use mixlake_domain::Target;

    fn report() -> ErasureReport {
        let (table, mp_date) = ("mp_master_event".parse().unwrap(), "2026-11-10".parse().ok());
        ErasureReport {
            status: Status::Erased,
            searched: Searched { objects: 12, bytes: 34_567, targets: 2 },
            targets: vec![ErasedTarget { table, mp_date, rows: 1_004, files: 1 }],
            bad_lines: vec![ErasedLines { object: "1/_quarantine/a".to_owned(), lines: 1 }],
            staged: vec!["1/_staging/b".to_owned()],
            old_copies: vec![OldCopies {
                table: "mp_master_event".parse().unwrap(),
                mp_date,
                files: 1,
                bytes: 10,
            }],
            last_copy_goes: "2026-11-12T00:00:00Z".parse().ok(),
            mentions: vec![Mention {
                object: "1/c".to_owned(),
                column: Some("note".to_owned()),
                cells: Some(2),
            }],
            receipt: Some("1/_erasures/d.json".to_owned()),
            ..ErasureReport::default()
        }
    }

    fn told(report: ErasureReport, at_once: Option<DeletedAtOnce>) -> String {
        let resolved = at_once.is_some().then(|| vec!["ann".to_owned(), "d1".to_owned()]);
        erasure(&Done { report, resolved, at_once }, &|key| format!("s3://b/{key}"))
    }

    #[test]
    fn an_erasure_tells_what_went_what_stays_and_until_when() {
        insta::assert_snapshot!(told(report(), None));
    }

    #[test]
    fn an_erasure_at_once_tells_what_was_deleted() {
        let target = Target::day("mp_master_event".parse().unwrap(), "2026-11-11".parse().unwrap());
        let kept = vec![(target, "an export is writing".to_owned())];
        let at_once = DeletedAtOnce { deleted: vec!["k".to_owned()], kept };
        insta::assert_snapshot!(told(report(), Some(at_once)));
    }

    #[test]
    fn other_outcomes_are_told() {
        let failed = vec![Failure { what: "1/x".to_owned(), error: "cannot be read".to_owned() }];
        let failed = ErasureReport { status: Status::Failed, failed, ..ErasureReport::default() };
        let dry = ErasureReport { status: Status::WouldErase, ..report() };
        let all = [ErasureReport::default(), failed, dry].map(|report| told(report, None));
        insta::assert_snapshot!(all.join("\n"));
    }
}
