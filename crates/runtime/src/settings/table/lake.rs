//! The bucket of the lake.

use crate::settings::arn::{KeyArn, RoleArn};
use crate::settings::row::Row;
use crate::settings::setting::{Accepts, Preset, Scope, Setting};
use crate::settings::values::{external_id, parsed, region, text};
use mixlake_store_s3::Encryption;

rows! {
    list LAKE_ROWS;

    S3_BUCKET: String {
        name: "s3_bucket",
        accepts: Accepts::Text { shown: "a bucket's name", most: None, read: text },
        default: Preset::Required {
            when: "required in the functions",
            what: "the name of the lake's bucket",
        },
        scope: Scope::All,
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
        scope: Scope::All,
        about: "Where the lake lies within the bucket.",
    }
    S3_ENCRYPTION: Encryption {
        name: "s3_encryption",
        accepts: Accepts::Choice(&[
            ("none", Encryption::BucketDefault),
            ("aes", Encryption::S3Managed),
            ("kms", Encryption::Kms { key: None }),
        ]),
        default: Preset::Value("none"),
        scope: Scope::Writers,
        about: "How S3 encrypts each object that is written. `none` leaves it to the bucket's \
                default, which is SSE-S3 unless somebody changed it. `aes` is SSE-S3, and `kms` is \
                SSE-KMS with a bucket key. A lake may change it. Existing objects stay as they are, \
                and `mixlake doctor` lists them.",
    }
    S3_KMS_KEY_ID: KeyArn {
        name: "s3_kms_key_id",
        accepts: Accepts::Text { shown: "the ARN of a KMS key", most: None, read: parsed },
        default: Preset::Nothing("the account's key `aws/s3`"),
        scope: Scope::Writers,
        about: "The key of `s3_encryption=kms`. It must be in the region of the bucket.",
    }
    S3_ROLE: RoleArn {
        name: "s3_role",
        accepts: Accepts::Text { shown: "the ARN of an IAM role", most: None, read: parsed },
        default: Preset::Nothing("none: the process's own role"),
        scope: Scope::All,
        about: "The role to assume for the bucket of the lake, such as one of another account. The \
                bucket must belong to the account of the role. A pipeline's bucket and the secret \
                are read without it.",
    }
    S3_EXTERNAL_ID: String {
        name: "s3_external_id",
        accepts: Accepts::Text {
            shown: "letters, digits, `_+=,.@:/-`",
            most: Some(1224),
            read: external_id,
        },
        default: Preset::Nothing("`project_token`"),
        scope: Scope::All,
        about: "The external id that the trust policy of `s3_role` expects.",
    }
}
