//! The files of a JSON pipeline as a source: the same guarantees, and the same rows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "standin/support.rs"]
mod support;

use crate::support::{config, file, lines, serve, source, storefront, utc};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use mixlake_app::export::{ExportError, Exporter, Safeguards, SliceReport};
use mixlake_app::ports::{Clock, EventSource, ObjectStore, Precondition, SourceError};
use mixlake_columnar::{Bounds, Options};
use mixlake_domain::{Date, Layout, Slice, Timestamp, Window, Zone};
use mixlake_mixpanel::{EventNames, PipelineConfig, PipelineSource};
use mixlake_testkit::faults::Fault;
use mixlake_testkit::rows;
use mixlake_testkit::store::{MemoryStore, Operation};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

const DAYS: [&str; 4] = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"];

fn pipeline_config(zone: &Zone) -> PipelineConfig {
    PipelineConfig {
        prefix: "raw/".to_owned(),
        project_id: "42".parse().unwrap(),
        zone: zone.clone(),
        events: EventNames::default(),
        wall_clock: None,
        delay: Duration::from_hours(24),
        backoff_base: Duration::ZERO,
    }
}

/// A year later.
fn pipeline(store: &MemoryStore, zone: &Zone) -> PipelineSource {
    pipeline_at("2027-11-10T00:00:00Z", store, zone)
}

fn pipeline_at(now: &str, store: &MemoryStore, zone: &Zone) -> PipelineSource {
    let now: Timestamp = now.parse().unwrap();
    PipelineSource::new(Arc::new(store.clone()), pipeline_config(zone), Arc::new(move || now))
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

async fn put(store: &MemoryStore, path: &str, body: &[u8]) {
    let key = format!("raw/42/mp_master_event/{path}");
    store.put(&key, body.to_vec().into(), Precondition::Absent).await.unwrap();
}

fn slashed(date: Date) -> String {
    date.to_string().replace('-', "/")
}

/// A line of a pipeline with a unique number.
fn line(time: Timestamp, n: usize) -> String {
    let time = time.as_second();
    format!(r#"{{"event_name":"e","time":{time},"insert_id":"i{n}","properties":{{"n":{n}}}}}"#)
}

async fn read(source: &PipelineSource, slice: &Slice) -> Result<Vec<String>, SourceError> {
    let chunks: Vec<_> = source.fetch(&Window::whole(slice), 0).await?.try_collect().await?;
    Ok(lines(&chunks.concat()))
}

fn options() -> Options {
    Options::of("42".parse().unwrap())
}

async fn exported(
    source: &dyn EventSource,
    slice: &Slice,
) -> Result<(SliceReport, Vec<BTreeMap<String, String>>), ExportError> {
    let (lake, options) = (MemoryStore::new(), options());
    let layout = Layout::new("", &options.project).unwrap();
    let zone = Zone::UTC;
    let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let exporter = Exporter {
        source,
        store: &lake,
        layout: &layout,
        zone: &zone,
        options: &options,
        ingestion_start: None,
        clock: &clock,
        time: None,
        force: true,
        safeguards: Safeguards::default(),
    };
    let report = exporter.slice(slice).await?;
    let objects = lake.snapshot();
    let rows = report.objects.iter().flat_map(|key| rows::of(&objects[key]));
    let cells = |row: rows::Row| row.into_iter().map(|(name, cell)| (name, cell.to_string()));
    let mut rows: Vec<_> = rows.map(|row| cells(row).collect()).collect();
    rows.sort_unstable();
    Ok((report, rows))
}

/// A line of the export API as a pipeline writes it.
fn as_pipeline(line: &str) -> (Timestamp, String) {
    let event: Value = serde_json::from_str(line).unwrap();
    let mut properties = event["properties"].as_object().unwrap().clone();
    let mut line = json!({"event_name": event["event"]});
    let moved = [("time", "time"), ("distinct_id", "distinct_id"), ("$insert_id", "insert_id")];
    for (property, field) in moved {
        line[field] = properties.shift_remove(property).unwrap_or(Value::Null);
    }
    let time = Timestamp::from_second(line["time"].as_i64().unwrap()).unwrap();
    line["properties"] = Value::Object(properties);
    (time, line.to_string())
}

/// What an export of a day takes from a file in the folder of 2024-03-05.
async fn of_one_file(text: &str) -> (SliceReport, Vec<BTreeMap<String, String>>) {
    let store = MemoryStore::new();
    put(&store, "2024/03/05/part-0.json", text.as_bytes()).await;
    exported(&pipeline(&store, &Zone::UTC), &utc("2024-03-05")).await.unwrap()
}

#[tokio::test]
async fn a_time_is_read_in_every_way_that_it_is_written() {
    let text = std::fs::read_to_string(file("reported/pipeline_time.jsonl")).unwrap();
    let more = [
        r#""2024-03-05T02:53:20.5+02:00","properties":{"time":1709600000500}"#,
        r#""2024-03-05 00:53:20","properties":{"time":"2024-03-05T00:53:20Z"}"#,
        r#"1709600000123,"properties":{"time":"2024-03-05T00:53:20.1239Z"}"#,
    ];
    let more = more.map(|rest| format!("{{\"event_name\":\"e\",\"time\":{rest}}}\n"));
    let (report, rows) = of_one_file(&(text + &more.concat())).await;
    assert_eq!((report.counts.received, report.counts.quarantined), (8, 0));
    let mut times: Vec<&str> = rows.iter().map(|row| row["time"].as_str()).collect();
    times.sort_unstable();
    let (second, later) = ("1709600000000", "1709600000123");
    assert_eq!(times, [second, second, second, second, second, later, later, "1709600000500"]);
}

#[tokio::test]
async fn a_line_whose_times_differ_is_bad_and_one_with_half_a_surrogate_pair_is_mended() {
    let text = r#"{"event_name":"e","time":1709600000,"properties":{"k\ud83d":"\ud83d"}}
{"event_name":"e","time":1709600000,"properties":{"time":1709600001}}
{"event_name":"e","time":1709600000,"time":"2024-03-05T00:53:20Z","properties":{"x":1,"x":1}}
"#;
    let (report, rows) = of_one_file(text).await;
    let counts = report.counts;
    assert_eq!((counts.written, counts.quarantined, counts.mended), (2, 1, 1));
    assert!(rows.iter().any(|row| row.get("k_").is_some_and(|value| value.contains('\u{fffd}'))));
}

#[tokio::test]
async fn the_same_events_give_the_same_rows_as_from_the_api() {
    let mut text = String::new();
    let packed = std::fs::read(file("storefront-events.jsonl.gz")).unwrap();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    let mut days: BTreeMap<Date, String> = BTreeMap::new();
    for (time, line) in text.lines().map(as_pipeline) {
        *days.entry(Zone::UTC.date_of(time)).or_default() += &(line + "\n");
    }
    let store = MemoryStore::new();
    for (date, text) in &days {
        put(&store, &format!("{}/part-0.json.gz", slashed(*date)), &gzip(text.as_bytes())).await;
    }
    let standin = serve(storefront()).await;
    let (api, files) = (source(config(&standin)), pipeline(&store, &Zone::UTC));
    for day in DAYS {
        let (of_api, rows_of_api) = exported(&api, &utc(day)).await.unwrap();
        let (of_files, rows_of_files) = exported(&files, &utc(day)).await.unwrap();
        assert_eq!(of_files.counts, of_api.counts);
        assert!(rows_of_files == rows_of_api, "{day}: the rows differ");
    }
}

#[rstest]
#[case::utc("UTC", false, false)]
#[case::by_utc("Europe/Berlin", false, false)]
#[case::by_project("Europe/Berlin", true, false)]
#[case::an_hour_a_folder("America/New_York", true, true)]
#[case::half_an_hour("Asia/Kolkata", false, true)]
#[tokio::test]
async fn every_line_is_taken_by_exactly_one_slice(
    #[case] zone: &str,
    #[case] by_project: bool,
    #[case] by_hour: bool,
) {
    let zone = Zone::parse(zone).unwrap();
    let store = MemoryStore::new();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let start = utc("2026-11-09").start();
    let times = (0..4 * 96).map(|quarter| start + Duration::from_mins(15) * quarter);
    for (n, time) in times.enumerate() {
        let local = if by_project { zone.local(time) } else { Zone::UTC.local(time) };
        let hour = if by_hour { format!("/{:02}", local.hour()) } else { String::new() };
        let text = files.entry(format!("{}{hour}", slashed(local.date()))).or_default();
        text.extend(["\n", &line(time, n), "\n", &format!("bad {n}\n")]);
    }
    // Its time belongs to another folder, and no event is before it.
    let stray = line(utc("2020-01-01").start(), 9999);
    *files.get_mut(&files.keys().nth(1).unwrap().clone()).unwrap() += &(stray + "\n");
    for (folder, text) in &files {
        put(&store, &format!("{folder}/b.json"), text.as_bytes()).await;
        put(&store, &format!("{folder}/a.json.gz"), &gzip(b"lonely\n")).await;
        put(&store, &format!("{folder}/_SUCCESS"), b"not a line").await;
    }
    // The pipeline continued, so the days at the ends are complete.
    put(&store, "2026/11/20/later.json", b"\n").await;
    let source = pipeline(&store, &zone);
    let first: Date = "2026-11-08".parse().unwrap();
    let dates = || first.series(mixlake_domain::Span::new().days(1)).take(7);
    let mut by_days = Vec::new();
    let mut by_hours = Vec::new();
    for date in dates() {
        by_days.extend(read(&source, &Slice::day(date, &zone)).await.unwrap());
        for hour in Slice::hours(date, &zone) {
            by_hours.extend(read(&source, &hour).await.unwrap());
        }
    }
    by_days.sort_unstable();
    by_hours.sort_unstable();
    assert_eq!(by_hours, by_days);
    assert_eq!(by_days.len(), 2 * 4 * 96 + 1 + files.len());
    by_days.dedup();
    assert_eq!(by_days.len(), 2 * 4 * 96 + 1 + 1, "only the lonely lines are equal");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_empty_only_if_the_pipeline_went_on() {
    let store = MemoryStore::new();
    let source = pipeline(&store, &Zone::UTC);
    put(&store, "2026/11/10/a.json", (line(utc("2026-11-10").start(), 1) + "\n").as_bytes()).await;
    assert_eq!(read(&source, &utc("2026-11-10")).await.unwrap().len(), 1);
    let error = read(&source, &utc("2026-11-11")).await.unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("/2026/11/11/ nor a later folder exists"), "{error}");

    put(&store, "2026/11/13/a.json", (line(utc("2026-11-13").start(), 1) + "\n").as_bytes()).await;
    assert!(read(&source, &utc("2026-11-11")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_slice_that_may_still_be_written_is_refused() {
    let store = MemoryStore::new();
    put(&store, "2026/11/10/a.json", b"\n").await;
    let early = pipeline_at("2026-11-11T23:59:59Z", &store, &Zone::UTC);
    let error = read(&early, &utc("2026-11-10")).await.unwrap_err();
    assert!(error.to_string().contains("24 h after its end"), "{error}");
    let late = pipeline_at("2026-11-12T00:00:00Z", &store, &Zone::UTC);
    assert!(read(&late, &utc("2026-11-10")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_that_is_cut_anywhere_publishes_nothing() {
    let text: String = (0..20).map(|n| line(utc("2026-11-10").start(), n) + "\n").collect();
    let (packed, plain) = (gzip(text.as_bytes()), text.as_bytes());
    let line_ends = |cut: usize| text.as_bytes()[cut - 1] == b'\n' || text.as_bytes()[cut] == b'\n';
    let cuts = (1..packed.len()).map(|cut| &packed[..cut]);
    let plain_cuts = (1..plain.len()).filter(|cut| !line_ends(*cut)).map(|cut| &plain[..cut]);
    for body in cuts.chain(plain_cuts) {
        let store = MemoryStore::new();
        put(&store, "2026/11/10/a", body).await;
        put(&store, "2026/11/10/b", b"\n").await;
        let source = pipeline(&store, &Zone::UTC);
        let error = read(&source, &utc("2026-11-10")).await.unwrap_err();
        assert!(matches!(error, SourceError::Incomplete { .. }), "{} bytes: {error}", body.len());
    }
    let store = MemoryStore::new();
    put(&store, "2026/11/10/a", &packed[..packed.len() - 1]).await;
    exported(&pipeline(&store, &Zone::UTC), &utc("2026-11-10")).await.unwrap_err();
}

/// Every hour is read once, as early as allowed, and the pipeline uses all the time that it has.
#[rstest]
#[case::utc("UTC", false)]
#[case::east("Asia/Tokyo", false)]
#[case::east_by_project("Asia/Tokyo", true)]
#[case::west("America/New_York", false)]
#[case::west_by_project("America/New_York", true)]
#[tokio::test]
async fn what_arrives_within_the_delay_is_in_a_slice_of_an_hour(
    #[case] zone: &str,
    #[case] by_project: bool,
) {
    let zone = Zone::parse(zone).unwrap();
    let clock = if by_project { &zone } else { &Zone::UTC };
    let store = MemoryStore::new();
    let stray = line(utc("2020-01-01").start(), 1);
    let date = |day: &str| day.parse::<Date>().unwrap();
    put(&store, "2026/11/20/later.json", b"\n").await;
    let mut arrivals: Vec<(Timestamp, &str, String)> = DAYS
        .into_iter()
        .flat_map(|day| {
            let first = clock.start_of(date(day));
            let end = clock.start_of(date(day).tomorrow().unwrap());
            let last = end - Duration::from_mins(30);
            let early = first + Duration::from_mins(1);
            let late = end + Duration::from_hours(24) - Duration::from_mins(1);
            [
                (early, day, format!("lonely\n{}\n{stray}\nbehind it\n", line(first, 2))),
                (late, day, format!("lonely\n{stray}\nbehind it\n{}\n", line(last, 3))),
            ]
        })
        .collect();
    arrivals.sort();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut received = Vec::new();
    let days = date("2026-11-08").series(mixlake_domain::Span::new().days(1)).take(8);
    for hour in days.flat_map(|date| Slice::hours(date, &zone)) {
        let now = hour.end() + Duration::from_hours(24);
        while let Some((at, day, text)) = arrivals.next_if(|(at, ..)| *at <= now) {
            put(&store, &format!("{}/{at}", day.replace('-', "/")), text.as_bytes()).await;
        }
        received.extend(read(&pipeline_at(&now.to_string(), &store, &zone), &hour).await.unwrap());
    }
    let times = |what: &str| received.iter().filter(|line| line.contains(what)).count();
    assert_eq!((times("lonely"), times("1577836800"), times("behind it")), (8, 8, 8));
    assert_eq!((times("\"n\":2}"), times("\"n\":3}")), (4, 4));
}

#[tokio::test]
async fn files_that_come_while_they_are_read_start_the_slice_again() {
    let store = MemoryStore::new();
    let first = line(utc("2026-11-10").start(), 1) + "\n";
    put(&store, "2026/11/10/a.json", first.as_bytes()).await;
    let source = pipeline(&store, &Zone::UTC);
    let window = Window::whole(&utc("2026-11-10"));
    let chunks = source.fetch(&window, 0).await.unwrap();
    put(&store, "2026/11/10/b.json", b"\n").await;
    let error = chunks.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.to_string().contains("changed its files"), "{error}");
    assert_eq!(read(&source, &utc("2026-11-10")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_fails_at_any_call_fails_the_slice_or_is_asked_again() {
    let store = MemoryStore::new();
    for name in ["a", "b"] {
        let text = line(utc("2026-11-10").start(), name.len()) + "\n";
        put(&store, &format!("2026/11/10/{name}"), text.as_bytes()).await;
    }
    let source = pipeline(&store, &Zone::UTC);
    let before = store.calls().len();
    let whole = read(&source, &utc("2026-11-10")).await.unwrap();
    let calls = store.calls().split_off(before);
    assert!(calls.iter().all(|call| matches!(call.operation, Operation::Get | Operation::List)));
    for n in 0..calls.len() {
        let at = store.calls().len() + n;
        store.inject(move |call| if call.number == at { Fault::Before } else { Fault::None });
        read(&source, &utc("2026-11-10")).await.unwrap_err();
        assert_eq!(read(&source, &utc("2026-11-10")).await.unwrap(), whole);
    }
}

#[tokio::test]
async fn only_the_events_asked_for_are_taken_with_the_bad_lines_behind_all() {
    let store = MemoryStore::new();
    let time = utc("2026-11-10").start();
    let other = line(time, 2).replace(r#""event_name":"e""#, r#""event_name":"other""#);
    let text = format!("{}\n{other}\nbad\n", line(time, 1));
    put(&store, "2026/11/10/a", text.as_bytes()).await;
    let events = EventNames::new(vec!["e".to_owned()]).unwrap();
    let config = PipelineConfig { events, ..pipeline_config(&Zone::UTC) };
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let source = PipelineSource::new(Arc::new(store.clone()), config, Arc::new(move || now));
    assert_eq!(read(&source, &utc("2026-11-10")).await.unwrap().len(), 2);
}

/// The start of a line that is longer than allowed.
fn half_a_long_line() -> String {
    let good = line(utc("2026-11-10").start(), 1);
    format!("{good}\n{{\"event_name\":\"{}", "e".repeat(Bounds::default().line_bytes + 10))
}

#[tokio::test]
async fn a_file_that_is_cut_in_a_line_past_the_bound_publishes_nothing() {
    let store = MemoryStore::new();
    put(&store, "2026/11/10/a", half_a_long_line().as_bytes()).await;
    let error = read(&pipeline(&store, &Zone::UTC), &utc("2026-11-10")).await.unwrap_err();
    assert!(error.to_string().contains("in the middle of a line"), "{error}");
}

#[tokio::test]
async fn an_early_end_behind_half_a_line_past_the_bound_is_handed_on() {
    let store = MemoryStore::new();
    let text = half_a_long_line() + "export terminated early\n";
    put(&store, "2026/11/10/a", text.as_bytes()).await;
    let error = exported(&pipeline(&store, &Zone::UTC), &utc("2026-11-10")).await.unwrap_err();
    assert!(error.to_string().contains("terminated early"), "{error}");
}

#[tokio::test]
async fn a_bad_line_is_handed_on_as_it_was_received() {
    let store = MemoryStore::new();
    let bad = r#"{"event_name":"e","time":"noon","properties":{}}"#;
    let good = line(utc("2026-11-10").start(), 1);
    put(&store, "2026/11/10/a", format!("{good}\n{bad}\n").as_bytes()).await;
    let received = read(&pipeline(&store, &Zone::UTC), &utc("2026-11-10")).await.unwrap();
    assert_eq!(received[1], bad);
}

/// A pipeline delivers an event again in the folder of a later date: it is stored once, whichever slice
/// is exported first.
#[tokio::test]
async fn an_event_that_is_delivered_again_in_another_folder_is_there_once() {
    let files = MemoryStore::new();
    let (tenth, twelfth) = (utc("2026-11-10"), utc("2026-11-12"));
    let again = line(tenth.start(), 1) + "\n";
    let later = again.clone() + &line(twelfth.start(), 2) + "\n";
    put(&files, "2026/11/10/a.json", (again + &line(tenth.start(), 3) + "\n").as_bytes()).await;
    put(&files, "2026/11/12/a.json", later.as_bytes()).await;
    let (source, zone) = (pipeline(&files, &Zone::UTC), Zone::UTC);
    let options = Options { across_slices: true, ..options() };
    let layout = Layout::new("", &options.project).unwrap();
    let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    for order in [[&tenth, &twelfth], [&twelfth, &tenth]] {
        let lake = MemoryStore::new();
        let exporter = Exporter {
            source: &source,
            store: &lake,
            layout: &layout,
            zone: &zone,
            options: &options,
            ingestion_start: None,
            clock: &clock,
            time: None,
            force: true,
            safeguards: Safeguards::default(),
        };
        let mut ids = Vec::new();
        for slice in order {
            let objects = exporter.slice(slice).await.unwrap().objects;
            let rows = objects.iter().flat_map(|key| rows::of(&lake.snapshot()[key]));
            ids.extend(rows.map(|row| row["mp_insert_id"].to_string()));
        }
        ids.sort_unstable();
        assert_eq!(ids, [r#""i1""#, r#""i2""#, r#""i3""#], "{}", order[0]);
    }
}
