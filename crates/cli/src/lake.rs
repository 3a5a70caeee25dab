//! The lake that a command works on: a folder, or a bucket.

use crate::arguments::Lake;
use anyhow::{Context, Result};
use mixlake_app::ports::{Catalog, ObjectStore};
use mixlake_folder::{FolderCatalog, FolderStore};
use mixlake_runtime::settings::{Problems, Settings};
use std::path::Path;
use std::sync::Arc;

/// What the project is called where events come from files and nobody says.
pub const LOCAL_PROJECT: &str = "local";

/// The settings of a command, and what is wrong with them so far. `s3://bucket/prefix` stands for
/// two of them.
pub fn settings(lake: &Lake) -> (Settings, Problems) {
    let (mut settings, mut problems) = Settings::read_pairs(lake.set.iter().map(String::as_str));
    let Some(place) = lake.place.strip_prefix("s3://") else {
        for name in ["s3_bucket", "s3_prefix", "s3_region"] {
            if settings.has(name) {
                problems.add(name, "has no meaning where --lake is a folder");
            }
        }
        if lake.place.is_empty() || lake.place.contains("://") {
            let what = format!("a folder or s3://bucket/prefix is expected, got {:?}", lake.place);
            problems.add("--lake", what);
        } else if Path::new(&lake.place).is_file() {
            problems.add("--lake", format!("{} is a file, not a folder", lake.place));
        }
        return (settings, problems);
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        problems.add("--lake", "s3://bucket/prefix names no bucket");
    }
    for (name, value) in [("s3_bucket", bucket), ("s3_prefix", prefix)] {
        if settings.has(name) {
            problems.add(name, format!("--lake {} says it already", lake.place));
        }
        if !value.trim_matches('/').is_empty() {
            settings.set(name, value);
        }
    }
    (settings, problems)
}

/// The store of the lake.
pub async fn store(lake: &Lake, settings: &Settings) -> Result<Arc<dyn ObjectStore>> {
    if !lake.place.starts_with("s3://") {
        return Ok(Arc::new(FolderStore::new(&lake.place)?));
    }
    let sdk = mixlake_runtime::sdk_config(settings).await;
    Ok(Arc::new(mixlake_runtime::store(&sdk, settings)?))
}

/// The catalog of the lake.
pub async fn catalog(lake: &Lake, settings: &Settings, database: &str) -> Result<Box<dyn Catalog>> {
    if !lake.place.starts_with("s3://") {
        let catalog = FolderCatalog::new(&lake.place, database);
        return Ok(Box::new(catalog.context("the catalog of the lake cannot be used")?));
    }
    let sdk = mixlake_runtime::sdk_config(settings).await;
    Ok(Box::new(mixlake_runtime::catalog(&sdk, database)))
}
