//! `mixlake identities`.

use crate::arguments::Lake;
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::identities::{IdentitiesReport, IdentityBounds, IdentityMapper};
use mixlake_app::ports::{Clock, ObjectStore};
use mixlake_runtime::config::{IdentitiesConfig, LakeConfig};
use mixlake_runtime::now;
use serde_json::{Value, json};
use std::sync::Arc;

/// Brings the table of identities of each project up to date. Answers whether no day failed.
pub async fn run(arguments: Lake) -> Result<bool> {
    let checked = (lake::checked(&arguments), lake::settings(&arguments).0);
    let identities = IdentitiesConfig::check(&checked.1);
    let ((settings, clients), identities) = match (checked.0, identities) {
        (Ok(checked), Ok(identities)) => (checked, identities),
        (Err(mut problems), Err(others)) => {
            problems.extend(others);
            return Err(problems.into());
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => return Err(problems.into()),
    };
    let store = lake::store(&arguments, &settings, &clients).await?;
    let mut reports = Vec::new();
    for settings in lake::projects(&settings, &*store).await? {
        // A crawler reads replaced folders too, so each identifier would appear several times.
        let config = lake::config(&settings)?;
        let report = project(&config, identities, &*store).await?;
        reports.push((config.project.to_string(), report));
    }
    if arguments.json {
        let of_project = |(project, report): &(String, IdentitiesReport)| {
            let mut document = report.document();
            document["project"] = json!(project);
            document
        };
        let projects: Vec<Value> = reports.iter().map(of_project).collect();
        show::json(&json!({ "projects": projects }))?;
    } else {
        let next = lake::command("catalog", &arguments, &[]);
        let texts = reports.iter().map(|(_, report)| show::identities(report, &next));
        show::text(&texts.collect::<String>())?;
    }
    Ok(reports.iter().all(|(_, report)| report.is_whole()))
}

async fn project(
    config: &LakeConfig,
    identities: IdentitiesConfig,
    store: &dyn ObjectStore,
) -> Result<IdentitiesReport> {
    let clock: Clock = Arc::new(now);
    let scratch = std::env::temp_dir();
    let mapper = IdentityMapper {
        store,
        layout: &config.layout,
        options: &identities.options(&config.project, env!("CARGO_PKG_VERSION")),
        merge: identities.merge,
        bounds: IdentityBounds::default(),
        clock: &clock,
        ends: None,
        scratch: &scratch,
    };
    Ok(mapper.run().await?)
}
