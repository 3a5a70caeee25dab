//! What goes wrong, on demand.

/// A fault of one answer. Positions count bytes of the body as sent, after compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: a healthy answer, to place faults between.
    None,
    /// The TCP connection breaks after so many bytes.
    CutConnection {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// The body ends after so many bytes, and HTTP says that this was all: a crashed export
    /// behind a healthy server.
    EndEarly {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// The last eight bytes are missing (of a gzip body: its trailer), and HTTP says all is well.
    DropTrailer,
    /// One byte arrives with all its bits flipped.
    Corrupt {
        /// The position of the byte; past the end nothing happens.
        at: usize,
    },
    /// After so many lines the text `export terminated early` follows instead of the rest.
    TerminatedEarly {
        /// The number of lines before it.
        after_lines: usize,
    },
    /// The same after so many bytes before compression, in the middle of a line or of a character.
    TerminatedWithin {
        /// The number of bytes before it.
        after: usize,
    },
    /// The TCP connection breaks in the middle of every answer that has more lines than this: an
    /// export that has no time for long answers.
    CutAbove {
        /// The most lines that are sent whole.
        lines: usize,
    },
    /// Every so many lines, one that has an `$insert_id` is sent twice.
    RepeatLines {
        /// The distance between them; 1 repeats all.
        every: usize,
    },
    /// The lines come in another order: the last first.
    ReorderLines,
    /// After so many bytes nothing more comes, and the connection stays open.
    Stall {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// Another status, whatever was asked.
    Status {
        /// The status code.
        code: u16,
        /// The plain-text body.
        message: String,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
}

impl Fault {
    /// A status with a message, without `Retry-After`.
    #[must_use]
    pub fn status(code: u16, message: &str) -> Self {
        Self::Status { code, message: message.to_owned(), retry_after: None }
    }
}
