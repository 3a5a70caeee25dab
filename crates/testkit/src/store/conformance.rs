//! The whole suite, in one call.

use super::{bodies, conditions, listings, reads};
use mixlake_app::ports::ObjectStore;

/// Runs everything that every backend must pass, each test on a fresh, empty store.
///
/// It requires what S3 provides and no more. For example, a key that is also a folder of other keys is
/// not tested, because a file system cannot store it.
pub async fn conformance<S: ObjectStore>(fresh: impl AsyncFn() -> S) {
    reads::what_was_put_is_read_back(&fresh().await).await;
    reads::an_object_in_pieces_is_the_object(&fresh().await).await;
    reads::only_what_is_not_there_is_none(&fresh().await).await;
    reads::a_tail_is_the_end_and_knows_the_size(&fresh().await).await;
    reads::a_location_names_the_key(&fresh().await);
    bodies::a_body_of_many_parts_is_whole(&fresh().await).await;
    bodies::a_body_from_a_file_is_whole_and_written_once(&fresh().await).await;
    bodies::a_copy_has_the_same_bytes(&fresh().await).await;
    bodies::a_copy_replaces_what_was_there(&fresh().await).await;
    bodies::a_copy_of_nothing_fails(&fresh().await).await;
    bodies::deleting_twice_is_deleting_once(&fresh().await).await;
    listings::a_listing_is_ordered_and_complete(&fresh().await).await;
    listings::a_prefix_is_a_string_and_no_folder(&fresh().await).await;
    conformance_of_conditional_writes(fresh).await;
}

/// The part of the suite on which exactly-once depends: create-only and conditional writes.
pub async fn conformance_of_conditional_writes<S: ObjectStore>(fresh: impl AsyncFn() -> S) {
    conditions::an_object_is_created_once(&fresh().await).await;
    conditions::a_swap_needs_the_version_that_was_read(&fresh().await).await;
    conditions::a_swap_of_nothing_is_refused(&fresh().await).await;
    conditions::what_was_deleted_can_be_created_again(&fresh().await).await;
    conditions::conditions_hold_for_bodies_of_many_parts(&fresh().await).await;
}
