#![doc = include_str!("../README.md")]

mod client;
mod encryption;
mod failure;
#[cfg(test)]
mod messages;
mod multipart;
mod store;

pub use client::client;
pub use encryption::Encryption;
pub use store::S3Store;
