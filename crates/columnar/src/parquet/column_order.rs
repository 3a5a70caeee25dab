//! The column orders of the footer: in which order the bounds of a column are compared.
//!
//! The `parquet` crate says of every column of doubles that its bounds are in the total order of
//! IEEE 754, which came to the format in 2026 and cannot be turned off. Readers that do not know it
//! ignore the bounds (parquet-java as Spark has it), or refuse the file (Polars 1.41). Without NaN, and
//! with zeros widened to both, the same bounds hold in the order that every reader knows.

use parquet::errors::{ParquetError, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

/// `ColumnOrder` in Thrift's compact form: the field of the union, an empty struct, the end.
type Order = [u8; 3];

const OF_THE_TYPE: Order = [0x1c, 0, 0];
const IEEE_754_TOTAL: Order = [0x2c, 0, 0];

/// What stands behind the orders: the end of the footer, its length, the magic bytes.
const BEHIND: usize = 1 + 4 + 4;

/// The same for a file that is not in memory.
pub(crate) fn of_types_in(file: &mut File, columns: usize) -> Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let end = (columns * size_of::<Order>() + BEHIND) as u64;
    let start = SeekFrom::Start(length.saturating_sub(end));
    file.seek(start)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    of_types(&mut bytes, columns)?;
    file.seek(start)?;
    Ok(file.write_all(&bytes)?)
}

/// Says of all columns of a file that their bounds are in the order of their type. It is given the file, or
/// its end.
pub(crate) fn of_types(file: &mut [u8], columns: usize) -> Result<()> {
    let other = || ParquetError::General("the footer does not end with the columns' orders".into());
    let end = file.len().checked_sub(BEHIND).ok_or_else(other)?;
    let start = end.checked_sub(columns * size_of::<Order>()).ok_or_else(other)?;
    for order in file[start..end].as_chunks_mut().0 {
        match *order {
            OF_THE_TYPE => {}
            IEEE_754_TOTAL => *order = OF_THE_TYPE,
            _ => return Err(other()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orders_are_changed_and_anything_else_is_told() {
        let behind = [0; BEHIND];
        let file = |orders: &[Order]| [&[9, 9], orders.as_flattened(), &behind[..]].concat();
        let mut ours = file(&[OF_THE_TYPE, IEEE_754_TOTAL, OF_THE_TYPE]);
        of_types(&mut ours, 3).unwrap();
        assert_eq!(ours, file(&[OF_THE_TYPE; 3]));
        assert!(of_types(&mut ours, 4).is_err() && of_types(&mut [0; 3], 1).is_err());
    }
}
