//! `mixlake collect`.

use crate::arguments::Collect;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::doctor::{Collection, Doctor};
use mixlake_app::ports::ObjectStore;
use mixlake_domain::{Date, Zone};
use mixlake_runtime::settings::{Problems, Settings};
use mixlake_runtime::{Clients, request};
use serde_json::{Value, json};

/// Deletes what nobody can need any more. Answers whether everything could be deleted.
pub async fn run(arguments: Collect) -> Result<bool> {
    let dates = dates(&arguments);
    let (settings, clients) = match (lake::checked(&arguments.lake), &dates) {
        (Ok(checked), _) => checked,
        (Err(mut problems), dates) => {
            problems.extend(dates.as_ref().err().cloned().unwrap_or_default());
            return Err(problems.into());
        }
    };
    let dates = dates?;
    let store = lake::store(&arguments.lake, &settings, &clients).await?;
    let mut collections = Vec::new();
    for settings in lake::projects(&settings, &*store).await? {
        collections.push(project(&arguments, &settings, &clients, &*store, dates).await?);
    }
    if arguments.lake.json {
        let of_project = |(project, collection): &(String, Collection)| {
            let mut document = json!(collection);
            document["project"] = json!(project);
            document
        };
        let projects: Vec<Value> = collections.iter().map(of_project).collect();
        show::json(&json!({ "projects": projects }))?;
    } else {
        let texts: Vec<String> = collections.iter().map(|(_, it)| show::collection(it)).collect();
        show::text(&texts.concat())?;
    }
    Ok(collections.iter().all(|(_, collection)| collection.failed.is_empty()))
}

/// The first and the last date, if they were given.
fn dates(arguments: &Collect) -> Result<Option<(Date, Date)>, Problems> {
    let (Some(from), Some(to)) = (&arguments.from_date, &arguments.to_date) else {
        return Ok(None);
    };
    let days = request::days(("--from-date", from), ("--to-date", to), &Zone::UTC, None)?;
    let dates = days.first().zip(days.last());
    Ok(dates.map(|(first, last)| (first.date(), last.date())))
}

async fn project(
    arguments: &Collect,
    settings: &Settings,
    clients: &Clients,
    store: &dyn ObjectStore,
    dates: Option<(Date, Date)>,
) -> Result<(String, Collection)> {
    let config = lake::config(settings)?;
    let catalog = lake::catalog(&arguments.lake, clients, &config.database).await?;
    let lake = lake::reconciler(store, &*catalog, &config);
    if lake::is_folder(&arguments.lake) {
        // No notification tells the catalog of a folder where the live files are.
        lake.reconcile_all().await?;
    }
    let now = mixlake_runtime::now().into();
    let doctor = Doctor { lake, engines: &[], deep: false, now, grace: lake::grace(settings)? };
    Ok((config.project.to_string(), doctor.collect(dates).await?))
}
