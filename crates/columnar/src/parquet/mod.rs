//! Parquet files: encodes columns as pages and column chunks, and puts row groups together as a file.
//!
//! The `parquet` crate writes page headers, indexes and the footer. The bytes of pages are made here.

pub(crate) mod cells;
pub(crate) mod column_order;
pub(crate) mod compressor;
pub(crate) mod decode;
pub(crate) mod file;
pub(crate) mod footer;
pub(crate) mod leaf;
pub(crate) mod metadata;
pub(crate) mod page;
pub(crate) mod pieces;
pub(crate) mod rehash;
pub(crate) mod rle;
pub(crate) mod row_group;
pub(crate) mod source_file;
pub(crate) mod statistics;
pub(crate) mod unpack;
pub(crate) mod values;
pub(crate) mod writer;
