//! Which values of an event identify a person.

use std::borrow::Cow;

/// The properties whose values are identifiers of a person, beside `distinct_id`. The value of
/// `$distinct_ids` is a list of them.
const PROPERTIES: [&str; 9] = [
    "distinct_id",
    "$distinct_id",
    "$user_id",
    "$device_id",
    "$distinct_id_before_identity",
    "$identified_id",
    "$anon_id",
    "$distinct_ids",
    "alias",
];

/// What Mixpanel writes before the identifier of a device in a `distinct_id`.
const DEVICE: &str = "$device:";

/// Whether the values of a property identify a person.
#[must_use]
pub fn is_identity(property: &str) -> bool {
    PROPERTIES.contains(&property)
}

/// The form in which identifiers are compared: `$device:D` and `D` are the same device.
#[must_use]
pub fn normal(identifier: &str) -> &str {
    identifier.strip_prefix(DEVICE).unwrap_or(identifier)
}

/// The identifiers in the text of an identity property: the text, and the elements of a JSON list.
pub(crate) fn listed(text: &str) -> Vec<Cow<'_, str>> {
    let elements = elements(text).into_iter().map(Cow::Owned);
    std::iter::once(Cow::Borrowed(text)).chain(elements).collect()
}

/// The elements of a JSON list of identifiers; none of another text.
#[must_use]
pub fn elements(text: &str) -> Vec<String> {
    if !text.starts_with('[') {
        return Vec::new();
    }
    let Ok(serde_json::Value::Array(elements)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let element = |element: serde_json::Value| match element {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => element.to_string(),
    };
    elements.into_iter().map(element).collect()
}

/// The text of an identifier that an event has as a number.
pub(crate) fn of_number(number: f64) -> String {
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_identifiers_is_read_as_each_of_them() {
        assert_eq!(listed("u1"), ["u1"]);
        assert_eq!(listed(r#"["u1",2]"#)[1..], ["u1", "2"]);
        assert_eq!(listed("[u1"), ["[u1"]);
    }

    #[test]
    fn a_number_has_the_digits_of_its_text() {
        assert_eq!([of_number(12.0), of_number(1e21)], ["12", "1000000000000000000000"]);
    }
}
