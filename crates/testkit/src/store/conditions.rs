//! Conditional writes, the basis of exactly-once.

use super::bodies::{body, create, large};
use bytes::Bytes;
use mixlake_app::ports::{ObjectStore, Precondition, Put};

async fn put(store: &dyn ObjectStore, body: Bytes, when: Precondition) -> Put {
    store.put("key", body, when).await.unwrap()
}

async fn version(store: &dyn ObjectStore) -> Precondition {
    Precondition::Matches(store.get("key").await.unwrap().unwrap().etag)
}

pub(super) async fn an_object_is_created_once(store: &dyn ObjectStore) {
    let [first, second] = [b"one", b"two"].map(|b| Bytes::from_static(b));
    assert_eq!(put(store, first.clone(), Precondition::Absent).await, Put::Done);
    assert_eq!(put(store, second, Precondition::Absent).await, Put::Refused);
    let same = put(store, first.clone(), Precondition::Absent).await;
    assert_eq!(same, Put::Refused, "even with the same bytes");
    assert_eq!(body(store, "key").await, first);
}

pub(super) async fn a_swap_needs_the_version_that_was_read(store: &dyn ObjectStore) {
    create(store, "key", Bytes::from_static(b"0")).await;
    let stale = version(store).await;
    assert_eq!(put(store, Bytes::from_static(b"1"), stale.clone()).await, Put::Done);
    assert_eq!(put(store, Bytes::from_static(b"2"), stale).await, Put::Refused);
    assert_eq!(body(store, "key").await, Bytes::from_static(b"1"));
    let fresh = version(store).await;
    assert_eq!(put(store, Bytes::from_static(b"2"), fresh).await, Put::Done);
    assert_eq!(body(store, "key").await, Bytes::from_static(b"2"));
}

pub(super) async fn a_swap_of_nothing_is_refused(store: &dyn ObjectStore) {
    create(store, "key", Bytes::from_static(b"0")).await;
    let read = version(store).await;
    store.delete("key").await.unwrap();
    assert_eq!(put(store, Bytes::from_static(b"1"), read).await, Put::Refused);
    assert_eq!(store.get("key").await.unwrap(), None);
}

pub(super) async fn what_was_deleted_can_be_created_again(store: &dyn ObjectStore) {
    for body in [&b"1"[..], b"2"] {
        assert_eq!(put(store, Bytes::from_static(body), Precondition::Absent).await, Put::Done);
        store.delete("key").await.unwrap();
    }
}

pub(super) async fn conditions_hold_for_bodies_of_many_parts(store: &dyn ObjectStore) {
    assert_eq!(put(store, large(1), Precondition::Absent).await, Put::Done);
    assert_eq!(put(store, large(2), Precondition::Absent).await, Put::Refused);
    let stale = version(store).await;
    assert_eq!(put(store, large(3), stale.clone()).await, Put::Done);
    assert_eq!(put(store, large(4), stale).await, Put::Refused);
    assert!(body(store, "key").await == large(3), "the refused bodies left no trace");
}
