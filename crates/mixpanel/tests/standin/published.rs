//! If a stream is cut, nothing of it becomes visible.

use crate::support::{
    SMALL_HOUR, config, lines, no_clock, read, serve, serve_as, source, storefront, utc,
};
use mixlake_app::export::{Exporter, Safeguards};
use mixlake_columnar::Options;
use mixlake_domain::{Layout, Zone};
use mixlake_testkit::mixpanel::{Data, Fault, StandInConfig};
use mixlake_testkit::store::MemoryStore;

pub fn options() -> Options {
    Options::of("42".parse().unwrap())
}

/// The whole hour on every attempt, and none of its parts.
fn to_the_end(fault: &Fault) -> Vec<Fault> {
    let mut faults = vec![fault.clone(); 4];
    faults.push(Fault::status(403, "no more of this"));
    faults
}

#[tokio::test]
async fn an_answer_that_is_cut_anywhere_publishes_nothing_and_a_whole_one_everything() {
    let all = serve(storefront()).await;
    let hour = lines(&read(&source(config(&all)), &utc(SMALL_HOUR)).await.unwrap());
    let data = Data::parse(hour.join("\n").as_bytes());
    let standin = serve_as(StandInConfig::new(data)).await;
    let source = source(config(&standin));
    read(&source, &utc(SMALL_HOUR)).await.unwrap();
    let length = standin.body_lengths()[0];

    let (store, options) = (MemoryStore::new(), options());
    let layout = Layout::new("", &options.project).unwrap();
    let (zone, slice) = (Zone::UTC, utc(SMALL_HOUR));
    let exporter = Exporter {
        source: &source,
        store: &store,
        layout: &layout,
        zone: &zone,
        options: &options,
        ingestion_start: None,
        clock: &no_clock(),
        time: None,
        force: true,
        safeguards: Safeguards::default(),
    };
    for after in (0..length).step_by(211).chain(length - 12..length) {
        // On every attempt.
        for fault in [Fault::CutConnection { after }, Fault::EndEarly { after }] {
            standin.script(to_the_end(&fault));
            exporter.slice(&slice).await.unwrap_err();
            assert!(store.snapshot().is_empty(), "{fault:?}");
        }
    }
    let within = (0..400).map(|after| Fault::TerminatedWithin { after });
    for fault in within.step_by(7).chain([Fault::TerminatedEarly { after_lines: 3 }]) {
        standin.script(to_the_end(&fault));
        exporter.slice(&slice).await.unwrap_err();
        assert!(store.snapshot().is_empty(), "{fault:?}");
    }

    standin.script([]);
    let report = exporter.slice(&slice).await.unwrap();
    assert_eq!(report.counts.received, hour.len() as u64);
}
