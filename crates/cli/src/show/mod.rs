//! What a person sees. Texts are made by functions without I/O, and printed here.

mod backfill;
mod catalog;
mod collect;
mod compact;
mod erasure;
mod export;
mod identities;
mod meter;
mod profiles;
mod progress;
mod sql;
mod stack;
mod status;
mod words;

pub use backfill::{local, local_note};
pub use catalog::tables;
pub use collect::collection;
pub use compact::compaction;
pub use erasure::erasure;
pub use export::{Run, export};
pub use identities::identities;
pub use meter::{Meter, Metered};
pub use profiles::profiles;
pub use progress::{Progress, Watched};
pub use sql::views;
pub use stack::{begun, canceled, command, ended, switched};
pub use status::{status, timeline};
pub use words::{dates, shell};

use serde_json::Value;
use std::io::{self, Write};

/// Prints a text on standard output. What a terminal would obey is shown escaped.
pub fn text(text: &str) -> anyhow::Result<()> {
    print(words::clean(text).as_bytes())
}

/// Prints a JSON document on standard output.
pub fn json(value: &Value) -> anyhow::Result<()> {
    print(format!("{value:#}\n").as_bytes())
}

/// Prints statements on standard output, exactly as they are.
pub fn statements(text: &str) -> anyhow::Result<()> {
    print(text.as_bytes())
}

/// Prints a line on standard error, beside a result on standard output.
pub fn note(text: &str) {
    // Standard error may be closed; the work goes on.
    writeln!(io::stderr().lock(), "{}", words::clean(text)).unwrap_or_default();
}

/// Prints an error and its causes on standard error.
pub fn error(error: &anyhow::Error) {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    let text = words::clean(&chain.join(": ")).into_owned();
    // Standard error may be closed; there is nowhere else to say so.
    writeln!(io::stderr().lock(), "mixlake: {text}").unwrap_or_default();
}

/// Whoever reads the output may stop (`| head`): that is no failure of the command.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
