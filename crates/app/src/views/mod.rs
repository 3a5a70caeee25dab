//! Views: the tables of events in the forms that people ask for.
//!
//! A view lists its columns one by one, so it stays right while its tables get columns, and gets them at the
//! next update. What a view is follows from the registries and the columns that its tables have; no I/O is
//! needed to decide it. Mixlake changes only views that have its mark. A table, or a view that somebody else
//! made, keeps its name.

mod definitions;
mod given_names;
mod kind;
mod parts;
mod source;
mod update;

pub use definitions::{Tables, definitions};
pub use source::Source;
pub use update::{FailedView, ViewScope, ViewsReport};

#[cfg(test)]
mod tests;
