//! What a local lake looks like from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use bytes::Bytes;
use mixlake_app::doctor::{Doctor, Kind};
use mixlake_app::ports::{Catalog, CatalogError, Column, NewTable, ObjectStore, Precondition, Put};
use mixlake_app::reconcile::{OnDrift, Reconciler};
use mixlake_domain::{DataFormat, Layout, Partitioning, ProjectId};
use mixlake_folder::{FolderCatalog, FolderStore};
use std::fs;
use tempfile::TempDir;

fn lake() -> (TempDir, FolderStore) {
    let folder = TempDir::new().unwrap();
    let store = FolderStore::new(folder.path()).unwrap();
    (folder, store)
}

async fn create(store: &FolderStore, key: &str) -> Put {
    store.put(key, Bytes::from_static(b"1"), Precondition::Absent).await.unwrap()
}

#[tokio::test]
async fn an_object_is_the_file_that_its_key_names() {
    let (folder, store) = lake();
    create(&store, "42/schema/events.json").await;
    assert_eq!(fs::read(folder.path().join("42/schema/events.json")).unwrap(), b"1");
    let location = store.location("42/schema/events.json");
    assert_eq!(fs::read(location).unwrap(), b"1");
}

#[tokio::test]
async fn nothing_of_the_lakes_own_shows_up_among_the_objects() {
    let (folder, store) = lake();
    create(&store, "42/a").await;
    assert!(folder.path().join(".mixlake").is_dir());
    let keys: Vec<String> =
        store.list("").await.unwrap().into_iter().map(|meta| meta.key).collect();
    assert_eq!(keys, ["42/a"]);
    let error = store.get(".mixlake/lock").await.unwrap_err();
    assert_eq!(error.action, "read");
    let error = store.delete("../outside").await.unwrap_err();
    assert_eq!(error.action, "delete");
}

#[tokio::test]
async fn a_refused_write_leaves_no_file_behind() {
    let (folder, store) = lake();
    create(&store, "a").await;
    assert_eq!(create(&store, "a").await, Put::Refused);
    let stale = Precondition::Matches("\"stale\"".to_owned());
    assert_eq!(store.put("a", Bytes::new(), stale).await.unwrap(), Put::Refused);
    let left = fs::read_dir(folder.path().join(".mixlake/tmp")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn deleting_the_last_object_of_a_folder_removes_the_folder() {
    let (folder, store) = lake();
    create(&store, "42/t/2026/11/10/g1/a.parquet").await;
    create(&store, "42/t/2026/11/11/g1/a.parquet").await;
    store.delete("42/t/2026/11/10/g1/a.parquet").await.unwrap();
    assert!(!folder.path().join("42/t/2026/11/10").exists());
    store.delete("42/t/2026/11/11/g1/a.parquet").await.unwrap();
    assert!(!folder.path().join("42").exists());
    assert!(folder.path().exists(), "the lake itself stays");
}

#[tokio::test]
async fn a_key_that_is_a_folder_of_others_is_an_error_and_no_refusal() {
    let (_folder, store) = lake();
    create(&store, "a/b").await;
    assert_eq!(store.get("a").await.unwrap(), None);
    let error = store.put("a", Bytes::new(), Precondition::Absent).await.unwrap_err();
    assert!(error.hint.unwrap().contains("also be the folder"));
    let error = store.put("a/b/c", Bytes::new(), Precondition::Absent).await.unwrap_err();
    assert_eq!(error.action, "write");
}

#[cfg(unix)]
#[tokio::test]
async fn others_may_read_the_files_as_far_as_the_umask_lets_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, store) = lake();
    create(&store, "a").await;
    let plain = folder.path().join("plain");
    fs::write(&plain, b"1").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(folder.path().join("a")), mode(plain));
}

fn signup() -> NewTable {
    let column = Column {
        name: "cart_total".to_owned(),
        hive_type: "double".to_owned(),
        comment: Some("Cart Total".to_owned()),
    };
    NewTable {
        name: "signup".to_owned(),
        columns: vec![column],
        location: "/lake/42/signup/".to_owned(),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: "Events".to_owned(),
        memo: "42:0".to_owned(),
    }
}

#[tokio::test]
async fn a_table_that_is_cut_is_told_by_the_doctor_and_left_to_a_person() {
    let (folder, store) = lake();
    let catalog = FolderCatalog::new(folder.path(), "mixpanel").unwrap();
    catalog.create_table(&signup()).await.unwrap();
    let file = folder.path().join(".mixlake/catalog/mixpanel/signup.json");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let error = catalog.table("signup").await.unwrap_err();
    assert!(matches!(error, CatalogError::Damaged { .. }), "{error}");
    let project: ProjectId = "42".parse().unwrap();
    let doctor = Doctor {
        lake: Reconciler {
            store: &store,
            catalog: &catalog,
            layout: &Layout::new("", &project).unwrap(),
            project: &project,
            table_prefix: "",
            on_drift: OnDrift::Fail,
        },
        engines: &[],
        deep: false,
        now: std::time::UNIX_EPOCH,
        grace: std::time::Duration::ZERO,
    };
    let outcome = doctor.put_right().await.unwrap();
    assert_eq!(outcome.findings.len(), 1, "{outcome:#?}");
    assert_eq!(outcome.findings[0].kind, Kind::UnreadableDocument);
    assert!(outcome.findings[0].text.contains("mixpanel.signup is damaged"), "{outcome:#?}");
    assert!(outcome.findings[0].remedy.text().starts_with("delete it"), "{outcome:#?}");
    assert_eq!(fs::read(&file).unwrap().len(), whole.len() / 2);
}

#[tokio::test]
async fn a_table_is_a_file_that_people_can_read() {
    let (folder, _store) = lake();
    let catalog = FolderCatalog::new(folder.path(), "mixpanel").unwrap();
    catalog.create_table(&signup()).await.unwrap();
    let json = fs::read_to_string(folder.path().join(".mixlake/catalog/mixpanel/signup.json"));
    let expected = r#"{
  "format": 1,
  "version": 0,
  "name": "signup",
  "description": "Events",
  "memo": "42:0",
  "location": "/lake/42/signup/",
  "data_format": "parquet",
  "columns": [
    {
      "name": "cart_total",
      "type": "double",
      "comment": "Cart Total"
    }
  ],
  "partition_keys": [
    {
      "name": "mp_date",
      "type": "string"
    }
  ],
  "partitions": {}
}
"#;
    assert_eq!(json.unwrap(), expected);
    let error = catalog.table("../../escape").await.unwrap_err();
    assert!(error.to_string().starts_with("cannot read table mixpanel.../"), "{error}");
}
