//! Reads: whole objects, tails, missing objects.

use super::bodies::{KEYS, create};
use bytes::Bytes;
use futures::TryStreamExt;
use mixlake_app::ports::{ObjectStore, Tail};

pub(super) async fn what_was_put_is_read_back(store: &dyn ObjectStore) {
    for key in KEYS {
        let body = Bytes::from(format!("\0\r\n{key}"));
        create(store, key, body.clone()).await;
        let object = store.get(key).await.unwrap().expect(key);
        assert_eq!(object.body, body, "{key}");
        assert!(!object.etag.is_empty(), "{key}");
        let again = store.get(key).await.unwrap().expect(key);
        assert_eq!(again.etag, object.etag, "an ETag does not change by itself: {key}");
    }
    create(store, "empty", Bytes::new()).await;
    assert_eq!(store.get("empty").await.unwrap().unwrap().body, Bytes::new());
}

pub(super) async fn an_object_in_pieces_is_the_object(store: &dyn ObjectStore) {
    let body: Bytes = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    create(store, "large", body.clone()).await;
    create(store, "empty", Bytes::new()).await;
    for (key, expected) in [("large", body), ("empty", Bytes::new())] {
        let pieces = store.read(key).await.unwrap().expect(key);
        let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
        assert!(pieces.concat() == expected, "{key}");
    }
    assert!(store.read("nothing").await.unwrap().is_none());
}

pub(super) async fn only_what_is_not_there_is_none(store: &dyn ObjectStore) {
    create(store, "folder/object", Bytes::from_static(b"1")).await;
    for key in ["nothing", "folder/nothing", "folder/obj"] {
        assert_eq!(store.get(key).await.unwrap(), None, "{key}");
        assert_eq!(store.tail(key, 8).await.unwrap(), None, "{key}");
    }
}

pub(super) async fn a_tail_is_the_end_and_knows_the_size(store: &dyn ObjectStore) {
    create(store, "file", Bytes::from_static(b"0123456789")).await;
    for (length, end) in [(0, ""), (1, "9"), (4, "6789"), (10, "0123456789")] {
        let tail = store.tail("file", length).await.unwrap().unwrap();
        assert_eq!(tail, Tail { bytes: Bytes::from_static(end.as_bytes()), size: 10 }, "{length}");
    }
}

/// Not in the suite, because the stand-in s3s fails if a suffix is longer than its object.
pub async fn a_tail_is_never_longer_than_its_object(store: &dyn ObjectStore) {
    for body in [&b""[..], b"0123456789"] {
        let key = format!("file-{}", body.len());
        create(store, &key, Bytes::from_static(body)).await;
        for length in [body.len() as u64, 11, 1 << 16] {
            let tail = store.tail(&key, length).await.unwrap().unwrap();
            let all = Tail { bytes: Bytes::from_static(body), size: body.len() as u64 };
            assert_eq!(tail, all, "{length}");
        }
    }
}

pub(super) fn a_location_names_the_key(store: &dyn ObjectStore) {
    let root = store.location("");
    assert!(root.ends_with('/'), "{root}");
    for key in ["a/b/c.parquet", "a/b/"] {
        assert_eq!(store.location(key), format!("{root}{key}"));
    }
}
