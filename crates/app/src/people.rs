//! The people whose events a project's lake must not have: a hidden document with salted hashes of their
//! identifiers.
//!
//! An erasure enters people before it removes their rows. An export reads the document when it begins to
//! receive a slice, and again when the ledger has the slice as being written. If the document changed in
//! between, the export starts again. An erasure that does not find a slice in the ledgers after it entered
//! its people therefore needs not care for that slice: its export leaves their events out.

use crate::document::{self, DocumentError, Edit};
use crate::hash;
use crate::manifest::Format;
use crate::ports::{ObjectStore, StoreError};
use mixlake_columnar::{
    PersonHash, Salt, Suppression, TableColumns, TransformError, is_identity, without_bad_lines,
};
use mixlake_domain::{Date, Layout};
use mixlake_schema::Table;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The people who were erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct People {
    /// The version of the document's format.
    format: Format,
    /// What the hashes are made with.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub salt: Salt,
    /// The dates on which they were entered, by the hashes of their identifiers.
    #[serde(rename = "people")]
    entered: BTreeMap<String, Date>,
}

fn as_text<S: Serializer>(salt: &Salt, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(salt)
}

fn of_text<'de, D: Deserializer<'de>>(from: D) -> Result<Salt, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl People {
    /// Nobody yet.
    pub(crate) fn with_salt(salt: Salt) -> Self {
        Self { format: Format, salt, entered: BTreeMap::new() }
    }

    /// The people of a lake; none if nobody was ever erased.
    pub(crate) async fn read(
        store: &dyn ObjectStore,
        layout: &Layout,
    ) -> Result<Option<Self>, DocumentError> {
        let key = layout.suppression();
        let people = document::read::<Self>(store, &key).await?.value;
        if let Some(people) = &people {
            people.hashes().map_err(|cause| DocumentError::Malformed {
                location: store.location(&key),
                cause: serde::de::Error::custom(cause),
            })?;
        }
        Ok(people)
    }

    /// Enters people. The salt is used if the lake has none. Returns the people of the lake, and `None` if
    /// other runs changed them each time.
    pub(crate) async fn enter(
        store: &dyn ObjectStore,
        layout: &Layout,
        salt: Salt,
        (identifiers, date): (&[String], Date),
    ) -> Result<Option<Self>, DocumentError> {
        let key = layout.suppression();
        let read = || document::read::<Self>(store, &key);
        let decide = |read: document::Read<Self>| {
            let mut people = read.value.unwrap_or_else(|| Self::with_salt(salt));
            let before = people.entered.len();
            for identifier in identifiers {
                let hash = people.salt.hash(identifier).to_string();
                people.entered.entry(hash).or_insert(date);
            }
            Ok(if people.entered.len() == before {
                Edit::Keep(people)
            } else {
                Edit::json(&people.clone(), people)
            })
        };
        document::change(store, &key, read, decide).await
    }

    /// What a transformation leaves out.
    pub(crate) fn suppression(&self) -> Suppression {
        Suppression::new(self.salt, self.hashes().unwrap_or_default())
    }

    /// A hash of who was entered.
    pub(crate) fn fingerprint(&self) -> String {
        hash::of_parts(self.entered.keys().map(String::as_str))
    }

    /// Whether an identifier was entered.
    pub(crate) fn has(&self, identifier: &str) -> bool {
        self.entered.contains_key(&self.salt.hash(identifier).to_string())
    }

    fn hashes(&self) -> Result<Vec<PersonHash>, mixlake_columnar::ParseHashError> {
        self.entered.keys().map(|hash| hash.parse()).collect()
    }
}

/// Deletes bad lines that a run has written, if they name a person who was erased since it read `people`. No run that
/// knows of the erasure writes the same object, and the erasure may have searched before.
pub(crate) async fn drop_bad_lines<E>(
    store: &dyn ObjectStore,
    layout: &Layout,
    (key, bytes): (&str, &[u8]),
    people: Option<&People>,
) -> Result<(), E>
where
    E: From<StoreError> + From<DocumentError> + From<TransformError>,
{
    let Some(now) = People::read(store, layout).await? else { return Ok(()) };
    let suppression = now.suppression();
    let erased = without_bad_lines(bytes, |line| suppression.is_in_bad_line(line));
    if people != Some(&now) && erased.map_err(TransformError::Quarantine)?.0 > 0 {
        store.delete(key).await?;
    }
    Ok(())
}

/// The columns of a table that say who a row is about. A table that the registry does not have has those that
/// every table has.
pub(crate) fn columns_of(table: Option<&Table>) -> TableColumns {
    let mut columns = TableColumns {
        identity: BTreeMap::from([("distinct_id".to_owned(), "distinct_id".to_owned())]),
        overflow: Some("mp_properties".to_owned()),
        ..TableColumns::default()
    };
    for column in table.into_iter().flat_map(Table::columns) {
        columns.types.insert(column.name.clone(), column.column_type);
        if is_identity(&column.property) {
            columns.identity.insert(column.name.clone(), column.property.clone());
        }
    }
    columns
}
