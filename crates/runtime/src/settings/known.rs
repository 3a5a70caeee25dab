//! Every setting there is, in one table; docs/SETTINGS.md is made of it.

use std::fmt::Write;

/// A setting.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// The values that it accepts, for people.
    pub accepts: &'static str,
    /// What counts if it is not given, for people.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether it may be given more than once.
    pub is_list: bool,
}

const fn known(
    name: &'static str,
    accepts: &'static str,
    default: &'static str,
    about: &'static str,
) -> Known {
    Known { name, accepts, default, about, is_list: false }
}

/// All settings.
pub const KNOWN: &[Known] = &[
    known(
        "project_id",
        "1 to 64 letters, digits, `-`, `_`",
        "required",
        "The Mixpanel project; also the top folder of the lake.",
    ),
    known(
        "timezone",
        "an IANA time zone",
        "`UTC`",
        "The project's time zone: its days and hours are the slices.",
    ),
    known(
        "project_created_before_2023",
        "`true`, `false`",
        "`false`",
        "Such projects export `time` as the local wall clock written as if it were UTC.",
    ),
    known("residency", "`us`, `eu`, `in`", "`us`", "Where Mixpanel keeps the project's data."),
    known(
        "mixpanel_secret",
        "name or ARN of a Secrets Manager secret",
        "required to ask Mixpanel",
        "Holds `{\"username\",\"secret\"}` of a service account, or `{\"project_secret\"}`. The command line also takes the variable `MIXPANEL_SERVICE_ACCOUNT=username:secret`.",
    ),
    known(
        "mixpanel_endpoint",
        "a URL; `http` only on loopback",
        "by `residency`",
        "Asked instead of Mixpanel's own host; for tests and proxies.",
    ),
    Known {
        is_list: true,
        ..known(
            "events",
            "an event's name, or a JSON array of names; repeated on the command line",
            "all events",
            "Only these events are exported.",
        )
    },
    known(
        "where",
        "a segmentation expression",
        "none",
        "Only events for which it holds are exported. Mixpanel evaluates it.",
    ),
    known(
        "event_source",
        "`export_api`, `raw_pipeline`",
        "`export_api`",
        "Where events come from: Mixpanel's Raw Event Export API, or the files that Mixpanel's JSON pipelines put into a bucket.",
    ),
    known(
        "raw_pipeline_location",
        "`s3://bucket/prefix`; a folder on the command line",
        "required with `event_source=raw_pipeline`",
        "What lies above the pipeline's folder `<project_id>/mp_master_event`. The bucket is in the region of `s3_region`.",
    ),
    known(
        "raw_pipeline_delay_hours",
        "0 to 720",
        "`24`",
        "How long after the end of a slice the pipeline has written all of it. Scheduled slices lie so much further back; a slice that is asked for earlier is refused.",
    ),
    known("frequency", "`hourly`, `daily`", "`hourly`", "The length of a scheduled slice."),
    known(
        "export_delay_minutes",
        "0 to 1440",
        "`120`",
        "How long after its end a scheduled slice is exported. Mixpanel calls an event late that reaches it more than two hours after it happened. Slices that a person asks for are exported at once.",
    ),
    known(
        "catch_up_days",
        "0 to 60",
        "`5`",
        "How many days back a scheduled run looks for slices that are not published. It exports them first, the oldest before the others.",
    ),
    known(
        "max_quarantine_share",
        "0 to 1",
        "`0.5`",
        "The share of lines of a slice that may be bad. A slice of ten lines or more that has more fails, and what is live stays. `1` accepts any share; a slice without any event always fails.",
    ),
    known(
        "schema_type",
        "`monoschema`, `multischema`",
        "`monoschema`",
        "One table of all events, `mp_master_event`, or one for each event, named by its cleaned name.",
    ),
    known("data_source", "`events`", "`events`", "What is exported."),
    known(
        "data_format",
        "`parquet`, `json`",
        "`parquet`",
        "The format of the files: Parquet, or JSON lines in gzip. A table keeps the format of its first slice.",
    ),
    known(
        "compression",
        "`snappy`, `zstd`, `gzip`",
        "`snappy`; `zstd` with `schema_profile=mixpanel`",
        "How the pages of Parquet files are compressed. Redshift Spectrum does not read `zstd`; the other engines read all three. A lake may change it: files that are there stay as they are. It has no effect with `data_format=json`, whose files are always gzip.",
    ),
    known("sync", "`false`", "`false`", "Whether late data is fetched again later."),
    known(
        "late_data",
        "`sync`, `ingestion_cursor`",
        "`sync`",
        "How late data is found. With `ingestion_cursor`, slices from `ingestion_start` on are hours or days at which Mixpanel processed events, whenever they happened; late ones go to their own dates. Not proven on a live project yet.",
    ),
    known(
        "ingestion_start",
        "a date, as in `2026-11-10`",
        "required with `late_data=ingestion_cursor`",
        "The first date of slices of ingestion. Dates before it are exported by the time of their events, without what was processed from then on. The lake keeps it: it can be set, moved or taken back only while it lies ahead.",
    ),
    known(
        "ingestion_window_days",
        "1 to 3660",
        "`150`",
        "How many days before they were processed events may have happened; older ones are not found.",
    ),
    known(
        "ingestion_margin_minutes",
        "0 to 1440",
        "`60`",
        "How long after the end of a slice Mixpanel may still show events of it: slices are exported so much later.",
    ),
    known(
        "queries_per_hour",
        "1 to 3600",
        "`60`",
        "Mixpanel's query budget of the project, shared through the lake by all that runs for it. A sixth is left to scheduled slices.",
    ),
    known("s3_bucket", "a bucket's name", "required in the functions", "The bucket of the lake."),
    known("s3_region", "an AWS region", "the region of the process", "The bucket's region."),
    known(
        "s3_prefix",
        "folders, as in `raw/mixpanel`",
        "none",
        "Where the lake lies within the bucket.",
    ),
    known("s3_encryption", "`none`", "`none`", "Files are encrypted as the bucket's default says."),
    known(
        "use_glue",
        "`true`",
        "`true`",
        "The catalog function keeps the tables of a Glue database.",
    ),
    known(
        "catalog",
        "`direct`, `crawler`",
        "`direct`",
        "Who describes the tables: the catalog function, or a Glue crawler that is pointed at the project's folder. With `crawler` the catalog function does nothing; see COMPAT.md for what a crawler cannot do.",
    ),
    known(
        "on_drift",
        "`fail`, `repair`",
        "`fail`",
        "What happens when somebody changed a table in Glue so that it does not fit its files (a column retyped, dropped or moved; another location or serde): it is told, and the objects go to the dead-letter queue; or the table is put right.",
    ),
    known(
        "glue_database",
        "a database's name",
        "`mixpanel`",
        "The Glue database of the tables. It must exist.",
    ),
    known(
        "glue_table_prefix",
        "lower-case letters, digits, `_`",
        "none",
        "Goes before every table name in Glue.",
    ),
    known(
        "schema_profile",
        "`portable`, `mixpanel`",
        "`portable`",
        "Limits of tables: 1,597 columns and names of 127 bytes, which Redshift Spectrum can read, or 9,500 and 128.",
    ),
    known(
        "event_name",
        "`cleaned`, `raw`",
        "`cleaned`",
        "What `mp_event_name` holds: `add_to_cart` or `Add to Cart`.",
    ),
    known(
        "time_type",
        "`timestamp`, `bigint`",
        "`timestamp`",
        "The type of `time`; `bigint` is milliseconds since 1970.",
    ),
    known(
        "mp_date_zone",
        "`project`, `UTC`",
        "`project`",
        "The zone whose dates are the partitions.",
    ),
    known(
        "deduplicate",
        "`true`, `false`",
        "`true`",
        "Whether repeated events of a slice are removed; the newest stays.",
    ),
    known(
        "contracts",
        "a JSON object: event names, or `*` for all, to `{\"include\": [..], \"exclude\": [..], \"freeze\": true}`",
        "none",
        "Which properties are kept: only those of `include`, none of `exclude` (nor in `mp_properties`; lines in quarantine stay as received). With `freeze`, those without a column when the event is first frozen go to `mp_properties`.",
    ),
    known("s3_role", "not in this version", "none", "A role to assume for the bucket."),
    known("glue_role", "not in this version", "none", "A role to assume for Glue."),
    known("s3_kms_key_id", "not in this version", "none", "The key of `s3_encryption=kms`."),
];

impl Known {
    /// The environment variable that carries it.
    #[must_use]
    pub fn variable(&self) -> String {
        self.name.to_uppercase()
    }
}

pub(super) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// What to say of a name that is no setting.
pub(super) fn unknown(name: &str) -> String {
    let close = |known: &&Known| {
        let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
        let (ours, theirs) = (known.name, fold(name));
        ours == theirs || (theirs.len() > 3 && (ours.contains(&theirs) || theirs.contains(ours)))
    };
    match KNOWN.iter().find(close) {
        Some(known) => format!("there is no such setting; did you mean {}?", known.name),
        None => "there is no such setting; `mixlake settings` lists them".to_owned(),
    }
}

/// The reference page, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Names are those of Mixpanel's create-pipeline call, and ours beside them. In the functions \
         they are environment\nvariables of the same names in capitals (`PROJECT_ID`), on the \
         command line `--set project_id=2195193`.\n\
         A value that this page does not list is refused, with all other problems, before any work.\n\n\
         This page is written by `make docs`; `make test` fails where it is out of date.\n\n\
         | setting | accepts | default | what it does |\n|---|---|---|---|\n",
    );
    for known in KNOWN {
        let Known { name, accepts, default, about, .. } = known;
        writeln!(page, "| `{name}` | {accepts} | {default} | {about} |")
            .expect("writing to a string cannot fail");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SETTINGS.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(page, reference(), "run `make docs`");
    }

    #[test]
    fn a_misspelt_setting_is_answered_with_the_one_that_was_meant() {
        assert!(unknown("Project-ID").contains("project_id"));
        assert!(unknown("zone").contains("timezone"));
        assert!(unknown("xyz").contains("mixlake settings"));
    }
}
