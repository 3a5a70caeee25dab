//! Checked settings: what the use-cases are told. A value of a type here cannot be wrong.

use crate::contracts::contracts;
use crate::request::Terms;
use crate::settings::{Problems, Reader, Settings};
use mixlake_app::budget::Limits;
use mixlake_app::export::{Expected, Safeguards};
use mixlake_app::reconcile::OnDrift;
use mixlake_columnar::{Bounds, Compression, EventNameForm, Options, SchemaType, TimeType};
use mixlake_domain::{Basis, DataFormat, Date, Layout, ProjectId, Slice, Zone};
use mixlake_mixpanel::{Endpoint, EventNames, EventTime, Residency, WhereExpression};
use mixlake_schema::Profile;
use std::num::NonZero;
use std::time::Duration;

/// What every use-case needs.
#[derive(Debug, Clone)]
pub struct LakeConfig {
    /// Whose events.
    pub project: ProjectId,
    /// Where in the store.
    pub layout: Layout,
    /// The Glue database.
    pub database: String,
    /// What goes before every table name.
    pub table_prefix: String,
    /// Who describes the tables.
    pub catalog: CatalogBy,
    /// What to do about a table that somebody has changed so that it does not fit its files.
    pub on_drift: OnDrift,
}

/// Who describes the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogBy {
    /// The catalog function.
    Function,
    /// A Glue crawler; the tables are not ours to touch.
    Crawler,
}

/// What an export needs beside.
#[derive(Debug, Clone)]
pub struct ExportConfig {
    /// What every use-case needs.
    pub lake: LakeConfig,
    /// The zone whose days and hours are the slices.
    pub zone: Zone,
    /// How events become rows.
    pub options: Options,
    /// The length of a scheduled slice.
    pub frequency: Frequency,
    /// Where Mixpanel is.
    pub endpoint: Endpoint,
    /// The name of the secret with the credentials.
    pub secret: Option<String>,
    /// The events to fetch.
    pub events: EventNames,
    /// A further condition on them.
    pub where_expression: Option<WhereExpression>,
    /// What the times of the project's events mean.
    pub event_time: EventTime,
    /// How many queries Mixpanel answers.
    pub limits: Limits,
    /// The pipeline whose files are read in the place of Mixpanel's API.
    pub pipeline: Option<Pipeline>,
    /// From when on slices are of the time at which events were processed, if ever.
    pub cursor: Option<Cursor>,
    /// How long after its end a scheduled slice of Mixpanel's API is exported.
    pub export_delay: Duration,
    /// How many days back a scheduled run looks for slices that are not published.
    pub catch_up_days: u32,
    /// The share of lines that may be bad.
    pub quarantine_share: f64,
}

/// The slices of ingestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The first date of them.
    pub start: Date,
    /// How long before they were processed events may have happened, in days.
    pub window_days: u32,
    /// How long after its end a slice is exported.
    pub margin: Duration,
}

/// The files of a JSON pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Where they are.
    pub place: Place,
    /// How long after the end of a slice all of it is there.
    pub delay: Duration,
}

/// A bucket or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `s3://bucket/prefix`.
    Bucket {
        /// The bucket.
        bucket: String,
        /// Empty, or ending in `/`.
        prefix: String,
    },
    /// A folder; only the command line reads one.
    Folder(String),
}

impl ExportConfig {
    /// How long after its end a scheduled slice is exported.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let of_api = self.cursor.map_or(self.export_delay, |cursor| cursor.margin);
        self.pipeline.as_ref().map_or(of_api, |pipeline| pipeline.delay)
    }

    /// What an export that asks a source may do to live rows: the source says what is true.
    #[must_use]
    pub fn safeguards(&self) -> Safeguards {
        Safeguards { quarantine_share: self.quarantine_share, ..Safeguards::default() }
    }

    /// The slices that are expected of a date, as they are exported.
    pub(crate) fn expected_by_cursor(&self, expected: Expected) -> Expected {
        let Expected { date, slices, whole } = expected;
        let whole = whole.map(|whole| self.by_cursor(vec![whole]).remove(0));
        Expected { date, slices: self.by_cursor(slices), whole }
    }

    /// How long after its end any slice is exported, at the least.
    #[must_use]
    pub fn margin(&self) -> Duration {
        self.cursor.map_or(Duration::ZERO, |cursor| cursor.margin)
    }

    /// Which slices are there to be asked for.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms { frequency: self.frequency, delay: self.delay(), margin: self.margin() }
    }

    /// Slices as they are exported: those from the start of ingestion on are of ingestion.
    #[must_use]
    pub fn by_cursor(&self, slices: Vec<Slice>) -> Vec<Slice> {
        let basis = |slice: &Slice| match self.cursor {
            Some(cursor) if slice.date() >= cursor.start => Basis::Ingestion,
            _ => Basis::EventTime,
        };
        let by = |slice: Slice| {
            let basis = basis(&slice);
            slice.by(basis)
        };
        slices.into_iter().map(by).collect()
    }
}

/// The length of a scheduled slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// An hour.
    Hourly,
    /// A day.
    Daily,
}

impl LakeConfig {
    /// Checks all but the project, where every project of a lake is meant.
    pub fn check_lake(settings: &Settings) -> Result<(), Problems> {
        let mut settings = settings.clone();
        settings.set_default("project_id", "0");
        Self::check(&settings).map(|_| ())
    }

    /// Checks what every use-case needs.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let lake = lake(&mut reader);
        finish(reader, lake)
    }
}

impl ExportConfig {
    /// Checks what an export needs.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let config = export(&mut reader);
        finish(reader, config)
    }
}

/// The bucket that the settings name.
pub fn bucket(settings: &Settings) -> Result<String, Problems> {
    let mut reader = Reader::new(settings);
    let bucket = reader.required("s3_bucket", "the name of the lake's bucket");
    let bucket = bucket.map(str::to_owned);
    finish(reader, bucket)
}

fn finish<T>(reader: Reader<'_>, value: Option<T>) -> Result<T, Problems> {
    reader.problems.into_result(())?;
    value.ok_or_else(|| Problems::one("settings", "incomplete"))
}

fn lake(reader: &mut Reader<'_>) -> Option<LakeConfig> {
    for name in ["s3_role", "glue_role", "s3_kms_key_id"] {
        reader.not_yet(name);
    }
    reader.choice("data_source", &[("events", ())]);
    reader.choice("s3_encryption", &[("none", ())]);
    reader.choice("use_glue", &[("true", ())]);
    let catalog = reader
        .choice("catalog", &[("direct", CatalogBy::Function), ("crawler", CatalogBy::Crawler)]);
    let on_drift =
        reader.choice("on_drift", &[("fail", OnDrift::Fail), ("repair", OnDrift::Repair)]);
    reader.required("project_id", "the project's number, as in 2195193");
    let project = reader.parse("project_id", str::parse::<ProjectId>);
    let database = reader.parse("glue_database", |text| glue_name(text, 255));
    let table_prefix = reader.parse("glue_table_prefix", |text| glue_name(text, 64));
    let prefix = reader.text("s3_prefix").unwrap_or_default();
    let any = project.clone().or_else(|| "0".parse().ok())?;
    let layout = Layout::new(prefix, &any).map_err(|e| reader.problem("s3_prefix", e)).ok()?;
    Some(LakeConfig {
        project: project?,
        layout,
        database: database.unwrap_or_else(|| "mixpanel".to_owned()),
        table_prefix: table_prefix.unwrap_or_default(),
        catalog,
        on_drift,
    })
}

fn export(reader: &mut Reader<'_>) -> Option<ExportConfig> {
    let lake = lake(reader);
    reader.choice("sync", &[("false", ())]);
    let queries_per_hour = reader.parse("queries_per_hour", queries_per_hour).unwrap_or(60);
    let zone = match reader.text("timezone") {
        None => Some(Zone::UTC),
        Some(_) => reader.parse("timezone", Zone::parse),
    };
    let before_2023 = boolean(reader, "project_created_before_2023", false);
    let deduplicate = boolean(reader, "deduplicate", true);
    let frequency =
        reader.choice("frequency", &[("hourly", Frequency::Hourly), ("daily", Frequency::Daily)]);
    let profile = reader.choice(
        "schema_profile",
        &[("portable", Profile::Portable), ("mixpanel", Profile::Mixpanel)],
    );
    let schema_type = reader.choice(
        "schema_type",
        &[("monoschema", SchemaType::Monoschema), ("multischema", SchemaType::Multischema)],
    );
    let format =
        reader.choice("data_format", &DataFormat::ALL.map(|format| (format.name(), format)));
    let compression = compression(reader, profile);
    let contracts = reader.parse("contracts", contracts);
    let event_name = reader
        .choice("event_name", &[("cleaned", EventNameForm::Cleaned), ("raw", EventNameForm::Raw)]);
    let time_type = reader
        .choice("time_type", &[("timestamp", TimeType::Timestamp), ("bigint", TimeType::Bigint)]);
    let in_utc = reader.choice("mp_date_zone", &[("project", false), ("UTC", true)]);
    let endpoint = endpoint(reader);
    let events = events(reader);
    let where_expression = reader.parse("where", str::parse::<WhereExpression>);
    let secret = reader.parse("mixpanel_secret", secret_id);
    let pipeline = pipeline(reader);
    let cursor = cursor(reader);
    let export_delay = reader.parse("export_delay_minutes", |t| number(t, "minutes", 0, 1440));
    let catch_up_days = reader.parse("catch_up_days", |text| number(text, "days", 0, 60));
    let quarantine_share = reader.parse("max_quarantine_share", share);
    let (lake, zone) = (lake?, zone?);
    let options = Options {
        profile,
        schema_type,
        format,
        compression,
        event_name,
        time_type,
        date_zone: if in_utc { Zone::UTC } else { zone.clone() },
        wall_clock: before_2023.then(|| zone.clone()),
        deduplicate,
        // A pipeline may deliver an event again in the folder of any later date.
        across_slices: deduplicate && (cursor.is_some() || pipeline.is_some()),
        contracts: contracts.unwrap_or_default(),
        bounds: Bounds { threads: threads(), ..Bounds::default() },
        ..Options::of(lake.project.clone())
    };
    Some(ExportConfig {
        event_time: EventTime::of_project(before_2023, &zone),
        lake,
        zone,
        options,
        frequency,
        endpoint,
        secret,
        events,
        where_expression,
        limits: Limits::an_hour(queries_per_hour),
        pipeline,
        cursor,
        export_delay: Duration::from_mins(export_delay.unwrap_or(120).into()),
        catch_up_days: catch_up_days.unwrap_or(5),
        quarantine_share: quarantine_share.unwrap_or(0.5),
    })
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("a share from 0 to 1 is expected, as in 0.5, got {text:?}");
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong)
}

/// What counts if nothing is said depends on who is to read the tables.
fn compression(reader: &mut Reader<'_>, profile: Profile) -> Compression {
    let given = reader.text("compression").is_some();
    let choices = Compression::ALL.map(|compression| (compression.name(), compression));
    let chosen = reader.choice("compression", &choices);
    if given { chosen } else { Compression::of_profile(profile) }
}

fn cursor(reader: &mut Reader<'_>) -> Option<Cursor> {
    const NAMES: [&str; 3] =
        ["ingestion_start", "ingestion_window_days", "ingestion_margin_minutes"];
    let wanted = reader.choice("late_data", &[("sync", false), ("ingestion_cursor", true)]);
    let start = reader.parse("ingestion_start", |text| {
        let date = if text.len() == 10 { text.parse::<Date>().ok() } else { None };
        date.ok_or_else(|| format!("a date such as 2026-11-10 is expected, got {text:?}"))
    });
    let window_days = reader.parse("ingestion_window_days", |text| number(text, "days", 1, 3660));
    let margin = reader.parse("ingestion_margin_minutes", |text| number(text, "minutes", 0, 1440));
    if !wanted {
        only_with("late_data=ingestion_cursor", &NAMES, reader);
        return None;
    }
    if reader.text("event_source") == Some("raw_pipeline") {
        let what = "only Mixpanel can be asked by processing time; leave it out with event_source=raw_pipeline";
        reader.problem("late_data", what);
    }
    reader.required("ingestion_start", "the first date whose events are exported as they come in");
    Some(Cursor {
        start: start?,
        window_days: window_days.unwrap_or(150),
        margin: Duration::from_mins(margin.unwrap_or(60).into()),
    })
}

/// Settings that mean nothing without another one.
fn only_with(other: &str, names: &[&str], reader: &mut Reader<'_>) {
    for name in names {
        if reader.text(name).is_some() {
            reader.problem(name, format!("counts only with {other}"));
        }
    }
}

fn number(text: &str, of: &str, least: u32, most: u32) -> Result<u32, String> {
    let wrong = || format!("a number of {of} from {least} to {most} is expected, got {text:?}");
    text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(wrong)
}

/// What is no name of a secret may be the secret itself, and is never repeated.
fn secret_id(text: &str) -> Result<String, &'static str> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:".contains(c);
    if text.chars().all(fine) && (!text.contains(':') || text.starts_with("arn:")) {
        return Ok(text.to_owned());
    }
    Err("the name or ARN of a Secrets Manager secret is expected, and never what it holds")
}

/// As many as there are processors; a small function has one.
fn threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

fn pipeline(reader: &mut Reader<'_>) -> Option<Pipeline> {
    let wanted = reader.choice("event_source", &[("export_api", false), ("raw_pipeline", true)]);
    let place = reader.parse("raw_pipeline_location", place);
    let delay = reader.parse("raw_pipeline_delay_hours", delay);
    if !wanted {
        let names = ["raw_pipeline_location", "raw_pipeline_delay_hours"];
        only_with("event_source=raw_pipeline", &names, reader);
        return None;
    }
    if reader.text("where").is_some() {
        reader.problem(
            "where",
            "only Mixpanel can evaluate it; leave it out with event_source=raw_pipeline",
        );
    }
    reader.required("raw_pipeline_location", "s3://bucket/prefix, above the project's folder");
    Some(Pipeline { place: place?, delay: delay.unwrap_or(Duration::from_hours(24)) })
}

fn place(text: &str) -> Result<Place, String> {
    let Some(place) = text.strip_prefix("s3://") else {
        if text.contains("://") {
            return Err(format!("s3://bucket/prefix is expected, got {text:?}"));
        }
        return Ok(Place::Folder(text.to_owned()));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        return Err(format!("s3://bucket/prefix is expected, got {text:?}"));
    }
    let prefix = prefix.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok(Place::Bucket { bucket: bucket.to_owned(), prefix })
}

fn delay(text: &str) -> Result<Duration, String> {
    Ok(Duration::from_hours(number(text, "hours", 0, 720)?.into()))
}

/// Mixpanel may grant a project more than 60; three a second stay the most.
fn queries_per_hour(text: &str) -> Result<u32, String> {
    let wrong = || format!("a number from 1 to 3600 is expected, got {text:?}");
    text.parse().ok().filter(|number| (1..=3600).contains(number)).ok_or_else(wrong)
}

fn boolean(reader: &mut Reader<'_>, name: &str, default: bool) -> bool {
    let (yes, no) = (("true", true), ("false", false));
    reader.choice(name, &if default { [yes, no] } else { [no, yes] })
}

fn endpoint(reader: &mut Reader<'_>) -> Endpoint {
    let residencies = [("us", Residency::Us), ("eu", Residency::Eu), ("in", Residency::In)];
    let residency = reader.choice("residency", &residencies);
    let given = reader.parse("mixpanel_endpoint", str::parse::<Endpoint>);
    given.unwrap_or_else(|| Endpoint::residency(residency))
}

/// Each text is a name, or a JSON array of names; a name can contain every character.
fn events(reader: &mut Reader<'_>) -> EventNames {
    let mut names = Vec::new();
    for text in reader.texts("events") {
        if text.trim_start().starts_with('[') {
            match serde_json::from_str::<Vec<String>>(text) {
                Ok(list) => names.extend(list),
                Err(error) => {
                    reader.problem("events", format!("not a JSON array of names: {error}"));
                }
            }
        } else {
            names.push(text.clone());
        }
    }
    EventNames::new(names).unwrap_or_else(|error| {
        reader.problem("events", error);
        EventNames::default()
    })
}

fn glue_name(text: &str, limit: usize) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.len() <= limit && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(format!("at most {limit} lower-case letters, digits and `_`; got {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(pairs: &[&str]) -> String {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        ExportConfig::check(&settings).unwrap_err().to_string()
    }

    #[test]
    fn every_problem_is_told_at_once_with_what_is_accepted() {
        let text = problems(&[
            "timezone=Mars/Olympus",
            "frequency=weekly",
            "deduplicate=yes",
            "s3_prefix=a//b",
            "mixpanel_endpoint=http://example.com",
            "s3_role=arn:aws:iam::1:role/x",
            "schema_type=both",
            "queries_per_hour=0",
        ]);
        for expected in [
            "project_id: required",
            "timezone: not an IANA time zone: \"Mars/Olympus\"",
            "frequency: \"weekly\" is not supported; it accepts hourly, daily",
            "deduplicate: \"yes\" is not supported; it accepts true, false",
            "s3_prefix: a prefix is made of folders",
            "mixpanel_endpoint: the Mixpanel endpoint must be https",
            "s3_role: not supported by this version",
            "schema_type: \"both\" is not supported; it accepts monoschema, multischema",
            "queries_per_hour: a number from 1 to 3600 is expected, got \"0\"",
        ] {
            assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
        }
    }

    #[test]
    fn a_pipeline_is_a_place_and_a_delay() {
        let check = |pairs: &[&str]| {
            let pairs = ["project_id=1", "event_source=raw_pipeline"].iter().chain(pairs).copied();
            ExportConfig::check(&Settings::from_pairs(pairs).unwrap())
                .map(|config| config.pipeline.unwrap())
                .map_err(|problems| problems.to_string())
        };
        let bucket = |prefix: &str| Place::Bucket { bucket: "b".into(), prefix: prefix.into() };
        let of = |place, hours| Ok(Pipeline { place, delay: Duration::from_hours(hours) });
        assert_eq!(check(&["raw_pipeline_location=s3://b"]), of(bucket(""), 24));
        assert_eq!(
            check(&["raw_pipeline_location=s3://b/x/y/", "raw_pipeline_delay_hours=2"]),
            of(bucket("x/y/"), 2)
        );
        assert_eq!(
            check(&["raw_pipeline_location=./files"]),
            of(Place::Folder("./files".into()), 24)
        );
        for (pairs, problem) in [
            (&[][..], "raw_pipeline_location: required"),
            (&["raw_pipeline_location=s3:///x"], "raw_pipeline_location: s3://bucket/prefix is"),
            (&["raw_pipeline_location=gs://b"], "raw_pipeline_location: s3://bucket/prefix is"),
            (&["raw_pipeline_delay_hours=soon"], "raw_pipeline_delay_hours: a number of hours"),
            (&["where=properties[\"a\"] == 1"], "where: only Mixpanel can evaluate it"),
        ] {
            let problems = check(pairs).unwrap_err();
            assert!(problems.contains(problem), "{problems}");
        }
        assert!(
            problems(&["project_id=1", "raw_pipeline_location=x"]).contains("counts only with")
        );
    }

    #[test]
    fn a_cursor_has_a_start_and_goes_by_mixpanels_own_answers() {
        let with = |pairs: &[&'static str]| {
            let pairs = ["project_id=1", "late_data=ingestion_cursor"].iter().chain(pairs).copied();
            ExportConfig::check(&Settings::from_pairs(pairs).unwrap())
        };
        let config = with(&["ingestion_start=2026-11-10", "ingestion_margin_minutes=90"]).unwrap();
        let cursor = config.cursor.unwrap();
        assert_eq!((cursor.window_days, cursor.margin), (150, Duration::from_mins(90)));
        assert!(config.options.across_slices);
        let days = ["2026-11-09", "2026-11-10"].map(|d| Slice::parse(d, &Zone::UTC).unwrap());
        let labels: Vec<String> =
            config.by_cursor(days.to_vec()).iter().map(ToString::to_string).collect();
        assert_eq!(labels, ["2026-11-09", "i2026-11-10"]);
        for (pairs, problem) in [
            (&[][..], "ingestion_start: required: the first date"),
            (&["ingestion_start=soon"], "ingestion_start: a date such as 2026-11-10 is expected"),
            (
                &["ingestion_window_days=0"],
                "ingestion_window_days: a number of days from 1 to 3660",
            ),
            (
                &["ingestion_margin_minutes=x"],
                "ingestion_margin_minutes: a number of minutes from 0",
            ),
            (
                &["event_source=raw_pipeline", "raw_pipeline_location=s3://b"],
                "late_data: only Mixpanel can be asked by processing time",
            ),
        ] {
            let problems = with(pairs).unwrap_err().to_string();
            assert!(problems.contains(problem), "{problems}");
        }
        let alone = problems(&["project_id=1", "ingestion_start=2026-11-10"]);
        assert!(alone.contains("ingestion_start: counts only with late_data=ingestion_cursor"));
    }

    #[test]
    fn a_secret_in_the_place_of_its_name_is_refused_and_not_repeated() {
        for secret in [
            r#"{"username":"me","secret":"hunter2"}"#,
            r#" {"project_secret":"hunter2"}"#,
            "me:hunter2",
            "my hunter2",
        ] {
            let text = problems(&["project_id=1", &format!("mixpanel_secret={secret}")]);
            assert!(text.starts_with("mixpanel_secret: the name or ARN"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        for name in
            ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:mixlake/a-AbCdEf", "a/b"]
        {
            let pairs = ["project_id=1", &format!("mixpanel_secret={name}")];
            let config = ExportConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap();
            assert_eq!(config.secret.as_deref(), Some(name));
        }
    }

    fn checked(pairs: &[&str]) -> ExportConfig {
        let pairs = ["project_id=1"].iter().chain(pairs).copied();
        ExportConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap()
    }

    #[test]
    fn each_residency_has_its_own_host_and_an_endpoint_takes_its_place() {
        for (residency, host) in [
            ("us", "https://data.mixpanel.com"),
            ("eu", "https://data-eu.mixpanel.com"),
            ("in", "https://data-in.mixpanel.com"),
        ] {
            let residency = format!("residency={residency}");
            assert_eq!(checked(&[&residency]).endpoint.to_string(), host);
            let other = checked(&[&residency, "mixpanel_endpoint=http://127.0.0.1:9"]);
            assert_eq!(other.endpoint.to_string(), "http://127.0.0.1:9");
        }
        assert_eq!(checked(&[]).endpoint.to_string(), "https://data.mixpanel.com");
    }

    #[test]
    fn the_zone_of_the_project_is_that_of_its_slices_dates_and_wall_clock() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let since = checked(&["timezone=Europe/Berlin"]);
        assert_eq!((&since.zone, &since.options.date_zone), (&berlin, &berlin));
        assert_eq!((since.options.wall_clock, since.event_time), (None, EventTime::Utc));

        let before = checked(&[
            "timezone=Europe/Berlin",
            "project_created_before_2023=true",
            "mp_date_zone=UTC",
        ]);
        assert_eq!((&before.zone, before.options.date_zone), (&berlin, Zone::UTC));
        assert_eq!(before.options.wall_clock, Some(berlin.clone()));
        assert_eq!(before.event_time, EventTime::WallClock(berlin));
    }

    #[test]
    fn every_engine_reads_the_compression_unless_mixpanels_limits_are_chosen() {
        for (pairs, expected) in [
            (&[][..], Compression::Snappy),
            (&["schema_profile=mixpanel"], Compression::Zstd),
            (&["compression=zstd"], Compression::Zstd),
            (&["compression=gzip", "schema_profile=mixpanel"], Compression::Gzip),
        ] {
            assert_eq!(checked(pairs).options.compression, expected, "{pairs:?}");
        }
        let text = problems(&["project_id=1", "compression=lz4"]);
        assert_eq!(text, "compression: \"lz4\" is not supported; it accepts snappy, zstd, gzip");
    }

    #[test]
    fn a_boolean_means_what_it_says() {
        let settings = Settings::from_pairs(["project_id=1", "deduplicate=false"]).unwrap();
        assert!(!ExportConfig::check(&settings).unwrap().options.deduplicate);
    }

    #[test]
    fn an_empty_variable_counts_as_not_set_and_problems_name_the_variable() {
        let settings = Settings::from_environment(|name| match name {
            "PROJECT_ID" => Some("42".into()),
            "TIMEZONE" => Some(String::new()),
            "RESIDENCY" => Some("mars".into()),
            _ => None,
        });
        let text = ExportConfig::check(&settings).unwrap_err().to_string();
        assert_eq!(text, "RESIDENCY: \"mars\" is not supported; it accepts us, eu, in");
    }

    #[test]
    fn unknown_and_repeated_settings_are_refused() {
        let error = Settings::from_pairs(["projectid=1", "timezone=UTC", "timezone=UTC", "oops"]);
        let text = error.unwrap_err().to_string();
        assert!(text.contains("projectid: there is no such setting"));
        assert!(text.contains("timezone: given twice"));
        assert!(text.contains("oops: a setting is given as name=value"));
    }

    #[test]
    fn events_are_names_or_a_json_array() {
        let pairs = ["project_id=1", "events=A, b", r#"events=["C","D"]"#];
        let settings = Settings::from_pairs(pairs).unwrap();
        let events = ExportConfig::check(&settings).unwrap().events;
        assert_eq!(events, EventNames::new(vec!["A, b".into(), "C".into(), "D".into()]).unwrap());
    }
}
