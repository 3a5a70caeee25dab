//! A run may stop at any call, with or without effect: what comes after it finds a lake that is
//! whole, and makes it right.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::store::Operation;
use rstest::rstest;
use std::cmp::Ordering;
use support::Lake;

/// A run of an export; the source changes before it, unless it stays as it is.
type Step = (Option<&'static [&'static str]>, &'static [&'static str]);

struct Scenario {
    lake: fn() -> Lake,
    /// What was published before.
    before: &'static [Step],
    /// The run that is to stop.
    stops: Step,
    /// What happens after it.
    after: &'static [Step],
    /// The slices that the lake consists of in the end.
    published: &'static [&'static str],
}

const HOURS: &[&str] = &["a 2026-11-10T01:10", "b 2026-11-10T02:20", "c 2026-11-10T02:30"];

fn one_part() -> Lake {
    Lake::new()
}

fn many_parts() -> Lake {
    Lake::new().in_many_parts()
}

const FRESH_HOUR: Scenario = Scenario {
    lake: one_part,
    before: &[(Some(HOURS), &["2026-11-10T01"])],
    stops: (None, &["2026-11-10T02"]),
    after: &[(None, &["2026-11-10T02"])],
    published: &["2026-11-10T01", "2026-11-10T02"],
};

const FIRST_EVER: Scenario = Scenario {
    lake: one_part,
    before: &[],
    stops: (Some(HOURS), &["2026-11-10T02"]),
    after: &[(None, &["2026-11-10T02"])],
    published: &["2026-11-10T02"],
};

const LATE_EVENT: Scenario = Scenario {
    after: &[(
        Some(&[
            "a 2026-11-10T01:10",
            "b 2026-11-10T02:20",
            "c 2026-11-10T02:30",
            "late 2026-11-10T02:05",
        ]),
        &["2026-11-10T02"],
    )],
    ..FRESH_HOUR
};

const LOST_ALL_EVENTS: Scenario =
    Scenario { after: &[(Some(&["a 2026-11-10T01:10"]), &["2026-11-10T02"])], ..FRESH_HOUR };

const CHANGED: Scenario = Scenario {
    before: &[(Some(HOURS), &["2026-11-10T01", "2026-11-10T02"])],
    stops: (
        Some(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "d 2026-11-10T02:40"]),
        &["2026-11-10T02"],
    ),
    ..FRESH_HOUR
};

const CHANGED_AND_BACK: Scenario =
    Scenario { after: &[(Some(HOURS), &["2026-11-10T02"])], ..CHANGED };

const DAY_FOR_HOURS: Scenario = Scenario {
    before: &[(Some(HOURS), &["2026-11-10T01", "2026-11-10T02"])],
    stops: (
        Some(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "d 2026-11-10T17:40"]),
        &["2026-11-10"],
    ),
    after: &[(None, &["2026-11-10"])],
    published: &["2026-11-10"],
    ..FRESH_HOUR
};

const THEN_THE_DAY: Scenario =
    Scenario { after: &[(None, &["2026-11-10"])], published: &["2026-11-10"], ..FRESH_HOUR };

const THEN_AN_EMPTY_DAY: Scenario = Scenario {
    before: &[(
        Some(&["s 2026-11-10T00:10 > 2026-11-09T23", "b 2026-11-10T02:20"]),
        &["2026-11-09T23"],
    )],
    after: &[(Some(&["s 2026-11-10T00:10 > 2026-11-09T23"]), &["2026-11-10"])],
    published: &["2026-11-09T23", "2026-11-10"],
    ..FRESH_HOUR
};

/// The strays of 10 November lie on the two days around it.
const TWO_DATES: Scenario = Scenario {
    before: &[(
        Some(&[
            "x 2026-11-09T10:00",
            "a 2026-11-10T01:10",
            "b 2026-11-10T02:20",
            "s 2026-11-09T23:59 > 2026-11-10T02",
            "t 2026-11-11T00:01 > 2026-11-10T02",
        ]),
        &["2026-11-09", "2026-11-10T01"],
    )],
    published: &["2026-11-09", "2026-11-10T01", "2026-11-10T02"],
    ..FRESH_HOUR
};

const STRAYS_GONE: Scenario = Scenario {
    after: &[(
        Some(&["x 2026-11-09T10:00", "a 2026-11-10T01:10", "b 2026-11-10T02:20"]),
        &["2026-11-10T02"],
    )],
    ..TWO_DATES
};

const QUARTERS: &[&str] = &[
    "2026-11-10T02_00to15",
    "2026-11-10T02_15to30",
    "2026-11-10T02_30to45",
    "2026-11-10T02_45to60",
];

const HOUR_FOR_QUARTERS: Scenario = Scenario {
    before: &[(
        Some(HOURS),
        &["2026-11-10T01_00to15", "2026-11-10T02_15to30", "2026-11-10T02_30to45"],
    )],
    stops: (
        Some(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "d 2026-11-10T02:40"]),
        &["2026-11-10T02"],
    ),
    after: &[(None, &["2026-11-10T02"])],
    published: &["2026-11-10T01_00to15", "2026-11-10T02"],
    ..FRESH_HOUR
};

const QUARTERS_OF_AN_HOUR: Scenario = Scenario {
    before: &[(Some(HOURS), &["2026-11-10T01", "2026-11-10T02_00to15", "2026-11-10T02_30to45"])],
    stops: (None, QUARTERS),
    after: &[(None, QUARTERS)],
    published: &[
        "2026-11-10T01",
        "2026-11-10T02_00to15",
        "2026-11-10T02_15to30",
        "2026-11-10T02_30to45",
        "2026-11-10T02_45to60",
    ],
    ..FRESH_HOUR
};

const THEN_THE_HOUR: Scenario = Scenario {
    after: &[(None, &["2026-11-10T02"])],
    published: &["2026-11-10T01", "2026-11-10T02"],
    ..QUARTERS_OF_AN_HOUR
};

const STAGED: Scenario = Scenario { lake: many_parts, ..FRESH_HOUR };
const STAGED_CHANGED: Scenario = Scenario { lake: many_parts, ..CHANGED };
const STAGED_STRAYS_GONE: Scenario = Scenario { lake: many_parts, ..STRAYS_GONE };

async fn step(lake: &Lake, (events, slices): Step) -> bool {
    if let Some(events) = events {
        lake.hold(events);
    }
    lake.export(slices).await.is_whole()
}

async fn steps(lake: &Lake, steps: &[Step], about: &str) {
    for each in steps {
        assert!(step(lake, *each).await, "an undisturbed run failed, {about}");
    }
}

/// From the n-th call on: one fault, and then nothing at all if the process is to die.
fn fault_at(lake: &Lake, n: usize, fault: Fault, dies: bool) {
    let at = lake.store.calls().len() + n;
    lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&at) {
        Ordering::Equal => fault,
        Ordering::Greater if dies => Fault::Before,
        Ordering::Less | Ordering::Greater => Fault::None,
    });
}

/// Runs the step with a fault at the n-th call. Answers whether it came that far.
async fn disturbed(lake: &Lake, run: Step, n: usize, fault: Fault, dies: bool) -> bool {
    let before = lake.store.calls().len();
    fault_at(lake, n, fault, dies);
    step(lake, run).await;
    lake.store.heal();
    lake.store.calls().len() > before + n
}

const FAULTS: [Fault; 4] = [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo];

#[rstest]
#[case::fresh_hour(FRESH_HOUR)]
#[case::first_ever(FIRST_EVER)]
#[case::late_event(LATE_EVENT)]
#[case::lost_all_events(LOST_ALL_EVENTS)]
#[case::changed(CHANGED)]
#[case::changed_and_back(CHANGED_AND_BACK)]
#[case::day_for_hours(DAY_FOR_HOURS)]
#[case::then_the_day(THEN_THE_DAY)]
#[case::then_an_empty_day(THEN_AN_EMPTY_DAY)]
#[case::two_dates(TWO_DATES)]
#[case::strays_gone(STRAYS_GONE)]
#[case::hour_for_quarters(HOUR_FOR_QUARTERS)]
#[case::quarters_of_an_hour(QUARTERS_OF_AN_HOUR)]
#[case::then_the_hour(THEN_THE_HOUR)]
#[case::staged(STAGED)]
#[case::staged_changed(STAGED_CHANGED)]
#[case::staged_strays_gone(STAGED_STRAYS_GONE)]
#[tokio::test]
async fn whatever_a_run_stopped_at_the_next_one_makes_right(#[case] scenario: Scenario) {
    for (fault, dies) in FAULTS.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
        for n in 0.. {
            let about = format!("{fault:?} at call {n}, dies: {dies}");
            let lake = (scenario.lake)();
            steps(&lake, scenario.before, &about).await;
            let reached = disturbed(&lake, scenario.stops, n, fault, dies).await;
            steps(&lake, scenario.after, &about).await;
            lake.check(scenario.published, &about);
            if !reached {
                break;
            }
        }
    }
}

#[rstest]
#[case::late_event(LATE_EVENT)]
#[case::changed_and_back(CHANGED_AND_BACK)]
#[case::strays_gone(STRAYS_GONE)]
#[case::then_the_day(THEN_THE_DAY)]
#[tokio::test]
async fn two_runs_may_die_one_after_another(#[case] scenario: Scenario) {
    let (&[second], fault) = (scenario.after, Fault::After) else { panic!("one step") };
    for n in 0.. {
        let mut reached_first = false;
        for m in 0.. {
            let about = format!("dead after call {n} and then after call {m}");
            let lake = (scenario.lake)();
            steps(&lake, scenario.before, &about).await;
            reached_first = disturbed(&lake, scenario.stops, n, fault, true).await;
            let reached = disturbed(&lake, second, m, fault, true).await;
            steps(&lake, scenario.after, &about).await;
            lake.check(scenario.published, &about);
            if !reached {
                break;
            }
        }
        if !reached_first {
            break;
        }
    }
}

#[tokio::test]
async fn a_file_that_another_hour_finds_is_of_a_slice_that_the_ledger_is_writing() {
    for n in 0.. {
        let lake = one_part();
        let about = format!("dead after call {n}");
        steps(&lake, FRESH_HOUR.before, &about).await;
        let reached = disturbed(&lake, FRESH_HOUR.stops, n, Fault::After, true).await;
        lake.source.add(support::event("e", "2026-11-10T03:10", serde_json::json!({})));
        lake.publish("2026-11-10T03").await;
        let held = lake.held();
        let open = held.ledger.get("2026-11-10T02").is_some_and(|state| state == "writing");
        assert!(held.unlisted.is_empty() || open, "{about}: {:?}", held.unlisted);
        lake.publish("2026-11-10T02").await;
        lake.check(&["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"], &about);
        if !reached {
            break;
        }
    }
}
