//! The whole suite, in one call.

use super::{partitions, tables, views};
use mixlake_app::ports::Catalog;

/// Runs everything that every backend must pass, each test on a fresh, empty database.
pub async fn conformance<C: Catalog>(fresh: impl AsyncFn() -> C) {
    tables::a_table_is_read_back_as_it_was_created(&fresh().await).await;
    tables::what_is_not_there_is_none(&fresh().await).await;
    tables::a_table_is_created_once(&fresh().await).await;
    tables::tables_are_listed_by_prefix_in_order(&fresh().await).await;
    tables::columns_are_appended_at_the_end(&fresh().await).await;
    tables::a_stale_version_conflicts(&fresh().await).await;
    tables::appending_nothing_changes_nothing(&fresh().await).await;
    tables::a_column_that_exists_is_refused(&fresh().await).await;
    tables::a_comment_of_any_length_is_taken(&fresh().await).await;
    tables::a_repaired_table_is_as_wanted_and_keeps_comments(&fresh().await).await;
    partitions::partitions_are_added_and_read_by_value(&fresh().await).await;
    partitions::a_partition_is_moved_and_repetition_is_harmless(&fresh().await).await;
    partitions::partitions_may_be_many(&fresh().await).await;
    partitions::removing_twice_is_removing_once(&fresh().await).await;
    partitions::partitions_leave_the_version_of_the_table(&fresh().await).await;
    partitions::partitions_declare_no_columns_and_stay_when_they_are_repaired(&fresh().await).await;
    tables::a_table_without_partitions_moves_by_its_version(&fresh().await).await;
    tables::a_table_without_partitions_takes_none(&fresh().await).await;
    tables::changes_need_the_table(&fresh().await).await;
    views::a_view_is_created_once_and_is_no_table(&fresh().await).await;
    views::a_view_changes_by_its_version(&fresh().await).await;
    views::a_view_is_removed_by_its_mark_and_a_table_never(&fresh().await).await;
}
