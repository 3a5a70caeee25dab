//! Every message of this crate outside of `source`, as a user reads it. A new variant of an error does not
//! compile until its `match` has it.

use crate::FolderCatalog;
use crate::key::relative_path;
use crate::store::HINTS;
use crate::table_document::TableDocumentError;
use mixlake_app::ports::{Catalog as _, CatalogError};

#[test]
fn documents() {
    let malformed = serde_json::from_str::<u8>("x").unwrap_err();
    let errors = [
        TableDocumentError::Malformed(malformed),
        TableDocumentError::Format(2),
        TableDocumentError::Duplicate("plan".to_owned()),
        TableDocumentError::NoPartitions,
    ];
    let errors = errors.map(|error| {
        let name = match error {
            TableDocumentError::Malformed(_) => "Malformed",
            TableDocumentError::Format(_) => "Format",
            TableDocumentError::Duplicate(_) => "Duplicate",
            TableDocumentError::NoPartitions => "NoPartitions",
        };
        format!("{name}: {error}\n")
    });
    insta::assert_snapshot!(errors.concat());
}

#[test]
fn hints() {
    let hints = HINTS.map(|(kind, hint)| format!("{kind:?}: {hint}\n"));
    insta::assert_snapshot!(hints.concat());
}

#[tokio::test]
async fn names_and_keys() {
    let keys = ["a/../b", ".mixlake/lock"].map(|key| {
        let error = relative_path(key).unwrap_err();
        format!("{error}\n")
    });
    let cause = |error: CatalogError| mixlake_app::chain(&error);
    let database = FolderCatalog::new("lake", "a/b").unwrap_err();
    let catalog = FolderCatalog::new("lake", "mixpanel").unwrap();
    let table = catalog.table("a/b").await.unwrap_err();
    let causes = [database, table].map(cause).map(|text| {
        // The words before the last cause are the port's.
        format!("{}\n", text.rsplit_once(": ").map_or(&*text, |(_, cause)| cause))
    });
    insta::assert_snapshot!(keys.concat() + &causes.concat());
}
