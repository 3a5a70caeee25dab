//! Logs: one JSON object a line, sentences with fields; never payloads, secrets or user ids.

use tracing_subscriber::EnvFilter;

/// Starts logging JSON lines to standard output, as Lambda collects them.
pub fn json() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_target(false)
        .with_env_filter(filter("info"))
        .init();
}

/// Starts logging text to standard error, for people.
pub fn text(level: &str) {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .with_env_filter(filter(level))
        .init();
}

/// The SDKs' own chatter is of no use to an operator.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!(
        "error,mixlake_app={level},mixlake_mixpanel={level},mixlake_runtime={level},mixlake_store_s3={level},mixlake_catalog_glue={level}"
    ))
}
