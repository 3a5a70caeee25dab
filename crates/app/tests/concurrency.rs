//! Any number of functions may work on the same slices at once, in any order of their calls: the
//! lake comes out as if they had run one after another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::future::join_all;
use mixlake_app::export::ExportError;
use mixlake_testkit::source::MemorySource;
use rstest::rstest;
use support::jitter::{Changing, Dice, Jitter};
use support::{Lake, add, rows_of, slice};

/// A function: what its source has when it reads, and the slices that it exports.
type Function = (&'static [&'static str], &'static [&'static str]);

struct Meeting {
    lake: fn() -> Lake,
    /// What was published before, and of which slices.
    before: Function,
    functions: &'static [Function],
    /// The slices that the lake consists of in the end.
    published: &'static [&'static str],
}

const SEEDS: u64 = 150;

const X: &[&str] = &["a 2026-11-10T01:10", "b 2026-11-10T02:20"];
const Y: &[&str] = &["a 2026-11-10T01:10", "b 2026-11-10T02:20", "late 2026-11-10T02:05"];
const STRAYS: &[&str] = &[
    "b 2026-11-10T02:20",
    "s 2026-11-09T23:59 > 2026-11-10T02",
    "t 2026-11-11T00:01 > 2026-11-10T02",
];
const ONE_STRAY: &[&str] = &["b 2026-11-10T02:20", "t 2026-11-11T00:01 > 2026-11-10T02"];
const NOTHING: &[&str] = &["a 2026-11-10T01:10"];
const H1: &[&str] = &["2026-11-10T01"];
const H2: &[&str] = &["2026-11-10T02"];
const DAY: &[&str] = &["2026-11-10"];
const NEIGHBOURS: Function = (
    &["x 2026-11-09T10:00", "a 2026-11-10T01:10", "z 2026-11-11T10:00"],
    &["2026-11-09T10", "2026-11-10T01", "2026-11-11T10"],
);
const ALL: &[&str] = &["2026-11-09T10", "2026-11-10T01", "2026-11-10T02", "2026-11-11T10"];

fn one_part() -> Lake {
    Lake::new()
}

fn many_parts() -> Lake {
    Lake::new().in_many_parts()
}

const SAME: Meeting = Meeting {
    lake: one_part,
    before: (X, H1),
    functions: &[(Y, H2), (Y, H2)],
    published: &["2026-11-10T01", "2026-11-10T02"],
};
const OTHER_CONTENT: Meeting = Meeting { functions: &[(X, H2), (Y, H2)], ..SAME };
const THREE_CONTENTS: Meeting = Meeting { functions: &[(X, H2), (Y, H2), (NOTHING, H2)], ..SAME };
const REPLACED: Meeting =
    Meeting { before: (NOTHING, &["2026-11-10T01", "2026-11-10T02"]), ..OTHER_CONTENT };
const TWO_DATES: Meeting = Meeting {
    before: NEIGHBOURS,
    functions: &[(STRAYS, H2), (ONE_STRAY, H2), (X, H2)],
    published: ALL,
    ..SAME
};
const OVER_STRAYS: Meeting = Meeting {
    before: (STRAYS, H2),
    functions: &[(ONE_STRAY, H2), (X, H2), (NOTHING, H2), (ONE_STRAY, H2)],
    published: H2,
    ..SAME
};
const HOURS: Meeting = Meeting { before: (&[], &[]), functions: &[(X, H1), (X, H2)], ..SAME };
const DAY_AND_HOURS: Meeting =
    Meeting { before: (X, H1), functions: &[(Y, DAY), (Y, H1), (Y, H2)], published: DAY, ..SAME };
const DAY_OVER_HOURS: Meeting =
    Meeting { before: (X, &["2026-11-10T01", "2026-11-10T02"]), ..DAY_AND_HOURS };
const OTHER_DAY_AND_HOURS: Meeting =
    Meeting { functions: &[(Y, DAY), (X, DAY), (X, H2)], ..DAY_AND_HOURS };
const IN_ONE_HOUR: &[&str] =
    &["a 2026-11-10T01:10", "b 2026-11-10T02:20", "c 2026-11-10T02:29", "d 2026-11-10T02:50"];
const QUARTER: &[&str] = &["2026-11-10T02_15to30"];
const LAST_QUARTER: &[&str] = &["2026-11-10T02_45to60"];
const QUARTERS_AND_HOUR: Meeting = Meeting {
    before: (IN_ONE_HOUR, LAST_QUARTER),
    functions: &[(Y, H2), (IN_ONE_HOUR, QUARTER), (Y, QUARTER), (Y, H2)],
    published: H2,
    ..SAME
};
const QUARTERS: Meeting = Meeting {
    before: (X, H1),
    functions: &[(IN_ONE_HOUR, QUARTER), (IN_ONE_HOUR, LAST_QUARTER)],
    published: &["2026-11-10T01", "2026-11-10T02_15to30", "2026-11-10T02_45to60"],
    ..SAME
};
const MINUTES_OF_ALL_LENGTHS: Meeting = Meeting {
    before: (X, &["2026-11-10T01_10to15", "2026-11-10T02_20to25"]),
    functions: &[(Y, QUARTER), (X, &["2026-11-10T02_25to30"]), (Y, H1), (Y, DAY)],
    published: DAY,
    ..SAME
};
const SAME_STAGED: Meeting = Meeting { lake: many_parts, ..SAME };
const OTHER_STAGED: Meeting = Meeting { lake: many_parts, ..TWO_DATES };

/// What a source may have, one after another, while functions read it.
#[rstest]
#[case::one_part(one_part)]
#[case::many_parts(many_parts)]
#[tokio::test]
async fn a_source_that_changes_between_reads_is_never_seen_by_halves(#[case] new: fn() -> Lake) {
    let contents = [STRAYS, ONE_STRAY, X, NOTHING, ONE_STRAY, Y];
    let mut contended = 0;
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let (lake, dice) = (new(), Dice::new(seed));
        lake.hold(NEIGHBOURS.0);
        assert!(lake.export(NEIGHBOURS.1).await.is_whole());
        let source = Changing::new(&contents, &dice);
        let store = Jitter { inner: &lake.store, dice: &dice };
        let runs = (0..3).map(async |_| {
            let outcome = lake.exporter_over(&source, &store).slice(&slice(H2[0])).await;
            outcome.err().into_iter().collect()
        });
        let errors: Vec<Vec<ExportError>> = join_all(runs).await;
        contended += check_errors(&errors, &about);
        let functions = contents.map(|events| (events, H2));
        finish(&lake, &functions[functions.len() - 3..], &errors).await;
        check_one_of(&lake, NEIGHBOURS, &functions, ALL, &about);
    }
    assert!(contended * 4 < SEEDS * 3, "{contended} functions gave up");
}

async fn meet(meeting: &Meeting, seed: u64) -> (Lake, Vec<Vec<ExportError>>) {
    let lake = (meeting.lake)();
    lake.hold(meeting.before.0);
    assert!(lake.export(meeting.before.1).await.is_whole());
    let dice = Dice::new(seed);
    let runs = meeting.functions.iter().map(async |(events, slices)| {
        let source = MemorySource::new();
        for event in *events {
            add(&source, event);
        }
        let source = Jitter { inner: &source, dice: &dice };
        let store = Jitter { inner: &lake.store, dice: &dice };
        let slices: Vec<_> = slices.iter().map(|label| slice(label)).collect();
        let report = lake.exporter_over(&source, &store).export(&slices).await;
        report.slices.into_iter().filter_map(|slice| slice.outcome.err()).collect()
    });
    let errors = join_all(runs).await;
    (lake, errors)
}

/// A function gives up only if it was taken over time and again. Answers how many did.
fn check_errors(errors: &[Vec<ExportError>], about: &str) -> u64 {
    for error in errors.iter().flatten() {
        let text = mixlake_app::chain(error);
        assert!(matches!(error, ExportError::Contended(_)), "{about}: {text}");
    }
    errors.iter().flatten().count() as u64
}

/// Who gave up is called again when the others are done.
async fn finish(lake: &Lake, functions: &[Function], errors: &[Vec<ExportError>]) {
    let failed = functions.iter().zip(errors).filter(|(_, errors)| !errors.is_empty());
    for ((events, slices), _) in failed {
        lake.hold(events);
        assert!(lake.export(slices).await.is_whole());
    }
}

/// The lake is as one of the functions, after the ones before, would have left it.
fn check_one_of(
    lake: &Lake,
    before: Function,
    functions: &[Function],
    published: &[&str],
    about: &str,
) {
    let (mut kept, mut disputed): (Vec<&str>, Vec<&str>) =
        published.iter().copied().partition(|slice| before.1.contains(slice));
    if disputed.is_empty() {
        disputed.append(&mut kept);
    }
    let rows = |events: &[&str], slices: &[&str]| {
        let source = MemorySource::new();
        for event in events {
            add(&source, event);
        }
        rows_of(&source, slices)
    };
    let possible = functions.iter().map(|(events, _)| {
        let mut all = rows(before.0, &kept);
        all.extend(rows(events, &disputed));
        all
    });
    let possible: Vec<_> = possible.collect();
    let held = lake.held();
    assert!(possible.contains(&held.rows), "{about}: {:?}\nis none of {possible:?}", held.rows);
    held.check(&held.rows, published, about);
}

#[rstest]
#[case::same(SAME)]
#[case::other_content(OTHER_CONTENT)]
#[case::three_contents(THREE_CONTENTS)]
#[case::two_dates(TWO_DATES)]
#[case::over_strays(OVER_STRAYS)]
#[case::same_staged(SAME_STAGED)]
#[case::other_staged(OTHER_STAGED)]
#[case::replaced(REPLACED)]
#[case::hours(HOURS)]
#[case::day_and_hours(DAY_AND_HOURS)]
#[case::day_over_hours(DAY_OVER_HOURS)]
#[case::other_day_and_hours(OTHER_DAY_AND_HOURS)]
#[case::quarters_and_hour(QUARTERS_AND_HOUR)]
#[case::quarters(QUARTERS)]
#[case::minutes_of_all_lengths(MINUTES_OF_ALL_LENGTHS)]
#[tokio::test]
async fn functions_that_meet_leave_what_one_of_them_would_have_left(#[case] meeting: Meeting) {
    let mut contended = 0;
    for seed in 0..SEEDS {
        let about = format!("seed {seed}");
        let (lake, errors) = meet(&meeting, seed).await;
        contended += check_errors(&errors, &about);
        finish(&lake, meeting.functions, &errors).await;
        check_one_of(&lake, meeting.before, meeting.functions, meeting.published, &about);
        assert_eq!(lake.keys("_staging/"), [""; 0], "{about}");
    }
    let functions = SEEDS * meeting.functions.len() as u64;
    assert!(contended * 4 < functions, "{contended} of {functions} functions gave up");
}
