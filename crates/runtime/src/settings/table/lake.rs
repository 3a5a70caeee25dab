//! The bucket of the lake.

use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{region, text};

rows! {
    list LAKE_ROWS;

    S3_BUCKET: String {
        name: "s3_bucket",
        accepts: Accepts::Text { shown: "a bucket's name", most: None, read: text },
        default: Preset::Required {
            when: "required in the functions",
            what: "the name of the lake's bucket",
        },
        scope: Scope::Both,
        about: "The bucket of the lake.",
    }
    S3_REGION: String {
        name: "s3_region",
        accepts: Accepts::Text { shown: "an AWS region", most: None, read: region },
        default: Preset::Nothing("the region of the process"),
        scope: Scope::CommandLine {
            why: "the bucket of a deployment is in the region of its functions, where S3 sends its \
                  notifications",
        },
        about: "The region of the lake's bucket. `glue_region` and `raw_pipeline_region` follow it.",
    }
    S3_PREFIX: String {
        name: "s3_prefix",
        accepts: Accepts::Text { shown: "folders, as in `raw/mixpanel`", most: None, read: text },
        default: Preset::Nothing("none"),
        scope: Scope::Both,
        about: "Where the lake lies within the bucket.",
    }
    S3_ENCRYPTION: () {
        name: "s3_encryption",
        accepts: Accepts::Only("none", ()),
        default: Preset::Value("none"),
        scope: Scope::Both,
        about: "Files are encrypted as the bucket's default says.",
    }
    S3_ROLE: () {
        name: "s3_role",
        accepts: Accepts::NotYet,
        default: Preset::Nothing("none"),
        scope: Scope::Both,
        about: "A role to assume for the bucket.",
    }
    S3_KMS_KEY_ID: () {
        name: "s3_kms_key_id",
        accepts: Accepts::NotYet,
        default: Preset::Nothing("none"),
        scope: Scope::Both,
        about: "The key of `s3_encryption=kms`.",
    }
}
