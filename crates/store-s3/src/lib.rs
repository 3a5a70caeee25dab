#![doc = include_str!("../README.md")]

mod client;
mod failure;
mod multipart;
mod store;

pub use client::client;
pub use store::S3Store;
