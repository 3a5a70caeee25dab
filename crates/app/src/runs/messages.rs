//! Why a run could not be recorded, as a user reads it with its causes.

use super::RunsError;
use crate::document::DocumentError;
use crate::ports::StoreError;
use crate::registry::UnusableRegistry;
use mixlake_columnar::TransformError;
use mixlake_domain::RunId;
use mixlake_schema::{ColumnType, Registry};

fn samples() -> [RunsError; 9] {
    let location = || "s3://lake/raw/42/schema/runs.json".to_owned();
    let store = StoreError {
        action: "write",
        location: location(),
        hint: None,
        cause: "words of the service".into(),
    };
    let text = "it is the manifest of mp_master_event on 2026-11-10".to_owned();
    let cause = Registry::from_document(b"{", &"42".parse().unwrap()).unwrap_err();
    let mut registry = Registry::default();
    registry.fixed_column("t", ("bytes", "bytes", ColumnType::Number)).unwrap();
    let other = registry.fixed_column("t", ("bytes", "bytes", ColumnType::Bigint)).unwrap_err();
    [
        RunsError::Store(store),
        RunsError::Document(DocumentError::Misplaced { location: location(), text }),
        RunsError::Registry(UnusableRegistry { location: location(), cause }),
        RunsError::Taken("mp_export_runs"),
        RunsError::Columns(other),
        RunsError::Encode(TransformError::Parquet(parquet::errors::ParquetError::EOF(
            "<reason>".to_owned(),
        ))),
        RunsError::Occupied("s3://lake/raw/42/_reports/2026/11/10/0123.json".to_owned()),
        RunsError::Name(RunId::of_hash("xyz").unwrap_err()),
        RunsError::Contended(64),
    ]
}

#[test]
fn runs() {
    let texts = samples().map(|error| {
        let name = match &error {
            RunsError::Store(_) => "Store",
            RunsError::Document(_) => "Document",
            RunsError::Registry { .. } => "Registry",
            RunsError::Taken(_) => "Taken",
            RunsError::Columns(_) => "Columns",
            RunsError::Encode(_) => "Encode",
            RunsError::Occupied(_) => "Occupied",
            RunsError::Name(_) => "Name",
            RunsError::Contended(_) => "Contended",
        };
        format!("{name}: {}\n", crate::chain(&error))
    });
    insta::assert_snapshot!(texts.concat());
}
