//! The order in which the rows of a buffer are written.

/// The position of a row that is not written.
pub(crate) const DROPPED: u32 = u32::MAX;

/// The position at which each row of a buffer is written.
#[derive(Debug)]
pub(crate) struct RowOrder {
    /// By row. [`DROPPED`] for a row that is not written.
    pub positions: Vec<u32>,
    /// The number of rows that are written.
    pub rows: usize,
}
