//! The lake, and the catalog of its tables.

use super::access::{Access, access};
use crate::settings::table::{
    CATALOG, GLUE_DATABASE, GLUE_TABLE_PREFIX, ON_DRIFT, PROJECT_ID, S3_BUCKET, S3_PREFIX, VIEWS,
    with_one_value,
};
use crate::settings::{CatalogBy, Problems, Reader, Settings};
use mixlake_app::reconcile::OnDrift;
use mixlake_domain::{Layout, ProjectId};

/// What every use-case needs.
#[derive(Debug, Clone)]
pub struct LakeConfig {
    /// Whose events.
    pub project: ProjectId,
    /// Where in the store.
    pub layout: Layout,
    /// The Glue database.
    pub database: String,
    /// What goes before every table name.
    pub table_prefix: String,
    /// Who describes the tables.
    pub catalog: CatalogBy,
    /// What to do about a table that somebody has changed so that it does not fit its files.
    pub on_drift: OnDrift,
    /// Whether the catalog has views.
    pub views: bool,
    /// What the clients of AWS are made with.
    pub access: Access,
}

impl LakeConfig {
    /// Checks what every use-case needs.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let lake = lake(&mut reader);
        reader.finish(lake)
    }

    /// Checks the settings of a command that works on every project of a lake: all but the project.
    /// Returns what the clients of AWS are made with.
    pub fn check_lake(settings: &Settings) -> Result<Access, Problems> {
        let mut settings = settings.clone();
        settings.set_if_absent(&PROJECT_ID, "0");
        Self::check(&settings).map(|lake| lake.access)
    }
}

/// The bucket that the settings name.
pub fn bucket(settings: &Settings) -> Result<String, Problems> {
    let mut reader = Reader::new(settings);
    let bucket = reader.require(&S3_BUCKET);
    reader.finish(bucket)
}

pub(super) fn lake(reader: &mut Reader<'_>) -> Option<LakeConfig> {
    for row in with_one_value() {
        reader.check(row);
    }
    let catalog = reader.get(&CATALOG);
    let on_drift = reader.get(&ON_DRIFT);
    let views = reader.get(&VIEWS);
    if catalog == Some(CatalogBy::Crawler) && views == Some(true) {
        reader.problem(
            &VIEWS,
            "must be false with catalog=crawler: views need the tables of the catalog function",
        );
    }
    let project = reader.require(&PROJECT_ID);
    let database = reader.get(&GLUE_DATABASE);
    let table_prefix = reader.get(&GLUE_TABLE_PREFIX);
    let access = access(reader);
    let layout = layout(reader, project.as_ref());
    Some(LakeConfig {
        project: project?,
        layout: layout?,
        database: database?,
        table_prefix: table_prefix.unwrap_or_default(),
        catalog: catalog?,
        on_drift: on_drift?,
        views: views?,
        access,
    })
}

/// The prefix is checked also where the project is missing.
fn layout(reader: &mut Reader<'_>, project: Option<&ProjectId>) -> Option<Layout> {
    let prefix = reader.get(&S3_PREFIX).unwrap_or_default();
    let any = project.cloned().or_else(|| "0".parse().ok())?;
    Layout::new(&prefix, &any).map_err(|error| reader.problem(&S3_PREFIX, error)).ok()
}
