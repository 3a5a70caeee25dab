//! Rows in memory: sparse typed columns, the order in which rows are written, validity bitmaps, dictionaries
//! and the hash of logical rows.
//!
//! Knows no file format.

pub(crate) mod blocks;
pub(crate) mod buffer;
pub(crate) mod column;
pub(crate) mod dictionary;
pub(crate) mod part;
pub(crate) mod row_order;
pub(crate) mod rows_hash;
pub(crate) mod string_column;
pub(crate) mod validity;
