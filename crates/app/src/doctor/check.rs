//! Decides what is wrong with the facts. Pure.

use super::accounts::Missing;
use super::engines::{self, Engine};
use super::facts::{Document, Facts, TableFacts, Unreadable};
use super::finding::{Finding, Kind, Remedy, by_hand};
use super::{days, footers, rename, tables};
use crate::reconcile::same_folder;
use mixlake_domain::Date;

/// Everything that is wrong, table by table, day by day.
pub(super) fn findings(facts: &Facts, engines: &[Engine]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.unreadable.iter().map(unreadable).collect();
    findings.extend(facts.unfinished.iter().map(|slice| {
        let text = "an export of the slice was begun long ago and not ended";
        let advice = by_hand(&format!("export {slice} again, unless an export is still running"));
        Finding::problem(Kind::SliceUnfinished, "", slice.to_string(), text, advice)
    }));
    findings.extend(rows_missing(facts));
    for (name, table) in &facts.tables {
        for date in table.days.keys() {
            days::findings(name, *date, facts, &mut findings);
        }
        if let Some(registry) = &facts.registry {
            let known = registry.tables().get(name);
            findings.extend(footers::findings(name, table, known, facts));
            findings.extend(tables::findings(name, table, known));
        }
        partitions(name, table, &mut findings);
        findings.extend(rename::finding(name, facts));
        findings.extend(engines::findings(name, table, engines));
    }
    findings
}

/// Slices of which the ledger counts more rows than are live. Where they cannot be had back, and a day
/// has none of their files, that is told of the day.
fn rows_missing(facts: &Facts) -> impl Iterator<Item = Finding> {
    facts.accounts.missing().filter_map(|Missing { entry, live }| {
        let slice = entry.slice;
        let days = entry.days.iter().filter_map(|day| facts.day_of(day));
        if days.clone().any(|day| day.busy) {
            return None;
        }
        let remedy = match facts.ways.get(&slice) {
            Some(way) => {
                let folders = way.values().map(|source| source.folder.clone()).collect();
                Remedy::GoBack { slice, folders }
            }
            None if days.clone().any(|day| day.missing_slices().any(|s| *s == slice)) => {
                return None;
            }
            None => by_hand(&format!(
                "export {slice} again. Until then nothing is deleted that may be those rows"
            )),
        };
        let written = entry.counts.written;
        let text = format!("the ledger counts {written} rows of the slice, and {live} are live");
        Some(Finding::problem(Kind::RowsMissing, "", slice.to_string(), text, remedy))
    })
}

fn unreadable(document: &Unreadable) -> Finding {
    let advice = match document.what {
        Document::Registry => {
            "put its last good version back. Do not delete it: nothing else says which name and type \
             each property has"
        }
        Document::Ledger => {
            "put its last good version back, or delete it; then export the days again that it is of"
        }
        Document::Manifest => {
            "put its last good version back, or delete it; then export the day again"
        }
        Document::Catalog => "delete it, then run `mixlake catalog`: it is made from the manifests",
    };
    let (key, error) = (document.key.clone(), &document.error);
    Finding::problem(Kind::UnreadableDocument, "", key, error, by_hand(advice))
}

/// Partitions against the manifests.
fn partitions(name: &str, table: &TableFacts, findings: &mut Vec<Finding>) {
    if table.state.is_none() || table.is_damaged {
        return;
    }
    for (date, day) in table.days.iter().filter(|(_, day)| day.is_live()) {
        let (kind, text) = match table.partition(*date) {
            None => (Kind::PartitionMissing, "readers do not see this day".to_owned()),
            Some(is) if !same_folder(&is.location, &day.location) => (
                Kind::PartitionStale,
                format!(
                    "readers are sent to {}, and the live files are in {}",
                    is.location, day.location
                ),
            ),
            Some(_) => continue,
        };
        findings.push(Finding::problem(kind, name, date.to_string(), text, Remedy::Reconcile));
    }
    for partition in &table.partitions {
        let date: Option<Date> = partition.value.parse().ok();
        let day = date.and_then(|date| table.days.get(&date));
        if day.is_some_and(|day| day.is_live() || day.busy) {
            continue;
        }
        let text = format!("readers are sent to {}, where no file is live", partition.location);
        let remedy = match date {
            Some(_) => Remedy::RemovePartitions { values: vec![partition.value.clone()] },
            None => by_hand("it is no day, so Mixlake did not make it: ask who did"),
        };
        let value = partition.value.clone();
        findings.push(Finding::problem(Kind::PartitionWithoutFiles, name, value, text, remedy));
    }
}
