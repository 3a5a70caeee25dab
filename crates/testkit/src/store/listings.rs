//! Listings: complete, ordered, and by prefix.

use super::bodies::create;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use mixlake_app::ports::ObjectStore;

async fn keys(store: &dyn ObjectStore, prefix: &str) -> Vec<String> {
    store.list(prefix).await.unwrap().into_iter().map(|meta| meta.key).collect()
}

pub(super) async fn a_listing_is_ordered_and_complete(store: &dyn ObjectStore) {
    assert_eq!(store.list("").await.unwrap(), []);
    // In byte order `-` comes before `/`, and upper case before lower case.
    let ordered = ["Z/1", "a-b/1", "a.json", "a/1", "a/b/c", "b", "ä"];
    for key in ["b", "a/b/c", "Z/1", "ä", "a/1", "a.json", "a-b/1"] {
        create(store, key, Bytes::from(vec![b'.'; key.len()])).await;
    }
    let listed = store.list("").await.unwrap();
    assert!(listed.iter().all(|meta| meta.modified.is_some()), "{listed:?}");
    let listed: Vec<_> = listed.iter().map(|meta| (meta.key.as_str(), meta.size)).collect();
    assert_eq!(listed, ordered.map(|key| (key, key.len() as u64)));
    store.delete("a/b/c").await.unwrap();
    assert_eq!(keys(store, "a/").await, ["a/1"]);
}

pub(super) async fn a_prefix_is_a_string_and_no_folder(store: &dyn ObjectStore) {
    for key in ["day/g1/a", "day/g1/b", "day/g10/a", "day/_manifest.json", "days"] {
        create(store, key, Bytes::from_static(b"1")).await;
    }
    assert_eq!(keys(store, "day/g1").await, ["day/g1/a", "day/g1/b", "day/g10/a"]);
    assert_eq!(keys(store, "day/g1/").await, ["day/g1/a", "day/g1/b"]);
    assert_eq!(keys(store, "day/g1/a").await, ["day/g1/a"]);
    assert_eq!(keys(store, "day").await.len(), 5);
    assert_eq!(keys(store, "night/").await, [""; 0]);
}

/// S3 returns a thousand keys per page. This is not in the suite because the setup is expensive.
pub async fn a_listing_of_many_pages_is_whole(store: &dyn ObjectStore) {
    let expected: Vec<String> = (0..1_050).map(|i| format!("day/{i:05}")).collect();
    stream::iter(&expected)
        .for_each_concurrent(16, |key| create(store, key, Bytes::from_static(b"1")))
        .await;
    assert_eq!(keys(store, "day/").await, expected);
}
