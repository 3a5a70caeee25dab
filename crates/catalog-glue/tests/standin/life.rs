//! A function that dies between two calls, and the store that it calls.

use super::Dice;
use bytes::Bytes;
use mixlake_app::ports::{Object, ObjectMeta, ObjectStore, Precondition, Put, StoreError, Tail};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// How many steps a function has left. Each call has two steps: one before its effect, one after it.
#[derive(Debug, Clone)]
pub struct Life(Arc<Steps>);

#[derive(Debug)]
struct Steps {
    taken: AtomicUsize,
    last: usize,
    died: Notify,
}

impl Life {
    /// A function that dies at this step.
    pub fn until(last: usize) -> Self {
        Self(Arc::new(Steps { taken: AtomicUsize::new(0), last, died: Notify::new() }))
    }

    pub fn long() -> Self {
        Self::until(usize::MAX)
    }

    /// Returns, unless the function dies at this step.
    pub async fn step(&self) {
        if self.0.taken.fetch_add(1, Ordering::Relaxed) >= self.0.last {
            self.0.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Runs a function to its end; `None` if it dies.
    pub async fn of<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.0.died.notified() => None,
            done = run => Some(done),
        }
    }
}

/// A store whose calls are steps of a life and take time.
pub struct Watched<'a, S> {
    pub inner: &'a S,
    pub life: Life,
    pub dice: &'a Dice,
}

impl<S: ObjectStore> Watched<'_, S> {
    async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        self.life.step().await;
        if self.dice.below(4) == 0 {
            self.dice.pause().await;
        }
        let answer = call.await;
        self.life.step().await;
        answer
    }
}

#[async_trait::async_trait]
impl<S: ObjectStore> ObjectStore for Watched<'_, S> {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        self.call(self.inner.get(key)).await
    }

    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError> {
        self.call(self.inner.tail(key, length)).await
    }

    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError> {
        self.call(self.inner.put(key, body, when)).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.call(self.inner.copy(from, to)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call(self.inner.delete(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        self.call(self.inner.list(prefix)).await
    }

    fn location(&self, key: &str) -> String {
        self.inner.location(key)
    }
}
