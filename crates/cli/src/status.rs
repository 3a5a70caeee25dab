//! `mixlake status` and `mixlake timeline`.

use crate::arguments::Lake;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::ports::ObjectStore;
use mixlake_app::status::{Calendar, Inspector, LakeStatus, Timeline};
use mixlake_runtime::config::{ExportConfig, LakeConfig};
use mixlake_runtime::now;
use mixlake_runtime::settings::Settings;
use mixlake_runtime::settings::table::{INGESTION_START, LATE_DATA, TIMEZONE};
use serde::Serialize;
use serde_json::{Value, json};

/// Prints the slices of each project by their state. Answers whether every document could be read.
pub async fn status(arguments: Lake) -> Result<bool> {
    let (settings, clients) = lake::checked(&arguments)?;
    let store = lake::store(&arguments, &settings, &clients).await?;
    let mut projects: Vec<(String, LakeStatus)> = Vec::new();
    for settings in lake::projects(&settings, &*store).await? {
        let config = LakeConfig::check(&settings)?;
        projects.push((config.project.to_string(), of_project(&settings, &config, &*store).await?));
    }
    let are_read = projects.iter().all(|(_, status)| status.unreadable.is_empty());
    if arguments.json {
        show::json(&document(&projects))?;
    } else {
        let doctor = lake::command("doctor", &arguments, &[]);
        let texts: Vec<String> =
            projects.iter().map(|(project, it)| show::status(project, it, &doctor)).collect();
        show::text(&texts.join("\n"))?;
    }
    Ok(are_read)
}

/// Prints the dates of each project. Answers whether every document could be read.
pub async fn timeline(arguments: Lake) -> Result<bool> {
    let (settings, clients) = lake::checked(&arguments)?;
    let store = lake::store(&arguments, &settings, &clients).await?;
    let mut projects: Vec<(String, Timeline)> = Vec::new();
    for settings in lake::projects(&settings, &*store).await? {
        let config = LakeConfig::check(&settings)?;
        let inspector = Inspector { store: &*store, layout: &config.layout };
        projects.push((config.project.to_string(), inspector.timeline().await?));
    }
    let are_read = projects.iter().all(|(_, timeline)| timeline.unreadable.is_empty());
    if arguments.json {
        show::json(&document(&projects))?;
    } else {
        let doctor = lake::command("doctor", &arguments, &[]);
        let texts: Vec<String> =
            projects.iter().map(|(project, it)| show::timeline(project, it, &doctor)).collect();
        show::text(&texts.join("\n"))?;
    }
    Ok(are_read)
}

/// The zone and the kind of the slices come from the lake, and how often they are exported from the settings.
async fn of_project(
    settings: &Settings,
    lake: &LakeConfig,
    store: &dyn ObjectStore,
) -> Result<LakeStatus> {
    let inspector = Inspector { store, layout: &lake.layout };
    let calendar = inspector.calendar(&lake.project).await?;
    let mut settings = settings.clone();
    let mut unread = Vec::new();
    match calendar {
        Ok(Calendar { zone, ingestion_start }) => {
            if let Some(zone) = zone {
                settings.set(&TIMEZONE, &zone);
            }
            if let Some(start) = ingestion_start {
                settings.set(&LATE_DATA, "ingestion_cursor");
                settings.set(&INGESTION_START, &start.to_string());
            }
        }
        Err(document) => unread.push(document),
    }
    let config = ExportConfig::check(&settings)?;
    let now = now();
    let expected = |first, last| config.expected_between(first, last, now);
    let mut status = inspector.status(now, &config.zone, expected).await?;
    status.unreadable.extend(unread);
    Ok(status)
}

fn document<T: Serialize>(projects: &[(String, T)]) -> Value {
    let of_project = |(project, of): &(String, T)| {
        let mut document = json!(of);
        document["project"] = json!(project);
        document
    };
    json!({"projects": projects.iter().map(of_project).collect::<Vec<_>>()})
}
