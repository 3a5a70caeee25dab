//! The address of the API.

use reqwest::Url;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Where Mixpanel stores the project's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Residency {
    /// The United States, the default.
    #[default]
    Us,
    /// The European Union.
    Eu,
    /// India.
    In,
}

/// The base URLs of the APIs, safe to send credentials to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    export: String,
    query: String,
}

/// The text is not a URL, or not a safe one. The error does not repeat it, because it may contain a
/// password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Not a URL.
    #[error("the Mixpanel endpoint must be a URL such as https://data.mixpanel.com")]
    NotAUrl,
    /// Credentials would be sent unencrypted.
    #[error(
        "the Mixpanel endpoint must be https; http is accepted only for 127.0.0.1, [::1] and localhost"
    )]
    Insecure,
    /// A user name or password in the URL would appear in logs.
    #[error("the Mixpanel endpoint must not contain credentials; they come from the secret")]
    Credentials,
    /// A query or a fragment.
    #[error("the Mixpanel endpoint must not have a query or a fragment (`?` or `#`)")]
    NotABase,
}

impl Endpoint {
    /// Mixpanel's own hosts for a residency.
    #[must_use]
    pub fn residency(residency: Residency) -> Self {
        let (export, query) = match residency {
            Residency::Us => ("https://data.mixpanel.com", "https://mixpanel.com"),
            Residency::Eu => ("https://data-eu.mixpanel.com", "https://eu.mixpanel.com"),
            Residency::In => ("https://data-in.mixpanel.com", "https://in.mixpanel.com"),
        };
        Self { export: export.to_owned(), query: query.to_owned() }
    }

    /// The base URL of the export API.
    pub(crate) fn export_base(&self) -> &str {
        &self.export
    }

    /// The base URL of the query API, which has the profiles.
    pub(crate) fn query_base(&self) -> &str {
        &self.query
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(|_| EndpointError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        match (url.scheme(), url.host_str()) {
            (_, None) => return Err(EndpointError::NotAUrl),
            ("https", _) => {}
            ("http", Some(host)) if is_loopback(host) => {}
            _ => return Err(EndpointError::Insecure),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::NotABase);
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { export: base.clone(), query: base })
    }
}

/// The base URL of the export API.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.export)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::us(Residency::Us, "https://data.mixpanel.com", "https://mixpanel.com")]
    #[case::eu(Residency::Eu, "https://data-eu.mixpanel.com", "https://eu.mixpanel.com")]
    #[case::india(Residency::In, "https://data-in.mixpanel.com", "https://in.mixpanel.com")]
    fn each_residency_has_its_hosts(
        #[case] residency: Residency,
        #[case] export: &str,
        #[case] query: &str,
    ) {
        let endpoint = Endpoint::residency(residency);
        assert_eq!((endpoint.export_base(), endpoint.query_base()), (export, query));
    }

    #[rstest]
    #[case::proxy("https://proxy.example.com/mixpanel/", "https://proxy.example.com/mixpanel")]
    #[case::loopback("http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    #[case::loopback_name("http://localhost:8080/", "http://localhost:8080")]
    #[case::loopback_six("http://[::1]:8080", "http://[::1]:8080")]
    fn https_and_loopback_are_accepted(#[case] text: &str, #[case] base: &str) {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.export_base(), endpoint.query_base()), (base, base));
    }

    #[rstest]
    #[case::plain("http://data.mixpanel.com", EndpointError::Insecure)]
    #[case::looks_local("http://127.0.0.1.example.com", EndpointError::Insecure)]
    #[case::private("http://10.0.0.1", EndpointError::Insecure)]
    #[case::file("file:///etc/passwd", EndpointError::NotAUrl)]
    #[case::other_scheme("ftp://localhost", EndpointError::Insecure)]
    #[case::password("https://user:secret@data.mixpanel.com", EndpointError::Credentials)]
    #[case::query("https://data.mixpanel.com/?a=b", EndpointError::NotABase)]
    #[case::host_only("data.mixpanel.com", EndpointError::NotAUrl)]
    fn what_could_leak_credentials_is_refused(#[case] text: &str, #[case] error: EndpointError) {
        assert_eq!(text.parse::<Endpoint>().unwrap_err(), error);
    }
}
