//! A thousand bad days: whatever happens on the way, in whatever order, either the published rows are
//! the rows that Mixpanel holds, or the slice failed and nothing is visible.

use crate::support::{config, no_clock, serve, source, utc};
use mixlake_app::export::{ExportError, Exporter, Safeguards};
use mixlake_domain::{Layout, Slice, Zone};
use mixlake_mixpanel::{Config, MixpanelSource, Timings};
use mixlake_testkit::mixpanel::{Data, Fault, FaultProxy, Mishap, StandIn};
use mixlake_testkit::rows;
use mixlake_testkit::store::MemoryStore;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const HOUR: &str = "2026-11-13T18";

const EVENTS: u32 = 120;

/// An hour of events, two per minute, each with its own number. Every tenth has no `$insert_id`, so
/// nothing could remove it if it were received twice.
fn an_hour() -> Vec<String> {
    let start = utc(HOUR).start().as_second();
    let line = |n: u32| {
        let time = start + i64::from(n) * 30;
        let id =
            if n.is_multiple_of(10) { String::new() } else { format!(r#","$insert_id":"i{n}""#) };
        let said = SAYINGS[n as usize % SAYINGS.len()];
        format!(
            r#"{{"event":"e","properties":{{"time":{time},"distinct_id":"p","n":{n},"said":"{said}","pad":"{:x}"{id}}}}}"#,
            u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
    };
    (0..EVENTS).map(line).collect()
}

/// Text with one to four bytes per character, and the text of a failed export in the middle of a line.
const SAYINGS: [&str; 5] = [
    "Z\u{fc}rich",
    "\u{540d}\u{524d}\u{2028}",
    "\u{1f40b}",
    "export terminated early",
    "terminated early \\n",
];

/// All fields of a row.
fn content(value: impl Fn(&str) -> Value) -> String {
    ["n", "said", "pad", "distinct_id"].map(|name| value(name).to_string()).join(" ")
}

fn everything_once() -> BTreeMap<String, u32> {
    let of = |line: String| {
        let event: Value = serde_json::from_str(&line).unwrap();
        let time = event["properties"]["time"].as_i64().unwrap() * 1000;
        let number = |value: &Value| value.as_f64().map_or(value.clone(), Value::from);
        let id = event["properties"]["$insert_id"].to_string();
        format!("{time} {id} {}", content(|name| number(&event["properties"][name])))
    };
    an_hour().into_iter().map(|line| (of(line), 1)).collect()
}

struct BadDay {
    standin: StandIn,
    proxy: FaultProxy,
    source: MixpanelSource,
    slice: Slice,
}

impl BadDay {
    async fn new() -> Self {
        let standin = serve(Data::parse(an_hour().join("\n").as_bytes())).await;
        let proxy = FaultProxy::start(standin.address()).await.unwrap();
        let known = config(&standin);
        let timings = Timings {
            idle: Duration::from_millis(25),
            backoff_base: Duration::ZERO,
            backoff_cap: Duration::ZERO,
            ..known.timings
        };
        let endpoint = proxy.url().parse().unwrap();
        let source = source(Config { endpoint, timings, ..known });
        Self { standin, proxy, source, slice: utc(HOUR) }
    }

    /// Exports the hour into an empty lake. Returns how often each event is visible, and the result.
    async fn export(&self) -> (BTreeMap<String, u32>, MemoryStore, Result<(), ExportError>) {
        let (store, options) = (MemoryStore::new(), crate::published::options());
        let layout = Layout::new("", &options.project).unwrap();
        let exporter = Exporter {
            source: &self.source,
            store: &store,
            layout: &layout,
            zone: &Zone::UTC,
            options: &options,
            ingestion_start: None,
            clock: &no_clock(),
            time: None,
            force: true,
            safeguards: Safeguards::default(),
        };
        let result = exporter.slice(&self.slice).await;
        let objects = result.as_ref().map_or(&[][..], |report| &report.objects);
        let mut seen = BTreeMap::new();
        for row in objects.iter().flat_map(|key| rows::of(&store.snapshot()[key])) {
            let cell = |name: &str| row.get(name).cloned().unwrap_or_default();
            let row = format!("{} {} {}", cell("time"), cell("mp_insert_id"), content(cell));
            *seen.entry(row).or_default() += 1;
        }
        (seen, store, result.map(|_| ()))
    }
}

/// The fault of one response. Usually the same fault affects most responses of a day.
pub fn mishap(random: &mut StdRng) -> Mishap {
    let at = random.random_range(0..1000);
    let length = random.random_range(1..200);
    match random.random_range(0..100) {
        0..25 => Mishap::Cut { at },
        25..26 => Mishap::Stall { at },
        26..45 => Mishap::Corrupt { at, bit: random.random_range(0..8) },
        45..60 => Mishap::Repeat { at, length },
        60..75 => Mishap::Reorder { at, length },
        75..80 => Mishap::Answer { code: 429, retry_after: Some("0".to_owned()) },
        80..90 => {
            let retry_after = random.random_bool(0.5).then(|| "0".to_owned());
            Mishap::Answer { code: random.random_range(500..505), retry_after }
        }
        _ => Mishap::None,
    }
}

fn fault(random: &mut StdRng) -> Fault {
    match random.random_range(0..10) {
        0 => Fault::RepeatLines { every: random.random_range(1..5) },
        1 => Fault::ReorderLines,
        2 => Fault::TerminatedEarly { after_lines: random.random_range(0..200) },
        3 => Fault::TerminatedWithin { after: random.random_range(0..20_000) },
        4 => Fault::CutAbove { lines: random.random_range(1..EVENTS as usize) },
        _ => Fault::None,
    }
}

/// The faults of some responses: at least of one.
fn script(random: &mut StdRng) -> (Vec<Mishap>, Vec<Fault>) {
    loop {
        let storms = random.random_range(1..12);
        let mishaps: Vec<_> = (0..storms).map(|_| mishap(random)).collect();
        let faults: Vec<_> = (0..storms).map(|_| fault(random)).collect();
        let calm = mishaps.iter().all(|one| *one == Mishap::None);
        if !calm || faults.iter().any(|one| *one != Fault::None) {
            return (mishaps, faults);
        }
    }
}

#[rstest]
#[case::first(0..250)]
#[case::second(250..500)]
#[case::third(500..750)]
#[case::fourth(750..1000)]
#[tokio::test]
async fn after_a_thousand_random_storms_all_rows_are_there_once_or_none_is(
    #[case] seeds: std::ops::Range<u64>,
) {
    let day = BadDay::new().await;
    let (mut whole, mut failed) = (0, 0);
    for seed in seeds {
        let mut random = StdRng::seed_from_u64(seed);
        let (mishaps, faults) = script(&mut random);
        // On one day in eight the fault does not stop.
        let always = if seed % 8 == 0 { mishap(&mut random) } else { Mishap::None };
        day.proxy.script(mishaps, always);
        day.standin.script(faults);

        let (seen, store, result) = day.export().await;
        if result.is_ok() {
            assert_eq!(seen, everything_once(), "seed {seed}");
            whole += 1;
        } else {
            let visible = |key: &String| !key.starts_with("42/_staging/");
            assert!(!store.snapshot().keys().any(visible), "seed {seed}");
            failed += 1;
        }
    }
    assert!(whole > 125 && failed > 5, "{whole} whole, {failed} failed: no storm to speak of");
}

#[tokio::test]
async fn an_export_that_dies_in_long_answers_is_had_in_short_ones() {
    let day = BadDay::new().await;
    day.standin.always(Fault::CutAbove { lines: 16 });
    let (seen, _, result) = day.export().await;
    result.unwrap();
    assert_eq!(seen, everything_once());
    // The hour four times; a half and a quarter twice, and all eighths, which have 14 or 16 of the 120
    // events.
    let asked = day.standin.queries().len();
    assert_eq!(asked, 4 + 2 + 2 + 8);
}

/// Otherwise a function would never finish it.
#[tokio::test]
async fn an_export_that_dies_in_answers_of_more_than_two_minutes_is_had_within_an_hours_budget() {
    let day = BadDay::new().await;
    day.standin.always(Fault::CutAbove { lines: 4 });
    let (seen, _, result) = day.export().await;
    result.unwrap();
    assert_eq!(seen, everything_once());
    assert_eq!(day.standin.queries().len(), 4 + 4 * 2 + 32);
}

#[tokio::test]
async fn a_minute_that_cannot_be_had_fails_the_hour_and_is_named() {
    let day = BadDay::new().await;
    day.standin.always(Fault::CutAbove { lines: 1 });
    let (_, store, result) = day.export().await;
    assert!(store.snapshot().is_empty());
    let error = result.unwrap_err();
    assert!(matches!(error, ExportError::Minute { .. }), "{error:?}");
    let said = mixlake_app::chain(&error);
    for part in [
        "2026-11-13T18:00:00Z to 2026-11-13T18:01:00Z",
        "of 2026-11-13T18, and Mixlake does not ask",
        "the connection broke",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn a_budget_that_ends_between_two_halves_publishes_nothing() {
    let day = BadDay::new().await;
    let cut = Mishap::Cut { at: 700 };
    let over = Mishap::Answer { code: 429, retry_after: Some("1800".to_owned()) };
    day.proxy
        .script([cut.clone(), cut.clone(), cut.clone(), cut, Mishap::None, over], Mishap::None);
    let (_, store, result) = day.export().await;
    let text = result.unwrap_err().to_string();
    assert!(text.contains("1800 s"), "{text}");
    // Only the complete half, for the next run.
    assert!(store.snapshot().keys().all(|key| key.starts_with("42/_staging/")));
}
