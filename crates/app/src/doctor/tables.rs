//! Tables of the catalog against the live files.

use super::facts::TableFacts;
use super::finding::{Finding, Kind, Remedy, by_hand};
use crate::ports::Column;
use crate::reconcile::{Conflict, Difference, Wanted, diff};
use mixlake_schema::Table;
use std::collections::{BTreeSet, HashMap};

pub(super) fn findings(name: &str, table: &TableFacts, known: Option<&Table>) -> Vec<Finding> {
    let columns = live(table, known);
    if table.state.is_none() && columns.is_empty() {
        return Vec::new();
    }
    let format = known.map(Table::format).unwrap_or_default();
    let wanted = Wanted { folder: &table.folder, format, columns: &columns, given: &table.given };
    let found = |kind, subject: &str, text: String, remedy| {
        Finding::problem(kind, name, subject, text, remedy)
    };
    match diff(table.state.as_ref(), &wanted) {
        Difference::Unchanged => Vec::new(),
        Difference::Create => {
            let text = "there are live files, and no table in the catalog".to_owned();
            vec![found(Kind::TableMissing, "", text, Remedy::Reconcile)]
        }
        Difference::Append(columns) => columns
            .iter()
            .map(|column| {
                let text =
                    format!("the table lacks the column, {} in live files", column.hive_type);
                found(Kind::ColumnMissing, &column.name, text, Remedy::Reconcile)
            })
            .collect(),
        Difference::Conflict(conflicts) => conflicts
            .iter()
            .map(|conflict| {
                found(Kind::Drift, subject(conflict), conflict.to_string(), remedy(conflict))
            })
            .collect(),
    }
}

fn subject(conflict: &Conflict) -> &str {
    match conflict {
        Conflict::Type { column, .. }
        | Conflict::Dropped { column, .. }
        | Conflict::Order { column, .. } => column,
        Conflict::Location { .. } | Conflict::Format { .. } | Conflict::PartitionKeys(_) => "",
    }
}

fn remedy(conflict: &Conflict) -> Remedy {
    match conflict {
        Conflict::Type { .. }
        | Conflict::Dropped { .. }
        | Conflict::Order { .. }
        | Conflict::Location { .. }
        | Conflict::Format { .. } => Remedy::Reconcile,
        Conflict::PartitionKeys(_) => {
            by_hand("Glue cannot change it: drop the table, and bring it up to date again")
        }
    }
}

/// The columns that live files have, as the manifests and the registry say, in the registry's order.
fn live(table: &TableFacts, known: Option<&Table>) -> Vec<Column> {
    let manifests = table.days.values().filter_map(|day| day.manifest.as_ref());
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

/// Columns that partitions declare themselves. Athena refuses one of another type than the table's;
/// Trino converts it.
pub(super) fn declared(name: &str, table: &TableFacts, findings: &mut Vec<Finding>) {
    let columns = table.state.iter().flat_map(|state| &state.columns);
    let of_table: HashMap<String, &Column> = columns.map(|c| (c.name.to_lowercase(), c)).collect();
    for partition in &table.partitions {
        for column in table.declared.get(&partition.value).into_iter().flatten() {
            let Some(right) = of_table.get(&column.name.to_lowercase()) else { continue };
            if right.hive_type.eq_ignore_ascii_case(&column.hive_type) {
                continue;
            }
            let (value, location) = (partition.value.clone(), partition.location.clone());
            let text = format!(
                "the partition {value} says {} is {}, and the table says {}: Athena refuses to read it",
                column.name, column.hive_type, right.hive_type
            );
            let remedy = Remedy::RepairPartition { value: value.clone(), location };
            findings.push(Finding::problem(Kind::PartitionColumn, name, value, text, remedy));
        }
    }
}
