//! `mixlake catalog`.

use crate::arguments::Catalog;
use crate::show::Progress;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::ports::ObjectStore;
use mixlake_app::reconcile::{Reconciler, TableView};
use mixlake_app::views::ViewScope;
use mixlake_runtime::Clients;
use mixlake_runtime::settings::Settings;
use mixlake_runtime::settings::table::VIEWS;

/// Brings the catalog up to date and prints it. Answers whether everything is in it.
pub async fn run(arguments: Catalog, verbose: bool) -> Result<bool> {
    let Catalog { sql, lake: arguments } = arguments;
    let (settings, clients) = lake::checked(&arguments)?;
    let store = lake::store(&arguments, &settings, &clients).await?;
    let mut tables = Vec::new();
    let mut views = Vec::new();
    let mut failed = Vec::new();
    let mut progress = Progress::new(verbose);
    let projects = lake::projects(&settings, &*store).await?;
    for (index, settings) in projects.iter().enumerate() {
        progress.say(&format!("project {} of {}", index + 1, projects.len()));
        let found = project(&arguments, settings, &clients, &*store).await?;
        tables.extend(found.tables);
        views.extend(found.views);
        failed.extend(found.failed);
    }
    drop(progress);
    if arguments.json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(key, error)| serde_json::json!({"key": key, "error": error}))
            .collect();
        show::json(&serde_json::json!({"tables": tables, "views": views, "failed": failed}))?;
        return Ok(failed.is_empty());
    }
    if sql {
        show::statements(&show::views(&tables))?;
    } else {
        let next = lake::command("catalog", &arguments, &["--sql"]) + "  (views for DuckDB)";
        show::text(&show::tables(&tables, &views, &next))?;
    }
    for (key, error) in &failed {
        show::error(&anyhow::anyhow!("{key}: {error}"));
    }
    Ok(failed.is_empty())
}

/// What the catalog has of a project.
struct Found {
    tables: Vec<TableView>,
    /// The names of the views.
    views: Vec<String>,
    /// The objects that could not be brought in and the views that could not be changed, and why.
    failed: Vec<(String, String)>,
}

async fn project(
    arguments: &crate::arguments::Lake,
    settings: &Settings,
    clients: &Clients,
    store: &dyn ObjectStore,
) -> Result<Found> {
    let config = lake::config(settings)?;
    let catalog = lake::catalog(arguments, clients, &config.database).await?;
    let reconciler = lake::reconciler(store, &*catalog, &config);
    let done = reconciler.reconcile_all().await?;
    let failed = done.failed.into_iter();
    let mut failed: Vec<_> =
        failed.map(|(key, error)| (key, mixlake_app::chain(&*error))).collect();
    // The catalog function of a deployment keeps the views. Without the setting, they stay as they are.
    if settings.has(&VIEWS) {
        failed.extend(change_views(&reconciler, config.views).await?);
    }
    Ok(Found { tables: reconciler.view().await?, views: reconciler.view_names().await?, failed })
}

/// Updates or removes the views. Answers those that could not be changed, and why.
async fn change_views(reconciler: &Reconciler<'_>, are_on: bool) -> Result<Vec<(String, String)>> {
    let report = if are_on {
        reconciler.update_views(ViewScope::All).await?
    } else {
        reconciler.remove_views().await?
    };
    let taken = "a table, or a view that somebody else made, has the name of this view";
    let taken = report.taken.into_iter().map(|view| (view, taken.to_owned()));
    Ok(taken.chain(report.failed.into_iter().map(|failed| (failed.view, failed.error))).collect())
}
