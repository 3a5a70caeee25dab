//! The settings and names that encoding needs.

use crate::options::Options;
use mixlake_domain::SliceLabel;
use mixlake_schema::Registry;

/// What is needed to encode rows and to name where they come from.
pub(crate) struct Context<'a> {
    pub options: &'a Options,
    pub registry: &'a Registry,
    pub slice: SliceLabel,
    /// The names of the tables by their numbers.
    pub tables: &'a [String],
}
