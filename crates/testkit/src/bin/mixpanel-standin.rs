//! Serves files of events like Mixpanel's Raw Event Export API, and files of profiles like its engage
//! API, on 127.0.0.1.

use anyhow::Context;
use clap::Parser;
use mixlake_testkit::mixpanel::{Data, Limits, Profiles, StandIn, StandInConfig};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use tokio::sync::oneshot;

/// A stand-in for Mixpanel's Raw Event Export API and engage API. Prints the address that it listens on, and serves
/// until it is stopped.
#[derive(Parser)]
struct Arguments {
    /// A file of JSON lines, plain or gzip, as the API would send them; can be repeated
    #[arg(long, required_unless_present = "profiles", value_name = "FILE")]
    data: Vec<PathBuf>,
    /// A file with the profiles of users, plain or gzip: lines as in `results` of the engage API
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,
    /// A file with the profiles of the groups of one key, by the key's `data_group_id`; can be repeated
    #[arg(long, value_name = "ID=FILE", value_parser = group)]
    group: Vec<(String, PathBuf)>,
    /// How many profiles a full page has
    #[arg(long, default_value = "1000")]
    page_size: NonZeroUsize,
    /// The TCP port on 127.0.0.1; 0 selects a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The project that the events belong to
    #[arg(long)]
    project_id: String,
    /// The user name of the service account
    #[arg(long)]
    username: String,
    /// The secret of the service account
    #[arg(long)]
    secret: String,
    /// Also accept a project secret: as user name, with an empty password
    #[arg(long)]
    project_secret: Option<String>,
    /// Queries in any hour before 429
    #[arg(long, default_value_t = Limits::REAL.per_hour)]
    queries_per_hour: usize,
    /// Queries in any second before 429
    #[arg(long, default_value_t = Limits::REAL.per_second)]
    queries_per_second: usize,
    /// Stop when standard input closes, so that the stand-in does not outlive the program that started
    /// it
    #[arg(long)]
    exit_with_stdin: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let exit_with_stdin = arguments.exit_with_stdin;
    let server = StandIn::start(config(arguments)?).await.context("cannot listen")?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", server.url())?;
    stdout.flush()?;
    if exit_with_stdin {
        stdin_closed().await;
    } else {
        std::future::pending::<()>().await;
    }
    Ok(())
}

fn config(arguments: Arguments) -> anyhow::Result<StandInConfig> {
    let data = Data::load(&arguments.data).context("cannot read --data")?;
    let profiles = arguments.profiles.as_deref().map(Profiles::load).transpose();
    let groups = arguments.group.into_iter().map(|(id, file)| Ok((id, Profiles::load(&file)?)));
    Ok(StandInConfig {
        profiles: profiles.context("cannot read --profiles")?.unwrap_or_default(),
        groups: groups.collect::<io::Result<_>>().context("cannot read --group")?,
        page_size: arguments.page_size.get(),
        project_id: arguments.project_id,
        username: arguments.username,
        secret: arguments.secret,
        project_secret: arguments.project_secret,
        limits: Limits {
            per_hour: arguments.queries_per_hour,
            per_second: arguments.queries_per_second,
        },
        port: arguments.port,
        ..StandInConfig::new(data)
    })
}

fn group(argument: &str) -> Result<(String, PathBuf), String> {
    let (id, file) = argument.split_once('=').ok_or("must be ID=FILE")?;
    Ok((id.to_owned(), file.into()))
}

/// In a thread of its own: reading standard input blocks, and must not delay the end of the runtime.
async fn stdin_closed() {
    let (closed, closing) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut ignored = [0; 1024];
        while matches!(stdin.read(&mut ignored), Ok(1..)) {}
        drop(closed);
    });
    let _ = closing.await;
}
