//! What happens to files of closed days and to files that were replaced, and the table of identities.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use mixlake_app::identities::IdMerge;
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
    IDENTITIES: bool {
        name: "identities",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("true"),
        scope: Scope::Maintenance,
        about: "Whether the table `mp_identity_mappings_data` is brought up to date with the events once a day. Only \
                days whose rows changed are read.",
    }
    ID_MERGE: IdMerge {
        name: "id_merge",
        accepts: Accepts::Choice(&[
            ("simplified", IdMerge::Simplified),
            ("original", IdMerge::Original),
        ]),
        default: Preset::Value("simplified"),
        scope: Scope::Maintenance,
        about: "The ID merge system of the project in Mixpanel. It decides what of the events counts: with \
                `simplified` which user had a device first, with `original` the events `$identify`, `$create_alias` and \
                `$merge`.",
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
