//! `mixlake catalog`.

use crate::arguments::Catalog;
use crate::show::Progress;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::ports::ObjectStore;
use mixlake_app::reconcile::TableView;
use mixlake_runtime::Clients;
use mixlake_runtime::settings::Settings;

/// Brings the catalog up to date and prints it. Answers whether everything is in it.
pub async fn run(arguments: Catalog, verbose: bool) -> Result<bool> {
    let Catalog { sql, lake: arguments } = arguments;
    let (settings, clients) = lake::checked(&arguments)?;
    let store = lake::store(&arguments, &settings, &clients).await?;
    let mut tables = Vec::new();
    let mut failed = Vec::new();
    let mut progress = Progress::new(verbose);
    let projects = lake::projects(&settings, &*store).await?;
    for (index, settings) in projects.iter().enumerate() {
        progress.say(&format!("project {} of {}", index + 1, projects.len()));
        let (views, errors) = project(&arguments, settings, &clients, &*store).await?;
        tables.extend(views);
        failed.extend(errors);
    }
    drop(progress);
    if arguments.json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(key, error)| serde_json::json!({"key": key, "error": error}))
            .collect();
        show::json(&serde_json::json!({"tables": tables, "failed": failed}))?;
        return Ok(failed.is_empty());
    }
    if sql {
        show::statements(&show::views(&tables))?;
    } else {
        let next = lake::command("catalog", &arguments, &["--sql"]) + "  (views for DuckDB)";
        show::text(&show::tables(&tables, &next))?;
    }
    for (key, error) in &failed {
        show::error(&anyhow::anyhow!("{key}: {error}"));
    }
    Ok(failed.is_empty())
}

/// The tables of a project, and the keys that could not be brought in.
async fn project(
    arguments: &crate::arguments::Lake,
    settings: &Settings,
    clients: &Clients,
    store: &dyn ObjectStore,
) -> Result<(Vec<TableView>, Vec<(String, String)>)> {
    let config = lake::config(settings)?;
    let catalog = lake::catalog(arguments, clients, &config.database).await?;
    let reconciler = lake::reconciler(store, &*catalog, &config);
    let done = reconciler.reconcile_all().await?;
    let failed = done.failed.into_iter();
    let failed = failed.map(|(key, error)| (key, mixlake_app::chain(&*error)));
    Ok((reconciler.view().await?, failed.collect()))
}
