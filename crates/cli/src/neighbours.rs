//! Other projects of a lake in a folder: the tables of two must not have the same names.
//!
//! The catalog of such a lake is in the lake, so it is looked at before an export. Where the catalog is
//! Glue, an export has no right to read it.

use crate::arguments::Lake;
use crate::lake;
use anyhow::Result;
use mixlake_app::ports::Catalog;
use mixlake_folder::FolderCatalog;
use mixlake_runtime::config::LakeConfig;
use mixlake_runtime::settings::table::{GLUE_DATABASE, PROJECT_ID};
use mixlake_runtime::settings::{Problems, Settings};
use std::collections::BTreeSet;
use std::path::Path;

/// A table of the catalog: whose it is, and what stands before its name.
struct Known {
    project: String,
    prefix: String,
}

/// Refuses a project whose tables would have the names of another one's.
pub async fn check(lake: &Lake, config: &LakeConfig, settings: &Settings) -> Result<()> {
    if lake.place.contains("://") {
        return Ok(());
    }
    let projects = projects(Path::new(&lake.place));
    if projects.iter().all(|project| project == config.project.as_str()) {
        return Ok(());
    }
    let catalog = FolderCatalog::new(&lake.place, &config.database)?;
    let mut known = Vec::new();
    for name in catalog.tables("").await? {
        // A table that cannot be read is nobody's. An export does not need it; `mixlake catalog` tells.
        let location = catalog.table(&name).await.ok().flatten().map(|table| table.location);
        known.extend(location.and_then(|location| owner(&name, &location)));
    }
    let ours = (config.project.as_str(), &*config.table_prefix);
    let Some(other) = collision(ours, settings.has(&GLUE_DATABASE), &projects, &known) else {
        return Ok(());
    };
    let what = format!(
        "the lake has the tables of project {other}, and those of project {} would have the same \
         names; set another glue_table_prefix for one of them, or use another --lake",
        ours.0
    );
    Err(Problems::one(PROJECT_ID.name, what).into())
}

/// The projects that the folder has.
fn projects(lake: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(lake).into_iter().flatten().flatten();
    let has = |folder: &Path, name: &str| folder.join("schema").join(name).is_file();
    let projects =
        entries.filter(|entry| lake::REGISTRIES.iter().any(|name| has(&entry.path(), name)));
    projects.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Whose a table is: its folder lies in the project's, and its name ends as that of its folder.
fn owner(name: &str, location: &str) -> Option<Known> {
    let mut folders = location.trim_end_matches('/').rsplit('/');
    let (table, project) = (folders.next()?, folders.next()?.to_owned());
    let prefix = name.strip_suffix(table)?.to_owned();
    Some(Known { project, prefix })
}

/// The project whose tables have the names that ours would have. One without tables in the catalog
/// will have the default names, as far as anybody can tell.
fn collision<'a>(
    (project, prefix): (&str, &str),
    own_database: bool,
    projects: &'a BTreeSet<String>,
    known: &[Known],
) -> Option<&'a str> {
    let has = |project: &str, prefix: &str| {
        known.iter().any(|table| table.project == project && table.prefix == prefix)
    };
    if has(project, prefix) {
        return None;
    }
    let mut others = projects.iter().map(|other| &**other).filter(|other| *other != project);
    others.find(|other| {
        let in_catalog = known.iter().any(|table| table.project == *other);
        let by_default = !in_catalog && prefix.is_empty() && !own_database;
        has(other, prefix) || by_default
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::alone("1", "", false, &["1"], &[], None)]
    #[case::first_has_tables("2", "", false, &["1", "2"], &[("1", "")], Some("1"))]
    #[case::first_has_a_prefix("2", "", false, &["1"], &[("1", "one_")], None)]
    #[case::second_has_a_prefix("2", "two_", false, &["1"], &[("1", "")], None)]
    #[case::same_prefix("2", "two_", false, &["1"], &[("1", "two_")], Some("1"))]
    #[case::no_table_yet("2", "", false, &["1"], &[], Some("1"))]
    #[case::no_table_yet_and_a_prefix("2", "two_", false, &["1"], &[], None)]
    #[case::no_table_in_its_own_database("2", "", true, &["1"], &[], None)]
    #[case::the_owner_goes_on("1", "", false, &["1", "2"], &[("1", "")], None)]
    fn tables_of_two_projects_do_not_meet(
        #[case] project: &str,
        #[case] prefix: &str,
        #[case] own_database: bool,
        #[case] projects: &[&str],
        #[case] known: &[(&str, &str)],
        #[case] expected: Option<&str>,
    ) {
        let projects = projects.iter().map(|project| (*project).to_owned()).collect();
        let known: Vec<Known> = known
            .iter()
            .filter_map(|(project, prefix)| {
                owner(
                    &format!("{prefix}mp_master_event"),
                    &format!("/lake/{project}/mp_master_event/"),
                )
            })
            .collect();
        assert_eq!(collision((project, prefix), own_database, &projects, &known), expected);
    }
}
