//! Files in folders that were replaced. They are deleted only if the rows that replaced them are proven
//! to be live.

use super::accounts::{Accounts, Evidence};
use super::facts::{Facts, ObjectFacts, TableFacts, TargetFacts};
use super::finding::{Kind, Remedy, Verdict, by_hand, list_slices};
use crate::reconcile::same_folder;
use mixlake_domain::{Date, Layout, RunId, SliceLabel};
use std::collections::BTreeMap;

/// A file in a replaced folder, with its key.
type Left<'a> = (&'a String, &'a ObjectFacts);

/// How such files relate to the live rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Case {
    /// Other files have their rows now.
    Replaced,
    /// Unknown now.
    Unknown,
    /// They may be the only copy of their rows.
    Unproven,
}

/// The findings about such files.
pub(super) fn findings(
    date: Option<Date>,
    table: &TableFacts,
    day: &TargetFacts,
    facts: &Facts,
) -> impl Iterator<Item = Verdict> {
    let mut cases: BTreeMap<Case, Vec<Left<'_>>> = BTreeMap::new();
    for (key, object) in day.left() {
        cases.entry(case(key, date, day, &facts.accounts)).or_default().push((key, object));
    }
    cases.into_iter().map(move |(case, left)| match case {
        Case::Replaced => replaced(date, table, day, &left),
        Case::Unknown => {
            let reason = "delete them when it is known which rows are live".to_owned();
            (Kind::LeftBehind, still_there(&left), Remedy::Wait { reason })
        }
        Case::Unproven if date.is_none() => unproven_of_whole(&left),
        Case::Unproven => unproven(&left, &facts.accounts),
    })
}

fn case(key: &str, date: Option<Date>, day: &TargetFacts, accounts: &Accounts) -> Case {
    if date.is_none() {
        // Each change of a table without partitions writes all of its rows.
        return if is_whole(day) { Case::Replaced } else { Case::Unproven };
    }
    if let Some(run) = run_of(key) {
        // Rows of runs are only ever added, so those that the manifest lists are live.
        return if day.has_run(&run) { Case::Replaced } else { Case::Unproven };
    }
    let evidence = day.evidence(key, accounts).filter(|_| day.manifest.is_some());
    match evidence.map(|(_, evidence)| evidence) {
        Some(Evidence::Live) => Case::Replaced,
        Some(Evidence::Unknown) => Case::Unknown,
        Some(Evidence::Uncounted | Evidence::Differs { .. }) | None => Case::Unproven,
    }
}

fn run_of(key: &str) -> Option<RunId> {
    Layout::run_of(key.rsplit('/').next().unwrap_or(key))
}

/// Whether all files that the manifest lists are there.
fn is_whole(day: &TargetFacts) -> bool {
    let files = day.manifest.iter().flat_map(|manifest| &manifest.files);
    let is_there = |name: &str| day.objects.contains_key(&format!("{}{name}", day.folder));
    day.manifest.is_some() && files.map(|file| &*file.name).all(is_there)
}

fn slice_of(key: &str) -> Option<SliceLabel> {
    Layout::slice_of(key.rsplit('/').next().unwrap_or(key))
}

fn replaced(
    date: Option<Date>,
    table: &TableFacts,
    day: &TargetFacts,
    left: &[Left<'_>],
) -> Verdict {
    let old = left.iter().filter(|(_, object)| object.is_old);
    let keys: Vec<String> = old.map(|(key, _)| (*key).clone()).collect();
    let remedy = if !readers_are_elsewhere(date, table, day) {
        Remedy::Wait { reason: "delete them when readers are sent to the live folder".to_owned() }
    } else if keys.is_empty() || !day.is_old {
        Remedy::Wait { reason: "delete them when no query can still read them".to_owned() }
    } else {
        Remedy::Delete { keys }
    };
    (Kind::LeftBehind, still_there(left), remedy)
}

fn still_there(left: &[Left<'_>]) -> String {
    let bytes: u64 = left.iter().map(|(_, object)| object.size).sum();
    format!("replaced folders still hold {} ({bytes} bytes)", files(left.len()))
}

/// The table is made anew as a whole.
fn unproven_of_whole(left: &[Left<'_>]) -> Verdict {
    let text = format!(
        "{}, which may be the only copy of the table: the manifest is missing, or lists files that are missing",
        still_there(left)
    );
    let advice = "make the table again: export the profiles, or run mixlake identities. Then --repair deletes them";
    (Kind::LeftBehind, text, by_hand(advice))
}

/// Names the slices, so that a person can export them again, and the reason.
fn unproven(left: &[Left<'_>], accounts: &Accounts) -> Verdict {
    let mut slices: Vec<SliceLabel> = left.iter().filter_map(|(key, _)| slice_of(key)).collect();
    slices.sort_unstable();
    slices.dedup();
    let differs = slices.iter().find_map(|slice| match accounts.evidence(*slice) {
        Evidence::Differs { written, live } => {
            Some(format!("the ledger counts {written} rows of {slice}, but {live} are live"))
        }
        Evidence::Live | Evidence::Uncounted | Evidence::Unknown => None,
    });
    let are_of_runs = left.iter().all(|(key, _)| run_of(key).is_some());
    let (why, advice) = if are_of_runs {
        let why = "a run was interrupted before it listed them".to_owned();
        (why, format!("delete {} if you do not need to know of that run", keys(left)))
    } else if slices.is_empty() {
        let why = "no export writes files with such names".to_owned();
        (why, format!("look at {}, and delete or move what you do not need", keys(left)))
    } else {
        let why = differs
            .unwrap_or_else(|| format!("no ledger and no manifest lists {}", list_slices(&slices)));
        let advice = format!(
            "export {} again; then --repair deletes them. If that is not possible, keep {}",
            list_slices(&slices),
            keys(left)
        );
        (why, advice)
    };
    let text = format!("{}, which may be the only copy of their rows: {why}", still_there(left));
    (Kind::LeftBehind, text, by_hand(&advice))
}

fn keys(left: &[Left<'_>]) -> String {
    let first = left.first().map_or("", |(key, _)| key.as_str());
    match left.len() {
        0 | 1 => first.to_owned(),
        many => format!("{first} and {} more", many - 1),
    }
}

fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

/// Whether the catalog has exactly the location of the manifest. If the catalog does not have the table,
/// a day without rows needs no location.
fn readers_are_elsewhere(date: Option<Date>, table: &TableFacts, day: &TargetFacts) -> bool {
    if table.is_damaged {
        return false;
    }
    match table.readers_of(date) {
        Some(location) => (day.is_live() || date.is_none()) && same_folder(location, &day.location),
        None => !day.is_live(),
    }
}
