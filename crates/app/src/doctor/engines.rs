//! The limits of each engine.

use super::facts::TableFacts;
use super::finding::{Finding, Kind, by_hand};
use mixlake_domain::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An engine that reads the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Amazon Athena, and Trino, which it is built on.
    Athena,
    /// Amazon Redshift Spectrum, which has the narrowest limits.
    Spectrum,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Athena => "Athena",
            Self::Spectrum => "Redshift Spectrum",
        })
    }
}

impl Engine {
    /// The most columns of a table, with its partition key.
    fn most_columns(self) -> Option<usize> {
        match self {
            Self::Athena => None,
            Self::Spectrum => Some(1_598),
        }
    }

    /// The most bytes of a name.
    fn longest_name(self) -> usize {
        match self {
            Self::Athena => 255,
            Self::Spectrum => 127,
        }
    }

    /// The Parquet compressions that it reads; `None` if it reads all.
    fn codecs(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Athena => None,
            Self::Spectrum => Some(&["uncompressed", "snappy", "gzip"]),
        }
    }

    /// The largest size of a text in bytes. A longer one is cut or becomes null.
    pub(super) fn longest_text(self) -> Option<usize> {
        match self {
            Self::Athena => None,
            Self::Spectrum => Some(65_535),
        }
    }
}

/// Names and numbers of a table that these engines cannot read.
pub(super) fn findings(name: &str, table: &TableFacts, engines: &[Engine]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &engine in engines {
        too_many(name, table, engine, &mut findings);
        names(name, table, engine, &mut findings);
        long_text(name, table, engine, &mut findings);
        findings.extend(compression(name, table, engine));
    }
    for key in table.targets.values().flat_map(|day| day.files.keys()) {
        findings.extend(hidden(name, key.rsplit('/').next().unwrap_or(key), HIDDEN_FILE));
    }
    findings
}

fn found(table: &str, subject: &str, text: String, advice: &str) -> Finding {
    Finding::problem(Kind::Engine, table, subject, text, by_hand(advice))
}

const NARROWER: &str = "leave the column out of the table that this engine reads: a view, or a table of \
                        your own over the same folders";

const SHORTER: &str = "choose a shorter glue_table_prefix, or make a view or table of your own over \
                       the same folders for this engine";

fn too_many(name: &str, table: &TableFacts, engine: Engine, findings: &mut Vec<Finding>) {
    let Some(state) = &table.state else { return };
    let columns = state.columns.len() + state.partition_keys.len();
    if let Some(most) = engine.most_columns().filter(|most| columns > *most) {
        let text =
            format!("{engine} reads tables of at most {most} columns; this one has {columns}");
        let advice = "set schema_profile=portable, so that Mixlake puts further properties into mp_properties";
        findings.push(found(name, "", text, advice));
    }
}

fn names(name: &str, table: &TableFacts, engine: Engine, findings: &mut Vec<Finding>) {
    let Some(state) = &table.state else { return };
    let limit = engine.longest_name();
    let bytes = table.name.len();
    if bytes > limit {
        let text = format!(
            "{engine} reads names of at most {limit} bytes; the table name {} has {bytes}",
            table.name
        );
        findings.push(found(name, "", text, SHORTER));
    }
    for column in &state.columns {
        let bytes = column.name.len();
        if bytes > limit {
            let text =
                format!("{engine} reads names of at most {limit} bytes; this one has {bytes}");
            findings.push(found(name, &column.name, text, NARROWER));
        }
        let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if column.name.contains(odd) {
            let text =
                format!("{engine} may not read a name with characters other than a-z, 0-9 and _");
            findings.push(found(name, &column.name, text, NARROWER));
        }
        if state.partition_keys.iter().any(|key| key.eq_ignore_ascii_case(&column.name)) {
            let text =
                format!("{engine} does not read a table that is partitioned by one of its columns");
            findings.push(found(name, &column.name, text, NARROWER));
        }
    }
}

/// Whether engines ignore a folder or file as hidden.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.', '#']) || name.ends_with('~')
}

const HIDDEN_FILE: &str = "Mixlake does not write files with such a name: ask who did";

const HIDDEN_TABLE: &str = "the registry has no event with this name: restore the registry's last good version. \
                            If no export of Mixlake made the table, ask who did";

/// A folder or file that engines ignore without an error.
fn hidden(table: &str, name: &str, advice: &str) -> Option<Finding> {
    is_hidden(name).then(|| {
        let text =
            format!("engines skip {name} without an error, because its name marks it as hidden");
        found(table, "", text, advice)
    })
}

/// A table with such a name, whose event is unknown.
pub(super) fn hidden_table(name: &str) -> Option<Finding> {
    hidden(name, name, HIDDEN_TABLE)
}

const EXPORT_AGAIN: &str = "set compression=snappy and export the days again. Engines can read new files then; \
                            existing files stay as they are";

/// One finding per table, because a lake that has changed its compression may have years of such files.
fn compression(name: &str, table: &TableFacts, engine: Engine) -> Option<Finding> {
    let readable = engine.codecs()?;
    let mut files = 0;
    let mut unreadable: BTreeMap<Option<Date>, BTreeSet<&str>> = BTreeMap::new();
    for (date, file) in
        table.targets.iter().flat_map(|(date, day)| day.files.values().map(move |it| (date, it)))
    {
        let Some(Ok(footer)) = &file.footer else { continue };
        let others = footer.codecs.iter().copied().filter(|codec| !readable.contains(codec));
        let others: BTreeSet<&str> = others.collect();
        if !others.is_empty() {
            files += 1;
            unreadable.entry(*date).or_default().extend(others);
        }
    }
    let (first, last) = (unreadable.keys().next()?, unreadable.keys().next_back()?);
    let codecs: BTreeSet<&str> = unreadable.values().flatten().copied().collect();
    let codecs = Vec::from_iter(codecs).join(" and ");
    let days = match (first, last) {
        (Some(first), Some(last)) => {
            format!(" of {} days from {first} to {last}", unreadable.len())
        }
        _ => String::new(),
    };
    let text = format!(
        "{engine} does not read Parquet that is compressed with {codecs}, as {files} live files{days} are"
    );
    Some(found(name, "", text, EXPORT_AGAIN))
}

fn long_text(name: &str, table: &TableFacts, engine: Engine, findings: &mut Vec<Finding>) {
    let Some(limit) = engine.longest_text() else { return };
    for (key, file) in table.targets.values().flat_map(|day| &day.files) {
        for (column, bytes) in &file.content.long_text {
            let text = format!(
                "{engine} cuts or nulls text of more than {limit} bytes; {key} has a text of {bytes}"
            );
            findings.push(found(name, column, text, "query such text with another engine"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_engines_take_for_hidden_is_told() {
        for name in ["_signup", ".signup", "#signup", "signup~"] {
            assert!(hidden("t", name, HIDDEN_TABLE).is_some(), "{name}");
        }
        assert_eq!(hidden("t", "sign_up", HIDDEN_TABLE), None);
        assert_eq!(hidden("t", "2026-11-10-000.parquet", HIDDEN_FILE), None);
    }
}
