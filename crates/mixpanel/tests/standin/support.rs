//! Helpers that the tests share.

use futures::{StreamExt, TryStreamExt};
use mixlake_app::ports::{
    Clock, EventSource, NextPage, PageEnd, PageError, PagePiece, ProfileSource, SourceError,
};
use mixlake_domain::{Slice, Timestamp, Window, Zone};
use mixlake_mixpanel::{Config, Credentials, MixpanelProfiles, MixpanelSource, Timings};
use mixlake_testkit::mixpanel::{Data, StandIn, StandInConfig};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A file of the test data.
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name)
}

/// The generated shop: 5,277 lines of 2026-11-10 to 13.
pub fn storefront() -> Data {
    static DATA: OnceLock<Data> = OnceLock::new();
    DATA.get_or_init(|| Data::load(&[file("storefront-events.jsonl.gz")]).unwrap()).clone()
}

/// An hour of the shop with few events: the fault tests read it a thousand times.
pub const SMALL_HOUR: &str = "2026-11-13T18";

pub async fn serve(data: Data) -> StandIn {
    serve_as(StandInConfig::new(data)).await
}

pub async fn serve_as(config: StandInConfig) -> StandIn {
    StandIn::start(config).await.unwrap()
}

/// A valid configuration for a stand-in, with waits of milliseconds.
pub fn config(standin: &StandIn) -> Config {
    let known = StandInConfig::new(Data::default());
    let credentials = Credentials::service_account(&known.username, &known.secret).unwrap();
    let project = known.project_id.parse().unwrap();
    let timings = Timings {
        max_wait: Duration::from_millis(20),
        outage_pause: Duration::from_millis(1),
        backoff_base: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(2),
        query_gap: Duration::ZERO,
        ..Timings::default()
    };
    Config { timings, ..Config::new(standin.url().parse().unwrap(), project, credentials) }
}

/// The same for a source that sends one query, whatever the response: it has no time to wait for a
/// server that is down.
pub fn impatient(config: Config) -> Config {
    let timings = Timings { outage_pause: Duration::from_hours(1), ..config.timings };
    Config { timings, deadline: Some(Instant::now() + Duration::from_mins(20)), ..config }
}

pub fn source(config: Config) -> MixpanelSource {
    MixpanelSource::new(config).unwrap()
}

pub fn profiles(config: Config) -> MixpanelProfiles {
    MixpanelProfiles::new(config, None).unwrap()
}

/// The lines of a page and its end, if it is complete.
pub async fn page(
    source: &MixpanelProfiles,
    next: Option<&NextPage>,
) -> Result<(String, PageEnd), PageError> {
    let mut pieces = source.page(next, 0).await?;
    let (mut lines, mut end) = (Vec::new(), None);
    while let Some(piece) = pieces.next().await {
        assert!(end.is_none(), "nothing follows the end");
        match piece? {
            PagePiece::Lines(bytes) => lines.extend_from_slice(&bytes),
            PagePiece::End(found) => end = Some(found),
        }
    }
    Ok((String::from_utf8(lines).unwrap(), end.expect("a page has an end, or an error")))
}

/// The page after another one.
pub fn after(end: &PageEnd) -> NextPage {
    NextPage { session: end.session.clone(), page: end.page + 1 }
}

pub fn utc(label: &str) -> Slice {
    Slice::parse(label, &Zone::UTC).unwrap()
}

/// For lakes without slices of ingestion.
pub fn no_clock() -> Clock {
    Arc::new(|| Timestamp::UNIX_EPOCH)
}

/// Everything that the source returns for a slice, if the stream ends without an error.
pub async fn read(source: &MixpanelSource, slice: &Slice) -> Result<Vec<u8>, SourceError> {
    let chunks = source.fetch(&Window::whole(slice), 0).await?;
    chunks
        .try_fold(Vec::new(), async |mut all, chunk| {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
}

/// The lines of a body that are not blank.
pub fn lines(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    text.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
