//! Faults that a test can request.

/// A fault of one response. Positions count bytes of the body as sent, after compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No fault: a healthy response between faults.
    None,
    /// The TCP connection breaks after this many bytes.
    CutConnection {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// The body ends after this many bytes, and HTTP says that it is complete: a crashed export behind
    /// a healthy server.
    EndEarly {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// The last eight bytes are missing (the trailer of a gzip body), and HTTP says that the body is
    /// complete.
    DropTrailer,
    /// One byte arrives with all its bits flipped.
    Corrupt {
        /// The position of the byte; no effect after the end.
        at: usize,
    },
    /// After this many lines, the text `export terminated early` replaces the rest.
    TerminatedEarly {
        /// The number of lines before it.
        after_lines: usize,
    },
    /// The same after this many bytes before compression, in the middle of a line or character.
    TerminatedWithin {
        /// The number of bytes before it.
        after: usize,
    },
    /// The TCP connection breaks in the middle of every response that has more lines than this: an
    /// export that has no time for long responses.
    CutAbove {
        /// The largest number of lines that are sent completely.
        lines: usize,
    },
    /// One line in this many that has an `$insert_id` is sent twice.
    RepeatLines {
        /// The distance between them; 1 repeats all.
        every: usize,
    },
    /// The lines are sent in reverse order.
    ReorderLines,
    /// After this many bytes nothing more is sent, and the connection stays open.
    Stall {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// A page of profiles is wrong. Events are not affected.
    Page(PageFault),
    /// Another status, whatever the request was.
    Status {
        /// The status code.
        code: u16,
        /// The plain-text body.
        message: String,
        /// The value of `Retry-After`.
        retry_after: Option<String>,
    },
}

/// What is wrong with a page of profiles. All but the last are complete JSON with status 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFault {
    /// The next page is sent: one is missing.
    Skipped,
    /// The page before is sent again.
    Repeated,
    /// The page has another number.
    Number(usize),
    /// The total is another one.
    Total(usize),
    /// This many profiles at the end of the page are missing.
    Dropped(usize),
    /// The first profile is sent twice.
    Doubled,
    /// The page says that full pages have this many profiles.
    PageSize(usize),
    /// The page says that it is of another session.
    OtherSession,
    /// The API forgets the session, and says so from then on.
    SessionEnded,
}

impl Fault {
    /// A status with a message, without `Retry-After`.
    #[must_use]
    pub fn status(code: u16, message: &str) -> Self {
        Self::Status { code, message: message.to_owned(), retry_after: None }
    }
}
