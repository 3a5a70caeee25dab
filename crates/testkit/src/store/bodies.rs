//! Writing, copying and deleting whole objects.

use bytes::Bytes;
use mixlake_app::ports::{ObjectStore, Precondition, Put};
use std::io::{Seek, SeekFrom, Write};

/// Keys with unusual but allowed characters: none may need special handling by the caller.
pub(super) const KEYS: [&str; 6] = [
    "42/mp_master_event/2026/11/10/_manifest.json",
    "plain",
    "with space/and+plus",
    "with=equals/and&more;",
    "percent%3D/quest?ion#hash",
    "umlaut-ä/雪.parquet",
];

/// More than two parts of S3's smallest part size, and not a multiple of it.
const LARGE: usize = 2 * 5 * 1024 * 1024 + 77;
const BLOCK: usize = 64 * 1024;

/// Bytes in which all blocks differ, so that parts in the wrong order are detected.
pub(super) fn large(salt: u8) -> Bytes {
    let mut bytes = Vec::with_capacity(LARGE + BLOCK);
    for block in 0..=LARGE / BLOCK {
        bytes.resize(bytes.len() + BLOCK, block.to_le_bytes()[0] ^ salt);
    }
    bytes.truncate(LARGE);
    bytes.into()
}

pub(super) async fn create(store: &dyn ObjectStore, key: &str, body: Bytes) {
    let put = store.put(key, body, Precondition::Absent).await.unwrap();
    assert_eq!(put, Put::Done, "{key}");
}

pub(super) async fn body(store: &dyn ObjectStore, key: &str) -> Bytes {
    store.get(key).await.unwrap().expect(key).body
}

pub(super) async fn a_body_of_many_parts_is_whole(store: &dyn ObjectStore) {
    create(store, "large", large(0)).await;
    assert!(body(store, "large").await == large(0), "parts are in order and complete");
    let tail = store.tail("large", 100).await.unwrap().unwrap();
    assert_eq!((tail.size, &tail.bytes[..]), (LARGE as u64, &large(0)[LARGE - 100..]));
}

pub(super) async fn a_body_from_a_file_is_whole_and_written_once(store: &dyn ObjectStore) {
    for (key, body) in [("small", Bytes::from_static(b"small")), ("large", large(1))] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&body).unwrap();
        let put = store.put_file(key, &file, Precondition::Absent).await.unwrap();
        assert_eq!(put, Put::Done, "{key}");
        let there = store.get(key).await.unwrap().unwrap();
        assert!(there.body == body, "{key}");
        let again = store.put_file(key, &file, Precondition::Absent).await.unwrap();
        assert_eq!(again, Put::Refused, "{key}");
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"more").unwrap();
        let swap = Precondition::Matches(there.etag);
        assert_eq!(store.put_file(key, &file, swap.clone()).await.unwrap(), Put::Done, "{key}");
        assert_eq!(store.put_file(key, &file, swap).await.unwrap(), Put::Refused, "{key}");
        assert!(self::body(store, key).await == [&body[..], b"more"].concat(), "{key}");
    }
}

pub(super) async fn a_copy_has_the_same_bytes(store: &dyn ObjectStore) {
    for key in KEYS {
        create(store, key, Bytes::from(key)).await;
        let to = format!("copies/of/{key}");
        store.copy(key, &to).await.unwrap();
        assert_eq!(body(store, &to).await, Bytes::from(key));
        assert_eq!(body(store, key).await, Bytes::from(key), "the source stays");
    }
}

pub(super) async fn a_copy_replaces_what_was_there(store: &dyn ObjectStore) {
    create(store, "from", Bytes::from_static(b"new")).await;
    create(store, "to", Bytes::from_static(b"old and longer")).await;
    store.copy("from", "to").await.unwrap();
    assert_eq!(body(store, "to").await, Bytes::from_static(b"new"));
}

pub(super) async fn a_copy_of_nothing_fails(store: &dyn ObjectStore) {
    let error = store.copy("nothing", "to").await.unwrap_err();
    assert_eq!(error.action, "copy");
    assert_eq!(store.get("to").await.unwrap(), None);
}

pub(super) async fn deleting_twice_is_deleting_once(store: &dyn ObjectStore) {
    create(store, "day/file", Bytes::from_static(b"1")).await;
    create(store, "day/other", Bytes::from_static(b"2")).await;
    for _ in 0..2 {
        store.delete("day/file").await.unwrap();
        assert_eq!(store.get("day/file").await.unwrap(), None);
    }
    store.delete("never/was/there").await.unwrap();
    assert_eq!(body(store, "day/other").await, Bytes::from_static(b"2"));
}
