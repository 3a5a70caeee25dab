#![doc = include_str!("../README.md")]

mod batch;
mod catalog;
mod client;
mod database;
mod describe;
mod failure;
#[cfg(test)]
mod messages;
mod partition;
mod partitions;
mod pause;
mod table;
mod text;
mod view;

pub use catalog::GlueCatalog;
pub use client::client;
