//! Where events come from, and which.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{EventOrigin, Place, events, parsed, place, region, secret_id};
use mixlake_mixpanel::{Endpoint, EventNames, WhereExpression};
use std::convert::identity;
use std::time::Duration;

rows! {
    list SOURCE_ROWS;

    MIXPANEL_SECRET: String {
        name: "mixpanel_secret",
        accepts: Accepts::Text {
            shown: "name or ARN of a Secrets Manager secret",
            most: None,
            read: secret_id,
        },
        default: Preset::Required {
            when: "required to ask Mixpanel",
            what: "the name or ARN of a Secrets Manager secret",
        },
        scope: Scope::Askers,
        about: "Holds `{\"username\",\"secret\"}` of a service account, or `{\"project_secret\"}`. \
                The secret is read in the region that its ARN names. A name is looked up in the \
                region of the process. The command line also takes the variable \
                `MIXPANEL_SERVICE_ACCOUNT=username:secret`.",
    }
    MIXPANEL_ENDPOINT: Endpoint {
        name: "mixpanel_endpoint",
        accepts: Accepts::Text {
            shown: "a URL; `http` only on loopback",
            most: None,
            read: parsed,
        },
        default: Preset::Nothing("by `residency`"),
        scope: Scope::Askers,
        about: "Asked instead of Mixpanel's own host; for tests and proxies.",
    }
    // Mixpanel may grant a project more than 60; three a second stay the most.
    QUERIES_PER_HOUR: u32 {
        name: "queries_per_hour",
        accepts: Accepts::Number { unit: None, least: 1, most: 3600, value: identity },
        default: Preset::Value("60"),
        scope: Scope::Askers,
        about: "Mixpanel's query budget of the project, shared through the lake by all that runs \
                for it. A sixth is left to scheduled runs. Queries for profiles have a budget of their \
                own, of the same size, because Mixpanel counts them apart.",
    }
    EVENTS: EventNames {
        name: "events",
        accepts: Accepts::List {
            shown: "an event's name, or a JSON array of names",
            read: events,
        },
        default: Preset::Nothing("all events"),
        scope: Scope::Export,
        about: "Only these events are exported.",
    }
    WHERE: WhereExpression {
        name: "where",
        accepts: Accepts::Text { shown: "a segmentation expression", most: None, read: parsed },
        default: Preset::Nothing("none"),
        scope: Scope::Export,
        about: "Only events for which it holds are exported. Mixpanel evaluates it.",
    }
    EVENT_SOURCE: EventOrigin {
        name: "event_source",
        accepts: Accepts::Choice(&[
            ("export_api", EventOrigin::ExportApi),
            ("raw_pipeline", EventOrigin::RawPipeline),
        ]),
        default: Preset::Value("export_api"),
        scope: Scope::Export,
        about: "Where events come from: Mixpanel's Raw Event Export API, or the files that \
                Mixpanel's JSON pipelines put into a bucket.",
    }
    RAW_PIPELINE_LOCATION: Place {
        name: "raw_pipeline_location",
        accepts: Accepts::Text {
            shown: "`s3://bucket/prefix`; a folder on the command line",
            most: None,
            read: place,
        },
        default: Preset::Required {
            when: "required with `event_source=raw_pipeline`",
            what: "s3://bucket/prefix, above the project's folder",
        },
        scope: Scope::Export,
        about: "What lies above the pipeline's folder `<project_id>/mp_master_event`.",
    }
    RAW_PIPELINE_REGION: String {
        name: "raw_pipeline_region",
        accepts: Accepts::Text { shown: "an AWS region", most: None, read: region },
        default: Preset::Nothing("`s3_region`, or the region of the process"),
        scope: Scope::Export,
        about: "The region of the pipeline's bucket.",
    }
    RAW_PIPELINE_DELAY_HOURS: Duration {
        name: "raw_pipeline_delay_hours",
        accepts: Accepts::Number {
            unit: Some("hours"),
            least: 0,
            most: 720,
            value: |hours| Duration::from_hours(hours.into()),
        },
        default: Preset::Value("24"),
        scope: Scope::Export,
        about: "How long after the end of a slice the pipeline has written all of it. Scheduled \
                slices lie so much further back; a slice that is asked for earlier is refused.",
    }
}
