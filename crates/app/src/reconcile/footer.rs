//! Reads the footer of a file in the store. `mixlake-columnar` reads the bytes.

use crate::ports::{ObjectStore, StoreError};
use bytes::Bytes;
use mixlake_columnar::{Footer, FooterError as UnreadableFooter, TailRead};

/// Nearly every footer fits into this. A wider one costs a second request.
const FIRST_READ: u64 = 128 << 10;

/// A footer that is not from a file of the lake.
#[derive(Debug, thiserror::Error)]
pub enum FooterError {
    /// It cannot be read, or has a column of a foreign type.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFooter),
    /// A column has another type than in the registry, or than in another file of the batch if the
    /// registry does not know it.
    #[error("column {column:?} is {file} in the file, but {known} in the lake")]
    OtherType {
        /// The column.
        column: String,
        /// The type in the file.
        file: &'static str,
        /// The type that is known.
        known: &'static str,
    },
}

/// The footer of a file; `None` if the file does not exist (any more).
pub(crate) async fn read(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<Option<Result<Footer, UnreadableFooter>>, StoreError> {
    let read = read_with_tail(store, key).await?;
    Ok(read.map(|read| read.map(|(footer, _)| footer)))
}

/// The footer of a file with the last bytes of the file, which hold the whole footer.
pub(crate) async fn read_with_tail(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<Option<Result<(Footer, Bytes), UnreadableFooter>>, StoreError> {
    let mut length = FIRST_READ;
    loop {
        let Some(tail) = store.tail(key, length).await? else { return Ok(None) };
        match Footer::read(&tail.bytes, tail.size) {
            Ok(TailRead::Whole(footer)) => return Ok(Some(Ok((footer, tail.bytes)))),
            Ok(TailRead::Needs(needed)) => length = needed,
            Err(error) => return Ok(Some(Err(error))),
        }
    }
}
