//! All that is wrong with what was given, so that it can be put right in one go.

use std::fmt;

/// Problems, each with the field that has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Problems {
    /// One problem.
    pub fn one(field: &str, what: impl fmt::Display) -> Self {
        let mut problems = Self::default();
        problems.add(field, what);
        problems
    }

    /// Notes what is wrong with a field.
    pub fn add(&mut self, field: &str, what: impl fmt::Display) {
        self.0.push(format!("{field}: {what}"));
    }

    /// Notes all of another's problems.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The value, if there is no problem.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
