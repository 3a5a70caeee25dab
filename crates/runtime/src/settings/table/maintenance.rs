//! What happens to files of closed days, and to files that were replaced.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use std::convert::identity;
use std::time::Duration;

/// A number of hours.
fn hours(number: u32) -> Duration {
    Duration::from_hours(number.into())
}

rows! {
    list MAINTENANCE_ROWS;

    COMPACT: bool {
        name: "compact",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("true"),
        scope: Scope::Maintenance,
        about: "Whether the files of a closed day are merged once a day, sorted by event and time over the whole \
                day. Queries then read less, with fewer requests. Rows do not change.",
    }
    KEEP_REPLACED_HOURS: Duration {
        name: "keep_replaced_hours",
        accepts: Accepts::Number { unit: Some("hours"), least: 0, most: 8760, value: hours },
        default: Preset::Value("24"),
        scope: Scope::Maintenance,
        about: "How long replaced files stay after the change of their day, so that running queries can still read \
                them. Then they are deleted.",
    }
}
