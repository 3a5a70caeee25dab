//! The arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Mixpanel events as typed, partitioned Parquet tables.
#[derive(Debug, Parser)]
#[command(name = "mixlake", version)]
pub struct Arguments {
    /// Log each step on standard error.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Export days of events into a lake. Exits with 0 if every slice is complete, with 1 if a slice
    /// failed, with 2 if the export could not start.
    Export(Export),
    /// Fetch closed days of events again, as whole days: late events appear, deleted ones disappear, and equal days
    /// are not written. Exits as export does.
    Sync(Sync),
    /// Export a range of days of any length, one query for each day that is not published. Waits for the query budget.
    /// Exits with 0 if every day is published afterwards, with 1 if not, with 2 if it could not start.
    Backfill(Backfill),
    /// Write the configuration of a deployment, which `sam deploy` reads. Nothing is deployed.
    Create(Create),
    /// Stop the schedules of a deployed stack. Nothing is lost: resume makes up for it.
    Pause(OfStack),
    /// Start the schedules of a deployed stack again.
    Resume(OfStack),
    /// Stop the running backfill of a deployed stack. Published days stay. Exits with 2 if none runs.
    Cancel(OfStack),
    /// Bring the catalog up to date with the lake, and print its tables.
    Catalog(Catalog),
    /// Find problems of a lake and its catalog. Exits with 1 if there is a problem.
    Doctor(Doctor),
    /// Delete replaced files that no query can still read, staged files and unfinished uploads of dead runs. Exits with
    /// 1 if something could not be deleted.
    Collect(Collect),
    /// Print which slices of a lake are published, being written, missing or failed. Exits with 1 if a document of
    /// the lake cannot be read.
    Status(Lake),
    /// Print when each date of a lake was exported and synced. Exits as status does.
    Timeline(Lake),
    /// Merge the files of days that have ended into few large ones, sorted by event and time. Exits with 0 if no
    /// day failed, with 1 if one did, with 2 if it could not start.
    Compact(Compact),
    /// Bring the table `mp_identity_mappings_data` up to date with the events of a lake. Exits with 0 if every day could
    /// be read, with 1 if not, with 2 if it could not start.
    Identities(Lake),
    /// Remove a person from a lake, and leave the person out of later exports. Exits with 0 also if nothing of the
    /// person is there, with 1 if a part of the lake could not be searched or changed.
    Erase(Erase),
    /// Print SQL for the tables in a query engine: how to reach them, and queries that name real tables,
    /// columns and dates of a lake.
    Sql(Sql),
    /// Print the reference of all settings.
    Settings(Settings),
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Files of JSON lines in the export API's form, plain or gzip; `-` is standard input. Each is read
    /// once, so a pipe works. Without this argument, events come from Mixpanel. With `--set data_source=people` the
    /// lines are profiles: the `results` of the engage API.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub input: Vec<PathBuf>,
    /// The first day, in the project's zone. Required for events; profiles have no dates.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from_date: Option<String>,
    /// The last day, included. Required for events.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to_date: Option<String>,
    /// Only this hour of each day, as `13`; `02b` is the second pass over an hour when clocks are set back.
    #[arg(long, value_name = "HH")]
    pub hour: Option<String>,
    /// Fetch published slices again. Files are always read.
    #[arg(long, conflicts_with = "input")]
    pub force: bool,
    /// With --input: replace a day, or a table of profiles, even if it has fewer rows afterwards.
    #[arg(long, requires = "input")]
    pub replace: bool,
    /// With --input: empty a day if the input has no event of it, or a table if it has no profile.
    #[arg(long, requires = "input")]
    pub allow_empty: bool,
    /// With `--set data_source=people`: only the profiles of this group key.
    #[arg(long, value_name = "KEY")]
    pub group: Option<String>,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub struct Sync {
    /// The first day, in the project's zone.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from_date: String,
    /// The last day, included. It must have ended.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to_date: String,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `backfill`.
#[derive(Debug, Args)]
pub struct Backfill {
    /// The first day, in the project's zone; 2010-01-01 or later.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from_date: String,
    /// The last day, included. It must have ended.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to_date: String,
    /// Fetch published days again too.
    #[arg(long)]
    pub force: bool,
    /// The deployed stack that exports the days. The backfill runs in AWS, and goes on if this command ends. Required
    /// without --local.
    #[arg(long, value_name = "NAME", required_unless_present = "local",
          conflicts_with_all = ["local", "place", "set"])]
    pub stack: Option<String>,
    /// Export the days here, without a stack.
    #[arg(long, requires = "place")]
    pub local: bool,
    /// With --local: a folder, or `s3://bucket/prefix`.
    #[arg(long = "lake", value_name = "DIR", requires = "local")]
    pub place: Option<String>,
    /// With --local: a setting; `mixlake settings` lists them.
    #[arg(long, value_name = "NAME=VALUE", requires = "local", long_help = settings())]
    pub set: Vec<String>,
    /// Print one JSON document at the end instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The name of the stack.
    #[arg(long, value_name = "NAME", default_value = "mixlake")]
    pub stack: String,
    /// A setting; `mixlake settings` lists them.
    #[arg(long, value_name = "NAME=VALUE", long_help = settings())]
    pub set: Vec<String>,
    /// A parameter of template.yaml that is no setting, such as `AlarmEmail` or `CreateDatabase`.
    #[arg(long, value_name = "NAME=VALUE")]
    pub parameter: Vec<String>,
    /// The file to write. What else it has stays.
    #[arg(long, value_name = "FILE", default_value = "samconfig.toml")]
    pub out: PathBuf,
    /// Replace other values that the file has.
    #[arg(long)]
    pub force: bool,
    /// Print one JSON document instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of every command that works on a deployed stack.
#[derive(Debug, Args)]
pub struct OfStack {
    /// The deployed stack, in the account and region that AWS tools use here.
    #[arg(long, value_name = "NAME")]
    pub stack: String,
    /// Print one JSON document instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `catalog`.
#[derive(Debug, Args)]
pub struct Catalog {
    /// Print `DuckDB` statements instead of text: a view for each table, over its live files.
    #[arg(long, conflicts_with = "json")]
    pub sql: bool,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Repair what can be repaired.
    #[arg(long)]
    pub repair: bool,
    /// How many hours replaced files stay, so that running queries can still read them. Without it, the setting
    /// `keep_replaced_hours`.
    #[arg(long, value_name = "HOURS")]
    pub keep_replaced: Option<u32>,
    /// Also read whole files, to find damage, and text that is too long for an engine. Takes time.
    #[arg(long)]
    pub deep: bool,
    /// An engine that reads the tables; may be repeated.
    #[arg(long = "engine", value_name = "ENGINE", value_enum,
          default_values = ["athena", "spectrum"])]
    pub engines: Vec<Engine>,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `collect`.
#[derive(Debug, Args)]
pub struct Collect {
    /// The first day whose replaced files are deleted. Without it, all days.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "to_date")]
    pub from_date: Option<String>,
    /// The last day, included.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from_date")]
    pub to_date: Option<String>,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `compact`.
#[derive(Debug, Args)]
pub struct Compact {
    /// The first day: a value of `mp_date`.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from_date: String,
    /// The last day, included. It has to have ended in the zone of the lake.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to_date: String,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// The identifiers of the person: values of `distinct_id`, `$user_id`, `$device_id` and other identity
    /// properties. A device is the same with `$device:` before it and without.
    #[arg(long, value_name = "ID", num_args = 1.., required = true)]
    pub distinct_id: Vec<String>,
    /// Also erase the other identifiers of the person, as far as the events of the lake tell them. Look at them first,
    /// with --dry-run.
    #[arg(long)]
    pub resolve: bool,
    /// Only search. Says the same and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Delete the replaced files at once. A query that reads them now may fail. Without it they are deleted after
    /// `keep_replaced_hours`.
    #[arg(long)]
    pub delete_now: bool,
    /// Where and how.
    #[command(flatten)]
    pub lake: Lake,
}

/// Arguments of `sql`.
#[derive(Debug, Args)]
pub struct Sql {
    /// The engine that runs the statements.
    #[arg(value_enum)]
    pub engine: QueryEngine,
    /// A folder, or `s3://bucket/prefix`: the statements name its tables, columns and dates. Without it they
    /// have words in angle brackets, which you replace.
    #[arg(long = "lake", value_name = "DIR")]
    pub place: Option<String>,
    /// With redshift: the role that reads Glue and the bucket, as an ARN, or `default` for the cluster's own.
    #[arg(long, value_name = "ARN")]
    pub iam_role: Option<String>,
    /// With redshift: the name of the external schema. Without it, the name of the Glue database.
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// A setting, as `glue_database` and `glue_table_prefix`; `mixlake settings` lists them.
    #[arg(long, value_name = "NAME=VALUE", long_help = settings())]
    pub set: Vec<String>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    pub json: bool,
}

/// An engine that runs statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryEngine {
    /// Amazon Redshift Spectrum.
    Redshift,
    /// Amazon Athena, or Trino.
    Athena,
    /// Apache Spark, as on EMR and in Glue jobs.
    Spark,
}

/// Arguments of `settings`.
#[derive(Debug, Args)]
pub struct Settings {
    /// Print one JSON document instead of text.
    #[arg(long)]
    pub json: bool,
}

/// An engine that reads the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Amazon Athena, or Trino.
    Athena,
    /// Amazon Redshift Spectrum.
    Spectrum,
}

/// Arguments of every command that works on a lake.
#[derive(Debug, Args)]
pub struct Lake {
    /// A folder, or `s3://bucket/prefix`.
    #[arg(long = "lake", value_name = "DIR")]
    pub place: String,
    /// A setting; `mixlake settings` lists them.
    #[arg(long, value_name = "NAME=VALUE", long_help = settings())]
    pub set: Vec<String>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    pub json: bool,
}

/// The help of `--set`, with the names that there are.
fn settings() -> String {
    let names = mixlake_runtime::settings::names().join(", ");
    format!("A setting; `mixlake settings` says what each accepts: {names}")
}
