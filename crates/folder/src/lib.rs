#![doc = include_str!("../README.md")]

mod blocking;
mod catalog;
mod document;
mod key;
mod listing;
#[cfg(test)]
mod messages;
mod place;
mod source;
mod store;

pub use catalog::FolderCatalog;
pub use source::{Accounts, DateRange, Dates, FileSource, Input, InputError, Selection};
pub use store::FolderStore;
