#![doc = include_str!("../README.md")]

mod arguments;
mod backfill;
mod catalog;
mod collect;
mod compact;
mod create;
mod doctor;
mod erase;
mod export;
mod identities;
mod input;
mod lake;
mod neighbours;
mod profiles;
mod show;
mod sql;
mod stack;
mod statements;
mod status;

use arguments::{Arguments, Command};
use clap::Parser;
use export::Work;
use mixlake_runtime::settings;
use mixlake_stack::Power;
use std::process::ExitCode;

/// As in the export function.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The credentials of Mixpanel.
#[expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
fn account() -> Option<String> {
    std::env::var(export::ACCOUNT).ok()
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    mixlake_runtime::logs::text(arguments.verbose);
    let result = match arguments.command {
        Command::Export(export) => {
            export::run(export, Work::Export, account(), arguments.verbose).await
        }
        Command::Sync(sync) => {
            export::run(sync.into(), Work::Sync, account(), arguments.verbose).await
        }
        Command::Backfill(backfill) => backfill::run(backfill, account(), arguments.verbose).await,
        Command::Create(create) => create::run(&create),
        Command::Pause(of) => stack::switch(of, Power::Off).await,
        Command::Resume(of) => stack::switch(of, Power::On).await,
        Command::Cancel(of) => stack::cancel(of).await,
        Command::Catalog(catalog) => catalog::run(catalog, arguments.verbose).await,
        Command::Compact(compact) => compact::run(compact).await,
        Command::Doctor(doctor) => doctor::run(doctor).await,
        Command::Collect(collect) => collect::run(collect).await,
        Command::Status(lake) => status::status(lake).await,
        Command::Timeline(lake) => status::timeline(lake).await,
        Command::Identities(lake) => identities::run(lake).await,
        Command::Erase(erase) => erase::run(erase).await,
        Command::Sql(sql) => sql::run(sql).await,
        Command::Settings(form) if form.json => show::json(&settings::document()).map(|()| true),
        Command::Settings(_) => show::text(&settings::page()).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            show::error(&error);
            ExitCode::from(2)
        }
    }
}
