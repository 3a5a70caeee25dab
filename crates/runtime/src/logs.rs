//! Logs: one JSON object a line, sentences with fields; never payloads, secrets or user ids.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging JSON lines to standard output, as Lambda collects them.
pub fn json() {
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false);
    tracing_subscriber::registry().with(filter(Level::INFO)).with(lines.with_target(false)).init();
}

/// Starts logging text to standard error, for people: warnings, and each step to whom is `verbose`.
pub fn text(verbose: bool) {
    let level = if verbose { Level::INFO } else { Level::WARN };
    let text = fmt::layer().with_writer(std::io::stderr).with_target(false).without_time();
    tracing_subscriber::registry().with(for_people(level)).with(text).init();
}

/// A person reads the report, so what it says is not logged too.
fn for_people(level: Level) -> Targets {
    filter(level).with_target(mixlake_app::TOLD, LevelFilter::OFF)
}

/// The SDKs' own chatter is of no use to an operator.
fn filter(level: Level) -> Targets {
    let ours = [
        "mixlake_app",
        "mixlake_mixpanel",
        "mixlake_runtime",
        "mixlake_store_s3",
        "mixlake_catalog_glue",
    ];
    Targets::new().with_default(Level::ERROR).with_targets(ours.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_the_report_tells_is_logged_by_the_functions_only() {
        assert!(filter(Level::INFO).would_enable(mixlake_app::TOLD, &Level::ERROR));
        assert!(!for_people(Level::INFO).would_enable(mixlake_app::TOLD, &Level::ERROR));
        assert!(for_people(Level::WARN).would_enable("mixlake_app::export", &Level::WARN));
    }
}
