//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.

use crate::credentials::{CredentialsError, Flaw};
use crate::endpoint::EndpointError;
use crate::engage::PageFlaw;
use crate::filters::{EventNamesError, WhereExpressionError};
use crate::reason::Reason;
use crate::response::Refusal;
use mixlake_app::ports::SourceError;
use mixlake_domain::Timestamp;
use std::fmt::Display;
use std::time::Duration;

fn list<T: Display>(samples: &[T], name: impl Fn(&T) -> &'static str) -> String {
    let lines: Vec<_> =
        samples.iter().map(|sample| format!("{}: {sample}\n", name(sample))).collect();
    lines.concat()
}

#[test]
fn reasons() {
    let url = || "https://data.mixpanel.com".to_owned();
    let file = || "s3://raw/2195193/mp_master_event/2026/11/10/1.json.gz".to_owned();
    let samples = [
        Reason::NoConnection(url()),
        Reason::NoResponseInTime { endpoint: url(), seconds: 300 },
        Reason::NoResponse(url()),
        Reason::NoBudget,
        Reason::NoEnd,
        Reason::Encoding("\"br\"".to_owned()),
        Reason::UndeclaredGzip,
        Reason::Broken,
        Reason::Stalled,
        Reason::Corrupt,
        Reason::Unpacking,
        Reason::PipelineTooEarly { slice: "2026-11-10".to_owned(), hours: 24 },
        Reason::NoPipelineFolder("s3://raw/2195193/mp_master_event/2026/11/10/".to_owned()),
        Reason::PipelineUnreadable,
        Reason::PipelineBroken,
        Reason::PipelineChanged,
        Reason::FileGone(file()),
        Reason::FileCut(file()),
        Reason::FileCorrupt(file()),
    ];
    let texts = list(&samples, |reason| match reason {
        Reason::NoConnection(_) => "NoConnection",
        Reason::NoResponseInTime { .. } => "NoResponseInTime",
        Reason::NoResponse(_) => "NoResponse",
        Reason::NoBudget => "NoBudget",
        Reason::NoEnd => "NoEnd",
        Reason::Encoding(_) => "Encoding",
        Reason::UndeclaredGzip => "UndeclaredGzip",
        Reason::Broken => "Broken",
        Reason::Stalled => "Stalled",
        Reason::Corrupt => "Corrupt",
        Reason::Unpacking => "Unpacking",
        Reason::PipelineTooEarly { .. } => "PipelineTooEarly",
        Reason::NoPipelineFolder(_) => "NoPipelineFolder",
        Reason::PipelineUnreadable => "PipelineUnreadable",
        Reason::PipelineBroken => "PipelineBroken",
        Reason::PipelineChanged => "PipelineChanged",
        Reason::FileGone(_) => "FileGone",
        Reason::FileCut(_) => "FileCut",
        Reason::FileCorrupt(_) => "FileCorrupt",
    });
    insta::assert_snapshot!(texts);
}

#[test]
fn settings() {
    let credentials = [
        Flaw::Colon,
        Flaw::NotAnObject,
        Flaw::NoField("username"),
        Flaw::BothForms,
        Flaw::OtherFields,
        Flaw::NoColon,
        Flaw::Empty,
        Flaw::Unprintable,
    ]
    .map(CredentialsError);
    let endpoints = [
        EndpointError::NotAUrl,
        EndpointError::Insecure,
        EndpointError::Credentials,
        EndpointError::NotABase,
    ];
    let expressions = [
        WhereExpressionError::Empty,
        WhereExpressionError::Unbalanced("(a".to_owned()),
        WhereExpressionError::OpenString("a == \"b".to_owned()),
    ];
    let credentials = list(&credentials, |error| match error.0 {
        Flaw::Colon => "Colon",
        Flaw::NotAnObject => "NotAnObject",
        Flaw::NoField(_) => "NoField",
        Flaw::BothForms => "BothForms",
        Flaw::OtherFields => "OtherFields",
        Flaw::NoColon => "NoColon",
        Flaw::Empty => "Empty",
        Flaw::Unprintable => "Unprintable",
    });
    let endpoints = list(&endpoints, |error| match error {
        EndpointError::NotAUrl => "NotAUrl",
        EndpointError::Insecure => "Insecure",
        EndpointError::Credentials => "Credentials",
        EndpointError::NotABase => "NotABase",
    });
    let expressions = list(&expressions, |error| match error {
        WhereExpressionError::Empty => "Empty",
        WhereExpressionError::Unbalanced(_) => "Unbalanced",
        WhereExpressionError::OpenString(_) => "OpenString",
    });
    let events = list(&[EventNamesError(2)], |_| "EventNamesError");
    insta::assert_snapshot!([credentials, endpoints, expressions, events].join("\n"));
}

#[test]
fn answers_with_an_error_status() {
    let from: Timestamp = "2026-11-11T05:00:00Z".parse().unwrap();
    let message = "words of Mixpanel";
    let future = "to_date cannot be later than today";
    let answers = [
        (302, ""),
        (400, message),
        (400, future),
        (401, message),
        (402, message),
        (403, message),
        (404, message),
        (408, message),
        (413, message),
        (414, message),
        (418, ""),
        (429, message),
        (500, message),
        (503, ""),
    ];
    let texts = answers.map(|(status, message)| {
        let refusal = Refusal { status, message: message.to_owned() };
        let outage = refusal.outage(Duration::from_secs(90));
        let error = outage.unwrap_or_else(|| refusal.of_events(from));
        format!("{status}: {}\n", own_words(error))
    });
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn answers_of_the_engage_api_with_an_error_status() {
    let message = "words of Mixpanel";
    let forgotten = "request for page in uncached query for params";
    let answers = [
        (302, ""),
        (400, message),
        (400, forgotten),
        (401, message),
        (402, message),
        (403, message),
        (404, message),
        (413, message),
        (418, ""),
    ];
    let texts = answers.map(|(status, message)| {
        let refusal = Refusal { status, message: message.to_owned() };
        assert!(refusal.outage(Duration::ZERO).is_none());
        format!("{status}: {}\n", refusal.of_profiles())
    });
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn flaws_of_pages() {
    let samples = [
        PageFlaw::Empty,
        PageFlaw::NotAnObject('<'),
        PageFlaw::Cut,
        PageFlaw::NotJson(17),
        PageFlaw::BadProfile(3),
        PageFlaw::LongProfile { number: 3, limit: 67_108_864 },
        PageFlaw::LongField(67_108_864),
        PageFlaw::Repeated("results"),
        PageFlaw::Missing("total"),
        PageFlaw::Mistyped { name: "page", accepted: "a whole number" },
        PageFlaw::Error("words of Mixpanel".to_owned()),
        PageFlaw::Status("\"error\"".to_owned()),
        PageFlaw::Trailing,
    ];
    let texts = list(&samples, |flaw| match flaw {
        PageFlaw::Empty => "Empty",
        PageFlaw::NotAnObject(_) => "NotAnObject",
        PageFlaw::Cut => "Cut",
        PageFlaw::NotJson(_) => "NotJson",
        PageFlaw::BadProfile(_) => "BadProfile",
        PageFlaw::LongProfile { .. } => "LongProfile",
        PageFlaw::LongField(_) => "LongField",
        PageFlaw::Repeated(_) => "Repeated",
        PageFlaw::Missing(_) => "Missing",
        PageFlaw::Mistyped { .. } => "Mistyped",
        PageFlaw::Error(_) => "Error",
        PageFlaw::Status(_) => "Status",
        PageFlaw::Trailing => "Trailing",
    });
    insta::assert_snapshot!(texts);
}

/// The part of the text that this crate writes; the rest is the port's.
fn own_words(error: SourceError) -> String {
    match error {
        SourceError::Refused(words) => format!("refused, {words}"),
        SourceError::Unavailable { reason, .. } => format!("unavailable, {reason}"),
        SourceError::NotYet { reason, from } => format!("not before {from}, {reason}"),
        SourceError::RateLimited { retry_after } => format!("rate limited, {retry_after:?}"),
        other @ (SourceError::Incomplete { .. }
        | SourceError::TimedOut { .. }
        | SourceError::OutOfTime
        | SourceError::Unreachable { .. }) => panic!("no status means {other:?}"),
    }
}
