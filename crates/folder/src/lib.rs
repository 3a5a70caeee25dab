#![doc = include_str!("../README.md")]

mod blocking;
mod catalog;
mod key;
mod lake_folder;
mod listing;
#[cfg(test)]
mod messages;
mod source;
mod store;
mod table_document;
mod view_document;
mod views;

pub use catalog::FolderCatalog;
pub use source::{
    Accounts, DateRange, Dates, FileProfiles, FileSource, Input, InputError, Selection,
};
pub use store::FolderStore;
