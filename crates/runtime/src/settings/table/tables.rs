//! How events become rows, columns and files.

use crate::contracts::contracts;
use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{DataSource, DateZone};
use mixlake_columnar::{Compression, Contracts, EventNameForm, SchemaType, TimeType};
use mixlake_domain::DataFormat;
use mixlake_schema::Profile;
use std::convert::identity;

rows! {
    list TABLE_ROWS;

    SCHEMA_TYPE: SchemaType {
        name: "schema_type",
        accepts: Accepts::Choice(&[
            ("monoschema", SchemaType::Monoschema),
            ("multischema", SchemaType::Multischema),
        ]),
        default: Preset::Value("monoschema"),
        scope: Scope::Export,
        about: "One table of all events, `mp_master_event`, or one for each event, named by its \
                cleaned name.",
    }
    DATA_SOURCE: DataSource {
        name: "data_source",
        accepts: Accepts::Choice(&[("events", DataSource::Events), ("people", DataSource::People)]),
        default: Preset::Value("events"),
        scope: Scope::CommandLine { why: "it has a function for events, and one for profiles" },
        about: "What is exported: events, or the profiles of users and groups.",
    }
    DATA_FORMAT: DataFormat {
        name: "data_format",
        accepts: Accepts::Choice(&[("parquet", DataFormat::Parquet), ("json", DataFormat::Json)]),
        default: Preset::Value("parquet"),
        scope: Scope::Askers,
        about: "The format of the files: Parquet, or JSON lines in gzip. A table keeps the format \
                of its first slice.",
    }
    COMPRESSION: Compression {
        name: "compression",
        accepts: Accepts::Choice(&[
            ("snappy", Compression::Snappy),
            ("zstd", Compression::Zstd),
            ("gzip", Compression::Gzip),
        ]),
        default: Preset::Nothing("`snappy`; `zstd` with `schema_profile=mixpanel`"),
        scope: Scope::Writers,
        about: "How the pages of Parquet files are compressed. Redshift Spectrum does not read \
                `zstd`; the other engines read all three. A lake may change it: files that are \
                there stay as they are. It has no effect with `data_format=json`, whose files are \
                always gzip.",
    }
    SCHEMA_PROFILE: Profile {
        name: "schema_profile",
        accepts: Accepts::Choice(&[
            ("portable", Profile::Portable),
            ("mixpanel", Profile::Mixpanel),
        ]),
        default: Preset::Value("portable"),
        scope: Scope::Writers,
        about: "Limits of tables: 1,597 columns and names of 127 bytes, which Redshift Spectrum \
                can read, or 9,500 and 128.",
    }
    EVENT_NAME: EventNameForm {
        name: "event_name",
        accepts: Accepts::Choice(&[
            ("cleaned", EventNameForm::Cleaned),
            ("raw", EventNameForm::Raw),
        ]),
        default: Preset::Value("cleaned"),
        scope: Scope::Export,
        about: "What `mp_event_name` holds: `add_to_cart` or `Add to Cart`.",
    }
    TIME_TYPE: TimeType {
        name: "time_type",
        accepts: Accepts::Choice(&[
            ("timestamp", TimeType::Timestamp),
            ("bigint", TimeType::Bigint),
        ]),
        default: Preset::Value("timestamp"),
        scope: Scope::Export,
        about: "The type of `time`; `bigint` is milliseconds since 1970.",
    }
    MP_DATE_ZONE: DateZone {
        name: "mp_date_zone",
        accepts: Accepts::Choice(&[("project", DateZone::Project), ("UTC", DateZone::Utc)]),
        default: Preset::Value("project"),
        scope: Scope::Export,
        about: "The zone whose dates are the partitions.",
    }
    DEDUPLICATE: bool {
        name: "deduplicate",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("true"),
        scope: Scope::Export,
        about: "Whether repeated events of a slice are removed; the newest stays.",
    }
    CONTRACTS: Contracts {
        name: "contracts",
        accepts: Accepts::Text {
            shown: "a JSON object: event names, or `*` for all, to \
                    `{\"include\": [..], \"exclude\": [..], \"freeze\": true}`",
            most: None,
            read: contracts,
        },
        default: Preset::Nothing("none"),
        scope: Scope::Export,
        about: "Which properties are kept: only those of `include`, none of `exclude` (nor in \
                `mp_properties`; lines in quarantine stay as received). With `freeze`, those \
                without a column when the event is first frozen go to `mp_properties`.",
    }
}
