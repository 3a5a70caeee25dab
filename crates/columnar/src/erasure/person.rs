//! The person who is searched for.

use crate::people::bad_lines;
use crate::people::identifier::{listed, normal, of_number};
use memchr::memmem::Finder;
use std::collections::BTreeSet;

/// The identifiers of a person, in plain text.
#[derive(Debug, Clone)]
pub struct Person {
    identifiers: BTreeSet<String>,
    finders: Vec<Finder<'static>>,
}

impl Person {
    /// A person with these identifiers. `$device:D` and `D` are the same one.
    #[must_use]
    pub fn new<'a>(identifiers: impl IntoIterator<Item = &'a str>) -> Self {
        let identifiers: BTreeSet<String> =
            identifiers.into_iter().map(|id| normal(id).to_owned()).collect();
        let escaped = identifiers.iter().filter_map(|id| {
            let json = serde_json::Value::from(id.as_str()).to_string();
            let inner = json[1..json.len() - 1].to_owned();
            (inner != *id).then_some(inner)
        });
        let forms: BTreeSet<String> = identifiers.iter().cloned().chain(escaped).collect();
        let finders = forms.iter().filter(|form| !form.is_empty());
        let finders = finders.map(|form| Finder::new(form.as_bytes()).into_owned()).collect();
        Self { identifiers, finders }
    }

    /// Whether an identifier is one of the person.
    #[must_use]
    pub fn has(&self, identifier: &str) -> bool {
        self.identifiers.contains(normal(identifier))
    }

    /// Whether the text of an identity property names the person.
    #[must_use]
    pub fn is_named_in(&self, text: &str) -> bool {
        listed(text).iter().any(|identifier| self.has(identifier))
    }

    pub(crate) fn is_number(&self, number: f64) -> bool {
        self.has(&of_number(number))
    }

    /// Whether the bytes contain an identifier, and no letter or digit is next to it.
    #[must_use]
    pub fn is_mentioned_in(&self, bytes: &[u8]) -> bool {
        self.finders.iter().any(|finder| {
            finder.find_iter(bytes).any(|start| {
                let end = start + finder.needle().len();
                let before = start.checked_sub(1).and_then(|at| bytes.get(at));
                ![before, bytes.get(end)].into_iter().flatten().any(u8::is_ascii_alphanumeric)
            })
        })
    }

    /// Whether a line that is no event names the person.
    #[must_use]
    pub fn is_in_bad_line(&self, line: &[u8]) -> bool {
        self.is_mentioned_in(line) || bad_lines::any_word(line, &mut |word| self.has(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_mentioned_as_a_whole_word() {
        let person = Person::new(["u-1", "$device:d\"2"]);
        for text in ["u-1", "user u-1.", r#"{"a":"u-1"}"#, "$device:d\"2", r#""d\"2""#] {
            assert!(person.is_mentioned_in(text.as_bytes()), "{text}");
        }
        for text in ["u-12", "xu-1", "U-1", ""] {
            assert!(!person.is_mentioned_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn numbers_and_lists_name_a_person_too() {
        let person = Person::new(["12"]);
        assert!(person.is_number(12.0) && !person.is_number(12.5));
        assert!(person.is_named_in("[12, 13]") && !person.is_named_in("[13]"));
    }
}
