//! The Mixpanel project.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{external_id, parsed};
use mixlake_domain::{ProjectId, Zone};
use mixlake_mixpanel::Residency;
use std::convert::identity;

rows! {
    list PROJECT_ROWS;

    PROJECT_ID: ProjectId {
        name: "project_id",
        accepts: Accepts::Text {
            shown: "letters, digits, `-`, `_`",
            most: Some(64),
            read: parsed,
        },
        default: Preset::Required { when: "required", what: "the project's number, as in 2195193" },
        scope: Scope::All,
        about: "The Mixpanel project; also the top folder of the lake.",
    }
    TIMEZONE: Zone {
        name: "timezone",
        accepts: Accepts::Text {
            shown: "an IANA time zone",
            most: None,
            read: |text| Zone::parse(text).map_err(|error| error.to_string()),
        },
        default: Preset::Value("UTC"),
        scope: Scope::Askers,
        about: "The project's time zone: its days, hours and minutes are the slices.",
    }
    PROJECT_CREATED_BEFORE_2023: bool {
        name: "project_created_before_2023",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("false"),
        scope: Scope::Export,
        about: "Such projects export `time` as the local wall clock written as if it were UTC.",
    }
    RESIDENCY: Residency {
        name: "residency",
        accepts: Accepts::Choice(&[
            ("us", Residency::Us),
            ("eu", Residency::Eu),
            ("in", Residency::In),
        ]),
        default: Preset::Value("us"),
        scope: Scope::Askers,
        about: "Where Mixpanel keeps the project's data.",
    }    PROJECT_TOKEN: String {
        name: "project_token",
        accepts: Accepts::Text {
            shown: "letters, digits, `_+=,.@:/-`",
            most: Some(64),
            read: external_id,
        },
        default: Preset::Nothing("none"),
        scope: Scope::All,
        about: "The project's token, which Mixpanel's own pipeline uses as external id. It is the \
                default of `s3_external_id` and `glue_external_id`. Without any of them no external \
                id is sent.",
    }
}
