//! Objects of a table, changed to belong to another table.

use bytes::Bytes;

/// The key and body of an object of a table, as another table would have them. A manifest contains the
/// name of its table.
#[must_use]
pub fn as_of_another_table(key: &str, body: &Bytes, table: &str, other: &str) -> (String, Bytes) {
    let body = match str::from_utf8(body) {
        Ok(text) if key.ends_with("/_manifest.json") => text.replace(table, other).into(),
        _ => body.clone(),
    };
    (key.replace(table, other), body)
}
