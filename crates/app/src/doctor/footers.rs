//! Compares the footers of the live files with the registry and with each other.

use super::facts::{Facts, FileFacts, TableFacts, TargetFacts};
use super::finding::{Finding, Kind, Remedy, by_hand, subject};
use crate::LiveFile;
use mixlake_columnar::Footer;
use mixlake_schema::{ColumnType, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const RIGHT: &str = "correct the files that disagree with the registry";
const WHOSE: &str = "no export of Mixlake wrote it: ask who did";
const SILENT: &str = "the file does not say which property it is: restore the last good version of the registry. \
                      If no export of Mixlake wrote the file, ask who did";
const GONE: &str =
    "the registry is missing: restore its last good version, then --repair completes it";

pub(super) fn findings(
    name: &str,
    table: &TableFacts,
    known: Option<&Table>,
    facts: &Facts,
) -> Vec<Finding> {
    let known: HashMap<&str, ColumnType> = known
        .map_or(&[][..], Table::columns)
        .iter()
        .map(|column| (column.name.as_str(), column.column_type))
        .collect();
    let mut findings = Vec::new();
    let mut types: BTreeMap<&str, BTreeSet<ColumnType>> = BTreeMap::new();
    for (date, day) in &table.targets {
        let date = subject(*date);
        for (key, file) in &day.files {
            let footer = match &file.footer {
                Some(Ok(footer)) => footer,
                Some(Err(error)) => {
                    let text = format!("{key} cannot be read: {error}");
                    let found = Finding::problem(
                        Kind::UnreadableFile,
                        name,
                        date.clone(),
                        text,
                        strike(day, key),
                    );
                    findings.push(found);
                    continue;
                }
                None => continue,
            };
            for (column, column_type) in &footer.columns {
                types.entry(column).or_default().insert(*column_type);
                let found = column_of(name, (key, day), (column, *column_type), &known);
                findings.extend(found.map(|found| can_be_added(found, file, facts)));
            }
            findings.extend(against_manifest(name, &date, key, (footer, day)));
        }
    }
    findings.extend(contradictions(name, &known, facts));
    findings.extend(events(name, table, facts));
    for (column, types) in types.into_iter().filter(|(_, types)| types.len() > 1) {
        let types: Vec<&str> = types.into_iter().map(ColumnType::hive).collect();
        let text = format!("live files have the column as {}", types.join(" and as "));
        findings.push(Finding::problem(Kind::SeveralTypes, name, column, text, by_hand(RIGHT)));
    }
    findings
}

/// Reported even if Trino accepts it: Trino reads whole numbers as `double`, Athena does not.
fn column_of(
    name: &str,
    (key, day): (&str, &TargetFacts),
    (column, column_type): (&str, ColumnType),
    known: &HashMap<&str, ColumnType>,
) -> Option<Finding> {
    let (kind, text, remedy) = match known.get(column) {
        Some(right) if *right == column_type => return None,
        Some(right) => {
            let (is, right) = (column_type.hive(), right.hive());
            let text = format!("the column is {is} in {key}, but {right} in the registry");
            (Kind::FileType, text, strike(day, key))
        }
        None => {
            let text = format!("{key} has the column, but the registry does not know it");
            (Kind::UnknownColumn, text, by_hand(WHOSE))
        }
    };
    Some(Finding::problem(kind, name, column, text, remedy))
}

/// A column that the registry does not have and the file describes.
fn can_be_added(found: Finding, file: &FileFacts, facts: &Facts) -> Finding {
    if found.kind != Kind::UnknownColumn {
        return found;
    }
    let is_said = file.recorded.iter().flat_map(|said| &said.columns).any(|c| c.0 == found.subject);
    let place = (found.table.clone(), found.subject.clone());
    let remedy = match facts.completion.columns.get(&place) {
        _ if facts.registry_etag.is_none() => by_hand(GONE),
        Some(error) => by_hand(&format!("{RIGHT}: {error}")),
        None if is_said => Remedy::CompleteRegistry,
        None => by_hand(SILENT),
    };
    Finding { remedy, ..found }
}

/// Columns that the registry has for another property or under another name.
fn contradictions(
    name: &str,
    known: &HashMap<&str, ColumnType>,
    facts: &Facts,
) -> impl Iterator<Item = Finding> {
    let columns = facts.completion.columns.iter();
    let here = columns
        .filter(move |((table, column), _)| table == name && known.contains_key(column.as_str()));
    here.map(|((table, column), error)| {
        let text = error.to_string();
        Finding::problem(Kind::UnknownColumn, table, column, text, by_hand(RIGHT))
    })
}

/// Events that the registry does not have, or has under another name.
fn events(name: &str, table: &TableFacts, facts: &Facts) -> Vec<Finding> {
    let Some(registry) = facts.registry.as_ref().filter(|_| facts.registry_etag.is_some()) else {
        return Vec::new();
    };
    let files = table.targets.values().flat_map(|day| day.files.values());
    let said = files.filter_map(|file| file.recorded.as_ref()).flat_map(|said| &said.events);
    let news = said
        .filter(|(event, name)| registry.find_event(event).is_none_or(|known| known.name != *name));
    let events: BTreeMap<&String, &String> = news.map(|(event, name)| (event, name)).collect();
    let found = |(event, called): (&String, &String)| {
        let text = format!("the files call the event {called}, but the registry does not");
        let remedy = match facts.completion.events.get(&(name.to_owned(), event.clone())) {
            Some(error) => by_hand(&format!("{RIGHT}: {error}")),
            None => Remedy::CompleteRegistry,
        };
        Finding::problem(Kind::UnknownEvent, name, event, text, remedy)
    };
    events.into_iter().map(found).collect()
}

fn strike(day: &TargetFacts, key: &str) -> Remedy {
    let name = key.rsplit('/').next().unwrap_or(key).to_owned();
    match &day.manifest {
        Some(manifest) => Remedy::Strike { date: manifest.target.date, names: vec![name] },
        None => by_hand(WHOSE),
    }
}

fn against_manifest(
    name: &str,
    date: &str,
    key: &str,
    (footer, day): (&Footer, &TargetFacts),
) -> Option<Finding> {
    let manifest = day.manifest.as_ref()?;
    let is = |file: &&LiveFile| key.ends_with(&format!("/{}", file.name));
    let file = manifest.files.iter().find(is)?;
    let columns: Vec<&str> = footer.columns.iter().map(|(name, _)| name.as_str()).collect();
    let text = if file.rows != footer.rows {
        format!("{key} has {} rows, but {} in the manifest", footer.rows, file.rows)
    } else if file.columns != columns {
        format!("{key} has other columns than the manifest lists")
    } else {
        return None;
    };
    Some(Finding::problem(Kind::ObjectDiffers, name, date, text, strike(day, key)))
}
