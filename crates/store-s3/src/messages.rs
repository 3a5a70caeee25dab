//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.

use crate::failure::{Failure, Meaning, Omission};

fn name(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::NoSuchKey => "NoSuchKey",
        Meaning::NoSuchBucket => "NoSuchBucket",
        Meaning::ConditionFailed => "ConditionFailed",
        Meaning::OutOfRange => "OutOfRange",
        Meaning::Denied => "Denied",
        Meaning::KeyDenied => "KeyDenied",
        Meaning::KeyUnusable => "KeyUnusable",
        Meaning::OtherRegion => "OtherRegion",
        Meaning::BadCredentials => "BadCredentials",
        Meaning::NoCredentials => "NoCredentials",
        Meaning::CredentialsFailed => "CredentialsFailed",
        Meaning::Unreachable => "Unreachable",
        Meaning::Other => "Other",
    }
}

#[test]
fn hints() {
    let meanings = [
        Meaning::NoSuchKey,
        Meaning::NoSuchBucket,
        Meaning::ConditionFailed,
        Meaning::OutOfRange,
        Meaning::Denied,
        Meaning::KeyDenied,
        Meaning::KeyUnusable,
        Meaning::OtherRegion,
        Meaning::BadCredentials,
        Meaning::NoCredentials,
        Meaning::CredentialsFailed,
        Meaning::Unreachable,
        Meaning::Other,
    ];
    let hints = meanings.map(|meaning| {
        let failure = Failure { meaning, rights: "s3:PutObject", cause: "cause".into() };
        let hint = failure.hint("my-lake", None);
        format!("{}: {}\n", name(meaning), hint.as_deref().unwrap_or("(no hint)"))
    });
    insta::assert_snapshot!(hints.concat());
}

#[test]
fn the_hint_of_a_bucket_that_must_belong_to_an_account() {
    let (meaning, cause) = (Meaning::Denied, "cause".into());
    let failure = Failure { meaning, rights: "s3:PutObject", cause };
    insta::assert_snapshot!(failure.hint("my-lake", Some("123456789012")).unwrap_or_default());
}

#[test]
fn incomplete_responses() {
    let omissions = [Omission::UploadId, Omission::ETag, Omission::Size].map(|omission| {
        let name = match omission {
            Omission::UploadId => "UploadId",
            Omission::ETag => "ETag",
            Omission::Size => "Size",
        };
        format!("{name}: {omission}\n")
    });
    insta::assert_snapshot!(omissions.concat());
}
