//! The lake that a command works on: a folder, or a bucket.

use crate::arguments::Lake;
use crate::show;
use anyhow::{Context, Result};
use mixlake_app::ports::{Catalog, ObjectStore};
use mixlake_app::reconcile::Reconciler;
use mixlake_folder::{FolderCatalog, FolderStore};
use mixlake_runtime::config::{self, LakeConfig, MaintenanceConfig};
use mixlake_runtime::settings::table::{
    CATALOG, GLUE_DATABASE, GLUE_EXTERNAL_ID, GLUE_REGION, GLUE_ROLE, GLUE_TABLE_PREFIX,
    PROJECT_ID, PROJECT_TOKEN, S3_BUCKET, S3_ENCRYPTION, S3_EXTERNAL_ID, S3_KMS_KEY_ID, S3_PREFIX,
    S3_REGION, S3_ROLE,
};
use mixlake_runtime::settings::{CatalogBy, Problems, Row, Settings};
use mixlake_runtime::{Clients, Failure};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The name of the sessions of assumed roles.
pub const SESSION: &str = "mixlake-command-line";

/// What the project is called where events come from files and nobody says.
pub const LOCAL_PROJECT: &str = "local";

/// The settings of a command, and what is wrong with them so far. `s3://bucket/prefix` stands for
/// two of them.
pub fn settings(lake: &Lake) -> (Settings, Problems) {
    let (mut settings, mut problems) = Settings::read_pairs(lake.set.iter().map(String::as_str));
    let Some(place) = lake.place.strip_prefix("s3://") else {
        let of_aws: [&dyn Row; 10] = [
            &S3_BUCKET,
            &S3_PREFIX,
            &S3_REGION,
            &S3_ENCRYPTION,
            &S3_KMS_KEY_ID,
            &S3_ROLE,
            &S3_EXTERNAL_ID,
            &GLUE_REGION,
            &GLUE_ROLE,
            &GLUE_EXTERNAL_ID,
        ];
        for row in of_aws {
            if settings.has(row) {
                problems.add(row.name(), "has no effect if --lake is a folder; leave it out");
            }
        }
        if lake.place.is_empty() || lake.place.contains("://") {
            let what = format!("must be a folder or s3://bucket/prefix, got {:?}", lake.place);
            problems.add("--lake", what);
        } else if Path::new(&lake.place).is_file() {
            problems.add("--lake", format!("{} is a file, not a folder", lake.place));
        }
        return (settings, problems);
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        problems.add("--lake", "must name a bucket, such as s3://bucket/prefix");
    }
    for (row, value) in [(&S3_BUCKET, bucket), (&S3_PREFIX, prefix)] {
        if settings.has(row) {
            problems.add(row.name, format!("--lake {} already sets it; leave it out", lake.place));
        }
        if !value.trim_matches('/').is_empty() {
            settings.set(row, value);
        }
    }
    (settings, problems)
}

/// A command on the same lake, as it can be typed: with the settings that say where the tables are.
pub fn command(name: &str, lake: &Lake, options: &[&str]) -> String {
    let mut words = vec!["mixlake".to_owned(), name.to_owned(), "--lake".to_owned()];
    words.push(show::shell(&lake.place).into_owned());
    let of_tables: [&dyn Row; 9] = [
        &GLUE_DATABASE,
        &GLUE_TABLE_PREFIX,
        &GLUE_REGION,
        &GLUE_ROLE,
        &GLUE_EXTERNAL_ID,
        &S3_REGION,
        &S3_ROLE,
        &S3_EXTERNAL_ID,
        &PROJECT_TOKEN,
    ];
    let of_tables = |pair: &&String| {
        let name = pair.split_once('=').map_or(&***pair, |(name, _)| name);
        of_tables.iter().any(|row| row.name() == name)
    };
    for pair in lake.set.iter().filter(of_tables) {
        words.extend(["--set".to_owned(), show::shell(pair).into_owned()]);
    }
    words.extend(options.iter().map(|option| (*option).to_owned()));
    words.join(" ")
}

/// The settings of a command on a whole lake, and the clients that they describe.
pub fn checked(lake: &Lake) -> Result<(Settings, Clients), Problems> {
    let (settings, mut problems) = settings(lake);
    match LakeConfig::check_lake(&settings) {
        Ok(access) => problems.into_result((settings, Clients::new(access, SESSION))),
        Err(others) => {
            problems.extend(others);
            Err(problems)
        }
    }
}

/// Whether the lake is a folder of this machine.
pub fn is_folder(lake: &Lake) -> bool {
    !lake.place.starts_with("s3://")
}

/// The store of the lake.
pub async fn store(
    lake: &Lake,
    settings: &Settings,
    clients: &Clients,
) -> Result<Arc<dyn ObjectStore>> {
    if is_folder(lake) {
        return Ok(Arc::new(FolderStore::new(&lake.place)?));
    }
    let bucket = config::bucket(settings).map_err(|problems| Failure::settings(&problems))?;
    Ok(Arc::new(clients.lake(bucket).await?))
}

/// The catalog of the lake.
pub async fn catalog(lake: &Lake, clients: &Clients, database: &str) -> Result<Box<dyn Catalog>> {
    if is_folder(lake) {
        let catalog = FolderCatalog::new(&lake.place, database);
        return Ok(Box::new(catalog.context("the catalog of the lake cannot be used")?));
    }
    Ok(Box::new(clients.catalog(database).await?))
}

/// The settings of a project whose tables are ours to look after.
pub fn config(settings: &Settings) -> Result<LakeConfig, Problems> {
    let config = LakeConfig::check(settings)?;
    match config.catalog {
        CatalogBy::Function => Ok(config),
        CatalogBy::Crawler => {
            let what = "with catalog=crawler, a Glue crawler updates the tables; this command does not change them";
            Err(Problems::one(CATALOG.name, what))
        }
    }
}

/// How long replaced files stay.
pub fn grace(settings: &Settings) -> Result<Duration, Problems> {
    Ok(MaintenanceConfig::check(settings)?.keep_replaced)
}

/// What keeps the catalog of a project.
pub fn reconciler<'a>(
    store: &'a dyn ObjectStore,
    catalog: &'a dyn Catalog,
    config: &'a LakeConfig,
) -> Reconciler<'a> {
    Reconciler {
        store,
        catalog,
        layout: &config.layout,
        project: &config.project,
        table_prefix: &config.table_prefix,
        on_drift: config.on_drift,
    }
}

/// A project of a lake has one of these documents at least.
pub const REGISTRIES: [&str; 2] = ["events.json", "people.json"];

/// The settings of each project to look at: the one that was named, or all that the lake holds.
pub async fn projects(settings: &Settings, store: &dyn ObjectStore) -> Result<Vec<Settings>> {
    let prefix = settings.get(&S3_PREFIX).unwrap_or_default();
    let prefix = prefix.trim_matches('/');
    let below = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let named = settings.get(&PROJECT_ID);
    // Below the folder of the one project there are few keys that are not its own.
    let within = named.as_ref().map_or_else(|| below.clone(), |id| format!("{below}{id}/schema/"));
    let mut found = BTreeSet::new();
    for object in store.list(&within).await? {
        let key = object.key.strip_prefix(&below).unwrap_or(&object.key);
        let project = key.split_once("/schema/").filter(|(id, _)| !id.contains('/'));
        let project = project.filter(|(_, name)| REGISTRIES.contains(name)).map(|(id, _)| id);
        found.extend(project.map(str::to_owned));
    }
    if found.is_empty() {
        let place = store.location(&below);
        let id = named.map_or_else(|| "<project_id>".to_owned(), |id| id.to_string());
        let what = format!(
            "{place} has no lake: {id}/schema/events.json is missing. Export events or profiles into it first"
        );
        return Err(Problems::one("--lake", what).into());
    }
    let of_project = |project: String| {
        let mut settings = settings.clone();
        settings.set(&PROJECT_ID, &project);
        settings
    };
    Ok(found.into_iter().map(of_project).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_finds_the_same_tables() {
        let set = ["timezone=UTC", "glue_table_prefix=two_", "glue_database=my db"];
        let lake =
            Lake { place: "my lake".to_owned(), set: set.map(str::to_owned).to_vec(), json: false };
        let expected = "mixlake catalog --lake 'my lake' --set glue_table_prefix=two_ \
                        --set 'glue_database=my db' --sql";
        assert_eq!(command("catalog", &lake, &["--sql"]), expected);
    }
}
