//! What the footers of the live files say, against the registry and each other.

use super::facts::{DayFacts, TableFacts};
use super::finding::{Finding, Kind, Remedy, by_hand};
use crate::LiveFile;
use crate::reconcile::footer::Footer;
use mixlake_schema::{ColumnType, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const RIGHT: &str = "put the files right that disagree with the registry";
const WHOSE: &str = "no export of Mixlake wrote it: ask who did";

pub(super) fn findings(name: &str, table: &TableFacts, known: Option<&Table>) -> Vec<Finding> {
    let known: HashMap<&str, ColumnType> = known
        .map_or(&[][..], Table::columns)
        .iter()
        .map(|column| (column.name.as_str(), column.column_type))
        .collect();
    let mut findings = Vec::new();
    let mut types: BTreeMap<&str, BTreeSet<ColumnType>> = BTreeMap::new();
    for (date, day) in &table.days {
        let date = date.to_string();
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
                findings.extend(column_of(name, (key, day), (column, *column_type), &known));
            }
            findings.extend(against_manifest(name, &date, key, (footer, day)));
        }
    }
    for (column, types) in types.into_iter().filter(|(_, types)| types.len() > 1) {
        let types: Vec<&str> = types.into_iter().map(ColumnType::hive).collect();
        let text = format!("the live files have it as {}", types.join(" and as "));
        findings.push(Finding::problem(Kind::SeveralTypes, name, column, text, by_hand(RIGHT)));
    }
    findings
}

/// Also where Trino would forgive it: it reads a whole number under `double`, and Athena does not.
fn column_of(
    name: &str,
    (key, day): (&str, &DayFacts),
    (column, column_type): (&str, ColumnType),
    known: &HashMap<&str, ColumnType>,
) -> Option<Finding> {
    let (kind, text, remedy) = match known.get(column) {
        Some(right) if *right == column_type => return None,
        Some(right) => {
            let (is, right) = (column_type.hive(), right.hive());
            let text = format!("the column is {is} in {key}, and {right} in the registry");
            (Kind::FileType, text, strike(day, key))
        }
        None => {
            let text = format!("{key} has the column, and the registry does not know it");
            (Kind::UnknownColumn, text, by_hand(WHOSE))
        }
    };
    Some(Finding::problem(kind, name, column, text, remedy))
}

fn strike(day: &DayFacts, key: &str) -> Remedy {
    let name = key.rsplit('/').next().unwrap_or(key).to_owned();
    match &day.manifest {
        Some(manifest) => Remedy::Strike { date: manifest.date, names: vec![name] },
        None => by_hand(WHOSE),
    }
}

fn against_manifest(
    name: &str,
    date: &str,
    key: &str,
    (footer, day): (&Footer, &DayFacts),
) -> Option<Finding> {
    let manifest = day.manifest.as_ref()?;
    let is = |file: &&LiveFile| key.ends_with(&format!("/{}", file.name));
    let file = manifest.files.iter().find(is)?;
    let columns: Vec<&str> = footer.columns.iter().map(|(name, _)| name.as_str()).collect();
    let text = if file.rows != footer.rows {
        format!("{key} has {} rows, and {} in the manifest", footer.rows, file.rows)
    } else if file.columns != columns {
        format!("{key} has other columns than in the manifest")
    } else {
        return None;
    };
    Some(Finding::problem(Kind::ObjectDiffers, name, date, text, strike(day, key)))
}
