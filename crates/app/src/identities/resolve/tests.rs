use super::*;
use proptest::prelude::*;

type Rows = Vec<(String, String)>;

fn resolved(facts: &[Fact], merge: IdMerge, memory: usize) -> Rows {
    let folder = std::env::temp_dir();
    let disk = Disk { folder: &folder, memory };
    let mut sorter = Sorter::new(disk);
    for fact in facts {
        sorter.push(fact.clone()).unwrap();
    }
    let mut rows = Vec::new();
    let mut each = |from, to| {
        rows.push((from, to));
        Ok::<_, io::Error>(())
    };
    resolve(sorter, merge, disk, &|| Ok(()), &mut each).unwrap();
    rows
}

fn fact(kind: Kind, from: &str, to: &str, time: i64) -> Fact {
    Fact::new(kind, from, to, time).unwrap()
}

fn of(facts: &[Fact], merge: IdMerge) -> Vec<String> {
    resolved(facts, merge, 1 << 20).into_iter().map(|(from, to)| format!("{from}>{to}")).collect()
}

use IdMerge::{Original, Simplified};
use Kind::{Alias, Device, Identify, Merge, Resolved};

#[test]
fn the_first_user_wins_a_device() {
    let facts = [
        fact(Device, "$device:d", "bob", 2),
        fact(Device, "$device:d", "ann", 1),
        fact(Device, "$device:e", "bob", 5),
        fact(Device, "$device:e", "ann", 5),
    ];
    let expected = ["$device:d>ann", "$device:e>ann"];
    assert_eq!(of(&facts, Simplified), expected, "at the same time, the smaller name");
    assert_eq!(of(&facts, Original), [""; 0]);
}

#[test]
fn what_mixpanel_resolved_outweighs_who_had_the_device_first() {
    let facts = [fact(Device, "$device:d", "ann", 1), fact(Resolved, "$device:d", "bob", 9)];
    assert_eq!(of(&facts, Simplified), ["$device:d>bob"]);
}

#[test]
fn two_users_of_simplified_merge_stay_two() {
    let facts = [
        fact(Resolved, "$device:d", "ann", 1),
        fact(Resolved, "$device:d", "bob", 2),
        fact(Merge, "ann", "bob", 1),
        fact(Identify, "ann", "bob", 1),
        fact(Alias, "ann", "bob", 1),
    ];
    assert_eq!(of(&facts, Simplified), ["$device:d>ann"], "its events merge nothing");
}

#[test]
fn a_chain_ends_where_no_fact_leads_on() {
    let facts = [
        fact(Resolved, "b", "c", 1),
        fact(Resolved, "a", "b", 2),
        fact(Device, "$device:d", "a", 3),
    ];
    assert_eq!(of(&facts, Simplified), ["$device:d>c", "a>c", "b>c"]);
}

#[test]
fn a_cycle_ends_in_the_smallest_that_is_no_device() {
    let facts = [
        fact(Resolved, "c", "$device:d", 1),
        fact(Resolved, "$device:d", "b", 1),
        fact(Resolved, "b", "c", 1),
        fact(Resolved, "a", "b", 1),
    ];
    for merge in [Simplified, Original] {
        assert_eq!(of(&facts, merge), ["$device:d>b", "a>b", "c>b"], "a leads to it only");
    }
}

#[test]
fn original_merge_joins_what_its_events_join() {
    let facts = [
        fact(Identify, "anon1", "ann", 1),
        fact(Identify, "anon2", "ann", 2),
        fact(Alias, "ann@example.com", "ann", 3),
        fact(Merge, "z", "ann", 4),
    ];
    let expected = ["ann@example.com>ann", "anon1>ann", "anon2>ann", "z>ann"];
    assert_eq!(of(&facts, Original), expected);
    assert_eq!(of(&[fact(Merge, "z", "y", 4)], Original), ["z>y"], "no direction: the smallest");
    assert_eq!(of(&[fact(Merge, "z", "$device:y", 4)], Original), ["$device:y>z"]);
}

#[test]
fn an_anonymous_identifier_and_an_alias_belong_to_the_first_who_took_them() {
    let facts = [
        fact(Identify, "anon", "bob", 2),
        fact(Identify, "anon", "ann", 1),
        fact(Alias, "nick", "bob", 1),
        fact(Alias, "nick", "ann", 2),
    ];
    assert_eq!(of(&facts, Original), ["anon>ann", "nick>bob"]);
}

#[test]
fn the_identity_that_mixpanel_chose_is_kept() {
    let facts = [
        fact(Identify, "anon", "ann", 1),
        fact(Resolved, "ann", "anon", 2),
        fact(Resolved, "other", "anon", 2),
    ];
    assert_eq!(of(&facts, Original), ["ann>anon", "other>anon"]);
}

#[path = "../../../tests/support/identity_rules.rs"]
mod rules;

/// The rules, with sets in memory.
fn reference(facts: &[Fact], merge: IdMerge) -> Rows {
    let told = facts.iter().map(|fact| {
        let Fact { from, kind, to, time } = fact;
        rules::Told { kind: kind.name(), from: from.clone(), to: to.clone(), time: *time }
    });
    rules::identities(&told.collect::<Vec<_>>(), merge == Original)
}

fn identifiers() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-h]",
        "[a-c]{2}",
        "[a-d]".prop_map(|id| format!("$device:{id}")),
        Just("\u{e9}\"\u{2028}".to_owned()),
    ]
}

fn any_facts() -> impl Strategy<Value = Vec<Fact>> {
    let kinds = prop::sample::select(vec![Resolved, Device, Identify, Alias, Merge]);
    let fact = (kinds, identifiers(), identifiers(), prop_oneof![0_i64..6, Just(i64::MAX)]);
    let fact = fact.prop_filter_map("it says nothing", |(kind, from, to, time)| {
        Fact::new(kind, &from, &to, time)
    });
    prop::collection::vec(fact, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn identities_are_those_of_sets_in_any_order_and_whatever_memory_there_is(
        facts in any_facts().prop_shuffle(),
        merge in prop::sample::select(vec![Simplified, Original]),
        memory in prop_oneof![1 => Just(1_usize), 5 => 200_usize..5_000],
    ) {
        let expected = reference(&facts, merge);
        prop_assert_eq!(&resolved(&facts, merge, memory), &expected);
        let again = [facts.clone(), facts].concat();
        prop_assert_eq!(&resolved(&again, merge, 1 << 20), &expected, "told twice");
    }
}

#[test]
fn simplified_follows_each_identifier_to_the_end_of_its_chain() {
    let chain: Vec<Fact> = (0..5_000)
        .map(|at| fact(Resolved, &format!("u{at:05}"), &format!("u{:05}", at + 1), 1))
        .collect();
    let rows = resolved(&chain, Simplified, 10_000);
    assert!(rows.len() == 5_000 && rows.iter().all(|(_, to)| to == "u05000"));
}
