//! Properties of the registry that hold for all names, tested with names that are made to collide.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_domain::{DataFormat, Date, ProjectId};
use mixlake_schema::{
    ColumnType, MASTER_TABLE, PARTITION_KEY, Profile, Registry, Resolved, Table, ValueType,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const BUILT_IN: [(&str, &str, ColumnType); 3] = [
    ("event", "mp_event_name", ColumnType::String),
    ("time", "time", ColumnType::Timestamp),
    ("distinct_id", "distinct_id", ColumnType::String),
];

type Addition = (String, ValueType);

fn day() -> Date {
    "2026-11-10".parse().unwrap()
}

fn project() -> ProjectId {
    "42".parse().unwrap()
}

/// Names that have the same clean form, differ only after the length limit, are reserved, look like
/// generated names, or are invalid in databases.
fn property() -> impl Strategy<Value = String> {
    let made =
        ["x", "x_string", "x_number", "x_1", "x_2", "x_string_1", "X", "$x", "mp_x", "res_x"];
    let taken = ["select", "SELECT", "res_select", "timestamp", "mp_date", "mp_properties", "time"];
    let odd = [
        "",
        " ",
        "_",
        "__",
        "$",
        "$$",
        "1",
        "é",
        "e\u{301}",
        "名前",
        "\u{1f600}",
        "a\nb",
        "'",
        "`",
    ];
    prop_oneof![
        prop::sample::select([&made[..], &taken, &odd].concat()).prop_map(str::to_owned),
        "[abA$ é]{1,3}",
        // Equal up to the length limit.
        (120_usize..260, "[ab]{0,2}").prop_map(|(length, end)| "a".repeat(length) + &end),
        (40_usize..90, "[ab]{0,2}").prop_map(|(length, end)| "名".repeat(length) + &end),
    ]
}

fn additions() -> impl Strategy<Value = Vec<Addition>> {
    let types =
        prop::sample::select(vec![ValueType::String, ValueType::Number, ValueType::Boolean]);
    prop::collection::vec((property(), types), 0..40)
}

fn profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(vec![Profile::Portable, Profile::Mixpanel])
}

fn table(registry: &mut Registry) -> &mut Table {
    registry.table_or_new(MASTER_TABLE, DataFormat::Parquet, &BUILT_IN)
}

/// Adds them, and returns the column name for each.
fn add(registry: &mut Registry, additions: &[Addition], profile: Profile) -> Vec<String> {
    let table = table(registry);
    let resolved = additions.iter().map(|(property, value_type)| {
        match table.resolve(property, *value_type, profile, day()) {
            Resolved::Column(id) | Resolved::Overflow(id) => id,
        }
    });
    let ids: Vec<_> = resolved.collect();
    ids.into_iter().map(|id| table.columns()[id].name.clone()).collect()
}

/// What a table has columns for.
fn held(registry: &Registry) -> BTreeSet<(String, ColumnType)> {
    let columns = registry.tables()[MASTER_TABLE].columns().iter();
    columns.map(|column| (column.property.clone(), column.column_type)).collect()
}

fn printed(registry: &Registry) -> Registry {
    Registry::from_document(&registry.to_document(&project()), &project()).unwrap()
}

proptest! {
    #[test]
    fn names_are_unique_clean_within_the_limit_and_nobody_elses(
        additions in additions(), events in prop::collection::vec(property(), 0..20), profile in profile(),
    ) {
        let mut registry = Registry::default();
        add(&mut registry, &additions, profile);
        for event in &events {
            registry.event(event, profile, day());
        }
        let columns = registry.tables()[MASTER_TABLE].columns();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let of_events: Vec<&str> = registry.events().iter().map(|e| e.name.as_str()).collect();
        for names in [&names, &of_events] {
            let different: BTreeSet<&str> = names.iter().copied().collect();
            prop_assert_eq!(different.len(), names.len());
            for name in names {
                let clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                prop_assert!(!name.is_empty() && name.chars().all(clean), "{}", name);
                prop_assert!(name.len() <= profile.name_bytes(), "{} bytes: {}", name.len(), name);
            }
        }
        prop_assert!(!names.contains(&PARTITION_KEY) && !names.contains(&"select"));
        prop_assert!(!of_events.contains(&MASTER_TABLE));
        for name in of_events {
            prop_assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{} is hidden or needs quotes", name);
        }
    }

    #[test]
    fn a_name_stays_through_replay_and_through_its_document(
        first in additions(), then in additions(), profile in profile(),
    ) {
        let mut registry = Registry::default();
        let given = add(&mut registry, &first, profile);
        let mut read = printed(&registry);
        prop_assert_eq!(&read, &registry, "what is printed reads back");
        prop_assert_eq!(add(&mut read, &first, profile), given.clone(), "nothing new is given");
        prop_assert_eq!(&read, &registry);
        let more = add(&mut registry, &then, profile);
        prop_assert_eq!(add(&mut read, &then, profile), more, "as if it had never been printed");
        prop_assert_eq!(add(&mut registry, &first, profile), given);
    }

    #[test]
    fn two_writers_leave_the_same_columns_whoever_is_first(
        base in additions(), a in additions(), b in additions(), profile in profile(),
    ) {
        let mut common = Registry::default();
        add(&mut common, &base, profile);
        let with = |additions: &[Addition]| {
            let mut registry = common.clone();
            add(&mut registry, additions, profile);
            registry
        };
        // Each adds its names to what the other has written.
        let both = |first: &[Addition], then: &[Addition]| {
            let mut registry = with(first);
            add(&mut registry, then, profile);
            registry
        };
        let (one, other) = (both(&a, &b), both(&b, &a));
        prop_assert_eq!(held(&one), held(&other));
        // A name that was given before does not change, whoever comes first, and neither does a name
        // that nobody else wants.
        for registry in [&one, &other] {
            let columns = registry.tables()[MASTER_TABLE].columns();
            prop_assert!(columns.starts_with(common.tables()[MASTER_TABLE].columns()));
        }
        // If a merge needs no other names, it gives the same columns.
        for (ours, theirs) in [(with(&a), with(&b)), (with(&b), with(&a))] {
            if let Ok(merged) = ours.rebase(theirs, profile) {
                prop_assert_eq!(held(&merged), held(&one));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Long and short names mixed, so that either budget ends first.
    #[test]
    fn no_budget_is_passed_and_what_comes_later_goes_to_the_rest(
        long in 1_usize..200, seed in any::<u64>(), profile in profile(),
    ) {
        let count = profile.columns() + 40;
        let mut registry = Registry::default();
        let mut numbers: Vec<usize> = (0..count).collect();
        numbers.sort_by_key(|&n| (n as u64).wrapping_mul(seed | 1));
        let name = |n: usize| format!("{n} {}", ["y", "名"][n % 2].repeat(long * (n % 5) / 4));
        let mut passed = false;
        for &n in &numbers {
            let value_type = [ValueType::String, ValueType::Number][n % 3 % 2];
            let is_column = matches!(
                table(&mut registry).resolve(&name(n), value_type, profile, day()),
                Resolved::Column(_)
            );
            prop_assert!(!(passed && is_column), "no column after the budget is used up");
            passed |= !is_column;
        }
        prop_assert!(passed);
        let columns = registry.tables()[MASTER_TABLE].columns();
        prop_assert!(columns.len() <= profile.columns(), "{} columns", columns.len());
        prop_assert!(columns.iter().any(|column| column.name == "mp_properties"));
        prop_assert_eq!(printed(&registry), registry);
    }
}
