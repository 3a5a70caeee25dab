//! The people whose events are not written any more. Only salted hashes of their identifiers are known.

use super::bad_lines;
use super::identifier::{listed, normal};
use foldhash::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What the hashes of a lake are made with: random bytes, the same for all people of a project.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

/// The salted hash of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonHash([u8; 16]);

/// The people whose events are not written any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    salt: Salt,
    people: HashSet<PersonHash>,
}

impl Salt {
    /// Takes random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The hash of an identifier.
    #[must_use]
    pub fn hash(&self, identifier: &str) -> PersonHash {
        let hash = blake3::keyed_hash(&self.0, normal(identifier).as_bytes());
        PersonHash(hash.as_bytes()[..16].try_into().expect("16 of 32 bytes"))
    }
}

impl Suppression {
    /// The people with these hashes.
    #[must_use]
    pub fn new(salt: Salt, people: impl IntoIterator<Item = PersonHash>) -> Self {
        Self(Arc::new(Inner { salt, people: people.into_iter().collect() }))
    }

    /// Whether an identifier belongs to one of them.
    #[must_use]
    pub fn has(&self, identifier: &str) -> bool {
        self.0.people.contains(&self.0.salt.hash(identifier))
    }

    /// Whether the text of an identity property names one of them.
    pub(crate) fn is_named_in(&self, text: &str) -> bool {
        listed(text).iter().any(|identifier| self.has(identifier))
    }

    /// Whether a line that is no event names one of them.
    #[must_use]
    pub fn is_in_bad_line(&self, line: &[u8]) -> bool {
        bad_lines::any_word(line, &mut |word| self.has(word))
    }
}

/// Hides the bytes from logs.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(&self.0, f)
    }
}

impl fmt::Display for PersonHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(&self.0, f)
    }
}

fn hexadecimal(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// A text that is no hexadecimal number of the right length.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hexadecimal number of {1} digits")]
pub struct ParseHashError(String, usize);

fn parse<const N: usize>(text: &str) -> Result<[u8; N], ParseHashError> {
    let wrong = || ParseHashError(text.to_owned(), 2 * N);
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

impl FromStr for Salt {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self)
    }
}

impl FromStr for PersonHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_with_and_without_its_prefix() {
        let salt = Salt::new([7; 32]);
        let suppression = Suppression::new(salt, [salt.hash("$device:d1"), salt.hash("ann")]);
        assert!(["d1", "$device:d1", "ann"].iter().all(|id| suppression.has(id)));
        assert!(!["d2", "Ann", "ann ", ""].iter().any(|id| suppression.has(id)));
        assert!(suppression.is_named_in(r#"["bob","ann"]"#));
    }

    #[test]
    fn another_salt_gives_other_hashes_and_both_are_read_back() {
        let [one, other] = [[1; 32], [2; 32]].map(Salt::new);
        assert_ne!(one.hash("ann"), other.hash("ann"));
        assert_eq!(one.hash("ann").to_string().parse(), Ok(one.hash("ann")));
        assert_eq!(other.to_string().parse(), Ok(other));
        for wrong in ["", "zz", "äääääääääääääääää"] {
            assert!(wrong.parse::<PersonHash>().is_err(), "{wrong}");
        }
    }
}
