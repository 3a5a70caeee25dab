//! A later version, or other settings of the encoder, rewrite nothing whose rows are the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_columnar::{Bounds, Compression};
use mixlake_domain::DataFormat;
use mixlake_testkit::store::Operation;
use rstest::rstest;
use serde_json::json;
use support::{Lake, TABLE, event};

const HOURS: [&str; 3] = ["2026-11-10T01", "2026-11-10T02", "2026-11-11T00"];

/// Rows within hours and at their edges, a repeated one, a stray, and a bad line.
async fn lake(format: DataFormat) -> Lake {
    let mut lake = Lake::new();
    lake.options.format = format;
    lake.hold(&[
        "a 2026-11-10T01:10",
        "b 2026-11-10T01:20",
        "c 2026-11-10T01:59",
        "d 2026-11-10T02:00",
        "e 2026-11-10T02:40",
        "f 2026-11-12T02:30 > 2026-11-10T02",
        "g 2026-11-11T00:00",
    ]);
    lake.source.add(event("a", "2026-11-10T01:10", json!({"Of a": 2, "List": [1, "x"]})));
    lake.source.add_to(support::label(HOURS[1]), "no event".to_owned());
    for hour in HOURS {
        lake.publish(hour).await;
    }
    lake
}

/// The same lake, written by a later version with other options.
fn later(mut lake: Lake) -> Lake {
    lake.options.version = "99.0.0";
    lake.options.compression = Compression::Gzip;
    lake.options.bounds = Bounds { group_rows: 1, ..Bounds::default() };
    lake
}

#[rstest]
#[case::parquet(DataFormat::Parquet)]
#[case::json(DataFormat::Json)]
#[tokio::test]
async fn a_later_version_with_another_encoder_writes_nothing(#[case] format: DataFormat) {
    let lake = later(lake(format).await);
    let before = lake.store.snapshot();
    let calls = lake.store.calls().len();
    for hour in HOURS {
        let report = lake.publish(hour).await;
        assert_eq!(report.status.to_string(), "unchanged");
        assert!(report.objects.iter().all(|key| before.contains_key(key)), "{:?}", report.objects);
    }
    assert_eq!(lake.changes_since(calls), []);
}

#[tokio::test]
async fn a_later_version_writes_a_day_whose_rows_are_others() {
    let lake = later(lake(DataFormat::Parquet).await);
    lake.source.add(event("late", "2026-11-10T01:30", json!({})));
    let report = lake.publish(HOURS[0]).await;
    assert_eq!(report.changes.len(), 1, "{:?}", report.changes);
    assert_eq!(report.counts.written, 4);
}

/// Version 0.1 did not write which rows a file has: the files themselves say it.
#[tokio::test]
async fn a_manifest_of_version_0_1_does_not_make_its_day_be_written_again() {
    let lake = lake(DataFormat::Parquet).await;
    for key in lake.keys(TABLE).into_iter().filter(|key| key.ends_with("/_manifest.json")) {
        let mut manifest: serde_json::Value =
            serde_json::from_slice(&lake.store.snapshot()[&key]).unwrap();
        for file in manifest["files"].as_array_mut().unwrap() {
            assert!(file.as_object_mut().unwrap().remove("rows_hash").is_some());
        }
        lake.overwrite(&key, manifest.to_string().into()).await;
    }
    let lake = later(lake);
    let calls = lake.store.calls().len();
    for hour in HOURS {
        let report = lake.publish(hour).await;
        assert_eq!(report.changes, []);
    }
    let written = lake.changes_since(calls).into_iter();
    let of_tables = written.filter(|(_, key)| key.contains(TABLE));
    assert_eq!(of_tables.collect::<Vec<(Operation, String)>>(), []);
}
