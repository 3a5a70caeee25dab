//! Every error of an export of profiles, as a user reads it with its causes.

use super::{PagesProblem, ProfilesError};
use crate::document::DocumentError;
use crate::export::RowsTaken;
use crate::ports::{SourceError, StoreError};
use crate::registry::UnusableRegistry;
use mixlake_columnar::TransformError;
use mixlake_schema::Registry;

fn reasons() -> Vec<String> {
    vec!["$distinct_id: the field is missing".to_owned()]
}

#[test]
fn errors() {
    let location = || "s3://lake/raw/42/_profiles/state.json".to_owned();
    let malformed = serde_json::from_str::<u8>("x").unwrap_err();
    let registry = Registry::from_document(b"{", &"42".parse().unwrap()).unwrap_err();
    let store = StoreError {
        action: "read",
        location: location(),
        hint: None,
        cause: "words of the service".into(),
    };
    let taken = RowsTaken {
        table: "mp_people_data".parse().unwrap(),
        mp_date: None,
        before: 300,
        after: 1,
    };
    let samples = [
        ProfilesError::Source(SourceError::OutOfTime),
        ProfilesError::SessionEnded("request for page in uncached query".to_owned()),
        ProfilesError::Pages(PagesProblem::Order { wanted: 3, got: 2 }),
        ProfilesError::Transform(TransformError::CutLine(3)),
        ProfilesError::NoProfile { lines: 3, reasons: reasons() },
        ProfilesError::MostlyBad { bad: 6, lines: 10, share: 0.5, reasons: reasons() },
        ProfilesError::Empty { rows: 300 },
        ProfilesError::Fewer(taken),
        ProfilesError::Store(store),
        ProfilesError::Document(DocumentError::Malformed {
            location: location(),
            cause: malformed,
        }),
        ProfilesError::Registry(UnusableRegistry { location: location(), cause: registry }),
        ProfilesError::NamesLost { location: "s3://lake/raw/42/schema/people.json".to_owned() },
        ProfilesError::Taken("mp_group_company_data".to_owned()),
        ProfilesError::Contended(8),
    ];
    let texts = samples.iter().map(|error| format!("{}: {}\n", name(error), crate::chain(error)));
    insta::assert_snapshot!(texts.collect::<String>());
}

/// A new variant does not compile until it is here.
fn name(error: &ProfilesError) -> &'static str {
    match error {
        ProfilesError::Source(_) => "Source",
        ProfilesError::SessionEnded(_) => "SessionEnded",
        ProfilesError::Pages(_) => "Pages",
        ProfilesError::Transform(_) => "Transform",
        ProfilesError::NoProfile { .. } => "NoProfile",
        ProfilesError::MostlyBad { .. } => "MostlyBad",
        ProfilesError::Empty { .. } => "Empty",
        ProfilesError::Fewer(_) => "Fewer",
        ProfilesError::Store(_) => "Store",
        ProfilesError::Document(_) => "Document",
        ProfilesError::Registry { .. } => "Registry",
        ProfilesError::NamesLost { .. } => "NamesLost",
        ProfilesError::Taken(_) => "Taken",
        ProfilesError::Contended(_) => "Contended",
    }
}
