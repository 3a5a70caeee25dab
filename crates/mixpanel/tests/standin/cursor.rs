//! Slices of ingestion: events up to 150 days late, some of them sent twice, are stored once, on their
//! own dates, whatever is exported when and repeated, and whatever fails in between.

use crate::support::{config, serve_as, source};
use futures::future::join;
use mixlake_app::Manifest;
use mixlake_app::export::{ExportError, Exporter, Safeguards};
use mixlake_app::ports::Clock;
use mixlake_columnar::Options;
use mixlake_domain::{Basis, Date, Layout, Minutes, Slice, Span, Timestamp, Zone};
use mixlake_mixpanel::{Config, Ingestion, MixpanelSource};
use mixlake_testkit::faults::Fault;
use mixlake_testkit::mixpanel::{Data, StandInConfig};
use mixlake_testkit::rows;
use mixlake_testkit::store::MemoryStore;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const DAYS: i32 = 175;
/// The first of these are exported by event time.
const BEFORE: i32 = 15;

fn date(day: i32) -> Date {
    let first: Date = "2026-01-01".parse().unwrap();
    first.checked_add(Span::new().days(day)).unwrap()
}

fn start_of(day: i32) -> i64 {
    Zone::UTC.start_of(date(day)).as_millisecond()
}

/// What Mixpanel holds after all these days, and the date of each event by its `$insert_id`.
#[derive(Default)]
struct World {
    lines: Vec<String>,
    dates: BTreeMap<String, Date>,
    late: usize,
    twice: usize,
}

impl World {
    fn new(dice: &mut StdRng) -> Self {
        let mut world = Self::default();
        let (first, end) = (start_of(0), start_of(DAYS));
        while world.dates.len() < 400 {
            let time = dice.random_range(first..end);
            let late = match dice.random_range(0..10) {
                0 | 3 => dice.random_range(0..150 * DAY),
                1 => dice.random_range(0..3 * DAY),
                // Its clock ran ahead by minutes or days.
                2 => -dice.random_range(0..30 * MINUTE),
                4 => -dice.random_range(0..20 * DAY),
                _ => dice.random_range(0..5 * MINUTE),
            };
            let again = late + dice.random_range(0..10 * DAY);
            let id = format!("i{}", world.dates.len());
            let there = (first..end).contains(&(time + late));
            if there {
                world.send(&id, time, late);
                world.late += usize::from(late > 3 * DAY);
                let date = Zone::UTC.date_of(Timestamp::from_millisecond(time).unwrap());
                world.dates.insert(id.clone(), date);
            }
            if there
                && dice.random_ratio(1, 4)
                && (0..150 * DAY).contains(&again)
                && time + again < end
            {
                world.send(&id, time, again);
                world.twice += 1;
            }
        }
        world.lines.shuffle(dice);
        world
    }

    fn send(&mut self, id: &str, time: i64, late: i64) {
        let processed = time + late;
        self.lines.push(format!(
            r#"{{"event":"e","properties":{{"time":{time},"distinct_id":"p","$insert_id":"{id}","mp_processing_time_ms":{processed}}}}}"#,
        ));
    }
}

/// One of 24 hours in quarters, one in slices of five minutes, and the others as they are.
fn parts(hour: Slice, number: u8) -> Vec<Slice> {
    let length = match number {
        0 => Minutes::Fifteen,
        1 => Minutes::Five,
        _ => return vec![hour],
    };
    let all = Slice::minutes(hour.date(), length, &Zone::UTC).into_iter();
    all.filter(|slice| hour.label().covers(&slice.label())).collect()
}

/// Days by event time, then days, hours and minutes of ingestion, all in any order and some repeated.
fn slices(dice: &mut StdRng) -> Vec<Slice> {
    let mut slices = Vec::new();
    for day in 0..DAYS {
        let day_of = Slice::day(date(day), &Zone::UTC);
        if day < BEFORE {
            slices.push(day_of);
        } else if dice.random_ratio(1, 20) {
            let hours = Slice::hours(date(day), &Zone::UTC).into_iter();
            let parts = hours.flat_map(|hour| parts(hour, dice.random_range(0..24)));
            slices.extend(parts.map(|slice| slice.by(Basis::Ingestion)));
        } else {
            slices.push(day_of.by(Basis::Ingestion));
        }
    }
    let again: Vec<Slice> = slices.iter().filter(|_| dice.random_ratio(1, 6)).cloned().collect();
    slices.extend(again);
    slices.shuffle(dice);
    slices
}

struct Lake {
    store: MemoryStore,
    source: MixpanelSource,
    layout: Layout,
    options: Options,
    start: Option<Date>,
    today: i32,
}

impl Lake {
    fn new(source: MixpanelSource) -> Self {
        let options = Options { across_slices: true, ..Options::of("42".parse().unwrap()) };
        let layout = Layout::new("", &options.project).unwrap();
        let (start, today) = (Some(date(BEFORE)), DAYS);
        Self { store: MemoryStore::new(), source, layout, options, start, today }
    }

    /// Returns whether it was published.
    async fn export(&self, slice: &Slice) -> bool {
        self.try_to_export(slice).await.is_ok()
    }

    async fn try_to_export(&self, slice: &Slice) -> Result<(), ExportError> {
        let now = Zone::UTC.start_of(date(self.today));
        let clock: Clock = Arc::new(move || now);
        let exporter = Exporter {
            source: &self.source,
            store: &self.store,
            layout: &self.layout,
            zone: &Zone::UTC,
            options: &self.options,
            ingestion_start: self.start,
            clock: &clock,
            time: None,
            force: true,
            safeguards: Safeguards::default(),
        };
        exporter.slice(slice).await.map(|_| ())
    }

    fn set(&mut self, today: i32, start: Option<i32>) {
        self.today = today;
        self.start = start.map(date);
    }

    /// Why a slice is not exported.
    async fn refusal(&self, slice: &Slice) -> String {
        let before = self.store.snapshot();
        let error = self.try_to_export(slice).await.unwrap_err();
        assert!(matches!(error, ExportError::Start(_)), "{error:?}");
        assert_eq!(self.store.snapshot(), before);
        error.to_string()
    }

    /// How often each event is visible on each date to readers of the partition folders.
    fn seen(&self) -> BTreeMap<(String, Date), u32> {
        let mut seen = BTreeMap::new();
        let objects = self.store.snapshot();
        for (key, document) in objects.iter().filter(|(key, _)| key.ends_with("/_manifest.json")) {
            let manifest: Manifest = serde_json::from_slice(document).unwrap();
            let folder = self.layout.generation(&manifest.target, &manifest.generation);
            let there =
                objects.range(folder.clone()..).take_while(|(key, _)| key.starts_with(&folder));
            let there: BTreeSet<String> = there.map(|(key, _)| key.clone()).collect();
            let listed = manifest.files.iter().map(|file| format!("{folder}{}", file.name));
            assert_eq!(there, listed.collect(), "{key}");
            for row in there.iter().flat_map(|key| rows::of(&objects[key])) {
                let id = row["mp_insert_id"].as_str().unwrap().to_owned();
                *seen.entry((id, manifest.target.date.unwrap())).or_default() += 1;
            }
        }
        seen
    }
}

async fn mixpanel(lines: &[String]) -> (mixlake_testkit::mixpanel::StandIn, MixpanelSource) {
    let standin = serve_as(StandInConfig {
        today: Some(date(DAYS + 1)),
        ..StandInConfig::new(Data::parse(lines.join("\n").as_bytes()))
    })
    .await;
    let since = Some(Zone::UTC.start_of(date(BEFORE)));
    let ingestion = Ingestion { since, ..Ingestion::default() };
    let source = source(Config { ingestion, ..config(&standin) });
    (standin, source)
}

#[rstest]
#[tokio::test]
async fn every_event_is_there_once_whatever_happens(#[values(2, 3, 5, 8)] seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let world = World::new(&mut dice);
    assert!(world.late > 20 && world.twice > 50, "{} late, {} twice", world.late, world.twice);
    let (_standin, source) = mixpanel(&world.lines).await;
    let lake = Lake::new(source);
    let mut faults = StdRng::seed_from_u64(seed + 1_000);
    lake.store.inject(move |_| match faults.random_range(0..1_000) {
        0 | 1 => Fault::Before,
        2 | 3 => Fault::After,
        4 => Fault::Overtaken,
        5 => Fault::Echo,
        _ => Fault::None,
    });
    let mut left = slices(&mut dice);
    let mut failures = 0;
    while let Some(one) = left.pop() {
        let other = left.pop().unwrap_or_else(|| one.clone());
        let (first, second) =
            join(Box::pin(lake.export(&one)), Box::pin(lake.export(&other))).await;
        for (slice, done) in [(one, first), (other, second)] {
            if !done {
                failures += 1;
                left.insert(0, slice);
            }
        }
    }
    assert!(failures > 5, "only {failures} runs failed");
    let expected: BTreeMap<_, u32> = world.dates.into_iter().map(|event| (event, 1)).collect();
    let seen = lake.seen();
    let wrong: Vec<_> =
        seen.iter().filter(|(event, times)| expected.get(event) != Some(times)).collect();
    let missing: Vec<_> = expected.keys().filter(|event| !seen.contains_key(event)).collect();
    assert!(wrong.is_empty() && missing.is_empty(), "wrong {wrong:?}, missing {missing:?}");
}

/// Mixpanel shows an event some time after it was processed; the margin is longer than that.
#[tokio::test]
async fn what_is_shown_late_is_found_by_whoever_waits_for_the_margin() {
    let processed = start_of(BEFORE) + 14 * 60 * MINUTE - 1;
    let mut world = World::default();
    world.send("late", processed - 140 * DAY, 140 * DAY);
    let hour = |due: i64| {
        let margin = Duration::from_hours(1);
        let due = Timestamp::from_millisecond(due).unwrap().checked_sub(margin).unwrap();
        Slice::hours_ended_by(due, &Zone::UTC).remove(0).by(Basis::Ingestion)
    };
    let due = start_of(BEFORE) + 14 * 60 * MINUTE + 10 * MINUTE;
    let (_standin, source) = mixpanel(&[]).await;
    let lake = Lake::new(source);
    assert!(lake.export(&hour(due)).await);
    let (_standin, source) = mixpanel(&world.lines).await;
    let lake = Lake { source, ..lake };
    assert!(lake.export(&hour(due + 60 * MINUTE)).await);
    let seen: Vec<u32> = lake.seen().into_values().collect();
    assert_eq!(seen, [1]);
}

fn by_time(day: i32) -> Slice {
    Slice::day(date(day), &Zone::UTC)
}

fn of_ingestion(day: i32) -> Slice {
    by_time(day).by(Basis::Ingestion)
}

async fn lake_of_one_event() -> (mixlake_testkit::mixpanel::StandIn, Lake) {
    let mut world = World::default();
    world.send("i", start_of(BEFORE) + MINUTE, MINUTE);
    let (standin, source) = mixpanel(&world.lines).await;
    (standin, Lake::new(source))
}

#[tokio::test]
async fn a_start_that_has_begun_stays() {
    let (_standin, mut lake) = lake_of_one_event().await;
    lake.set(20, Some(BEFORE));
    lake.try_to_export(&of_ingestion(BEFORE)).await.unwrap();
    lake.set(20, None);
    let text = lake.refusal(&by_time(BEFORE + 1)).await;
    assert!(
        text.contains("by ingestion time since 2026-01-16, and the setting is not set"),
        "{text}"
    );
    lake.refusal(&by_time(BEFORE - 1)).await;
    lake.set(20, Some(BEFORE + 1));
    let text = lake.refusal(&by_time(BEFORE - 1)).await;
    assert!(text.contains("the setting is 2026-01-17"), "{text}");
    lake.set(20, Some(BEFORE));
    lake.try_to_export(&of_ingestion(BEFORE)).await.unwrap();
    assert_eq!(lake.seen().into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_lake_that_has_slices_begins_with_ingestion_on_a_day_to_come() {
    let (_standin, mut lake) = lake_of_one_event().await;
    lake.set(20, None);
    lake.try_to_export(&by_time(BEFORE)).await.unwrap();
    for start in [BEFORE, BEFORE + 1, 20] {
        lake.set(20, Some(start));
        let text = lake.refusal(&of_ingestion(BEFORE + 1)).await;
        assert!(text.contains("Set a future date"), "{text}");
    }
    // While the start is in the future, it can be moved and removed.
    for start in [Some(30), Some(25), None, Some(22)] {
        lake.set(21, start);
        lake.try_to_export(&by_time(20)).await.unwrap();
    }
    lake.set(23, None);
    lake.refusal(&by_time(20)).await;
    lake.set(23, Some(22));
    lake.try_to_export(&of_ingestion(22)).await.unwrap();
}

#[tokio::test]
async fn a_date_has_slices_of_one_time_only() {
    let (_standin, mut lake) = lake_of_one_event().await;
    // From a file with events to come.
    lake.set(BEFORE - 5, Some(BEFORE));
    lake.try_to_export(&by_time(BEFORE)).await.unwrap();
    lake.set(BEFORE + 2, Some(BEFORE));
    let text = lake.refusal(&of_ingestion(BEFORE)).await;
    assert!(
        text.starts_with("i2026-01-16 would hold events that 2026-01-16 already holds"),
        "{text}"
    );
}
