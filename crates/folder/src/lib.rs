#![doc = include_str!("../README.md")]

mod blocking;
mod catalog;
mod document;
mod key;
mod listing;
mod place;
mod store;

pub use catalog::FolderCatalog;
pub use store::FolderStore;
