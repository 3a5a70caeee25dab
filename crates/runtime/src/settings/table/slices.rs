//! Which slices are exported, when, and when one counts.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{Frequency, LateData};
use mixlake_domain::{Date, Minutes};
use std::convert::identity;
use std::time::Duration;

/// A number of minutes.
fn minutes(number: u32) -> Duration {
    Duration::from_mins(number.into())
}

rows! {
    list SLICE_ROWS;

    FREQUENCY: Frequency {
        name: "frequency",
        accepts: Accepts::Choice(&[
            ("hourly", Frequency::Hourly),
            ("daily", Frequency::Daily),
            ("15min", Frequency::Minutes(Minutes::Fifteen)),
            ("5min", Frequency::Minutes(Minutes::Five)),
        ]),
        default: Preset::Value("hourly"),
        scope: Scope::Export,
        about: "The length of a scheduled slice, and how often one is exported. Each costs a query: \
                `5min` needs 12 of `queries_per_hour`. Days that were missed are made up for as \
                days, and hours as hours.",
    }
    EXPORT_DELAY_MINUTES: Duration {
        name: "export_delay_minutes",
        accepts: Accepts::Number { unit: Some("minutes"), least: 0, most: 1440, value: minutes },
        default: Preset::Value("120"),
        scope: Scope::Export,
        about: "How long after its end a scheduled slice is exported. Mixpanel calls an event late \
                that reaches it more than two hours after it happened. Slices that a person asks \
                for are exported at once.",
    }
    CATCH_UP_DAYS: u32 {
        name: "catch_up_days",
        accepts: Accepts::Number { unit: Some("days"), least: 0, most: 60, value: identity },
        default: Preset::Value("5"),
        scope: Scope::Export,
        about: "How many days back a scheduled run looks for slices that are not published. It \
                exports them first, the oldest before the others.",
    }
    MAX_QUARANTINE_SHARE: f64 {
        name: "max_quarantine_share",
        accepts: Accepts::Share(identity),
        default: Preset::Value("0.5"),
        scope: Scope::Askers,
        about: "The share of lines of a slice that may be bad. A slice of ten lines or more that \
                has more fails, and what is live stays. `1` accepts any share; a slice without any \
                event always fails.",
    }
    SYNC: bool {
        name: "sync",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("true"),
        scope: Scope::Export,
        about: "Whether the last `sync_days` are fetched again once a day, as whole days, so that late \
                events appear and deleted events disappear. A day with equal rows is not written. With \
                `late_data=ingestion_cursor` nothing is fetched again: late events have their own slices.",
    }
    SYNC_DAYS: u32 {
        name: "sync_days",
        accepts: Accepts::Number { unit: Some("days"), least: 1, most: 3660, value: identity },
        default: Preset::Value("10"),
        scope: Scope::Export,
        about: "How many closed days `sync` fetches again. Each costs one query a day.",
    }
    LATE_DATA: LateData {
        name: "late_data",
        accepts: Accepts::Choice(&[
            ("sync", LateData::Sync),
            ("ingestion_cursor", LateData::IngestionCursor),
        ]),
        default: Preset::Value("sync"),
        scope: Scope::Export,
        about: "How late data is found. With `ingestion_cursor`, slices from `ingestion_start` on \
                are days, hours or minutes at which Mixpanel processed events, whenever they happened; late \
                ones go to their own dates. Not proven on a live project yet.",
    }
    INGESTION_START: Date {
        name: "ingestion_start",
        accepts: Accepts::Date(identity),
        default: Preset::Required {
            when: "required with `late_data=ingestion_cursor`",
            what: "the first date whose events are exported as they come in",
        },
        scope: Scope::Export,
        about: "The first date of slices of ingestion. Dates before it are exported by the time of \
                their events, without what was processed from then on. The lake keeps it: it can \
                be set, moved or taken back only while it lies ahead.",
    }
    INGESTION_WINDOW_DAYS: u32 {
        name: "ingestion_window_days",
        accepts: Accepts::Number { unit: Some("days"), least: 1, most: 3660, value: identity },
        default: Preset::Value("150"),
        scope: Scope::Export,
        about: "How many days before they were processed events may have happened; older ones are \
                not found.",
    }
    INGESTION_MARGIN_MINUTES: Duration {
        name: "ingestion_margin_minutes",
        accepts: Accepts::Number { unit: Some("minutes"), least: 0, most: 1440, value: minutes },
        default: Preset::Value("60"),
        scope: Scope::Export,
        about: "How long after the end of a slice Mixpanel may still show events of it: slices are \
                exported so much later.",
    }
}
