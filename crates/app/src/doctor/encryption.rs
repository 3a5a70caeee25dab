//! Objects that are not encrypted as the settings say now.

use super::facts::Facts;
use super::finding::{Finding, Kind, Remedy};
use super::repair::RepairError;
use super::{Doctor, finding};
use crate::ports::{ObjectMeta, Precondition, Put, StoreError};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use mixlake_domain::LakeObject;
use std::collections::BTreeMap;

/// The calls at the same time.
const IN_FLIGHT: usize = 16;

/// The keys of objects, by how they are encrypted.
pub(super) type OldEncryption = BTreeMap<String, Vec<String>>;

pub(super) fn findings(facts: &Facts) -> impl Iterator<Item = Finding> {
    facts.old_encryption.iter().map(|(how, keys)| {
        let (count, first) = (keys.len(), &keys[0]);
        let objects = if count == 1 { "object is" } else { "objects are" };
        let text = format!(
            "{count} {objects} encrypted with {how}, not as the settings say; the first is {first}"
        );
        let remedy = Remedy::Encrypt { keys: keys.clone() };
        Finding::problem(Kind::OldEncryption, "", finding::subject(None), text, remedy).note()
    })
}

impl Doctor<'_> {
    pub(super) async fn old_encryption(
        &self,
        objects: &[ObjectMeta],
    ) -> Result<OldEncryption, StoreError> {
        let ask = async |object: &ObjectMeta| {
            let how = self.lake.store.old_encryption(&object.key).await?;
            Ok::<_, StoreError>(how.map(|how| (how, object.key.clone())))
        };
        let found = stream::iter(objects).map(ask).buffered(IN_FLIGHT);
        let found: Vec<_> = found.try_collect().await?;
        let mut old = OldEncryption::new();
        for (how, key) in found.into_iter().flatten() {
            old.entry(how).or_default().push(key);
        }
        Ok(old)
    }

    /// Writes objects again, as they are. A data file never changes, so the store copies it. A document
    /// may change at the same time, so it is compared and swapped.
    pub(super) async fn encrypt(&self, keys: &[String]) -> Result<(), RepairError> {
        stream::iter(keys)
            .map(Ok)
            .try_for_each_concurrent(IN_FLIGHT, |key| self.write_again(key))
            .await
    }

    async fn write_again(&self, key: &str) -> Result<(), RepairError> {
        let store = self.lake.store;
        if store.old_encryption(key).await?.is_none() {
            return Ok(());
        }
        let read = self.lake.layout.read(key);
        if read.is_some_and(|key| matches!(key.object, LakeObject::Data(..))) {
            return Ok(store.copy(key, key).await?);
        }
        let Some(object) = store.get(key).await? else { return Ok(()) };
        match store.put(key, object.body, Precondition::Matches(object.etag)).await? {
            // Whoever was faster has written it with the encryption of their settings.
            Put::Done | Put::Refused => Ok(()),
        }
    }
}
