//! The doctor tells which objects have an old encryption, and writes them again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::doctor::{Kind, Remedy, Severity};
use support::clinic::{doctor, examine, lake};

#[tokio::test]
async fn objects_with_an_old_encryption_are_told_and_written_again() {
    let (lake, catalog) = lake().await;
    assert_eq!(examine(&lake, &catalog).await, []);
    lake.store.set_encryption("kms");
    let (before, all) = (lake.store.snapshot(), lake.keys(""));

    let [finding] = examine(&lake, &catalog).await.try_into().unwrap();
    assert_eq!((finding.kind, finding.severity), (Kind::OldEncryption, Severity::Note));
    assert_eq!(finding.remedy, Remedy::Encrypt { keys: all.clone() }, "data files and documents");
    assert!(finding.text.starts_with(&format!("{} objects are encrypted with", all.len())));

    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!((outcome.repaired.len(), outcome.findings.len(), outcome.failed.len()), (1, 0, 0));
    assert_eq!(lake.store.snapshot(), before, "the objects are the same");
}

#[tokio::test]
async fn an_export_writes_with_the_new_encryption() {
    let (lake, catalog) = lake().await;
    lake.store.set_encryption("kms");
    lake.hold(&["b 2026-11-11T01:10"]);
    lake.publish("2026-11-11").await;
    lake.catch_up(&catalog).await;
    let [finding] = examine(&lake, &catalog).await.try_into().unwrap();
    let Remedy::Encrypt { keys } = finding.remedy else { panic!("{finding:?}") };
    let of_day = lake.keys("mp_master_event/2026/11/11/");
    assert!(!of_day.is_empty() && of_day.iter().all(|key| !keys.contains(key)), "{keys:?}");
}
