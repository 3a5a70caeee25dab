//! The folder passes the suites that the fakes and the AWS adapters pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use mixlake_app::ports::{Catalog, NewTable};
use mixlake_domain::{DataFormat, Partitioning};
use mixlake_folder::{FolderCatalog, FolderStore};
use mixlake_testkit::{catalog, store};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// Creates separate lakes, and removes all of them at the end.
struct Lakes {
    folder: TempDir,
    count: AtomicUsize,
}

impl Lakes {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), count: AtomicUsize::new(0) }
    }

    fn next(&self) -> PathBuf {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("lake-{number}"))
    }

    fn store(&self) -> FolderStore {
        FolderStore::new(self.next()).unwrap()
    }

    fn catalog(&self) -> FolderCatalog {
        FolderCatalog::new(self.next(), "mixpanel").unwrap()
    }
}

#[tokio::test]
async fn a_folder_behaves_as_every_store_must() {
    let lakes = Lakes::new();
    store::conformance(async || lakes.store()).await;
    store::a_tail_is_never_longer_than_its_object(&lakes.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_decides_the_races_of_writers() {
    let lakes = Lakes::new();
    store::conformance_under_races(async || lakes.store()).await;
}

#[tokio::test]
async fn the_catalog_files_behave_as_every_catalog_must() {
    let lakes = Lakes::new();
    catalog::conformance(async || lakes.catalog()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_files_decide_the_races_of_writers() {
    let lakes = Lakes::new();
    catalog::conformance_under_races(async || lakes.catalog()).await;
}

#[tokio::test]
async fn databases_of_a_lake_do_not_see_each_other() {
    let lakes = Lakes::new();
    let lake = lakes.next();
    let [one, other] = ["one", "other"].map(|name| FolderCatalog::new(&lake, name).unwrap());
    let table = NewTable {
        name: "signup".to_owned(),
        columns: vec![],
        location: "/lake/42/signup/".to_owned(),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: String::new(),
    };
    one.create_table(&table).await.unwrap();
    assert_eq!(other.tables("").await.unwrap(), [""; 0]);
}
