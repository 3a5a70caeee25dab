//! Compares the tables of the catalog with the live files.

use super::facts::TableFacts;
use super::finding::{Finding, Kind, Remedy, by_hand};
use crate::ports::{Column, Declared, Format};
use crate::reconcile::{Conflict, Difference, Wanted, diff, given_columns};
use mixlake_domain::{DataFormat, Date};
use mixlake_schema::Table;
use std::collections::{BTreeSet, HashMap};

pub(super) fn findings(name: &str, table: &TableFacts, known: Option<&Table>) -> Vec<Finding> {
    let columns = live(table, known);
    if table.is_damaged {
        return Vec::new();
    }
    if table.state.is_none() && columns.is_empty() {
        return Vec::new();
    }
    let format = known.map(Table::format).unwrap_or_default();
    let given = table.state.iter().flat_map(|state| given_columns(state, known));
    let given: Vec<Column> = given.collect();
    let partitioning = table.partitioning();
    let folder = &table.folder;
    let wanted = Wanted { folder, partitioning, format, columns: &columns, given: &given };
    let found = |kind, subject: &str, text: String, remedy| {
        Finding::problem(kind, name, subject, text, remedy)
    };
    let mut findings = declared(name, table, format);
    findings.extend(match diff(table.state.as_ref(), &wanted) {
        Difference::Unchanged => Vec::new(),
        Difference::Create => {
            let text = "there are live files, but the catalog has no table".to_owned();
            vec![found(Kind::TableMissing, "", text, Remedy::Reconcile)]
        }
        Difference::Append(columns) => columns
            .iter()
            .map(|column| {
                let text = format!(
                    "the table lacks the column, which is {} in live files",
                    column.hive_type
                );
                found(Kind::ColumnMissing, &column.name, text, Remedy::Reconcile)
            })
            .collect(),
        Difference::Conflict(conflicts) => conflicts
            .iter()
            .map(|conflict| {
                found(Kind::Drift, subject(conflict), conflict.to_string(), remedy(conflict))
            })
            .collect(),
    });
    findings
}

fn subject(conflict: &Conflict) -> &str {
    match conflict {
        Conflict::Type { column, .. }
        | Conflict::Dropped { column, .. }
        | Conflict::Order { column, .. } => column,
        Conflict::Location { .. } | Conflict::Format { .. } | Conflict::PartitionKeys { .. } => "",
    }
}

fn remedy(conflict: &Conflict) -> Remedy {
    match conflict {
        Conflict::Type { .. }
        | Conflict::Dropped { .. }
        | Conflict::Order { .. }
        | Conflict::Location { .. }
        | Conflict::Format { .. } => Remedy::Reconcile,
        Conflict::PartitionKeys { .. } => {
            by_hand("Glue cannot change partition keys: drop the table, then run `mixlake catalog`")
        }
    }
}

/// The columns of live files according to the manifests and the registry, in the registry's order.
fn live(table: &TableFacts, known: Option<&Table>) -> Vec<Column> {
    let manifests = table.targets.values().filter_map(|day| day.manifest.as_ref());
    let files = manifests.flat_map(|manifest| &manifest.files);
    let names: BTreeSet<&str> = files.flat_map(|f| &f.columns).map(String::as_str).collect();
    let columns = known.map_or(&[][..], Table::columns).iter();
    let live = columns.filter(|c| names.contains(c.name.as_str()));
    live.map(|column| Column {
        name: column.name.clone(),
        hive_type: column.column_type.hive().to_owned(),
        comment: Some(column.property.clone()),
    })
    .collect()
}

/// Checks the columns and formats of partitions. Athena refuses a column with another type than the
/// table's, Trino converts it. All engines read the files in the format of the partition, whatever the
/// table declares.
fn declared(name: &str, table: &TableFacts, format: DataFormat) -> Vec<Finding> {
    let columns = table.state.iter().flat_map(|state| &state.columns);
    let of_table: HashMap<String, &Column> = columns.map(|c| (c.name.to_lowercase(), c)).collect();
    let mut findings = Vec::new();
    for (value, declared) in &table.declared {
        let remedy = || match value.parse::<Date>() {
            Ok(_) => Remedy::RepairPartition { value: value.clone() },
            Err(_) => by_hand("its value is not a day, so Mixlake did not make it: ask who did"),
        };
        let mut found =
            |kind, text: String| findings.push(Finding::problem(kind, name, value, text, remedy()));
        for (column, right) in contradictions(declared, &of_table) {
            let (is, right) = (&column.hive_type, &right.hive_type);
            let text = format!(
                "the partition {value} says {} is {is}, but the table says {right}: Athena refuses to \
                 read it",
                column.name
            );
            found(Kind::PartitionColumn, text);
        }
        if declared.format != Format::Lake(format) {
            let is = &declared.format;
            let text =
                format!("the files are {format}, but the partition says to read them as {is}");
            found(Kind::PartitionFormat, text);
        }
    }
    findings
}

fn contradictions<'a>(
    declared: &'a Declared,
    of_table: &'a HashMap<String, &'a Column>,
) -> impl Iterator<Item = (&'a Column, &'a Column)> {
    declared.columns.iter().filter_map(move |column| {
        let right = *of_table.get(&column.name.to_lowercase())?;
        (!right.hive_type.eq_ignore_ascii_case(&column.hive_type)).then_some((column, right))
    })
}
