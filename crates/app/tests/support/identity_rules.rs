//! The rules of docs/COMPAT.md about identities, with sets in memory.

use std::collections::{BTreeMap, BTreeSet};

/// What an event says: `resolved`, `device`, `identify`, `alias` or `merge`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub kind: &'static str,
    pub from: String,
    pub to: String,
    pub time: i64,
}

/// Each identifier that has another one as its identity, and that identity; in order.
pub fn identities(facts: &[Told], original: bool) -> Vec<(String, String)> {
    let counted: Vec<&Told> = if original {
        let won = first(facts, &["identify"]).into_iter().chain(first(facts, &["alias"]));
        let all = facts.iter().filter(|fact| matches!(fact.kind, "resolved" | "merge"));
        won.chain(all).collect()
    } else {
        first(facts, &["resolved", "device"])
    };
    let mut rows = Vec::new();
    for cluster in clusters(&counted) {
        let identity = identity(&cluster, &counted, original);
        let others = cluster.iter().filter(|id| **id != identity);
        rows.extend(others.map(|id| ((*id).to_owned(), identity.to_owned())));
    }
    rows.sort();
    rows
}

/// For each identifier the fact that wins: of the first kind, then the earliest, then the smallest.
fn first<'a>(facts: &'a [Told], kinds: &[&str]) -> Vec<&'a Told> {
    let weight = |fact: &Told| kinds.iter().position(|kind| *kind == fact.kind);
    let mut first: BTreeMap<&str, &Told> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| weight(fact).is_some()) {
        let at = first.entry(&fact.from).or_insert(fact);
        if (weight(fact), fact.time, &fact.to) < (weight(at), at.time, &at.to) {
            *at = fact;
        }
    }
    first.into_values().collect()
}

fn clusters<'a>(facts: &[&'a Told]) -> Vec<BTreeSet<&'a str>> {
    let mut clusters: Vec<BTreeSet<&str>> = Vec::new();
    for fact in facts {
        let mut one = BTreeSet::from([&*fact.from, &*fact.to]);
        clusters.retain(|cluster| {
            let is_apart = cluster.is_disjoint(&one);
            if !is_apart {
                one.extend(cluster);
            }
            is_apart
        });
        clusters.push(one);
    }
    clusters
}

fn identity<'a>(cluster: &BTreeSet<&'a str>, facts: &[&Told], original: bool) -> &'a str {
    let directed: Vec<&&Told> = facts.iter().filter(|fact| fact.kind != "merge").collect();
    let is_target = |id: &str| directed.iter().any(|fact| fact.to == id);
    let leads_on = |id: &str| directed.iter().any(|fact| fact.from == id);
    let is_chosen = |id: &str| {
        let told = || directed.iter().filter(|fact| fact.kind == "resolved");
        original && told().any(|fact| fact.to == id) && !told().any(|fact| fact.from == id)
    };
    let rules: [&dyn Fn(&str) -> bool; 4] =
        [&is_chosen, &|id| is_target(id) && !leads_on(id), &is_target, &|_| true];
    let fitting = rules.iter().find_map(|rule| {
        let fitting: Vec<&str> = cluster.iter().copied().filter(|id| rule(id)).collect();
        let person = fitting.iter().find(|id| !id.starts_with("$device:"));
        person.or(fitting.first()).copied()
    });
    fitting.unwrap()
}
