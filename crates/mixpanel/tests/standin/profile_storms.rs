//! A thousand bad days of profiles: whatever happens on the way, in whatever order, either the table has exactly
//! the profiles that Mixpanel held when the export began, or the export failed and the live table is what it was.

use crate::profiles::serve_with;
use crate::storms::mishap;
use crate::support::{config, profiles};
use mixlake_app::Manifest;
use mixlake_app::export::Safeguards;
use mixlake_app::ports::Clock;
use mixlake_app::profiles::{ProfileExporter, TableOutcome, TableStatus};
use mixlake_columnar::Options;
use mixlake_domain::{Layout, TableName, Target, Timestamp};
use mixlake_mixpanel::{Config, MixpanelProfiles, Timings};
use mixlake_testkit::mixpanel::{
    Fault, FaultProxy, Mishap, PageFault, Profiles, StandIn, StandInConfig, Totals,
};
use mixlake_testkit::rows;
use mixlake_testkit::store::MemoryStore;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Three pages, and on every second day a page after them that is empty.
const PAGE: usize = 20;

/// A day has more seconds than a run reads from the clock, and few days are less than the time for which pages of
/// an earlier run are kept.
const DAY: i64 = 1_000;

const SAYINGS: [&str; 4] =
    ["Z\u{fc}rich \"]}", "\u{540d}\u{524d}\u{2028}", "export terminated early", "uncached query\\"];

/// The profiles that Mixpanel holds on a day.
fn held(day: i64) -> Vec<Value> {
    let count = if day % 2 == 0 { 3 * PAGE } else { 3 * PAGE - 7 };
    (0..count)
        .map(|n| {
            let said = SAYINGS[n % SAYINGS.len()];
            let pad = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            json!({
                "$distinct_id": format!("p{n}"),
                "$properties": {"day": day, "said": said, "list": [n, said], "pad": format!("{pad:x}")},
            })
        })
        .collect()
}

fn lines(profiles: &[Value]) -> String {
    profiles.iter().flat_map(|profile| [profile.to_string(), "\n".to_owned()]).collect()
}

/// The rows that these profiles become: the cells of each person.
fn rows_of(profiles: &[Value]) -> BTreeMap<String, String> {
    let row = |profile: &Value| {
        let cell = |name: &str| text(&profile["$properties"][name]);
        (text(&profile["$distinct_id"]), CELLS.map(cell).join(" "))
    };
    profiles.iter().map(row).collect()
}

const CELLS: [&str; 4] = ["day", "said", "list", "pad"];

/// A cell as text. Numbers are equal if their values are.
fn text(value: &Value) -> String {
    match (value.as_str(), value.as_f64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => value.to_string(),
    }
}

fn table() -> TableName {
    "mp_people_data".parse().unwrap()
}

/// A lake that outlives its bad days.
struct Storm {
    standin: StandIn,
    proxy: FaultProxy,
    config: Config,
    source: MixpanelProfiles,
    store: MemoryStore,
    options: Options,
    layout: Layout,
    hands: Arc<AtomicI64>,
}

impl Storm {
    async fn new(totals: Totals) -> Self {
        let change = |config| StandInConfig { page_size: PAGE, totals, ..config };
        let standin = serve_with("", change).await;
        let proxy = FaultProxy::start(standin.address()).await.unwrap();
        let known = config(&standin);
        let timings = Timings {
            idle: Duration::from_millis(25),
            backoff_base: Duration::ZERO,
            backoff_cap: Duration::ZERO,
            ..known.timings
        };
        let endpoint = proxy.url().parse().unwrap();
        let config = Config { endpoint, timings, ..known };
        let options = crate::published::options();
        Self {
            standin,
            proxy,
            source: profiles(config.clone()),
            config,
            store: MemoryStore::new(),
            layout: Layout::new("", &options.project).unwrap(),
            options,
            hands: Arc::default(),
        }
    }

    /// Exports the profiles of a day.
    async fn export(&self, day: i64) -> TableOutcome {
        self.standin.hold(Profiles::parse(lines(&held(day)).as_bytes()));
        self.hands.store(day * DAY, Ordering::Relaxed);
        let hands = Arc::clone(&self.hands);
        let clock: Clock = Arc::new(move || {
            Timestamp::from_second(hands.fetch_add(1, Ordering::Relaxed)).unwrap()
        });
        let exporter = ProfileExporter {
            source: &self.source,
            store: &self.store,
            layout: &self.layout,
            options: &self.options,
            clock: &clock,
            time: None,
            safeguards: Safeguards::default(),
        };
        exporter.export(&table()).await
    }

    /// The live rows; none if there is no table.
    fn live(&self) -> BTreeMap<String, String> {
        let objects = self.store.snapshot();
        let target = Target::whole(table());
        let Some(manifest) = objects.get(&self.layout.manifest(&target)) else {
            return BTreeMap::new();
        };
        let manifest: Manifest = serde_json::from_slice(manifest).unwrap();
        let folder = self.layout.generation(&target, &manifest.generation);
        let mut live = BTreeMap::new();
        for file in &manifest.files {
            for row in rows::of(&objects[&format!("{folder}{}", file.name)]) {
                let cells = CELLS.map(|name| text(&row[name])).join(" ");
                let twice = live.insert(text(&row["distinct_id"]), cells);
                assert_eq!(twice, None, "a person is there twice");
            }
        }
        live
    }
}

fn fault(random: &mut StdRng) -> Fault {
    let number = random.random_range(0..4);
    let page = match random.random_range(0..9) {
        0 => PageFault::Skipped,
        1 => PageFault::Repeated,
        2 => PageFault::Number(number),
        3 => PageFault::Total(PAGE * number),
        4 => PageFault::Dropped(1 + number),
        5 => PageFault::Doubled,
        6 => PageFault::PageSize(PAGE - 1 + number),
        7 => PageFault::OtherSession,
        _ => PageFault::SessionEnded,
    };
    match random.random_range(0..20) {
        0..4 => Fault::Page(page),
        4 => Fault::RepeatLines { every: random.random_range(1..5) },
        5 => Fault::ReorderLines,
        6 => Fault::TerminatedEarly { after_lines: random.random_range(0..30) },
        7 => Fault::TerminatedWithin { after: random.random_range(0..3_000) },
        8 => Fault::status(200, "<html>Sign in</html>"),
        9 => Fault::status(200, r#"{"request": "/", "error": "Internal error"}"#),
        10 => too_many(),
        _ => Fault::None,
    }
}

/// Every second connection has no mishap. If more had one, the two requests for a first page would fail on most days,
/// and few storms would reach the pages after it.
fn rare_mishap(random: &mut StdRng) -> Mishap {
    if random.random_bool(0.5) { mishap(random) } else { Mishap::None }
}

fn too_many() -> Fault {
    Fault::Status { code: 429, message: String::new(), retry_after: Some("3600".to_owned()) }
}

#[rstest]
#[case::first(0, Totals::EveryPage)]
#[case::second(1, Totals::FirstPage)]
#[case::third(2, Totals::EveryPage)]
#[case::fourth(3, Totals::FirstPage)]
#[tokio::test]
async fn after_a_thousand_random_storms_all_profiles_are_live_or_those_from_before(
    #[case] part: i64,
    #[case] totals: Totals,
) {
    let mut storm = Storm::new(totals).await;
    let mut live = BTreeMap::new();
    let (mut whole, mut failed, mut went_on) = (0, 0, 0);
    for day in (1..=1000).filter(|day| day % 4 == part) {
        let mut random = StdRng::seed_from_u64(day.unsigned_abs());
        let storms = random.random_range(1..10);
        let mishaps: Vec<_> = (0..storms).map(|_| rare_mishap(&mut random)).collect();
        let faults: Vec<_> = (0..storms).map(|_| fault(&mut random)).collect();
        // On one day in eight the fault does not stop.
        let always = if random.random_bool(0.125) { mishap(&mut random) } else { Mishap::None };
        storm.proxy.script(mishaps, always);
        storm.standin.script(faults);

        match storm.export(day).await.outcome {
            Ok(report) => {
                let began = report.began.as_second() / DAY;
                assert_eq!(report.status, TableStatus::Published, "day {day}");
                live = rows_of(&held(began));
                (whole, went_on) = (whole + 1, went_on + i32::from(began < day));
            }
            Err(error) => {
                if error.is_for_later() {
                    // Mixpanel may have told the function to wait for an hour.
                    storm.source = profiles(storm.config.clone());
                }
                failed += 1;
            }
        }
        assert_eq!(storm.live(), live, "day {day}");
    }
    assert!(
        whole > 50 && failed > 50 && went_on > 0,
        "{whole} whole, {failed} failed, {went_on} with pages of an earlier day: no storm to speak of"
    );
}

/// How many requests a response may cost that comes again and again. The first page is a query of the hour's budget.
#[rstest]
#[case::down(Fault::status(503, "Service Unavailable"), 6, true)]
#[case::refused(Fault::status(401, "Unauthorized"), 1, false)]
#[case::too_many(too_many(), 1, true)]
#[case::login_page(Fault::status(200, "<html>Sign in</html>"), 2, false)]
#[case::an_error(Fault::status(200, r#"{"error": "Internal error"}"#), 2, false)]
#[case::cut(Fault::CutConnection { after: 200 }, 2, false)]
#[case::forgotten(Fault::Page(PageFault::SessionEnded), 2, false)]
#[case::another_total(Fault::Page(PageFault::Total(1)), 1, false)]
#[tokio::test]
async fn an_answer_that_is_no_page_costs_no_more_than_this(
    #[case] fault: Fault,
    #[case] most: usize,
    #[case] for_later: bool,
) {
    let storm = Storm::new(Totals::EveryPage).await;
    storm.standin.always(fault);
    let outcome = storm.export(1).await;
    let error = outcome.outcome.unwrap_err();
    assert_eq!(error.is_for_later(), for_later, "{error:?}");
    assert_eq!(storm.standin.profile_requests().len(), most);
    assert_eq!(outcome.effort.queries, most as u64);
    assert!(storm.live().is_empty());
}

#[tokio::test]
async fn an_export_of_many_pages_costs_one_query() {
    let storm = Storm::new(Totals::FirstPage).await;
    let outcome = storm.export(2).await;
    assert_eq!(outcome.outcome.unwrap().pages, 4);
    assert_eq!((storm.standin.profile_requests().len(), outcome.effort.queries), (4, 1));
    assert_eq!(storm.live(), rows_of(&held(2)));
}
