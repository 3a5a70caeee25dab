//! The names of the columns of a view. The first that comes keeps a name; the next get `_1`, `_2`, ...

use std::collections::HashSet;

/// The most bytes of a name. Glue counts in characters.
const MOST: usize = 255;

/// The names that a view has given.
#[derive(Debug, Default)]
pub(super) struct GivenNames(HashSet<String>);

impl GivenNames {
    /// Names that nothing else gets.
    pub(super) fn reserving<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(folded).collect())
    }

    /// The wanted name, or the first free one with a number: one line, in lower case, and not too long.
    pub(super) fn give(&mut self, wanted: &str) -> String {
        let stem = one_line(wanted).to_lowercase();
        let mut name = with_suffix(&stem, "");
        let mut number = 0;
        while !self.0.insert(folded(&name)) {
            number += 1;
            name = with_suffix(&stem, &format!("_{number}"));
        }
        name
    }
}

/// Engines ignore the case of names, each in its own way: what any of them takes for equal is equal here.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// Glue takes no control characters.
fn one_line(name: &str) -> String {
    let allowed = |c: char| c >= ' ' && !matches!(c, '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}');
    name.chars().map(|c| if allowed(c) { c } else { ' ' }).collect()
}

fn with_suffix(stem: &str, suffix: &str) -> String {
    let mut end = stem.len().min(MOST - suffix.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &stem[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_of_equal_names_stays_plain() {
        let mut given = GivenNames::reserving(["time"]);
        let names = ["Plan", "plan", "PLAN_1", "Time", "Größe", "GRÖSSE", "a\nb"]
            .map(|name| given.give(name));
        assert_eq!(names, ["plan", "plan_1", "plan_1_1", "time_1", "größe", "grösse_1", "a b"]);
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_keeps_its_number() {
        let mut given = GivenNames::default();
        let long = "名".repeat(100);
        let [first, second] = [given.give(&long), given.give(&long)];
        assert_eq!(first, "名".repeat(85));
        assert_eq!(second, format!("{}_1", "名".repeat(84)));
    }

    proptest! {
        #[test]
        fn names_differ_whatever_the_case(names in prop::collection::vec("\\PC{0,4}", 0..40)) {
            let mut given = GivenNames::default();
            let names: Vec<String> = names.iter().map(|name| given.give(name)).collect();
            for (index, name) in names.iter().enumerate() {
                prop_assert!(name.len() <= MOST && *name == name.to_lowercase());
                for other in &names[..index] {
                    prop_assert_ne!(name.to_uppercase(), other.to_uppercase());
                }
            }
        }
    }
}
