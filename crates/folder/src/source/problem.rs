//! Why reading cannot continue.

use std::io;

/// Why reading cannot continue.
#[derive(Debug)]
pub(super) enum Problem {
    /// The input cannot be used; the text follows the name of the input.
    Unsound(String),
    /// The lines could not be stored.
    Spill(io::Error),
}

impl Problem {
    pub(super) fn unsound(what: impl Into<String>) -> Self {
        Self::Unsound(what.into())
    }
}

/// A read error. Errors of our own readers already describe the input.
impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        let own = error.get_ref().is_some();
        Self::Unsound(if own { error.to_string() } else { format!("cannot be read: {error}") })
    }
}
