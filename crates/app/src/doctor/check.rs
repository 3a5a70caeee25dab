//! Decides what is wrong with the facts. Pure.

use super::engines::{self, Engine};
use super::facts::{DayFacts, Facts, TableFacts};
use super::finding::{Finding, Kind, Remedy, by_hand};
use super::{footers, tables};
use mixlake_domain::Date;

/// Everything that is wrong, table by table, day by day.
pub(super) fn findings(facts: &Facts, engines: &[Engine]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, error) in &facts.unreadable {
        let advice =
            by_hand("restore an older version of the object, or delete it and export again");
        findings.push(Finding::problem(Kind::UnreadableDocument, "", key, error, advice));
    }
    for (name, table) in &facts.tables {
        for (date, day) in &table.days {
            objects(name, *date, day, &mut findings);
            slices(name, *date, day, &mut findings);
        }
        findings.extend(footers::findings(name, table, facts.registry.tables().get(name)));
        findings.extend(tables::findings(name, table, facts.registry.tables().get(name)));
        partitions(name, table, &mut findings);
        findings.extend(engines::findings(name, table, engines));
    }
    findings
}

/// Objects against the manifest.
fn objects(table: &str, date: Date, day: &DayFacts, findings: &mut Vec<Finding>) {
    for (file, key) in listed(day) {
        let remedy = || Remedy::Strike { date, names: vec![file.name.clone()] };
        let text = match day.objects.get(key) {
            // Listed before it was written, perhaps; it was looked for last.
            None if day.files.get(key).is_some_and(|f| f.is_there) => continue,
            None => (Kind::ObjectMissing, format!("the manifest lists {key}, and it is not there")),
            Some(size) if *size != file.bytes => (
                Kind::ObjectDiffers,
                format!("{key} has {size} bytes, and {} in the manifest", file.bytes),
            ),
            Some(_) => continue,
        };
        findings.push(Finding::problem(text.0, table, date.to_string(), text.1, remedy()));
    }
    if day.busy {
        return;
    }
    let live = day.manifest.as_ref().map(|m| format!("/{}/", m.generation));
    let unlisted = day.objects.keys().filter(|key| !day.files.contains_key(*key));
    let (orphans, old): (Vec<&String>, Vec<&String>) =
        unlisted.partition(|key| live.as_ref().is_some_and(|live| key.contains(live)));
    for key in orphans {
        let text = format!("readers see {key}, and no manifest lists it");
        let remedy = Remedy::Delete { keys: vec![key.clone()] };
        findings.push(Finding::problem(Kind::Orphan, table, date.to_string(), text, remedy));
    }
    // While rows are missing, files that nobody lists may be all that is left of them.
    if !old.is_empty() && day.manifest.is_some() && day.missing_slices().next().is_none() {
        let bytes: u64 = old.iter().filter_map(|key| day.objects.get(*key)).sum();
        let text = format!("{} files ({bytes} bytes) lie in folders that were replaced", old.len());
        let remedy = Remedy::Delete { keys: old.into_iter().cloned().collect() };
        let found = Finding::problem(Kind::LeftBehind, table, date.to_string(), text, remedy);
        findings.push(found.note());
    }
}

/// The live files with their keys, which are in the same order.
fn listed(day: &DayFacts) -> impl Iterator<Item = (&crate::LiveFile, &String)> {
    let files = day.manifest.iter().flat_map(|manifest| &manifest.files);
    let key = |file: &crate::LiveFile| {
        let name = format!("/{}", file.name);
        day.files.keys().find(move |key| key.ends_with(&name))
    };
    files.filter_map(move |file| Some((file, key(file)?)))
}

/// What the ledgers call published against the manifest.
fn slices(table: &str, date: Date, day: &DayFacts, findings: &mut Vec<Finding>) {
    for slice in day.missing_slices().filter(|_| !day.busy) {
        let text = format!("the slice {slice} is published, and no file of it is live on this day");
        let advice = by_hand(&format!("export {slice} again"));
        findings.push(Finding::problem(Kind::SliceMissing, table, date.to_string(), text, advice));
    }
}

/// Partitions against the manifests.
fn partitions(name: &str, table: &TableFacts, findings: &mut Vec<Finding>) {
    if table.state.is_none() {
        return;
    }
    for (date, day) in table.days.iter().filter(|(_, day)| day.is_live()) {
        let value = date.to_string();
        let is = table.partitions.iter().find(|partition| partition.value == value);
        let (kind, text) = match is {
            None => (Kind::PartitionMissing, "readers do not see this day".to_owned()),
            Some(is) if !crate::reconcile::same_folder(&is.location, &day.location) => (
                Kind::PartitionStale,
                format!(
                    "readers are sent to {}, and the live files are in {}",
                    is.location, day.location
                ),
            ),
            Some(_) => continue,
        };
        findings.push(Finding::problem(kind, name, value, text, Remedy::Reconcile));
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
    tables::declared(name, table, findings);
}
