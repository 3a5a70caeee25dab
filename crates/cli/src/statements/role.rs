//! The role that Redshift assumes.

/// A role as `IAM_ROLE` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The default role of the cluster.
    Default,
    /// The ARN of a role, or several with commas: each assumes the next.
    Arn(String),
}

impl Role {
    /// Reads what a person gave.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self::Default);
        }
        if text.split(',').all(is_role_arn) {
            return Ok(Self::Arn(text.to_owned()));
        }
        Err(format!(
            "must be the ARN of an IAM role, as in arn:aws:iam::123456789012:role/spectrum, or default, got {text:?}"
        ))
    }
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return false };
    let is_partition = partition == "aws" || partition.starts_with("aws-");
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let fine = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    let name = resource.strip_prefix("role/").unwrap_or_default();
    is_partition && is_account && !name.is_empty() && name.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ROLE: &str = "arn:aws:iam::123456789012:role/service-role/spectrum";

    #[rstest]
    #[case::role(ROLE)]
    #[case::china("arn:aws-cn:iam::123456789012:role/spectrum")]
    #[case::chain("arn:aws:iam::123456789012:role/a,arn:aws:iam::210987654321:role/b")]
    fn arns_of_roles_are_taken(#[case] text: &str) {
        assert_eq!(Role::parse(text), Ok(Role::Arn(text.to_owned())));
    }

    #[test]
    fn the_default_role_of_a_cluster_is_taken() {
        assert_eq!(Role::parse("default"), Ok(Role::Default));
    }

    #[rstest]
    #[case::empty("")]
    #[case::name("spectrum")]
    #[case::user("arn:aws:iam::123456789012:user/spectrum")]
    #[case::no_name("arn:aws:iam::123456789012:role/")]
    #[case::no_account("arn:aws:iam::role/spectrum")]
    #[case::session("arn:aws:sts::123456789012:assumed-role/spectrum/me")]
    #[case::quote("arn:aws:iam::123456789012:role/it's")]
    #[case::one_of_two(&format!("{ROLE},spectrum"))]
    fn what_is_no_role_is_refused(#[case] text: &str) {
        let error = Role::parse(text).unwrap_err();
        assert!(error.starts_with("must be the ARN of an IAM role, as in arn:"), "{error}");
    }
}
