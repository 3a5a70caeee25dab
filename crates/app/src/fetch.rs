//! Copies an object to an unnamed temporary file, because it may be too large for memory.

use crate::hash::Digest;
use crate::ports::{ObjectStore, StoreError};
use futures::StreamExt;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

/// The object and the hash of its bytes; `None` if there is none.
pub(crate) async fn fetch<E: From<StoreError>>(
    store: &dyn ObjectStore,
    key: &str,
    folder: &Path,
    of_file: fn(io::Error) -> E,
) -> Result<Option<(File, String)>, E> {
    let Some(mut body) = store.read(key).await? else { return Ok(None) };
    let mut file = tempfile::tempfile_in(folder).map_err(of_file)?;
    let mut digest = Digest::default();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        digest.update(&piece);
        file.write_all(&piece).map_err(of_file)?;
    }
    file.rewind().map_err(of_file)?;
    Ok(Some((file, digest.finish())))
}
