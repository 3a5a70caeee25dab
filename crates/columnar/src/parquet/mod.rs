//! Parquet files: encodes columns as pages and column chunks, and puts row groups together as a file.
//!
//! The `parquet` crate writes page headers, indexes and the footer. The bytes of pages are made here.

pub(crate) mod column_order;
pub(crate) mod compressor;
pub(crate) mod file;
pub(crate) mod footer;
pub(crate) mod leaf;
pub(crate) mod metadata;
pub(crate) mod page;
pub(crate) mod pieces;
pub(crate) mod rehash;
pub(crate) mod rle;
pub(crate) mod row_group;
pub(crate) mod statistics;
pub(crate) mod values;
