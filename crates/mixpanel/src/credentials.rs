//! Credentials for Mixpanel.

use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// A service account, or the secret of a project. `Debug` shows only which of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    ServiceAccount { username: String, secret: String },
    ProjectSecret(String),
}

/// The text is not valid credentials. The error does not repeat it, because it may contain a part of
/// them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "Mixpanel credentials must be the JSON {{\"username\":\"...\",\"secret\":\"...\"}} or \
     {{\"project_secret\":\"...\"}}, or the text username:secret; {0}"
)]
pub struct CredentialsError(pub(crate) Flaw);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Flaw {
    #[error("a user name cannot contain `:`")]
    Colon,
    #[error("the text is not a JSON object")]
    NotAnObject,
    #[error("the string field `{0}` is missing")]
    NoField(&'static str),
    #[error("both forms are given")]
    BothForms,
    #[error("the JSON object has none of these fields")]
    OtherFields,
    #[error("the text has no `:`")]
    NoColon,
    #[error("one part is empty")]
    Empty,
    #[error("one part contains whitespace or control characters")]
    Unprintable,
}

impl Credentials {
    /// A service account of the project's organization.
    pub fn service_account(username: &str, secret: &str) -> Result<Self, CredentialsError> {
        let (username, secret) = (printable(username)?, printable(secret)?);
        if username.contains(':') {
            return Err(CredentialsError(Flaw::Colon));
        }
        Ok(Self(Kind::ServiceAccount { username, secret }))
    }

    /// The project's own secret, which Mixpanel retires on 2027-03-03.
    pub fn project_secret(secret: &str) -> Result<Self, CredentialsError> {
        printable(secret).map(|secret| Self(Kind::ProjectSecret(secret)))
    }

    /// Reads the text of a secret in Secrets Manager:
    /// `{"username":"...","secret":"..."}` or `{"project_secret":"..."}`.
    pub fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(json).map_err(|_| CredentialsError(Flaw::NotAnObject))?;
        let field = |name: &'static str| {
            let value = object.get(name).and_then(Value::as_str);
            value.ok_or(CredentialsError(Flaw::NoField(name)))
        };
        let account = ["username", "secret"].iter().any(|name| object.contains_key(*name));
        match (account, object.contains_key("project_secret")) {
            (true, true) => Err(CredentialsError(Flaw::BothForms)),
            (true, false) => Self::service_account(field("username")?, field("secret")?),
            (false, true) => Self::project_secret(field("project_secret")?),
            (false, false) => Err(CredentialsError(Flaw::OtherFields)),
        }
    }

    /// Reads `username:secret`, the form for an environment variable.
    pub fn from_pair(pair: &str) -> Result<Self, CredentialsError> {
        let (username, secret) =
            pair.trim().split_once(':').ok_or(CredentialsError(Flaw::NoColon))?;
        Self::service_account(username, secret)
    }

    /// Whether this is the authentication method that Mixpanel retires.
    #[must_use]
    pub fn is_project_secret(&self) -> bool {
        matches!(self.0, Kind::ProjectSecret(_))
    }

    /// User name and password for HTTP Basic authentication.
    pub(crate) fn basic(&self) -> (&str, &str) {
        match &self.0 {
            Kind::ServiceAccount { username, secret } => (username, secret),
            Kind::ProjectSecret(secret) => (secret, ""),
        }
    }

    /// Removes the credentials from a text of somebody else.
    pub(crate) fn redact(&self, text: &str) -> String {
        let (user, password) = self.basic();
        // The longer one first, because it may contain the shorter one.
        let mut parts = [user, password];
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .fold(text.to_owned(), |text, part| text.replace(part, "***"))
    }
}

impl FromStr for Credentials {
    type Err = CredentialsError;

    /// Parses any of the accepted forms.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim_start().starts_with('{') {
            Self::from_json(text)
        } else {
            Self::from_pair(text)
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::ServiceAccount { .. } => "ServiceAccount(***)",
            Kind::ProjectSecret(_) => "ProjectSecret(***)",
        })
    }
}

fn printable(part: &str) -> Result<String, CredentialsError> {
    if part.is_empty() {
        return Err(CredentialsError(Flaw::Empty));
    }
    if part.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(CredentialsError(Flaw::Unprintable));
    }
    Ok(part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::service_account_json(r#"{"username":"me","secret":"s:1"}"#, ("me", "s:1"))]
    #[case::project_secret_json(r#" {"project_secret":"p"} "#, ("p", ""))]
    #[case::more_fields(r#"{"username":"me","secret":"s","note":"x"}"#, ("me", "s"))]
    #[case::pair("me:s:1\n", ("me", "s:1"))]
    fn the_accepted_forms_are_read(#[case] text: &str, #[case] basic: (&str, &str)) {
        assert_eq!(text.parse::<Credentials>().unwrap().basic(), basic);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::one_word("hunter2")]
    #[case::half_a_pair("hunter2:")]
    #[case::other_half(":hunter2")]
    #[case::broken_json(r#"{"username":"hunter2","secret":"hunter2""#)]
    #[case::no_secret(r#"{"username":"hunter2"}"#)]
    #[case::a_number(r#"{"username":"hunter2","secret":2}"#)]
    #[case::both(r#"{"username":"hunter2","secret":"hunter2","project_secret":"hunter2"}"#)]
    #[case::other_fields(r#"{"password":"hunter2"}"#)]
    #[case::line_break("hunter2:hun\nter2")]
    fn an_error_names_the_accepted_forms_and_not_the_value(#[case] text: &str) {
        let message = text.parse::<Credentials>().unwrap_err().to_string();
        assert!(message.contains("project_secret") && message.contains("username:secret"));
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn debug_shows_the_kind_only() {
        let account = Credentials::service_account("me", "hunter2").unwrap();
        let project = Credentials::project_secret("hunter2").unwrap();
        assert_eq!(format!("{account:?} {project:?}"), "ServiceAccount(***) ProjectSecret(***)");
    }

    #[test]
    fn what_repeats_credentials_is_blanked() {
        let account = Credentials::service_account("hunter", "hunter2").unwrap();
        assert_eq!(account.redact("no hunter with hunter2 here"), "no *** with *** here");
    }
}
