//! Profiles of users and groups.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{Groups, PeopleFrequency, groups};
use std::convert::identity;

rows! {
    list PROFILE_ROWS;

    PEOPLE_FREQUENCY: PeopleFrequency {
        name: "people_frequency",
        accepts: Accepts::Choice(&[
            ("off", PeopleFrequency::Off),
            ("hourly", PeopleFrequency::Hourly),
            ("daily", PeopleFrequency::Daily),
            ("weekly", PeopleFrequency::Weekly),
        ]),
        default: Preset::Value("daily"),
        scope: Scope::Profiles,
        about: "How often profiles are exported: once an hour, a day or a week (from Monday on) of \
                the project's zone. An export that does not end in one run goes on in the next \
                hour. Each export costs one query for the users, and one for each group key.",
    }
    DATA_GROUP_ID: Groups {
        name: "data_group_id",
        accepts: Accepts::List {
            shown: "`group_key:ID`, such as `company_id:8372645`, or a JSON array of them",
            read: groups,
        },
        default: Preset::Nothing("no groups"),
        scope: Scope::Profiles,
        about: "The group keys whose profiles are exported beside those of users, each into a table \
                `mp_group_<key>_data`. The ID is the one of the group key in Mixpanel's project \
                settings.",
    }
    ALLOW_EMPTY: bool {
        name: "allow_empty",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("false"),
        scope: Scope::Profiles,
        about: "Whether an answer without any profile empties a table that has rows. Without it, \
                the export fails and the rows stay.",
    }
}
