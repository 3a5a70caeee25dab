//! The ports: what the use cases need from outside systems.
//!
//! Each has an adapter for AWS or Mixpanel, one for a folder, and a fake in `testkit`; all pass
//! the same conformance suite.

mod budget;
mod catalog;
mod profiles;
mod source;
mod store;
mod view;

pub use budget::{BudgetError, Clock, QueryBudget, Turn};
pub use catalog::{
    Catalog, CatalogError, Column, Declared, Format, NewTable, Partition, TableState,
};
pub use profiles::{NextPage, PageEnd, PageError, PagePiece, PagePieces, ProfileSource};
pub use source::{EventChunks, EventSource, SourceError};
pub use store::{Object, ObjectBody, ObjectMeta, ObjectStore, Precondition, Put, StoreError, Tail};
pub(crate) use view::presto_type;
pub use view::{View, ViewColumn, ViewState};
