//! The body of a response: composed, compressed, damaged if a test requests it, and split into chunks.

use super::fault::Fault;
use super::line::Line;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, Stream, StreamExt};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::io::{self, Write};

/// Smaller bodies are sent as they are.
const GZIP_ABOVE: usize = 1400;

/// Chunks have any size from 1 byte to this.
const LARGEST_CHUNK: usize = 16 * 1024;

/// The last line of a failed export, with status 200.
const TERMINATED_EARLY: &[u8] = b"export terminated early\n";

/// A body and how it ends.
pub(super) struct Delivery {
    pub(super) gzip: bool,
    /// The length without any fault.
    pub(super) whole: usize,
    /// The value of `Content-Length`: more than is sent, if the connection breaks.
    pub(super) length: usize,
    sent: Bytes,
    end: End,
}

enum End {
    Clean,
    Broken,
    Never,
}

/// Composes the response, with a blank first and last line, like the API.
pub(super) fn compose<'a>(
    lines: impl Iterator<Item = &'a Line>,
    time_in_ms: bool,
    fault: &Fault,
) -> Vec<u8> {
    let (count, length) = match fault {
        Fault::TerminatedEarly { after_lines } => (*after_lines, Some(usize::MAX)),
        Fault::TerminatedWithin { after } => (usize::MAX, Some(*after)),
        Fault::None
        | Fault::CutConnection { .. }
        | Fault::EndEarly { .. }
        | Fault::DropTrailer
        | Fault::Corrupt { .. }
        | Fault::CutAbove { .. }
        | Fault::RepeatLines { .. }
        | Fault::ReorderLines
        | Fault::Stall { .. }
        | Fault::Page(_)
        | Fault::Status { .. } => (usize::MAX, None),
    };
    let mut body = vec![b'\n'];
    for line in sent(lines.take(count).collect(), fault) {
        line.write(time_in_ms, &mut body);
    }
    body.truncate(length.unwrap_or(usize::MAX));
    body.extend_from_slice(if length.is_some() { TERMINATED_EARLY } else { b"\n" });
    body
}

/// The lines as the fault repeats or orders them.
fn sent<'a>(mut lines: Vec<&'a Line>, fault: &Fault) -> Vec<&'a Line> {
    if let Fault::RepeatLines { every } = fault {
        let repeated = |index: usize, line: &Line| {
            index.is_multiple_of(*every) && line.property("$insert_id").is_some()
        };
        let times =
            |(index, line)| std::iter::repeat_n(line, 1 + usize::from(repeated(index, line)));
        lines = lines.into_iter().enumerate().flat_map(times).collect();
    } else if *fault == Fault::ReorderLines {
        lines.reverse();
    }
    lines
}

/// Encodes a body and applies the fault to its bytes.
pub(super) fn deliver(body: Vec<u8>, accepts_gzip: bool, fault: &Fault) -> io::Result<Delivery> {
    let gzip = accepts_gzip && body.len() > GZIP_ABOVE;
    // The blank first and last line do not count, nor does what follows.
    let lines = body.split(|byte| *byte == b'\n').count().saturating_sub(3);
    let mut sent = if gzip { compressed(&body)? } else { body };
    let whole = sent.len();
    let end = match fault {
        Fault::CutConnection { after } => {
            sent.truncate(*after);
            End::Broken
        }
        Fault::Stall { after } => {
            sent.truncate(*after);
            End::Never
        }
        Fault::EndEarly { after } => {
            sent.truncate(*after);
            End::Clean
        }
        Fault::DropTrailer => {
            sent.truncate(whole.saturating_sub(8));
            End::Clean
        }
        Fault::Corrupt { at } => {
            if let Some(byte) = sent.get_mut(*at) {
                *byte = !*byte;
            }
            End::Clean
        }
        Fault::CutAbove { lines: most } if lines > *most => {
            sent.truncate(whole / 2);
            End::Broken
        }
        Fault::None
        | Fault::CutAbove { .. }
        | Fault::RepeatLines { .. }
        | Fault::ReorderLines
        | Fault::TerminatedEarly { .. }
        | Fault::TerminatedWithin { .. }
        | Fault::Page(_)
        | Fault::Status { .. } => End::Clean,
    };
    let length = if matches!(end, End::Clean) { sent.len() } else { whole };
    Ok(Delivery { gzip, whole, length, sent: sent.into(), end })
}

fn compressed(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

impl Delivery {
    /// The chunks, split anywhere, the same for the same seed.
    pub(super) fn stream(self, seed: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let ending = stream::once(finish(self.end)).filter_map(std::future::ready);
        stream::iter(chunks(self.sent, seed)).map(Ok).chain(ending)
    }
}

fn chunks(mut rest: Bytes, seed: u64) -> impl Iterator<Item = Bytes> + Send {
    let mut random = StdRng::seed_from_u64(seed);
    std::iter::from_fn(move || {
        let size = random.random_range(1..=LARGEST_CHUNK).min(rest.len());
        (size > 0).then(|| rest.split_to(size))
    })
}

async fn finish(end: End) -> Option<io::Result<Bytes>> {
    match end {
        End::Clean => None,
        End::Broken => {
            // The server sends what it has when the body pauses; then it learns that the connection
            // breaks.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            Some(Err(io::Error::other("the connection is cut on request")))
        }
        End::Never => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Vec<u8> {
        (0..100_000_u32).flat_map(u32::to_be_bytes).collect()
    }

    #[tokio::test]
    async fn chunks_are_the_body_and_depend_on_the_seed_only() {
        let pieces = |seed| async move {
            let delivery = deliver(body(), false, &Fault::None).unwrap();
            delivery.stream(seed).map(Result::unwrap).collect::<Vec<_>>().await
        };
        assert_eq!(pieces(1).await.concat(), body());
        assert_eq!(pieces(1).await, pieces(1).await);
        assert_ne!(pieces(1).await, pieces(2).await);
    }

    #[test]
    fn only_large_bodies_are_compressed_and_only_on_request() {
        let gzip = |size, accepts| deliver(vec![b'a'; size], accepts, &Fault::None).unwrap().gzip;
        assert!(gzip(1401, true));
        assert!(!gzip(1400, true));
        assert!(!gzip(1401, false));
    }

    #[test]
    fn a_cut_connection_promised_more_than_it_sent() {
        let delivery = deliver(vec![b'a'; 100], false, &Fault::CutConnection { after: 7 }).unwrap();
        assert_eq!((delivery.length, delivery.sent.len()), (100, 7));
    }

    #[test]
    fn lines_are_repeated_and_reordered_on_request() {
        let line = |id: &str| {
            let json = format!(r#"{{"event":"e","properties":{{"time":1,"$insert_id":"{id}"}}}}"#);
            Line::new(Bytes::from(json))
        };
        let lines = [line("1"), line("2"), Line::new(Bytes::from_static(b"x"))];
        let ids = |fault| {
            let body = String::from_utf8(compose(lines.iter(), true, &fault)).unwrap();
            body.lines().filter_map(|line| line.chars().rev().nth(3)).collect::<String>()
        };
        assert_eq!(ids(Fault::RepeatLines { every: 1 }), "1122");
        assert_eq!(ids(Fault::RepeatLines { every: 2 }), "112");
        assert_eq!(ids(Fault::ReorderLines), "21");
    }

    #[test]
    fn only_an_answer_with_more_lines_is_cut() {
        let broken = |most| {
            let body = b"\na\nb\n\n".to_vec();
            let delivery = deliver(body, false, &Fault::CutAbove { lines: most }).unwrap();
            matches!(delivery.end, End::Broken)
        };
        assert!(broken(1));
        assert!(!broken(2));
    }

    #[test]
    fn an_export_that_dies_says_so_in_its_last_line() {
        let line = Line::new(Bytes::from_static(b"x"));
        let fault = Fault::TerminatedEarly { after_lines: 1 };
        let body = compose([&line, &line].into_iter(), true, &fault);
        assert_eq!(body, b"\nx\nexport terminated early\n");
        let line = Line::new(Bytes::from_static("\u{e9}".as_bytes()));
        let body = compose([&line].into_iter(), true, &Fault::TerminatedWithin { after: 2 });
        assert_eq!(body, b"\n\xc3export terminated early\n");
    }
}
