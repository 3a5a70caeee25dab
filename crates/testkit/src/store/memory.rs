//! An object store in memory in which any call can be made to fail.

use crate::faults::{Call, Fault, Script, Verdict};
use bytes::Bytes;
use mixlake_app::ports::{Object, ObjectMeta, ObjectStore, Precondition, Put, StoreError, Tail};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The calls of a [`MemoryStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`ObjectStore::get`].
    Get,
    /// [`ObjectStore::tail`].
    Tail,
    /// [`ObjectStore::put`].
    Put,
    /// [`ObjectStore::copy`]; the subject is the destination.
    Copy,
    /// [`ObjectStore::delete`].
    Delete,
    /// [`ObjectStore::list`].
    List,
}

/// A fake object store. Clones share their objects, like two functions that share a bucket.
///
/// As in S3, an `ETag` depends only on the content: two objects with the same bytes have the same one,
/// and a conditional write does not detect a change back to old bytes.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    modified: HashMap<String, SystemTime>,
    now: Option<SystemTime>,
    /// How a write is encrypted, and how each object is.
    encryption: &'static str,
    encryptions: HashMap<String, &'static str>,
    script: Script<Operation>,
}

impl MemoryStore {
    /// An empty store in which nothing fails.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The hook decides before every call how the call ends.
    pub fn inject(&self, hook: impl FnMut(&Call<Operation>) -> Fault + Send + 'static) {
        self.lock().script.set_hook(hook);
    }

    /// The call with this number, counted from now (0 is the next), gets the fault.
    pub fn fail_call(&self, n: usize, fault: Fault) {
        let at = self.calls().len() + n;
        self.inject(move |call| if call.number == at { fault } else { Fault::None });
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.inject(|_| Fault::None);
    }

    /// The time of later writes; before, it is in 1970.
    pub fn set_time(&self, now: SystemTime) {
        self.lock().now = Some(now);
    }

    /// How later writes are encrypted; before, they are not.
    pub fn set_encryption(&self, name: &'static str) {
        self.lock().encryption = name;
    }

    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call<Operation>> {
        self.lock().script.calls()
    }

    /// All objects, without a call in the log, to compare before and after.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Bytes> {
        self.lock().objects.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets other tasks run first, then logs the call.
    async fn begin(&self, operation: Operation, key: &str) -> Verdict {
        tokio::task::yield_now().await;
        self.lock().script.next(operation, key)
    }

    fn read<T>(
        &self,
        verdict: Verdict,
        key: &str,
        with: impl FnOnce(&Bytes) -> T,
    ) -> Result<Option<T>, StoreError> {
        verdict.read().map_err(|e| self.failed("read", key, e))?;
        Ok(self.lock().objects.get(key).map(with))
    }

    /// Applies an effect without a precondition, unless the fault prevents it.
    fn change(
        &self,
        verdict: Verdict,
        (action, key): (&'static str, &str),
        effect: impl FnOnce(&mut State) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match verdict.fault {
            Fault::None => effect(&mut self.lock()),
            Fault::Before | Fault::Overtaken => Err(self.failed(action, key, verdict.error())),
            Fault::After | Fault::Echo => {
                effect(&mut self.lock())?;
                Err(self.failed(action, key, verdict.error()))
            }
        }
    }

    fn failed(
        &self,
        action: &'static str,
        key: &str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError { action, location: self.location(key), hint: None, cause: cause.into() }
    }
}

impl State {
    fn put(&mut self, key: &str, body: Bytes, when: &Precondition) -> Put {
        let current = self.objects.get(key).map(|body| etag(body));
        let holds = match when {
            Precondition::Absent => current.is_none(),
            Precondition::Matches(wanted) => current.as_ref() == Some(wanted),
        };
        if !holds {
            return Put::Refused;
        }
        self.write(key, body);
        Put::Done
    }

    fn write(&mut self, key: &str, body: Bytes) {
        self.objects.insert(key.to_owned(), body);
        self.modified.insert(key.to_owned(), self.now.unwrap_or(UNIX_EPOCH));
        self.encryptions.insert(key.to_owned(), self.encryption);
    }
}

#[async_trait::async_trait]
impl ObjectStore for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let verdict = self.begin(Operation::Get, key).await;
        self.read(verdict, key, |body| Object { body: body.clone(), etag: etag(body) })
    }

    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError> {
        let verdict = self.begin(Operation::Tail, key).await;
        self.read(verdict, key, |body| {
            let keep = usize::try_from(length).unwrap_or(usize::MAX).min(body.len());
            Tail { bytes: body.slice(body.len() - keep..), size: body.len() as u64 }
        })
    }

    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError> {
        let verdict = self.begin(Operation::Put, key).await;
        match verdict.fault {
            Fault::None => Ok(self.lock().put(key, body, &when)),
            Fault::Before => Err(self.failed("write", key, verdict.error())),
            Fault::Overtaken => Ok(Put::Refused),
            Fault::After => {
                self.lock().put(key, body, &when);
                Err(self.failed("write", key, verdict.error()))
            }
            Fault::Echo => {
                self.lock().put(key, body, &when);
                Ok(Put::Refused)
            }
        }
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let verdict = self.begin(Operation::Copy, to).await;
        self.change(verdict, ("copy", to), |state| {
            let body = state.objects.get(from).cloned();
            let body =
                body.ok_or_else(|| self.failed("copy", from, "the object does not exist"))?;
            state.write(to, body);
            Ok(())
        })
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let verdict = self.begin(Operation::Delete, key).await;
        self.change(verdict, ("delete", key), |state| {
            state.objects.remove(key);
            Ok(())
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let verdict = self.begin(Operation::List, prefix).await;
        verdict.read().map_err(|e| self.failed("list", prefix, e))?;
        let state = self.lock();
        let meta = |(key, body): (&String, &Bytes)| ObjectMeta {
            key: key.clone(),
            size: body.len() as u64,
            modified: state.modified.get(key).copied(),
        };
        Ok(state.objects.iter().filter(|(key, _)| key.starts_with(prefix)).map(meta).collect())
    }

    async fn old_encryption(&self, key: &str) -> Result<Option<String>, StoreError> {
        let state = self.lock();
        let found = state.objects.contains_key(key).then(|| state.encryptions.get(key).copied());
        let found = found.flatten().filter(|found| *found != state.encryption);
        Ok(found.map(str::to_owned))
    }

    fn location(&self, key: &str) -> String {
        format!("memory://lake/{key}")
    }
}

/// In quotes, as S3 returns it: a conditional write without them fails.
fn etag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        a_listing_of_many_pages_is_whole, a_tail_is_never_longer_than_its_object, conformance,
        conformance_under_races,
    };
    use rstest::rstest;

    #[tokio::test]
    async fn the_fake_behaves_as_every_store_must() {
        conformance(async || MemoryStore::new()).await;
        a_listing_of_many_pages_is_whole(&MemoryStore::new()).await;
        a_tail_is_never_longer_than_its_object(&MemoryStore::new()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_fake_decides_races() {
        conformance_under_races(async || MemoryStore::new()).await;
    }

    #[rstest]
    #[case::before(Fault::Before, None, false)]
    #[case::after(Fault::After, None, true)]
    #[case::overtaken(Fault::Overtaken, Some(Put::Refused), false)]
    #[case::echo(Fault::Echo, Some(Put::Refused), true)]
    #[tokio::test]
    async fn a_write_ends_as_injected(
        #[case] fault: Fault,
        #[case] answer: Option<Put>,
        #[case] written: bool,
    ) {
        let store = MemoryStore::new();
        store.fail_call(1, fault);
        assert_eq!(store.get("a").await.unwrap(), None);
        let put = store.put("a", Bytes::from_static(b"1"), Precondition::Absent).await;
        assert_eq!(put.ok(), answer);
        assert_eq!(store.snapshot().contains_key("a"), written);
        assert_eq!(store.get("a").await.unwrap().is_some(), written, "the next call is fine");
    }

    #[tokio::test]
    async fn calls_are_logged_with_what_they_were_about() {
        let store = MemoryStore::new();
        store.inject(|call| match call.operation {
            Operation::Delete => Fault::Before,
            Operation::Get
            | Operation::Tail
            | Operation::Put
            | Operation::Copy
            | Operation::List => Fault::None,
        });
        store.list("a/").await.unwrap();
        store.delete("a/b").await.unwrap_err();
        let calls = store.calls();
        let told: Vec<_> = calls.iter().map(|c| (c.operation, c.subject.as_str())).collect();
        assert_eq!(told, [(Operation::List, "a/"), (Operation::Delete, "a/b")]);
    }
}
