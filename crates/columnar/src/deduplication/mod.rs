//! Which rows are repeated: the identity of a row, the rows seen so far, and the list of identities that a
//! file has beside it.
//!
//! Knows no events and no columns. Identities that do not fit in memory spill to a temporary file.

pub(crate) mod far_apart;
pub(crate) mod identities;
pub(crate) mod identity;
pub(crate) mod seen;
pub(crate) mod spill;
pub(crate) mod superseded;
