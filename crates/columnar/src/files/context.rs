//! The settings and names that encoding needs.

use crate::options::Options;
use crate::transformation::subject::Subject;
use mixlake_schema::Registry;

/// What is needed to encode rows and to name where they come from.
pub(crate) struct Context<'a> {
    pub options: &'a Options,
    pub registry: &'a Registry,
    pub subject: &'a Subject,
    /// The names of the tables by their numbers.
    pub tables: &'a [String],
}
