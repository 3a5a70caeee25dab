//! `mixlake export` and `mixlake sync`, and what `mixlake backfill` shares with them.

use crate::arguments::{Export, Lake, Sync};
use crate::{input, lake, neighbours, profiles, show};
use anyhow::Result;
use mixlake_app::export::{ExportReport, OnEmpty, Safeguards};
use mixlake_app::ports::{EventSource, ObjectStore};
use mixlake_app::runs::Why;
use mixlake_domain::{Slice, Timestamp, Zone};
use mixlake_folder::{Accounts, FolderStore};
use mixlake_mixpanel::Credentials;
use mixlake_runtime::config::{ExportConfig, Pipeline, is_of_profiles};
use mixlake_runtime::settings::table::{
    EVENT_SOURCE, LATE_DATA, MIXPANEL_SECRET, PROJECT_ID, WHERE, rows,
};
use mixlake_runtime::settings::{EventOrigin, LateData, Place, Problems, Scope, Settings};
use mixlake_runtime::{
    Caller, Clients, HourOfDays, Run, export, hour_of_days, now, request, summary, sync,
};
use std::sync::Arc;
use std::time::Duration;

/// The variable with `username:secret`; a secret is never an argument, which other users can see.
pub const ACCOUNT: &str = "MIXPANEL_SERVICE_ACCOUNT";

/// What is done with the days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Those that are not published are exported.
    Export,
    /// All are fetched again, and the lake records when.
    Sync,
    /// Those that are not published are exported, however many; each must have ended.
    Backfill,
}

impl From<Sync> for Export {
    fn from(Sync { from_date, to_date, lake }: Sync) -> Self {
        let (from_date, to_date) = (Some(from_date), Some(to_date));
        let (input, hour, group) = (Vec::new(), None, None);
        let (force, replace, allow_empty) = (true, false, false);
        Self { input, from_date, to_date, hour, force, replace, allow_empty, group, lake }
    }
}

/// Exports or syncs the days asked for. Answers whether every slice is whole.
pub async fn run(
    arguments: Export,
    work: Work,
    account: Option<String>,
    verbose: bool,
) -> Result<bool> {
    let (mut settings, problems) = lake::settings(&arguments.lake);
    if !arguments.input.is_empty() {
        settings.set_if_absent(&PROJECT_ID, lake::LOCAL_PROJECT);
    }
    if is_of_profiles(&settings) {
        let exported = profiles::run(arguments, work, &settings, problems, account, verbose);
        return Box::pin(exported).await;
    }
    let (config, asked) = check(&arguments, work, &settings, account.as_deref(), problems)?;
    let HourOfDays { slices, lacking } = asked;
    for error in &lacking {
        show::note(&error.to_string());
    }
    neighbours::check(&arguments.lake, &config.lake, &settings).await?;
    let mut progress = show::Progress::new(verbose);
    let clients = Clients::new(config.lake.access.clone(), lake::SESSION);
    let store = lake::store(&arguments.lake, &settings, &clients).await?;
    let (source, accounts): (Box<dyn EventSource>, _) = if arguments.input.is_empty() {
        (source(&clients, &config, account, &store, Caller::person()).await?, None)
    } else {
        // Nothing else is at work that this could hold up.
        let (source, accounts) = input::read(&arguments, &config, &slices, &mut progress)?;
        (Box::new(source), Some(accounts))
    };
    let labels = slices.iter().map(Slice::label).collect();
    let source = show::Watched::new(source, labels, progress);
    let run = how(&arguments, work, &config);
    let report = match work {
        Work::Export | Work::Backfill => export(&config, &source, &*store, &slices, run).await?,
        Work::Sync => sync(&config, &source, &*store, &slices, run).await?,
    };
    drop(source);
    print(&arguments.lake, &report, accounts.as_ref(), &config, &*store)?;
    Ok(report.is_whole())
}

fn print(
    lake: &Lake,
    report: &ExportReport,
    accounts: Option<&Accounts>,
    config: &ExportConfig,
    store: &dyn ObjectStore,
) -> Result<()> {
    if lake.json {
        let mut document = summary(report);
        if let Some(accounts) = accounts {
            document["input"] = input::document(accounts);
        }
        return show::json(&document);
    }
    let run = show::Run {
        location: &|key| store.location(key),
        root: &store.location(config.lake.layout.root()),
        input: accounts,
        next: &lake::command("catalog", lake, &[]),
    };
    show::text(&show::export(report, &run))
}

/// How slices are exported. A source says what is true; a file may be the wrong one.
fn how(arguments: &Export, work: Work, config: &ExportConfig) -> Run {
    let safeguards = config.safeguards();
    if arguments.input.is_empty() {
        let why = Some(match work {
            Work::Export => Why::Manual,
            Work::Sync => Why::Sync,
            Work::Backfill => Why::Backfill,
        });
        return Run { force: arguments.force, time: None, safeguards, why };
    }
    let empty = if arguments.allow_empty { OnEmpty::Allow } else { OnEmpty::Refuse };
    let safeguards = Safeguards { empty, fewer_rows: arguments.replace, ..safeguards };
    // Reading files is no run of the pipeline.
    Run { force: true, time: None, safeguards, why: None }
}

/// Checks everything there is to check before any work, and tells all problems at once.
pub fn check(
    arguments: &Export,
    work: Work,
    settings: &Settings,
    account: Option<&str>,
    mut problems: Problems,
) -> Result<(ExportConfig, HourOfDays), Problems> {
    let from_files = !arguments.input.is_empty();
    input::check(&arguments.input, &mut problems);
    if from_files && settings.has(&WHERE) {
        problems.add(WHERE.name, "only Mixpanel can evaluate it; leave it out with --input");
    }
    if settings.get(&LATE_DATA) == Some(LateData::IngestionCursor) {
        if from_files {
            problems.add(
                LATE_DATA.name,
                "only Mixpanel can select events by processing time; leave it out with --input",
            );
        } else if work == Work::Sync {
            problems.add(
                LATE_DATA.name,
                "with ingestion_cursor, late events have their own slices, so no day is fetched again",
            );
        }
    }
    let from_pipeline = settings.get(&EVENT_SOURCE) == Some(EventOrigin::RawPipeline);
    if from_files && from_pipeline {
        problems
            .add(EVENT_SOURCE.name, "--input already says where events come from; leave it out");
    }
    let asks = !from_files && !from_pipeline;
    if let Some(what) = account_problem(account, settings).filter(|_| asks) {
        problems.add(ACCOUNT, what);
    }
    for row in rows().filter(|row| row.scope() == Scope::Profiles && settings.has(*row)) {
        problems.add(row.name(), "has an effect only with data_source=people");
    }
    if arguments.group.is_some() {
        problems.add("--group", "events have no group key; it goes with --set data_source=people");
    }
    let config = match ExportConfig::check(settings) {
        Ok(config) => Some(config),
        Err(others) => {
            problems.extend(others);
            None
        }
    };
    let zone = config.as_ref().map_or(Zone::UTC, |config| config.zone.clone());
    let margin = config.as_ref().map_or(Duration::ZERO, ExportConfig::margin);
    let asked = asked(arguments, work, &zone, (now(), margin)).unwrap_or_else(|others| {
        problems.extend(others);
        HourOfDays::default()
    });
    match config {
        Some(config) => {
            let slices = config.by_cursor(asked.slices);
            problems.into_result((config, HourOfDays { slices, ..asked }))
        }
        None => Err(problems),
    }
}

/// What is wrong with the credentials, if they are needed.
pub fn account_problem(account: Option<&str>, settings: &Settings) -> Option<String> {
    match account {
        Some(pair) => Credentials::from_pair(pair).err().map(|error| error.to_string()),
        None if settings.has(&MIXPANEL_SECRET) => None,
        None => {
            let what = "required to ask Mixpanel: username:secret of a service account \
                        (or set mixpanel_secret, or read files with --input)";
            Some(what.to_owned())
        }
    }
}

/// The slices that are asked for: days, or an hour of each.
fn asked(
    arguments: &Export,
    work: Work,
    zone: &Zone,
    now: (Timestamp, Duration),
) -> Result<HourOfDays, Problems> {
    let (from_date, to_date) = (arguments.from_date.as_deref(), arguments.to_date.as_deref());
    let mut problems = Problems::default();
    for (name, given) in [("--from-date", from_date), ("--to-date", to_date)] {
        if given.is_none() {
            problems.add(name, "required: a date such as 2026-11-10");
        }
    }
    problems.into_result(())?;
    let from = ("--from-date", from_date.unwrap_or_default());
    let to = ("--to-date", to_date.unwrap_or_default());
    // A file may hold what it likes; Mixpanel is not asked for what has not happened yet.
    let latest = arguments.input.is_empty().then_some(now);
    if let Some(hour) = &arguments.hour {
        return hour_of_days(("--hour", hour), from, to, zone, latest);
    }
    let days = match work {
        Work::Export => request::days(from, to, zone, latest)?,
        Work::Sync => {
            let days = request::days(from, to, zone, latest)?;
            request::closed(&days, zone).map(|()| days)?
        }
        Work::Backfill => request::whole_days(from, to, zone, now)?,
    };
    Ok(days.into())
}

/// Mixpanel, or the files of a pipeline.
pub async fn source(
    clients: &Clients,
    config: &ExportConfig,
    account: Option<String>,
    store: &Arc<dyn ObjectStore>,
    caller: Caller,
) -> Result<Box<dyn EventSource>> {
    if let Some(Pipeline { place, delay }) = &config.pipeline {
        let (files, prefix): (Arc<dyn ObjectStore>, &str) = match place {
            Place::Folder(folder) => (Arc::new(FolderStore::new(folder)?), ""),
            Place::Bucket { bucket, prefix } => {
                (Arc::new(clients.source(bucket.clone()).await?), prefix)
            }
        };
        return Ok(Box::new(config.pipeline(files, prefix, *delay)));
    }
    let credentials = match (account, &config.secret) {
        (None, Some(secret)) => clients.credentials(secret).await?,
        (pair, _) => Credentials::from_pair(&pair.unwrap_or_default())?,
    };
    Ok(Box::new(config.source(credentials, caller, Arc::clone(store))?))
}
