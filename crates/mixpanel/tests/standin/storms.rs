//! A thousand bad days: whatever happens on the way, in whichever order, the rows that are published
//! are the rows that Mixpanel holds, or the slice failed and nothing is visible.

use crate::support::{config, serve, source, utc};
use mixlake_app::export::{ExportError, Exporter};
use mixlake_domain::{Layout, Slice, Zone};
use mixlake_mixpanel::{Config, MixpanelSource, Timings};
use mixlake_testkit::mixpanel::{Data, Fault, FaultProxy, Mishap, StandIn};
use mixlake_testkit::rows;
use mixlake_testkit::store::MemoryStore;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use std::collections::BTreeMap;
use std::time::Duration;

const HOUR: &str = "2026-11-13T18";

const EVENTS: u32 = 120;

/// An hour of events, two a minute, each with a number of its own. Every tenth has no `$insert_id`:
/// nothing could remove it, were it received twice.
fn an_hour() -> Data {
    let start = utc(HOUR).start().as_second();
    let line = |n: u32| {
        let time = start + i64::from(n) * 30;
        let id =
            if n.is_multiple_of(10) { String::new() } else { format!(r#","$insert_id":"i{n}""#) };
        format!(
            r#"{{"event":"e","properties":{{"time":{time},"distinct_id":"p","n":{n},"pad":"{:x}"{id}}}}}"#,
            u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
    };
    Data::parse((0..EVENTS).map(line).collect::<Vec<_>>().join("\n").as_bytes())
}

struct BadDay {
    standin: StandIn,
    proxy: FaultProxy,
    source: MixpanelSource,
    slice: Slice,
}

impl BadDay {
    async fn new() -> Self {
        let standin = serve(an_hour()).await;
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

    /// Exports the hour into an empty lake: how often each event is visible, and what was said.
    async fn export(&self) -> (BTreeMap<u64, u32>, MemoryStore, Result<(), ExportError>) {
        let (store, options) = (MemoryStore::new(), crate::published::options());
        let layout = Layout::new("", &options.project).unwrap();
        let exporter = Exporter {
            source: &self.source,
            store: &store,
            layout: &layout,
            zone: &Zone::UTC,
            options: &options,
        };
        let result = exporter.slice(&self.slice).await;
        let objects = result.as_ref().map_or(&[][..], |report| &report.objects);
        let mut seen = BTreeMap::new();
        for row in objects.iter().flat_map(|key| rows::of(&store.snapshot()[key])) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let n = row["n"].as_f64().unwrap() as u64;
            *seen.entry(n).or_default() += 1;
        }
        (seen, store, result.map(|_| ()))
    }
}

/// What happens to one answer. Most of it is harm that hits most answers of a day like this.
fn mishap(random: &mut StdRng) -> Mishap {
    let at = random.random_range(0..1000);
    let length = random.random_range(1..200);
    match random.random_range(0..100) {
        0..25 => Mishap::Cut { at },
        25..26 => Mishap::Stall { at },
        26..45 => Mishap::Corrupt { at, bit: random.random_range(0..8) },
        45..60 => Mishap::Repeat { at, length },
        60..75 => Mishap::Reorder { at, length },
        75..80 => Mishap::Answer { code: 429, retry_after: Some("0".to_owned()) },
        80..90 => Mishap::Answer { code: random.random_range(500..505), retry_after: None },
        _ => Mishap::None,
    }
}

fn fault(random: &mut StdRng) -> Fault {
    match random.random_range(0..10) {
        0 => Fault::RepeatLines { every: random.random_range(1..5) },
        1 => Fault::ReorderLines,
        2 | 3 => Fault::TerminatedEarly { after_lines: random.random_range(0..200) },
        4 => Fault::CutAbove { lines: random.random_range(1..EVENTS as usize) },
        _ => Fault::None,
    }
}

fn everything_once() -> BTreeMap<u64, u32> {
    (0..u64::from(EVENTS)).map(|n| (n, 1)).collect()
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
        let storms = random.random_range(0..12);
        let mishaps: Vec<_> = (0..storms).map(|_| mishap(&mut random)).collect();
        let faults: Vec<_> = (0..storms).map(|_| fault(&mut random)).collect();
        // One day in eight it does not stop.
        let always = if seed % 8 == 0 { mishap(&mut random) } else { Mishap::None };
        day.proxy.script(mishaps, always);
        day.standin.script(faults);

        let (seen, store, result) = day.export().await;
        if result.is_ok() {
            assert_eq!(seen, everything_once(), "seed {seed}");
            whole += 1;
        } else {
            assert!(store.snapshot().is_empty(), "seed {seed}: {:?}", store.snapshot().keys());
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
    // The hour four times; halves, quarters and eighths, which have 60, 30 and 14 or 16 of the 120 events.
    let asked = day.standin.queries().len();
    assert_eq!(asked, 4 + 2 * 2 + 4 * 2 + 8);
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
    for part in
        ["2026-11-13T18:00:00Z to 2026-11-13T18:01:00Z", "2026-11-13T18 cannot be", "broke off"]
    {
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
    assert!(store.snapshot().is_empty());
}
