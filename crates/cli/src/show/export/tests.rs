use super::*;
use mixlake_app::export::{RowsTaken, SliceReport};
use mixlake_app::ports::SourceError;
use mixlake_domain::{Slice, Zone};
use mixlake_folder::{FileSource, Input, Selection};
use std::io::Write as _;

fn slice(label: &str) -> Slice {
    Slice::parse(label, &Zone::UTC).unwrap()
}

fn whole(label: &str, status: SliceStatus, columns: usize) -> SliceOutcome {
    let column = |number: usize| NewColumn {
        table: "mp_master_event".to_owned(),
        column: format!("c{number}"),
        property: format!("C {number}"),
        r#type: "string",
    };
    let report = SliceReport {
        slice: label.to_owned(),
        from: String::new(),
        to: String::new(),
        status,
        counts: SliceCounts {
            received: 1_013,
            written: 1_004,
            duplicates: 8,
            quarantined: 1,
            suppressed: 0,
            outside: 0,
            mended: 0,
        },
        bytes: 169_023,
        rows_taken: Vec::new(),
        changes: Vec::new(),
        new_columns: (0..columns).map(column).collect(),
        objects: vec!["file".to_owned()],
        quarantine: (columns == 1).then(|| "1/_quarantine/bad.gz".to_owned()),
    };
    SliceOutcome { slice: slice(label), outcome: Ok(report), effort: None }
}

fn failed(label: &str, error: ExportError) -> SliceOutcome {
    SliceOutcome { slice: slice(label), outcome: Err(error), effort: None }
}

fn shown(slices: Vec<SliceOutcome>, input: Option<&Accounts>) -> String {
    let run = Run {
        location: &|key| format!("/lake/{key}"),
        root: "/lake/1/",
        input,
        next: "mixlake catalog --lake /lake",
    };
    export(&ExportReport { slices }, &run)
}

#[test]
fn a_run_that_is_whole() {
    let slices = vec![
        whole("2026-11-10", SliceStatus::Published, 1),
        whole("2026-11-11", SliceStatus::Unchanged, 0),
    ];
    let expected = "\
slice           received   written  duplicates  quarantined       bytes
2026-11-10          1013      1004           8            1      169023  published
2026-11-11          1013      1004           8            1      169023  unchanged
total               2026      2008          16            2      338046
2026-11-10: bad lines, with reasons: /lake/1/_quarantine/bad.gz

2 slices: 1 published, 1 unchanged.
2,008 rows in 2 files.
1 new column: c0 (string of \"C 0\").
Files: /lake/1/
Next: mixlake catalog --lake /lake
";
    assert_eq!(shown(slices, None), expected);
}

#[test]
fn rows_that_go_and_slices_that_were_not_fetched_are_told() {
    let mut replaced = whole("2026-11-11", SliceStatus::Published, 0);
    if let Ok(report) = &mut replaced.outcome {
        let (table, mp_date) =
            ("mp_master_event".parse().unwrap(), Some(slice("2026-11-11").date()));
        report.rows_taken.push(RowsTaken { table, mp_date, before: 1_010, after: 1_004 });
    }
    let text = shown(vec![whole("2026-11-10", SliceStatus::Existing, 0), replaced], None);
    let taken = "2026-11-11: rows 1010 -> 1004 on 2026-11-11 in mp_master_event\n";
    assert!(text.contains(taken), "{text}");
    let slices = "2 slices: 1 published, 1 existing, not fetched again (--force fetches them).\n";
    assert!(text.contains(slices), "{text}");
}

#[test]
fn each_failure_is_told_once_and_what_was_not_tried_in_one_line() {
    let not_tried = || ExportError::NotTried(slice("2026-11-11").label());
    let refused = SourceError::Refused("402: no plan".to_owned());
    let slices = vec![
        whole("2026-11-10", SliceStatus::Published, 0),
        failed("2026-11-11", refused.into()),
        failed("2026-11-12", not_tried()),
        failed("2026-11-13", not_tried()),
        failed("2026-11-14", not_tried()),
    ];
    let expected = "\
slice           received   written  duplicates  quarantined       bytes
2026-11-10          1013      1004           8            1      169023  published
2026-11-11    FAILED: the event source refuses the request: 402: no plan
total               1013      1004           8            1      169023

5 slices: 1 published, 1 failed, 3 not tried.
2026-11-12 to 2026-11-14 were not tried: the problem that stopped 2026-11-11 would stop them too.
1,004 rows in 1 file.
Files: /lake/1/
Next: fix what failed, and run the same command again. Published slices stay.
";
    assert_eq!(shown(slices, None), expected);
}

#[test]
fn of_many_new_columns_some_are_named() {
    let text = shown(vec![whole("2026-11-10", SliceStatus::Published, 12)], None);
    assert!(text.contains("12 new columns: c0 (string of \"C 0\"), c1 "), "{text}");
    assert!(text.contains("c9 (string of \"C 9\"), and 2 more (--json names them)."), "{text}");
}

#[test]
fn lines_that_no_slice_got_are_told() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (name, day) in [("a", 0), ("b", 0), ("a", 1), ("a", 2), ("a", 9)] {
        let time = 1_794_268_800 + day * 86_400;
        writeln!(file, "{{\"event\":\"{name}\",\"properties\":{{\"time\":{time}}}}}").unwrap();
    }
    let selection = Selection {
        days: vec![slice("2026-11-10")],
        zone: Zone::UTC,
        events: vec!["a".to_owned()],
        wall_clock: None,
    };
    let inputs = [Input::from(file.path().to_owned())];
    let read = FileSource::read(&inputs, &selection, &std::env::temp_dir(), &mut |_| {});
    let text = shown(vec![whole("2026-11-10", SliceStatus::Published, 0)], Some(&read.unwrap().1));
    let expected = "Of 5 lines of the input, the export left out 3 of other dates \
                    (2026-11-11 to 2026-11-12, 2026-11-19), 1 of other events.\n";
    assert!(text.contains(expected), "{text}");
}
