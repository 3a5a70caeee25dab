//! The use case *identities*: which user each identifier stands for.

mod fact;
mod resolve;
mod sorter;
mod stars;

pub use fact::IdMerge;
