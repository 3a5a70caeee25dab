//! `mixlake export --set data_source=people`: profiles of users and groups.

use crate::arguments::Export;
use crate::export::{ACCOUNT, Work, account_problem};
use crate::{input, lake, neighbours, show};
use anyhow::Result;
use mixlake_app::export::{OnEmpty, Safeguards};
use mixlake_app::ports::{ObjectStore, ProfileSource};
use mixlake_app::profiles::ProfilesReport;
use mixlake_app::runs::Why;
use mixlake_mixpanel::Credentials;
use mixlake_runtime::config::{ProfileTable, ProfilesConfig};
use mixlake_runtime::settings::table::DATA_SOURCE;
use mixlake_runtime::settings::{Problems, Settings};
use mixlake_runtime::{
    Caller, Clients, Failure, ProfileRun, export_profiles, of_group, profiles_summary,
};
use std::sync::Arc;

/// Exports the profiles asked for. Answers whether every table is published.
pub async fn run(
    arguments: Export,
    work: Work,
    settings: &Settings,
    problems: Problems,
    account: Option<String>,
    verbose: bool,
) -> Result<bool> {
    let (config, tables) = check(&arguments, work, settings, account.as_deref(), problems)?;
    neighbours::check(&arguments.lake, &config.lake, settings).await?;
    let mut progress = show::Progress::new(verbose);
    let clients = Clients::new(config.lake.access.clone(), lake::SESSION);
    let store = lake::store(&arguments.lake, settings, &clients).await?;
    let report = if arguments.input.is_empty() {
        let credentials = match (account, &config.secret) {
            (None, Some(secret)) => clients.credentials(secret).await?,
            (pair, _) => Credentials::from_pair(&pair.unwrap_or_default())?,
        };
        let source = |table: &ProfileTable| -> Result<Box<dyn ProfileSource>, Failure> {
            let (credentials, store) = (credentials.clone(), Arc::clone(&store));
            Ok(Box::new(config.profiles(credentials, table, Caller::person(), store)?))
        };
        export_profiles(&config, &*store, &tables, source, how(&arguments, &config)).await?
    } else {
        let files = input::profiles(&arguments, &mut progress)?;
        let source = |_: &ProfileTable| -> Result<Box<dyn ProfileSource>, Failure> {
            Ok(Box::new(files.clone()))
        };
        export_profiles(&config, &*store, &tables, source, how(&arguments, &config)).await?
    };
    drop(progress);
    print(&arguments, &report, &config, &*store)?;
    Ok(report.is_whole())
}

fn print(
    arguments: &Export,
    report: &ProfilesReport,
    config: &ProfilesConfig,
    store: &dyn ObjectStore,
) -> Result<()> {
    if arguments.lake.json {
        return show::json(&profiles_summary(report));
    }
    let root = store.location(config.lake.layout.root());
    let next = lake::command("catalog", &arguments.lake, &[]);
    show::text(&show::profiles(report, &|key| store.location(key), &root, &next))
}

/// How profiles are exported. A source says what is true; a file may be the wrong one.
fn how(arguments: &Export, config: &ProfilesConfig) -> ProfileRun {
    let safeguards = config.safeguards;
    if arguments.input.is_empty() {
        return ProfileRun { time: None, safeguards, why: Some(Why::Manual) };
    }
    let empty = if arguments.allow_empty { OnEmpty::Allow } else { safeguards.empty };
    let safeguards = Safeguards { empty, fewer_rows: arguments.replace, ..safeguards };
    // Reading files is no run of the pipeline.
    ProfileRun { time: None, safeguards, why: None }
}

/// Checks everything there is to check before any work, and tells all problems at once.
fn check(
    arguments: &Export,
    work: Work,
    settings: &Settings,
    account: Option<&str>,
    mut problems: Problems,
) -> Result<(ProfilesConfig, Vec<ProfileTable>), Problems> {
    input::check(&arguments.input, &mut problems);
    match work {
        Work::Export => {}
        Work::Sync | Work::Backfill => {
            let what = "profiles have no days: each export takes all of them; use mixlake export";
            problems.add(DATA_SOURCE.name, what);
        }
    }
    for (name, given) in [
        ("--from-date", arguments.from_date.is_some()),
        ("--to-date", arguments.to_date.is_some()),
        ("--hour", arguments.hour.is_some()),
    ] {
        if given && work == Work::Export {
            let what = "profiles have no dates: each export takes all of them; leave it out with data_source=people";
            problems.add(name, what);
        }
    }
    if arguments.force {
        problems
            .add("--force", "profiles are always fetched; leave it out with data_source=people");
    }
    if arguments.input.is_empty()
        && let Some(what) = account_problem(account, settings)
    {
        problems.add(ACCOUNT, what);
    }
    match ProfilesConfig::check(settings) {
        Ok(config) => {
            let tables = tables(arguments, &config).unwrap_or_else(|what| {
                problems.add("--group", what);
                Vec::new()
            });
            problems.into_result((config, tables))
        }
        Err(others) => {
            problems.extend(others);
            Err(problems)
        }
    }
}

/// The tables that are asked for. Files are of users, or of the group key that is named.
fn tables(arguments: &Export, config: &ProfilesConfig) -> Result<Vec<ProfileTable>, String> {
    let from_files = !arguments.input.is_empty();
    match &arguments.group {
        Some(key) if from_files => {
            Ok(vec![ProfileTable { name: config.table_of(key)?, group: None }])
        }
        Some(key) => Ok(vec![of_group(key, config)?]),
        None if from_files => Ok(config.tables[..1].to_vec()),
        None => Ok(config.tables.clone()),
    }
}
