//! ARNs of the resources that a setting can name.

use std::fmt;
use std::str::FromStr;

/// The ARN of an IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn(String);

/// The ARN of a KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArn(String);

/// The parts of an ARN after `arn:PARTITION:`.
struct Parts<'a> {
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let is_arn = parts.next() == Some("arn");
        let in_partition = parts.next().is_some_and(|partition| partition.starts_with("aws"));
        let service = parts.next()?;
        let region = parts.next()?;
        let account = parts.next()?;
        let resource = parts.next()?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (is_arn && in_partition && is_account).then_some(Self {
            service,
            region,
            account,
            resource,
        })
    }
}

/// What follows `prefix/`, if it has only letters, digits and these characters.
fn named<'a>(resource: &'a str, prefix: &str, others: &str) -> Option<&'a str> {
    let name = resource.strip_prefix(prefix)?;
    let fine = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (!name.is_empty() && name.chars().all(fine)).then_some(name)
}

impl RoleArn {
    /// The account that owns the role.
    #[must_use]
    pub fn account(&self) -> &str {
        Parts::of(&self.0).map_or("", |parts| parts.account)
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_role = |parts: &Parts<'_>| {
            let in_iam = parts.service == "iam" && parts.region.is_empty();
            in_iam && named(parts.resource, "role/", "_+=,.@-/").is_some()
        };
        let arn = Parts::of(text).filter(is_role).map(|_| Self(text.to_owned()));
        arn.ok_or_else(|| {
            format!(
                "must be the ARN of an IAM role such as arn:aws:iam::123456789012:role/mixlake, got \
                 {text:?}"
            )
        })
    }
}

impl FromStr for KeyArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_key = |parts: &Parts<'_>| {
            let in_kms = parts.service == "kms" && !parts.region.is_empty();
            in_kms && named(parts.resource, "key/", "-").is_some()
        };
        let arn = Parts::of(text).filter(is_key).map(|_| Self(text.to_owned()));
        arn.ok_or_else(|| {
            format!(
                "must be the ARN of a KMS key such as \
                 arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab, not \
                 its id or alias, got {text:?}"
            )
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_can_have_a_path_and_be_in_any_partition() {
        for text in [
            "arn:aws:iam::123456789012:role/mixlake",
            "arn:aws-cn:iam::123456789012:role/teams/data/mixlake+a=b,c.d@e-f_g",
        ] {
            let role: RoleArn = text.parse().unwrap();
            assert_eq!((role.as_str(), role.account()), (text, "123456789012"));
        }
    }

    #[test]
    fn another_resource_is_no_role() {
        for text in [
            "",
            "mixlake",
            "role/mixlake",
            "arn:aws:iam::123456789012:user/mixpanel-export",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam:us-east-1:123456789012:role/mixlake",
            "arn:aws:iam::12345:role/mixlake",
            "arn:aws:sts::123456789012:assumed-role/mixlake/session",
            "arn:other:iam::123456789012:role/mixlake",
        ] {
            let problem = text.parse::<RoleArn>().unwrap_err();
            assert!(problem.ends_with(&format!("got {text:?}")), "{problem}");
        }
    }

    #[test]
    fn a_key_is_named_by_its_arn_alone() {
        for text in [
            "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        ] {
            assert_eq!(text.parse::<KeyArn>().unwrap().as_str(), text);
        }
        for text in [
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "alias/aws/s3",
            "arn:aws:kms:us-east-1:123456789012:alias/lake",
            "arn:aws:kms::123456789012:key/1234abcd",
            "arn:aws:s3:us-east-1:123456789012:key/1234abcd",
        ] {
            assert!(text.parse::<KeyArn>().is_err(), "{text}");
        }
    }
}
