//! Turns the body of a response into chunks. The stream is complete or ends with an error.

use crate::gunzip::Gunzip;
use crate::reason::Reason;
use bytes::Bytes;
use futures::future;
use futures::stream::{self, BoxStream, StreamExt};
use mixlake_app::ports::{EventChunks, SourceError};
use reqwest::header::{CONTENT_ENCODING, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Response, Version};
use std::error::Error;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The first byte of every gzip body. It is a control character, which no text begins with.
const GZIP_START: u8 = 0x1f;

/// The chunks of a 200 response.
pub(crate) fn chunks(response: Response) -> Result<EventChunks, SourceError> {
    if !tells_its_end(&response) {
        return Err(incomplete(&Reason::NoEnd, None));
    }
    let encoding = encoding(response.headers())?;
    let wire = response.bytes_stream().map(|piece| piece.map_err(broken)).boxed();
    Ok(match encoding {
        Encoding::Identity => wire.scan(true, plain).boxed(),
        Encoding::Gzip => unpacked(wire),
    })
}

enum Encoding {
    Identity,
    Gzip,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, SourceError> {
    let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(Encoding::Identity) };
    match value.as_bytes().to_ascii_lowercase().as_slice() {
        b"identity" | b"" => Ok(Encoding::Identity),
        b"gzip" | b"x-gzip" => Ok(Encoding::Gzip),
        _ => Err(SourceError::Refused(Reason::Encoding(format!("{value:?}")).to_string())),
    }
}

/// Before HTTP/2 a body may end when the connection closes. Such an end does not prove that it is
/// complete.
fn tells_its_end(response: &Response) -> bool {
    response.version() >= Version::HTTP_2
        || response.content_length().is_some()
        || response.headers().contains_key(TRANSFER_ENCODING)
}

/// A piece of an uncompressed body. No JSON line begins like gzip. If a header was lost on the way, the
/// body must not be read as bad lines.
fn plain(
    start: &mut bool,
    piece: Result<Bytes, SourceError>,
) -> future::Ready<Option<Result<Bytes, SourceError>>> {
    let first = piece.as_ref().is_ok_and(|bytes| !bytes.is_empty() && std::mem::take(start));
    future::ready(Some(match piece {
        Ok(bytes) if first && bytes[0] == GZIP_START => {
            Err(incomplete(&Reason::UndeclaredGzip, None))
        }
        piece => piece,
    }))
}

/// How many chunks are decompressed ahead of the reader, on another CPU if there is one.
const AHEAD: usize = 8;

/// A gzip body that is being decompressed; `gunzip` is none after the trailer was checked.
struct Unpacking {
    wire: BoxStream<'static, Result<Bytes, SourceError>>,
    packed: Bytes,
    gunzip: Option<Gunzip>,
}

/// The decompressed chunks; none at the end if the body is complete.
struct Arriving {
    chunks: mpsc::Receiver<Result<Option<Bytes>, SourceError>>,
    task: JoinHandle<()>,
}

impl Drop for Arriving {
    /// The reader does not want the rest.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Arriving {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        // If the task died, it has not reported the end, so the body is not complete.
        self.chunks.recv().await.unwrap_or_else(|| Err(incomplete(&Reason::Unpacking, None)))
    }
}

fn unpacked(wire: BoxStream<'static, Result<Bytes, SourceError>>) -> EventChunks {
    let (sender, chunks) = mpsc::channel(AHEAD);
    let unpacking = Unpacking { wire, packed: Bytes::new(), gunzip: Some(Gunzip::new()) };
    let arriving = Arriving { chunks, task: tokio::spawn(unpacking.run(sender)) };
    stream::try_unfold(arriving, async |mut arriving| {
        Ok(arriving.next().await?.map(|chunk| (chunk, arriving)))
    })
    .boxed()
}

impl Unpacking {
    /// Sends all chunks, then either the end or an error.
    async fn run(mut self, chunks: mpsc::Sender<Result<Option<Bytes>, SourceError>>) {
        loop {
            let chunk = self.next().await;
            let ends = !matches!(chunk, Ok(Some(_)));
            let refused = chunks.send(chunk).await.is_err();
            if ends || refused {
                return;
            }
        }
    }

    /// The next chunk that is not empty; none after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        while let Some(gunzip) = &mut self.gunzip {
            if self.packed.is_empty() {
                match self.wire.next().await {
                    Some(piece) => self.packed = piece?,
                    None => return self.finish(),
                }
            }
            let chunk = gunzip.unpack(&mut self.packed).map_err(corrupt)?;
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Option<Bytes>, SourceError> {
        let last = self.gunzip.take().map(Gunzip::finish).transpose().map_err(corrupt)?;
        Ok(last.filter(|chunk| !chunk.is_empty()))
    }
}

fn broken(error: reqwest::Error) -> SourceError {
    let reason = if error.is_timeout() { Reason::Stalled } else { Reason::Broken };
    incomplete(&reason, Some(error.without_url().into()))
}

fn corrupt(error: std::io::Error) -> SourceError {
    incomplete(&Reason::Corrupt, Some(error.into()))
}

fn incomplete(reason: &Reason, cause: Option<Box<dyn Error + Send + Sync>>) -> SourceError {
    SourceError::Incomplete { reason: reason.to_string(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_whose_unpacking_dies_without_a_word_is_not_complete() {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let mut arriving = Arriving { chunks, task: tokio::spawn(async {}) };
        sender.send(Ok(Some(Bytes::from_static(b"{}\n")))).await.unwrap();
        drop(sender);
        assert_eq!(arriving.next().await.unwrap().as_deref(), Some(&b"{}\n"[..]));
        let error = arriving.next().await.unwrap_err();
        assert!(matches!(error, SourceError::Incomplete { .. }), "{error:?}");
    }
}
