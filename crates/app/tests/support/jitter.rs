//! Runs that meet in another order at every seed.

use bytes::Bytes;
use mixlake_app::ports::{
    EventChunks, EventSource, Object, ObjectMeta, ObjectStore, Precondition, Put, SourceError,
    StoreError, Tail,
};
use mixlake_domain::Window;
use mixlake_testkit::source::MemorySource;
use std::sync::Mutex;

/// Numbers that a seed decides.
pub struct Dice(Mutex<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1))
    }

    /// A number below the limit.
    pub fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) % limit
    }

    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap();
            items.swap(last, other);
        }
    }

    /// Lets others come first: mostly for a moment, now and then for as long as a whole run.
    pub async fn pause(&self) {
        let moments = match self.below(10) {
            0 => self.below(120),
            1 | 2 => self.below(12),
            _ => self.below(2),
        };
        for _ in 0..moments {
            tokio::task::yield_now().await;
        }
    }
}

/// A source or a store that answers after a pause.
pub struct Jitter<'a, T> {
    pub inner: &'a T,
    pub dice: &'a Dice,
}

#[async_trait::async_trait]
impl<T: EventSource> EventSource for Jitter<'_, T> {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        self.dice.pause().await;
        self.inner.fetch(window, attempt).await
    }
}

#[async_trait::async_trait]
impl<T: ObjectStore> ObjectStore for Jitter<'_, T> {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        self.dice.pause().await;
        let answer = self.inner.get(key).await;
        self.dice.pause().await;
        answer
    }

    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError> {
        self.dice.pause().await;
        self.inner.tail(key, length).await
    }

    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError> {
        self.dice.pause().await;
        let answer = self.inner.put(key, body, when).await;
        self.dice.pause().await;
        answer
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.dice.pause().await;
        self.inner.copy(from, to).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.dice.pause().await;
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        self.dice.pause().await;
        self.inner.list(prefix).await
    }

    fn location(&self, key: &str) -> String {
        self.inner.location(key)
    }
}

/// A source that has something else every now and then; never what it had before.
pub struct Changing<'a> {
    contents: Vec<MemorySource>,
    now: Mutex<usize>,
    dice: &'a Dice,
}

impl<'a> Changing<'a> {
    pub fn new(contents: &[&[&str]], dice: &'a Dice) -> Self {
        let source = |events: &&[&str]| {
            let source = MemorySource::new();
            for event in *events {
                super::add(&source, event);
            }
            source
        };
        Self { contents: contents.iter().map(source).collect(), now: Mutex::new(0), dice }
    }

    fn current(&self) -> MemorySource {
        let mut now = self.now.lock().unwrap();
        if self.dice.below(2) == 0 && *now + 1 < self.contents.len() {
            *now += 1;
        }
        self.contents[*now].clone()
    }
}

#[async_trait::async_trait]
impl EventSource for Changing<'_> {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        self.dice.pause().await;
        let chunks = self.current().fetch(window, attempt).await;
        self.dice.pause().await;
        chunks
    }
}
