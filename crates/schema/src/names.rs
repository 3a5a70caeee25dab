//! From a name in Mixpanel to a name in SQL: rules 1 to 5.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that some engine refuses as a plain column name: Athena's (DDL and `SELECT`) and
/// Redshift's. Mixpanel does not publish its list.
static RESERVED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("reserved-words.txt").lines().collect());

/// Cleans the name of a property or an event: prefix, characters, case, reserved word, length, in
/// this order. Collisions are the registry's affair.
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

/// Puts a suffix behind a clean name, cutting the stem where the whole would be too long.
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

    /// The list is part of the rules: a word that came or went would give other names.
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
        }

        #[test]
        fn a_suffix_survives_the_limit(stem in "[a-z]{1,140}", number in 1_usize..99_999) {
            let suffix = format!("_{number}");
            let name = with_suffix(&stem, &suffix, 127);
            prop_assert!(name.len() <= 127 && name.ends_with(&suffix));
        }
    }
}
