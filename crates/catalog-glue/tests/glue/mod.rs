//! Glue's responses, for the tests of this folder.

use aws_sdk_glue::Client;
use aws_sdk_glue::config::retry::RetryConfig;
use aws_sdk_glue::operation::get_table::GetTableOutput;
use aws_sdk_glue::types::Table;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use mixlake_catalog_glue::GlueCatalog;

/// A catalog over these responses; a call that matches none of them is an error.
pub fn catalog(rules: &[&Rule]) -> GlueCatalog {
    let client = mock_client!(aws_sdk_glue, RuleMode::MatchAny, rules, |config| {
        config.retry_config(RetryConfig::disabled())
    });
    GlueCatalog::new(client, "mixpanel")
}

/// An error document as Glue sends it.
pub fn error(code: &str) -> String {
    format!(r#"{{"__type":"{code}","Message":"told by the test"}}"#)
}

/// The table that is read.
#[allow(dead_code, reason = "each file of tests compiles this module for itself")]
pub fn given_table(table: impl Fn() -> Table + Send + Sync + 'static) -> Rule {
    mock!(Client::get_table)
        .match_requests(|r| r.database_name() == Some("mixpanel") && r.name() == Some("signup"))
        .then_output(move || GetTableOutput::builder().table(table()).build())
}

/// Any number of calls of an operation end in an error.
macro_rules! refuses {
    ($operation:ident, $code:literal) => {
        aws_smithy_mocks::mock!(Client::$operation)
            .sequence()
            .http_status(400, Some(crate::glue::error($code)))
            .repeatedly()
            .build()
    };
}

/// A call that must not happen; the rule counts its calls.
#[allow(unused_macros, reason = "each file of tests compiles this module for itself")]
macro_rules! never {
    ($operation:ident) => {
        crate::glue::refuses!($operation, "ThisCallWasNotToHappen")
    };
}

#[allow(unused_imports, reason = "each file of tests compiles this module for itself")]
pub(crate) use {never, refuses};
