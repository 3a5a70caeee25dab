//! Why identities are not rebuilt, as a user reads it with its causes.

use super::IdentitiesError;
use crate::document::DocumentError;
use crate::ports::StoreError;
use crate::registry::UnusableRegistry;
use mixlake_columnar::{PeopleError, TransformError};
use mixlake_schema::{ColumnType, Registry};
use std::io::ErrorKind;

fn samples() -> [IdentitiesError; 12] {
    let location = || "s3://lake/raw/42/schema/identities.json".to_owned();
    let store = StoreError {
        action: "write",
        location: location(),
        hint: None,
        cause: "words of the service".into(),
    };
    let text = "it is the manifest of mp_master_event on 2026-11-10".to_owned();
    let cause = Registry::from_document(b"{", &"42".parse().unwrap()).unwrap_err();
    let mut registry = Registry::default();
    registry.fixed_column("t", ("distinct_id", "", ColumnType::Number)).unwrap();
    let other = registry.fixed_column("t", ("distinct_id", "", ColumnType::String)).unwrap_err();
    let file = || "s3://lake/raw/42/t/2026/11/10/g01/2026-11-10-000.parquet".to_owned();
    let facts = "s3://lake/raw/42/_identity_facts/t/2026/11/10/01.jsonl.gz".to_owned();
    [
        IdentitiesError::Store(store),
        IdentitiesError::Document(DocumentError::Misplaced { location: location(), text }),
        IdentitiesError::Registry(UnusableRegistry { location: location(), cause }),
        IdentitiesError::Columns(other),
        IdentitiesError::Missing { location: file() },
        IdentitiesError::Damaged { location: file() },
        IdentitiesError::Rows { location: file(), cause: PeopleError::Row(7, "<reason>".into()) },
        IdentitiesError::Facts { location: facts, cause: ErrorKind::InvalidData.into() },
        IdentitiesError::Encode(TransformError::Parquet(parquet::errors::ParquetError::EOF(
            "<reason>".to_owned(),
        ))),
        std::io::Error::from(ErrorKind::StorageFull).into(),
        std::io::Error::from(ErrorKind::TimedOut).into(),
        IdentitiesError::Contended(8),
    ]
}

#[test]
fn identities() {
    let texts = samples().map(|error| {
        let name = match &error {
            IdentitiesError::Store(_) => "Store",
            IdentitiesError::Document(_) => "Document",
            IdentitiesError::Registry { .. } => "Registry",
            IdentitiesError::Columns(_) => "Columns",
            IdentitiesError::Missing { .. } => "Missing",
            IdentitiesError::Damaged { .. } => "Damaged",
            IdentitiesError::Rows { .. } => "Rows",
            IdentitiesError::Facts { .. } => "Facts",
            IdentitiesError::Encode(_) => "Encode",
            IdentitiesError::Scratch(_) => "Scratch",
            IdentitiesError::OutOfTime => "OutOfTime",
            IdentitiesError::Contended(_) => "Contended",
        };
        format!("{name}: {}\n", crate::chain(&error))
    });
    insta::assert_snapshot!(texts.concat());
}
