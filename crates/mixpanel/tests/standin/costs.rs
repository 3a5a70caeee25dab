//! How many queries each kind of response may cost: a project has sixty per hour.

use crate::support::{config, no_clock, serve_as, source, storefront};
use mixlake_app::export::{ExportReport, Exporter, Safeguards};
use mixlake_domain::{Layout, Slice, Zone};
use mixlake_testkit::mixpanel::{Fault, StandInConfig};
use mixlake_testkit::store::MemoryStore;
use rstest::rstest;

/// Exports three slices from a server that always answers like this. Returns the report and the number
/// of queries.
async fn exported(fault: Fault, slices: [&str; 3]) -> (ExportReport, usize) {
    let standin = serve_as(StandInConfig::new(storefront())).await;
    standin.always(fault);
    let (source, store) = (source(config(&standin)), MemoryStore::new());
    let options = crate::published::options();
    let layout = Layout::new("", &options.project).unwrap();
    let exporter = Exporter {
        source: &source,
        store: &store,
        layout: &layout,
        zone: &Zone::UTC,
        options: &options,
        ingestion_start: None,
        clock: &no_clock(),
        time: None,
        force: false,
        safeguards: Safeguards::default(),
    };
    let slices = slices.map(|label| Slice::parse(label, &Zone::UTC).unwrap());
    let report = exporter.export(&slices).await;
    assert!(report.slices.iter().all(|slice| slice.outcome.is_err()));
    assert!(store.snapshot().is_empty());
    (report, standin.queries().len())
}

const HOURS: [&str; 3] = ["2026-11-10T12", "2026-11-10T13", "2026-11-10T14"];
const DAYS: [&str; 3] = ["2026-11-10", "2026-11-11", "2026-11-12"];

/// The limit applies to a whole run, however many slices it has. The limit for a broken export applies
/// to one slice.
#[rstest]
#[case::down(Fault::status(503, "Service Unavailable"), DAYS, 6, true)]
#[case::bad_gateway_without_words(Fault::status(502, ""), HOURS, 6, true)]
#[case::refused(Fault::status(401, "Unauthorized"), DAYS, 1, false)]
#[case::a_page(Fault::status(200, "<html>\n<body>Sign in</body>\n</html>\n"), DAYS, 2, false)]
#[case::an_error(Fault::status(200, "{\"error\":\"Internal error\"}\n"), DAYS, 2, false)]
#[case::a_cut_hour(Fault::CutConnection { after: 900 }, HOURS, 3 * 14, true)]
#[case::a_cut_day(Fault::CutConnection { after: 900 }, DAYS, 3 * 24, true)]
#[tokio::test]
async fn an_answer_that_is_no_export_costs_no_more_than_this(
    #[case] fault: Fault,
    #[case] slices: [&str; 3],
    #[case] most: usize,
    #[case] for_later: bool,
) {
    let (report, queries) = exported(fault, slices).await;
    assert!(queries <= most, "{queries} queries");
    assert_eq!(report.is_for_later(), for_later, "{report:?}");
}
