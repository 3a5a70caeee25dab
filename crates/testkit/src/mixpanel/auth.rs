//! HTTP Basic authentication, in both forms that Mixpanel supports.

use super::config::StandInConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Whether a request may read the project; otherwise the text of the 401 response.
pub(super) fn check(
    config: &StandInConfig,
    authorization: Option<&str>,
    project_id: Option<&str>,
) -> Result<(), String> {
    let presented = authorization
        .and_then(|header| header.strip_prefix("Basic "))
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
        .ok_or("Unauthorized: HTTP Basic credentials are required")?;
    let service_account = format!("{}:{}", config.username, config.secret).into_bytes();
    let project_secret = config.project_secret.as_ref().map(|s| format!("{s}:").into_bytes());
    if presented == service_account {
        match project_id {
            Some(id) if id == config.project_id => Ok(()),
            Some(_) => Err("Unauthorized: the service account has no access to the project".into()),
            None => Err("Unauthorized: project_id is required with a service account".into()),
        }
    } else if project_secret == Some(presented) && matches_or_absent(project_id, config) {
        Ok(())
    } else {
        Err("Unauthorized: invalid credentials".into())
    }
}

fn matches_or_absent(project_id: Option<&str>, config: &StandInConfig) -> bool {
    project_id.is_none_or(|id| id == config.project_id)
}

#[cfg(test)]
mod tests {
    use super::super::data::Data;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::service_account(Some("user:secret"), Some("7"), true)]
    #[case::without_project(Some("user:secret"), None, false)]
    #[case::another_project(Some("user:secret"), Some("8"), false)]
    #[case::wrong_secret(Some("user:guess"), Some("7"), false)]
    #[case::project_secret(Some("old:"), None, true)]
    #[case::project_secret_as_password(Some(":old"), None, false)]
    #[case::nobody(None, Some("7"), false)]
    fn only_the_two_documented_ways_are_let_in(
        #[case] pair: Option<&str>,
        #[case] project: Option<&str>,
        #[case] fine: bool,
    ) {
        let config = StandInConfig {
            project_id: "7".into(),
            username: "user".into(),
            secret: "secret".into(),
            project_secret: Some("old".into()),
            ..StandInConfig::new(Data::parse(b""))
        };
        let header = pair.map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair)));
        assert_eq!(check(&config, header.as_deref(), project).is_ok(), fine);
    }
}
