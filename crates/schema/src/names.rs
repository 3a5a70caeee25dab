//! Converts a Mixpanel name to a SQL name: rules 1 to 5.

use mixlake_domain::VIEW_PREFIX;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that some engine does not accept as a plain column name: those of Athena (DDL and `SELECT`)
/// and of Redshift. Mixpanel does not publish its list.
static RESERVED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("reserved-words.txt").lines().collect());

/// Cleans the name of a property or an event: prefix, characters, case, reserved word, length, in this
/// order. The registry resolves collisions.
#[must_use]
pub fn clean(name: &str, limit: usize) -> String {
    let (prefix, rest) = name.strip_prefix('$').map_or(("", name), |rest| ("mp_", rest));
    let mut clean = String::with_capacity(prefix.len() + rest.len() + 4);
    clean.push_str(prefix);
    clean.extend(
        rest.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }),
    );
    if clean.is_empty() {
        clean.push('_');
    }
    if RESERVED.contains(clean.as_str()) {
        clean.insert_str(0, "res_");
    }
    clean.truncate(limit);
    clean
}

/// Cleans the name of an event, which also names a table and its folder. Query engines skip folders
/// whose names begin with `_`, and Athena needs quotes around names that begin with a digit. Such a
/// name gets the prefix `e` (before a digit `e_`). A name that begins like those of views gets `e_`.
pub(crate) fn clean_event(name: &str, limit: usize) -> String {
    let mut clean = clean(name, limit);
    // The tables of group profiles have such names.
    let is_of_group = clean.starts_with("mp_group_") && clean.ends_with("_data");
    match clean.as_bytes().first() {
        Some(_) if clean.starts_with(VIEW_PREFIX) => clean.insert_str(0, "e_"),
        Some(b'_') => clean.insert(0, 'e'),
        Some(b'0'..=b'9') => clean.insert_str(0, "e_"),
        Some(_) if is_of_group => clean.insert_str(0, "e_"),
        Some(_) | None => {}
    }
    clean.truncate(limit);
    clean
}

/// Whether query engines skip a folder of this name, and the table in it.
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

/// Adds a suffix to a clean name, and shortens the stem if the result would be too long.
pub(crate) fn with_suffix(stem: &str, suffix: &str, limit: usize) -> String {
    let room = limit.saturating_sub(suffix.len()).min(stem.len());
    format!("{}{suffix}", &stem[..room])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("plan", "plan")]
    #[case::white_space_and_case("Page View", "page_view")]
    #[case::a_code_point_is_one_underscore("Total Price (€)", "total_price____")]
    #[case::dollar("$city", "mp_city")]
    #[case::dollar_then_rest("$insert_id", "mp_insert_id")]
    #[case::only_the_first_dollar("$$double", "mp__double")]
    #[case::dollar_alone("$", "mp_")]
    #[case::already_prefixed("mp_lib", "mp_lib")]
    #[case::reserved("timestamp", "res_timestamp")]
    #[case::reserved_after_lowering("SELECT", "res_select")]
    #[case::prefixed_is_not_reserved("$select", "mp_select")]
    #[case::no_ascii("名前", "__")]
    #[case::empty("", "_")]
    #[case::dotted("a.b-c", "a_b_c")]
    fn a_name_is_cleaned(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(clean(name, 127), expected);
    }

    #[rstest]
    #[case::visible("Sign Up", "sign_up")]
    #[case::in_brackets("[App] Opened", "e_app__opened")]
    #[case::not_set("(not set)", "e_not_set_")]
    #[case::symbol("\u{2705} Done", "e__done")]
    #[case::no_ascii("注文", "e__")]
    #[case::underscore("_", "e_")]
    #[case::empty("", "e_")]
    #[case::digit("2fa", "e_2fa")]
    #[case::only_digits("404", "e_404")]
    #[case::dollar("$identify", "mp_identify")]
    #[case::reserved("Select", "res_select")]
    #[case::like_a_view("mp_view names", "e_mp_view_names")]
    #[case::like_a_view_with_a_dollar("$view_names", "e_mp_view_names")]
    #[case::nearly_like_a_view("mp_views", "mp_views")]
    fn the_name_of_an_event_begins_with_a_letter(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(clean_event(name, 127), expected);
        assert!(!is_hidden(expected));
    }

    #[test]
    fn a_name_that_is_hidden_is_told() {
        for (name, hidden) in [("_not_set_", true), (".x", true), ("e_", false), ("2fa", false)] {
            assert_eq!(is_hidden(name), hidden, "{name}");
        }
    }

    /// The list is part of the rules: a new or removed word would change names.
    #[test]
    fn every_word_of_the_list_gets_its_prefix() {
        let words: Vec<&str> = include_str!("reserved-words.txt").lines().collect();
        assert_eq!(words.len(), 246);
        assert!(words.is_sorted_by(|a, b| a < b), "in order, none twice");
        for word in words {
            assert_eq!(clean(word, 127), format!("res_{word}"));
            assert_eq!(clean(&word.to_uppercase(), 127), format!("res_{word}"));
            assert_eq!(clean(&format!("{word}x"), 127), format!("{word}x"));
        }
    }

    #[test]
    fn a_prefix_counts_toward_the_limit() {
        assert_eq!(clean(&format!("${}", "x".repeat(200)), 127).len(), 127);
    }

    proptest! {
        #[test]
        fn a_clean_name_is_never_empty_too_long_or_dirty(name in ".{0,300}", limit in 8_usize..200) {
            let clean = clean(&name, limit);
            prop_assert!((1..=limit).contains(&clean.len()));
            let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            prop_assert!(clean.chars().all(fine));
            let event = clean_event(&name, limit);
            prop_assert!((1..=limit).contains(&event.len()) && event.chars().all(fine));
            prop_assert!(event.starts_with(|c: char| c.is_ascii_lowercase()), "{}", event);
        }

        #[test]
        fn a_suffix_survives_the_limit(stem in "[a-z]{1,140}", number in 1_usize..99_999) {
            let suffix = format!("_{number}");
            let name = with_suffix(&stem, &suffix, 127);
            prop_assert!(name.len() <= 127 && name.ends_with(&suffix));
        }
    }
}
