//! Which days a backfill exports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::backfill::{Backfill, Plan};
use mixlake_domain::{Slice, Span, Zone};
use serde_json::json;
use support::{Lake, event, slice};

fn lake() -> Lake {
    let lake = Lake { force: false, ..Lake::new() };
    for day in 10..14 {
        lake.source.add(event(&day.to_string(), &format!("2026-11-{day}T05:30"), json!({})));
    }
    lake
}

fn range(from: &str, days: usize) -> Vec<Slice> {
    let dates = from.parse::<mixlake_domain::Date>().unwrap().series(Span::new().days(1));
    dates.take(days).map(|date| Slice::day(date, &Zone::UTC)).collect()
}

async fn plan(lake: &Lake, days: &[Slice], force: bool) -> Plan {
    let backfill = Backfill { store: &lake.store, layout: &lake.layout, zone: &Zone::UTC };
    backfill.plan(days, force).await.unwrap()
}

fn labels(plan: &Plan) -> Vec<String> {
    plan.slices.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_new_lake_needs_every_day_however_many() {
    let lake = lake();
    let days = range("2010-01-01", 6_000);
    let found = plan(&lake, &days, false).await;
    assert_eq!((found.slices.len(), found.published()), (6_000, 0));
    assert_eq!(lake.store.calls().len(), 1, "no ledger is read where none is");
}

#[tokio::test]
async fn what_is_published_is_not_planned_again_unless_forced() {
    let lake = lake();
    let days = range("2026-11-10", 4);
    lake.exporter().export(&[days[1].clone()]).await;
    let found = plan(&lake, &days, false).await;
    assert_eq!(labels(&found), ["2026-11-10", "2026-11-12", "2026-11-13"]);
    assert_eq!((found.days, found.published()), (4, 1));
    let forced = plan(&lake, &days, true).await;
    assert_eq!(labels(&forced), ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"]);
}

#[tokio::test]
async fn a_day_with_some_published_hours_is_one_slice_and_needs_nothing_afterwards() {
    let lake = lake();
    let days = range("2026-11-10", 1);
    let report = lake.exporter().export(&[slice("2026-11-10T05"), slice("2026-11-10T07")]).await;
    assert!(report.is_whole(), "{report:?}");
    let found = plan(&lake, &days, false).await;
    assert_eq!(labels(&found), ["2026-11-10"]);
    let report = lake.exporter().export(&found.slices).await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(labels(&plan(&lake, &days, false).await), Vec::<String>::new());
    lake.check(&["2026-11-10"], "after the backfill");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_is_an_error_and_no_missing_day() {
    use mixlake_app::ports::{ObjectStore, Precondition};
    let lake = lake();
    let days = range("2026-11-10", 1);
    let key = lake.layout.ledger(days[0].date());
    lake.store.put(&key, "{".into(), Precondition::Absent).await.unwrap();
    let backfill = Backfill { store: &lake.store, layout: &lake.layout, zone: &Zone::UTC };
    let error = backfill.plan(&days, false).await.unwrap_err();
    assert!(error.to_string().contains("cannot be read: it is damaged"), "{error}");
}
