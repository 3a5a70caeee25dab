//! `mixlake erase`.

use crate::arguments::Erase;
use crate::{lake, show};
use anyhow::{Context, Result};
use mixlake_app::doctor::{DeletedAtOnce, Doctor};
use mixlake_app::erase::{Eraser, ErasureReport, OldCopies, Status};
use mixlake_app::ports::{Clock, ObjectStore};
use mixlake_columnar::Salt;
use mixlake_domain::Target;
use mixlake_runtime::Clients;
use mixlake_runtime::config::LakeConfig;
use mixlake_runtime::settings::table::{CATALOG, PROJECT_ID};
use mixlake_runtime::settings::{CatalogBy, Problems, Settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the command did.
pub struct Done {
    pub report: ErasureReport,
    /// All identifiers, if they were searched for.
    pub resolved: Option<Vec<String>>,
    /// What became of the replaced files, if they were to go at once.
    pub at_once: Option<DeletedAtOnce>,
}

/// Erases a person. Answers whether all objects could be searched and changed.
pub async fn run(arguments: Erase) -> Result<bool> {
    let (settings, clients) = check(&arguments)?;
    let store = lake::store(&arguments.lake, &settings, &clients).await?;
    let settings = only_project(lake::projects(&settings, &*store).await?)?;
    let config = LakeConfig::check(&settings)?;
    if arguments.delete_now && config.catalog == CatalogBy::Crawler {
        let what = "with catalog=crawler, nothing proves that no reader is sent to a replaced file; leave out --delete-now";
        return Err(Problems::one(CATALOG.name, what).into());
    }
    let done = erase(&arguments, &settings, &config, &clients, &*store).await?;
    if arguments.lake.json {
        show::json(&document(&done, &config))?;
    } else {
        show::text(&show::erasure(&done, &|key| store.location(key)))?;
    }
    let all_went = done.at_once.is_none_or(|at_once| at_once.kept.is_empty());
    Ok(done.report.status != Status::Failed && all_went)
}

fn check(arguments: &Erase) -> Result<(Settings, Clients), Problems> {
    let mut problems = Problems::default();
    if arguments.distinct_id.iter().any(|id| id.trim().is_empty()) {
        problems.add("--distinct-id", "must not be empty");
    }
    match lake::checked(&arguments.lake) {
        Ok(checked) => {
            let mut settings = checked.0.clone();
            // Any project has the same grace.
            settings.set_if_absent(&PROJECT_ID, lake::LOCAL_PROJECT);
            problems.extend(lake::grace(&settings).err().unwrap_or_default());
            problems.into_result(checked)
        }
        Err(others) => {
            problems.extend(others);
            Err(problems)
        }
    }
}

/// The same identifier can be another person in another project.
fn only_project(mut projects: Vec<Settings>) -> Result<Settings, Problems> {
    if projects.len() == 1 {
        return Ok(projects.remove(0));
    }
    let ids: Vec<String> =
        projects.iter().filter_map(|it| Some(it.get(&PROJECT_ID)?.to_string())).collect();
    let what = format!("the lake has the projects {}; name one of them", ids.join(", "));
    Err(Problems::one(PROJECT_ID.name, what))
}

async fn erase(
    arguments: &Erase,
    settings: &Settings,
    config: &LakeConfig,
    clients: &Clients,
    store: &dyn ObjectStore,
) -> Result<Done> {
    let clock: Clock = Arc::new(mixlake_runtime::now);
    let eraser = Eraser {
        store,
        layout: &config.layout,
        project: &config.project,
        clock: &clock,
        salt: salt()?,
        keep_replaced: lake::grace(settings)?,
        dry_run: arguments.dry_run,
    };
    let mut identifiers = arguments.distinct_id.clone();
    if arguments.resolve {
        identifiers = eraser.resolve(&identifiers).await?;
    }
    let mut report = eraser.erase(&identifiers).await?;
    let mut at_once = None;
    if !arguments.dry_run && config.catalog == CatalogBy::Function {
        let catalog = lake::catalog(&arguments.lake, clients, &config.database).await?;
        let lake = lake::reconciler(store, &*catalog, config);
        if lake::is_folder(&arguments.lake) {
            // No notification tells the catalog of a folder where the live files are.
            lake.reconcile_all().await?;
        }
        if arguments.delete_now {
            let (now, grace) = (mixlake_runtime::now().into(), eraser.keep_replaced);
            let doctor = Doctor { lake, engines: &[], deep: false, now, grace };
            let targets: BTreeSet<Target> =
                report.old_copies.iter().map(OldCopies::target).collect();
            let deleted = doctor.delete_at_once(&targets).await?;
            if deleted.kept.is_empty() {
                report.last_copy_goes = None;
            }
            if !deleted.deleted.is_empty() {
                eraser.end_receipt(&report).await?;
            }
            at_once = Some(deleted);
        }
    }
    let resolved = arguments.resolve.then_some(identifiers);
    Ok(Done { report, resolved, at_once })
}

/// Random bytes for the hashes of a lake from which nobody was erased before.
fn salt() -> Result<Salt> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system gives no random bytes")?;
    Ok(Salt::new(random))
}

/// The report for programs, as documented in docs/REPORT.md.
fn document(done: &Done, config: &LakeConfig) -> Value {
    let mut document = json!(done.report);
    document["project"] = json!(config.project.to_string());
    if let Some(resolved) = &done.resolved {
        document["resolved"] = json!(resolved);
    }
    if let Some(DeletedAtOnce { deleted, kept }) = &done.at_once {
        document["deleted"] = json!(deleted);
        let kept = kept.iter().map(|(target, reason)| {
            json!({"table": target.table, "mp_date": target.date, "reason": reason})
        });
        document["kept"] = kept.collect();
    }
    document
}
