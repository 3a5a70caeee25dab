//! The tables in Glue.

use crate::settings::arn::RoleArn;
use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{CatalogBy, external_id, glue_name, parsed, region};
use mixlake_app::reconcile::OnDrift;
use std::convert::identity;

rows! {
    list CATALOG_ROWS;

    USE_GLUE: () {
        name: "use_glue",
        accepts: Accepts::Only("true", ()),
        default: Preset::Value("true"),
        scope: Scope::Catalog,
        about: "The catalog function keeps the tables of a Glue database.",
    }
    CATALOG: CatalogBy {
        name: "catalog",
        accepts: Accepts::Choice(&[
            ("direct", CatalogBy::Function),
            ("crawler", CatalogBy::Crawler),
        ]),
        default: Preset::Value("direct"),
        scope: Scope::Tables,
        about: "Who describes the tables: the catalog function, or a Glue crawler that is pointed \
                at the project's folder. With `crawler` the catalog function does nothing; see \
                COMPAT.md for what a crawler cannot do.",
    }
    ON_DRIFT: OnDrift {
        name: "on_drift",
        accepts: Accepts::Choice(&[("fail", OnDrift::Fail), ("repair", OnDrift::Repair)]),
        default: Preset::Value("fail"),
        scope: Scope::Catalog,
        about: "What happens when somebody changed a table in Glue so that it does not fit its \
                files (a column retyped, dropped or moved; another location or serde): the \
                function reports it, and the objects go to the dead-letter queue; or it repairs the table.",
    }
    VIEWS: bool {
        name: "views",
        accepts: Accepts::Flag(identity),
        default: Preset::Value("false"),
        scope: Scope::Catalog,
        about: "Whether the catalog has views for Athena and Trino: events with the original names of their \
                properties, with the user and the profile that they belong to, and with one column of text for a \
                property with values of several types (COMPAT.md). The function updates them as columns come, and \
                removes them when this is `false`.",
    }
    GLUE_DATABASE: String {
        name: "glue_database",
        accepts: Accepts::Text {
            shown: "lower-case letters, digits, `_`",
            most: Some(255),
            read: glue_name,
        },
        default: Preset::Value("mixpanel"),
        scope: Scope::Tables,
        about: "The Glue database of the tables. It must exist.",
    }
    GLUE_TABLE_PREFIX: String {
        name: "glue_table_prefix",
        accepts: Accepts::Text {
            shown: "lower-case letters, digits, `_`",
            most: Some(64),
            read: glue_name,
        },
        default: Preset::Nothing("none"),
        scope: Scope::Tables,
        about: "Goes before every table name in Glue.",
    }
    GLUE_REGION: String {
        name: "glue_region",
        accepts: Accepts::Text { shown: "an AWS region", most: None, read: region },
        default: Preset::Nothing("`s3_region`, or the region of the process"),
        scope: Scope::CommandLine {
            why: "a deployment has its Glue database, and its rights on it, in its own region",
        },
        about: "The region of the Glue database.",
    }
    GLUE_ROLE: RoleArn {
        name: "glue_role",
        accepts: Accepts::Text { shown: "the ARN of an IAM role", most: None, read: parsed },
        default: Preset::Nothing("none: the process's own role"),
        scope: Scope::Tables,
        about: "The role to assume for Glue, such as one of another account: then its catalog is \
                used.",
    }
    GLUE_EXTERNAL_ID: String {
        name: "glue_external_id",
        accepts: Accepts::Text {
            shown: "letters, digits, `_+=,.@:/-`",
            most: Some(1224),
            read: external_id,
        },
        default: Preset::Nothing("`project_token`"),
        scope: Scope::Tables,
        about: "The external id that the trust policy of `glue_role` expects.",
    }
}
