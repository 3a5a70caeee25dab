//! Decides which problems the facts show. No I/O.

use super::accounts::{Balance, Missing};
use super::engines::{self, Engine};
use super::facts::{DocumentKind, Facts, TableFacts, Unreadable};
use super::finding::{Finding, Kind, Remedy, by_hand, subject};
use super::{encryption, footers, hidden, tables, targets};
use crate::reconcile::same_folder;
use mixlake_domain::{Date, Target};

/// All problems, by table and day.
pub(super) fn findings(facts: &Facts, engines: &[Engine]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.unreadable.iter().map(unreadable).collect();
    findings.extend(facts.unfinished.iter().map(|slice| {
        let text = "an export of the slice began long ago and did not end";
        let advice = by_hand(&format!("export {slice} again, unless an export is still running"));
        Finding::problem(Kind::SliceUnfinished, "", slice.to_string(), text, advice)
    }));
    findings.extend(rows_missing(facts));
    findings.extend(encryption::findings(facts));
    for (name, table) in &facts.tables {
        for date in table.targets.keys() {
            let target = Target { table: name.clone(), date: *date };
            targets::findings(&target, facts, &mut findings);
        }
        let registry = facts.registry_for(name);
        let name = name.as_str();
        if let Some(registry) = registry {
            let known = registry.tables().get(name);
            findings.extend(footers::findings(name, table, known, facts));
            findings.extend(tables::findings(name, table, known));
        }
        partitions(name, table, &mut findings);
        findings.extend(hidden::finding(name, facts));
        findings.extend(engines::findings(name, table, engines));
    }
    findings
}

/// Slices of which the ledger counts more rows than are live. If the rows cannot be recovered and a day
/// has none of the slice's files, the finding is reported for that day instead.
fn rows_missing(facts: &Facts) -> impl Iterator<Item = Finding> {
    facts.accounts.missing().filter_map(|Missing { entry, balance }| {
        let slice = entry.slice;
        let targets = entry.targets.iter().filter_map(|target| facts.target(target));
        if targets.clone().any(|target| target.busy) {
            return None;
        }
        let remedy = match facts.recoveries.get(&slice) {
            Some(recovery) => {
                let folders = recovery.values().map(|source| source.folder.clone()).collect();
                Remedy::GoBack { slice, folders }
            }
            None if targets.clone().any(|it| it.missing_slices().any(|s| *s == slice)) => {
                return None;
            }
            None => by_hand(&format!(
                "export {slice} again. Until then Mixlake deletes no file that may hold those rows"
            )),
        };
        let Balance { slices, written, live } = balance;
        let of = match slices.len() {
            1 => "the slice".to_owned(),
            many => format!("the {many} slices whose files were merged"),
        };
        let text = format!("the ledger counts {written} rows of {of}, but {live} are live");
        Some(Finding::problem(Kind::RowsMissing, "", slice.to_string(), text, remedy))
    })
}

fn unreadable(document: &Unreadable) -> Finding {
    let advice = match document.what {
        DocumentKind::Registry => {
            "restore its last good version. Do not delete it: nothing else records the name and type of \
             each property"
        }
        DocumentKind::Ledger => {
            "restore its last good version, or delete it; then export its days again"
        }
        DocumentKind::Manifest => {
            "restore its last good version, or delete it; then export the day again"
        }
        DocumentKind::Catalog => {
            "delete it, then run `mixlake catalog`, which makes it again from the manifests"
        }
    };
    let (key, error) = (document.key.clone(), &document.error);
    Finding::problem(Kind::UnreadableDocument, "", key, error, by_hand(advice))
}

/// Compares partitions, and the location of tables without partitions, with the manifests.
fn partitions(name: &str, table: &TableFacts, findings: &mut Vec<Finding>) {
    if table.state.is_none() || table.is_damaged {
        return;
    }
    for (date, target) in &table.targets {
        // An empty day needs no partition, but a table without partitions needs a location.
        if !target.is_live() && (date.is_some() || target.manifest.is_none()) {
            continue;
        }
        let (kind, text) = match table.readers_of(*date) {
            None => (Kind::PartitionMissing, "readers do not see this day".to_owned()),
            Some(is) if !same_folder(is, &target.location) => (
                Kind::PartitionStale,
                format!("readers are sent to {is}, but the live files are in {}", target.location),
            ),
            Some(_) => continue,
        };
        findings.push(Finding::problem(kind, name, subject(*date), text, Remedy::Reconcile));
    }
    for partition in &table.partitions {
        let date: Option<Date> = partition.value.parse().ok();
        let day = date.and_then(|date| table.targets.get(&Some(date)));
        if day.is_some_and(|day| day.is_live() || day.busy) {
            continue;
        }
        let text = format!("readers are sent to {}, which has no live files", partition.location);
        let remedy = match date {
            Some(_) => Remedy::RemovePartitions { values: vec![partition.value.clone()] },
            None => by_hand("its value is not a day, so Mixlake did not make it: ask who did"),
        };
        let value = partition.value.clone();
        findings.push(Finding::problem(Kind::PartitionWithoutFiles, name, value, text, remedy));
    }
}
