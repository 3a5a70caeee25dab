//! Finds the end of a JSON value whose bytes arrive in pieces.

/// The text of one JSON value, on one line. Only its end is found here; whether it is JSON must be
/// checked afterwards.
#[derive(Debug, Default)]
pub(super) struct ValueText {
    text: Vec<u8>,
    /// How many lists and objects are open.
    depth: usize,
    is_in_string: bool,
    is_after_backslash: bool,
}

impl ValueText {
    /// Forgets the last value. The memory is kept for the next one.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        (self.depth, self.is_in_string, self.is_after_backslash) = (0, false, false);
    }

    /// The text so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Takes the bytes that belong to the value. Returns how many, and whether the value has ended.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let end = if self.is_in_string { self.in_string(*byte) } else { self.outside(*byte) };
            if end != End::Open {
                let taken = at + usize::from(end == End::After);
                self.text.extend_from_slice(&bytes[from..taken]);
                return (taken, true);
            }
            // Only between tokens: JSON has no line end within a string. A space keeps tokens apart.
            if *byte == b'\n' && !self.is_in_string {
                self.text.extend_from_slice(&bytes[from..at]);
                self.text.push(b' ');
                from = at + 1;
            }
        }
        self.text.extend_from_slice(&bytes[from..]);
        (bytes.len(), false)
    }

    fn in_string(&mut self, byte: u8) -> End {
        match byte {
            _ if self.is_after_backslash => self.is_after_backslash = false,
            b'\\' => self.is_after_backslash = true,
            b'"' => {
                self.is_in_string = false;
                return self.after();
            }
            _ => {}
        }
        End::Open
    }

    fn outside(&mut self, byte: u8) -> End {
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            // The end of a number or a word.
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                return End::Before;
            }
            b'}' | b']' => {
                self.depth -= 1;
                return self.after();
            }
            _ => {}
        }
        End::Open
    }

    fn after(&self) -> End {
        if self.depth == 0 { End::After } else { End::Open }
    }
}

/// Whether a value ends at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It does not.
    Open,
    /// The byte does not belong to it any more.
    Before,
    /// The byte is its last one.
    After,
}
