//! `mixlake catalog`.

use crate::arguments::Catalog;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::ports::ObjectStore;
use mixlake_app::reconcile::{Reconciler, TableView};
use mixlake_runtime::config::LakeConfig;
use mixlake_runtime::settings::{Problems, Settings};
use std::collections::BTreeSet;

/// Brings the catalog up to date and prints it. Answers whether everything is in it.
pub async fn run(arguments: Catalog) -> Result<bool> {
    let arguments = arguments.lake;
    let (settings, mut problems) = lake::settings(&arguments);
    if let Err(others) = LakeConfig::check_lake(&settings) {
        problems.extend(others);
    }
    let settings = problems.into_result(settings)?;
    let store = lake::store(&arguments, &settings).await?;
    let mut tables = Vec::new();
    let mut failed = Vec::new();
    for settings in projects(&settings, &*store).await? {
        let (views, errors) = project(&arguments, &settings, &*store).await?;
        tables.extend(views);
        failed.extend(errors);
    }
    if arguments.json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(key, error)| serde_json::json!({"key": key, "error": error}))
            .collect();
        show::json(&serde_json::json!({"tables": tables, "failed": failed}))?;
    } else {
        show::tables(&tables)?;
        for (key, error) in &failed {
            show::error(&anyhow::anyhow!("{key}: {error}"));
        }
    }
    Ok(failed.is_empty())
}

/// The tables of a project, and the keys that could not be brought in.
async fn project(
    arguments: &crate::arguments::Lake,
    settings: &Settings,
    store: &dyn ObjectStore,
) -> Result<(Vec<TableView>, Vec<(String, String)>)> {
    let config = LakeConfig::check(settings)?;
    let catalog = lake::catalog(arguments, settings, &config.database).await?;
    let reconciler = Reconciler {
        store,
        catalog: &*catalog,
        layout: &config.layout,
        project: &config.project,
        table_prefix: &config.table_prefix,
        on_drift: config.on_drift,
    };
    let done = reconciler.reconcile_all().await?;
    let failed = done.failed.into_iter();
    let failed = failed.map(|(key, error)| (key, mixlake_app::chain(&*error)));
    Ok((reconciler.view().await?, failed.collect()))
}

/// The settings of each project to look at: the one that was named, or all that the lake holds.
async fn projects(settings: &Settings, store: &dyn ObjectStore) -> Result<Vec<Settings>> {
    let prefix = settings.value("s3_prefix").unwrap_or_default().trim_matches('/');
    let below = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let named = settings.value("project_id");
    // Below the folder of the one project there are few keys that are not its own.
    let within = named.map_or_else(|| below.clone(), |id| format!("{below}{id}/schema/"));
    let mut found = BTreeSet::new();
    for object in store.list(&within).await? {
        let key = object.key.strip_prefix(&below).unwrap_or(&object.key);
        let project = key.strip_suffix("/schema/events.json").filter(|id| !id.contains('/'));
        found.extend(project.map(str::to_owned));
    }
    if found.is_empty() {
        let (place, id) = (store.location(&below), named.unwrap_or("<project_id>"));
        let what = format!("{place} holds no lake: there is no {id}/schema/events.json");
        return Err(Problems::one("--lake", what).into());
    }
    let of_project = |project: String| {
        let mut settings = settings.clone();
        settings.set("project_id", &project);
        settings
    };
    Ok(found.into_iter().map(of_project).collect())
}
