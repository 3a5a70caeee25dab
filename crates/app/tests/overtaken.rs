//! A reconciliation that is overtaken between its look at a manifest and what it does about it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use bytes::Bytes;
use mixlake_app::ports::{
    Catalog, Object, ObjectMeta, ObjectStore, Precondition, Put, StoreError, Tail,
};
use mixlake_app::reconcile::Reconciler;
use mixlake_testkit::catalog::MemoryCatalog;
use std::sync::atomic::{AtomicBool, Ordering};
use support::notices::IN_CATALOG;
use support::{Lake, TABLE};

const DAY: &str = "2026-11-10";

/// What another function does, and brings into the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// A day is replaced.
    Replaced,
    /// The files of a day are removed.
    Removed,
}

/// A store that answers the first look at a manifest so late that meanwhile something happened.
struct Late<'a> {
    lake: &'a Lake,
    catalog: &'a MemoryCatalog,
    meanwhile: Meanwhile,
    passed: AtomicBool,
}

impl Late<'_> {
    async fn others(&self) {
        let calls = self.lake.store.calls().len();
        match self.meanwhile {
            Meanwhile::Replaced => {
                support::add(&self.lake.source, "b 2026-11-10T02:20");
                self.lake.publish(DAY).await;
                self.lake.deliver(self.catalog, &self.lake.written_since(calls)).await;
                self.lake.check_catalog(self.catalog, "the other function").await;
            }
            Meanwhile::Removed => {
                let files = self.lake.keys(&format!("{TABLE}/2026/11/10/g"));
                for file in &files {
                    self.lake.store.delete(file).await.unwrap();
                }
                self.lake.deliver(self.catalog, &files).await;
            }
        }
    }
}

#[async_trait::async_trait]
impl ObjectStore for Late<'_> {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let answer = self.lake.store.get(key).await;
        if key.ends_with("_manifest.json") && !self.passed.swap(true, Ordering::Relaxed) {
            self.others().await;
        }
        answer
    }

    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError> {
        self.lake.store.tail(key, length).await
    }

    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError> {
        self.lake.store.put(key, body, when).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.lake.store.copy(from, to).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.lake.store.delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        self.lake.store.list(prefix).await
    }

    fn location(&self, key: &str) -> String {
        self.lake.store.location(key)
    }
}

/// Reconciles a day while something happens to it.
async fn overtaken(lake: &Lake, catalog: &MemoryCatalog, meanwhile: Meanwhile) {
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAY).await;
    let keys = lake.written_since(0);
    let store = Late { lake, catalog, meanwhile, passed: AtomicBool::new(false) };
    let reconciler = Reconciler { store: &store, ..lake.reconciler(catalog) };
    let done = reconciler.reconcile(keys.iter().map(String::as_str)).await;
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    assert!(store.passed.load(Ordering::Relaxed));
}

#[tokio::test]
async fn an_overtaken_reconciliation_does_not_leave_the_partition_where_it_was() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    overtaken(&lake, &catalog, Meanwhile::Replaced).await;
    lake.check_catalog(&catalog, "overtaken").await;
}

/// The files were there when their footers were read.
#[tokio::test]
async fn an_overtaken_reconciliation_does_not_bring_an_empty_day_back() {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    overtaken(&lake, &catalog, Meanwhile::Removed).await;
    assert_eq!(catalog.partitions(IN_CATALOG, &[]).await.unwrap(), []);
}
