//! A lake that holds a person, and what is left of the person.

use super::{Lake, event, label};
use mixlake_app::doctor::Doctor;
use mixlake_app::erase::{Eraser, ErasureReport};
use mixlake_app::ports::{Clock, ObjectStore};
use mixlake_columnar::Salt;
use mixlake_domain::Target;
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::rows;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

pub const ANN: &str = "ann@example.com";
pub const HOURS: [&str; 2] = ["2026-11-10T01", "2026-11-10T02"];

/// Two hours with rows of Ann and of others: within the hours, at their edges and outside of them; a bad
/// line of each.
pub fn hold(lake: &Lake) {
    let source = &lake.source;
    source.clear();
    for (id, time, person) in [
        ("a1", "2026-11-10T01:10", ANN),
        ("a2", "2026-11-10T02:00", ANN),
        ("a3", "2026-11-10T02:20", ANN),
        ("b1", "2026-11-10T01:20", "bob"),
        ("b2", "2026-11-10T02:00", "bob"),
        ("c1", "2026-11-10T02:30", "carl"),
    ] {
        source.add(event(id, time, json!({"distinct_id": person})));
    }
    let hour = label(HOURS[0]);
    // A device of hers, a copy of a line, and events of other days.
    source.add(event("a4", "2026-11-10T01:30", json!({"distinct_id": "x", "$user_id": ANN})));
    source.add(event("a1", "2026-11-10T01:10", json!({"distinct_id": ANN})));
    source.add_to(hour, event("a5", "2026-11-11T05:00", json!({"distinct_id": ANN})));
    source.add_to(hour, event("b5", "2026-11-12T05:00", json!({"distinct_id": "bob"})));
    for person in [ANN, "bob"] {
        let bad = json!({"event": "Event", "properties": {"time": "?", "distinct_id": person}});
        source.add_to(hour, bad.to_string());
    }
}

impl Lake {
    pub fn eraser<'a>(&'a self, store: &'a dyn ObjectStore, clock: &'a Clock) -> Eraser<'a> {
        Eraser {
            store,
            layout: &self.layout,
            project: &self.options.project,
            clock,
            salt: Salt::new([7; 32]),
            keep_replaced: Duration::from_hours(24),
            dry_run: false,
        }
    }

    /// Erases Ann, which must succeed.
    pub async fn erase(&self) -> ErasureReport {
        let report = self.eraser(&self.store, &self.clock).erase(&[ANN.to_owned()]).await;
        match report {
            Ok(report) if report.failed.is_empty() => report,
            Ok(report) => panic!("{:?}", report.failed),
            Err(error) => panic!("{}", mixlake_app::chain(&error)),
        }
    }

    /// Deletes the replaced files of all days at once.
    pub async fn delete_old(&self, catalog: &MemoryCatalog) -> Vec<String> {
        let manifests = self.keys("").into_iter().filter(|key| key.ends_with("/_manifest.json"));
        let targets: BTreeSet<Target> =
            manifests.filter_map(|key| Some(self.layout.read(&key)?.target)).collect();
        let doctor = self.physician(catalog);
        let done = doctor.delete_at_once(&targets).await.unwrap();
        assert_eq!(done.kept, []);
        done.deleted
    }

    pub fn physician<'a>(&'a self, catalog: &'a MemoryCatalog) -> Doctor<'a> {
        Doctor {
            lake: self.reconciler(catalog),
            engines: &[],
            deep: true,
            now: super::clinic::now(),
            grace: super::clinic::GRACE,
        }
    }

    /// The keys of the objects that contain Ann's identifier, compressed or not.
    pub fn traces(&self) -> Vec<String> {
        let objects = self.store.snapshot().into_iter();
        objects.filter(|(_, body)| names_ann(body)).map(|(key, _)| key).collect()
    }
}

fn names_ann(body: &[u8]) -> bool {
    let mut text = String::from_utf8_lossy(body).into_owned();
    if body.starts_with(b"PAR1") {
        text += &json!(rows::of(&body.to_vec().into())).to_string();
    }
    if body.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text).unwrap();
    }
    text.contains(ANN)
}
