#![doc = include_str!("../README.md")]

mod batch;
mod catalog;
mod client;
mod failure;
mod parquet;
mod partitions;
mod pause;
mod table;
mod text;

pub use catalog::GlueCatalog;
pub use client::client;
