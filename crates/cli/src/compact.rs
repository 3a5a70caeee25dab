//! `mixlake compact`.

use crate::arguments::Compact as Arguments;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::compact::{CompactionReport, Compactor};
use mixlake_app::ports::{Clock, ObjectStore};
use mixlake_columnar::{CompactionBounds, Compression};
use mixlake_domain::{Date, Zone};
use mixlake_runtime::config::{LakeConfig, compression};
use mixlake_runtime::settings::{Problems, Settings};
use mixlake_runtime::{Clients, now, request};
use std::sync::Arc;

/// Compacts the days asked for. Answers whether none failed.
pub async fn run(arguments: Arguments) -> Result<bool> {
    let (settings, clients, compression, dates) = check(&arguments)?;
    let store = lake::store(&arguments.lake, &settings, &clients).await?;
    let mut report = CompactionReport::default();
    for settings in lake::projects(&settings, &*store).await? {
        // A crawler reads replaced folders too, so a compacted day would appear twice.
        let config = lake::config(&settings)?;
        report.targets.extend(project(&config, &*store, compression, &dates).await?.targets);
    }
    if arguments.lake.json {
        show::json(&report.document())?;
    } else {
        let next = lake::command("catalog", &arguments.lake, &[]);
        show::text(&show::compaction(&report, &next))?;
    }
    Ok(report.is_whole())
}

async fn project(
    config: &LakeConfig,
    store: &dyn ObjectStore,
    compression: Compression,
    dates: &[Date],
) -> Result<CompactionReport> {
    let clock: Clock = Arc::new(now);
    let scratch = std::env::temp_dir();
    let compactor = Compactor {
        store,
        layout: &config.layout,
        project: &config.project,
        compression,
        version: env!("CARGO_PKG_VERSION"),
        bounds: CompactionBounds::default(),
        clock: &clock,
        scratch: &scratch,
    };
    Ok(compactor.compact(dates).await?)
}

/// Checks everything there is to check before any work, and tells all problems at once.
fn check(arguments: &Arguments) -> Result<(Settings, Clients, Compression, Vec<Date>), Problems> {
    let mut problems = Problems::default();
    let (from, to) = (arguments.from_date.as_str(), arguments.to_date.as_str());
    let days = request::days(("--from-date", from), ("--to-date", to), &Zone::UTC, None);
    let lake = lake::checked(&arguments.lake);
    let (lake, days) = match (lake, days) {
        (Ok(lake), Ok(days)) => (lake, days),
        (lake, days) => {
            for others in [lake.err(), days.err()].into_iter().flatten() {
                problems.extend(others);
            }
            return Err(problems);
        }
    };
    let (settings, clients) = lake;
    let compression = compression(&settings)?;
    let dates = days.iter().map(mixlake_domain::Slice::date).collect();
    Ok((settings, clients, compression, dates))
}
