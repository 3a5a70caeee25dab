//! A proxy that injects faults: it forwards requests and damages the responses.
//!
//! It works on the bytes of the connection, below HTTP. So the client's handling of chunk sizes,
//! lengths and connections is tested too. The middle of an uncompressed response is not changed: there
//! TLS protects the data, and no client could detect a change.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The fault of one response. Positions are thousandths of it, including its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// No fault.
    None,
    /// The connection ends here.
    Cut {
        /// The place.
        at: usize,
    },
    /// Nothing more arrives, and the connection stays open.
    Stall {
        /// The place.
        at: usize,
    },
    /// One bit is flipped.
    Corrupt {
        /// The place.
        at: usize,
        /// The bit of the byte.
        bit: u32,
    },
    /// A range is sent twice.
    Repeat {
        /// The place.
        at: usize,
        /// The number of bytes.
        length: usize,
    },
    /// Two consecutive ranges are sent in the wrong order.
    Reorder {
        /// The place.
        at: usize,
        /// The number of bytes of each.
        length: usize,
    },
    /// The request is not forwarded; this is the response.
    Answer {
        /// The status.
        code: u16,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
}

/// A proxy in front of one server, on 127.0.0.1; it stops when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Script {
    mishaps: VecDeque<Mishap>,
    always: Mishap,
}

impl FaultProxy {
    /// Starts forwarding to a server.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let script = Script { mishaps: VecDeque::new(), always: Mishap::None };
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&script);
        let server = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let script = Arc::clone(&shared);
                // If the client disconnects, that is not an error of the proxy.
                tokio::spawn(async move { forward(client, server, &script).await.unwrap_or(()) });
            }
        });
        Ok(Self { address, script, server })
    }

    /// The base URL: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The faults of the next responses, in order, and of all later ones.
    pub fn script(&self, mishaps: impl IntoIterator<Item = Mishap>, always: Mishap) {
        let mishaps = mishaps.into_iter().collect();
        *lock(&self.script) = Script { mishaps, always };
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next(script: &Mutex<Script>) -> Mishap {
    let mut script = lock(script);
    script.mishaps.pop_front().unwrap_or_else(|| script.always.clone())
}

async fn forward(
    mut client: TcpStream,
    server: SocketAddr,
    script: &Mutex<Script>,
) -> io::Result<()> {
    let Some(request) = request(&mut client).await? else { return Ok(()) };
    let mishap = next(script);
    if let Mishap::Answer { code, retry_after } = &mishap {
        let more = retry_after.as_ref().map(|after| format!("Retry-After: {after}\r\n"));
        let more = more.unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {code} No\r\n{more}Content-Length: 4\r\nConnection: close\r\n\r\nnot "
        );
        return client.write_all(head.as_bytes()).await;
    }
    let (answer, stalls) = damaged(asked(server, &request).await?, &mishap);
    client.write_all(&answer).await?;
    if stalls {
        // Until the client gives up.
        client.read_to_end(&mut Vec::new()).await?;
    }
    client.shutdown().await
}

/// A request, changed so that the connection closes afterwards; none if the client has disconnected.
async fn request(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    loop {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
        let head = request.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 2);
        let Some(head) = head else { continue };
        if request.len() >= head + 2 + content_length(&request[..head]) {
            request.splice(head..head, *b"Connection: close\r\n");
            return Ok(Some(request));
        }
    }
}

/// The length of the body that follows a header.
fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

/// The complete response of the server.
async fn asked(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(server).await?;
    server.write_all(request).await?;
    let mut answer = Vec::new();
    // If the server breaks off, so does the response.
    let _ = server.read_to_end(&mut answer).await;
    Ok(answer)
}

/// The response after the fault, and whether nothing follows it.
fn damaged(mut answer: Vec<u8>, mishap: &Mishap) -> (Vec<u8>, bool) {
    let place = |at: usize| answer.len() * at.min(999) / 1000;
    match *mishap {
        Mishap::None | Mishap::Answer { .. } => {}
        Mishap::Cut { at } => answer.truncate(place(at)),
        Mishap::Stall { at } => {
            answer.truncate(place(at));
            return (answer, true);
        }
        Mishap::Corrupt { .. } | Mishap::Repeat { .. } | Mishap::Reorder { .. }
            if !is_compressed(&answer) => {}
        Mishap::Corrupt { at, bit } => {
            let at = place(at);
            if let Some(byte) = answer.get_mut(at) {
                *byte ^= 1 << (bit % 8);
            }
        }
        Mishap::Repeat { at, length } => {
            let start = place(at);
            let end = (start + length).min(answer.len());
            let again = answer[start..end].to_vec();
            answer.splice(end..end, again);
        }
        Mishap::Reorder { at, length } => {
            let start = place(at);
            let end = (start + 2 * length).min(answer.len());
            let middle = (end - start) / 2;
            answer[start..end].rotate_left(middle);
        }
    }
    (answer, false)
}

fn is_compressed(answer: &[u8]) -> bool {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
    String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase().contains("content-encoding: gzip")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(Mishap::None, "0123456789")]
    #[case::cut(Mishap::Cut { at: 500 }, "01234")]
    #[case::repeat(Mishap::Repeat { at: 300, length: 2 }, "012343456789")]
    #[case::repeat_past_the_end(Mishap::Repeat { at: 900, length: 5 }, "01234567899")]
    #[case::reorder(Mishap::Reorder { at: 300, length: 2 }, "0125634789")]
    #[case::corrupt(Mishap::Corrupt { at: 0, bit: 0 }, "1123456789")]
    fn each_mishap_does_its_harm(#[case] mishap: Mishap, #[case] expected: &str) {
        let head = "Content-Encoding: gzip\r\n\r\n";
        let body = |at: usize| (head.len() * 1000 + at * 10) / (head.len() + 10);
        // Positions are parts of the whole response; here they are given as parts of the body.
        let mishap = match mishap {
            Mishap::Cut { at } => Mishap::Cut { at: body(at) + 1 },
            Mishap::Repeat { at, length } => Mishap::Repeat { at: body(at) + 1, length },
            Mishap::Reorder { at, length } => Mishap::Reorder { at: body(at) + 1, length },
            Mishap::Corrupt { at, bit } => Mishap::Corrupt { at: body(at) + 1, bit },
            Mishap::None | Mishap::Stall { .. } | Mishap::Answer { .. } => mishap,
        };
        let answer = format!("{head}0123456789").into_bytes();
        let (arrived, stalls) = damaged(answer, &mishap);
        assert_eq!(String::from_utf8(arrived).unwrap(), format!("{head}{expected}"));
        assert!(!stalls);
    }

    #[test]
    fn an_answer_that_is_not_compressed_is_cut_but_not_changed() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\n0123456789".to_vec();
        assert_eq!(damaged(answer.clone(), &Mishap::Corrupt { at: 999, bit: 1 }).0, answer);
        assert!(damaged(answer.clone(), &Mishap::Cut { at: 999 }).0.len() < answer.len());
    }
}
