//! Serves files of events like Mixpanel's Raw Event Export API, on 127.0.0.1.

use anyhow::Context;
use clap::Parser;
use mixlake_testkit::mixpanel::{Data, Limits, StandIn, StandInConfig};
use std::io::{Read, Write};
use std::path::PathBuf;
use tokio::sync::oneshot;

/// A stand-in for Mixpanel's Raw Event Export API. Prints the address that it listens on, and serves
/// until it is stopped.
#[derive(Parser)]
struct Arguments {
    /// A file of JSON lines, plain or gzip, as the API would send them; can be repeated
    #[arg(long, required = true, value_name = "FILE")]
    data: Vec<PathBuf>,
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
    let mut stdout = std::io::stdout();
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
    Ok(StandInConfig {
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

/// In a thread of its own: reading standard input blocks, and must not delay the end of the runtime.
async fn stdin_closed() {
    let (closed, closing) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut ignored = [0; 1024];
        while matches!(stdin.read(&mut ignored), Ok(1..)) {}
        drop(closed);
    });
    let _ = closing.await;
}
