//! Decides what a table lacks. Nothing is ever reordered, retyped or dropped.

use crate::ports::{Column, TableState};
use mixlake_schema::PARTITION_KEY;
use std::collections::HashMap;
use std::fmt;

/// What a table lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Nothing: no update is sent.
    Unchanged,
    /// The table itself.
    Create,
    /// These columns, in this order.
    Append(Vec<Column>),
    /// The table and the files contradict each other; somebody has to look.
    Conflict(Vec<Conflict>),
}

/// Something on the table that the files contradict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A column has another type.
    Type {
        /// The column.
        column: String,
        /// The type in the catalog.
        table: String,
        /// The type in the files.
        files: String,
    },
    /// The table describes another folder: of another project, or of somebody else.
    Location {
        /// The folder in the catalog.
        table: String,
        /// The folder of the files.
        files: String,
    },
    /// The table is not partitioned by `mp_date` alone.
    PartitionKeys(Vec<String>),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { column, table, files } => {
                write!(f, "column {column} is {table} in the catalog and {files} in the files")
            }
            Self::Location { table, files } => write!(
                f,
                "the table describes {table}, and the files lie in {files}; \
                 glue_table_prefix or glue_database can keep the two apart"
            ),
            Self::PartitionKeys(keys) => {
                write!(
                    f,
                    "the table is partitioned by [{}], not by {PARTITION_KEY}",
                    keys.join(", ")
                )
            }
        }
    }
}

/// Compares a table with the folder of its files and the columns that they have, each named once.
#[must_use]
pub fn diff(current: Option<&TableState>, location: &str, wanted: &[Column]) -> Difference {
    let Some(current) = current else { return Difference::Create };
    let mut conflicts = Vec::new();
    // People write locations with and without the last slash.
    if current.location.trim_end_matches('/') != location.trim_end_matches('/') {
        let (table, files) = (current.location.clone(), location.to_owned());
        conflicts.push(Conflict::Location { table, files });
    }
    if current.partition_keys != [PARTITION_KEY] {
        conflicts.push(Conflict::PartitionKeys(current.partition_keys.clone()));
    }
    // Glue compares names without regard to case.
    let known: HashMap<String, &Column> =
        current.columns.iter().map(|c| (c.name.to_lowercase(), c)).collect();
    let mut missing = Vec::new();
    for column in wanted {
        match known.get(&column.name) {
            None => missing.push(column.clone()),
            Some(has) if has.hive_type.eq_ignore_ascii_case(&column.hive_type) => {}
            Some(has) => conflicts.push(Conflict::Type {
                column: column.name.clone(),
                table: has.hive_type.clone(),
                files: column.hive_type.clone(),
            }),
        }
    }
    if !conflicts.is_empty() {
        Difference::Conflict(conflicts)
    } else if missing.is_empty() {
        Difference::Unchanged
    } else {
        Difference::Append(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "s3://b/t/";

    fn column(name: &str, hive_type: &str) -> Column {
        Column { name: name.into(), hive_type: hive_type.into(), comment: None }
    }

    fn table(columns: &[(&str, &str)]) -> TableState {
        TableState {
            version: "1".into(),
            columns: columns.iter().map(|(n, t)| column(n, t)).collect(),
            partition_keys: vec!["mp_date".into()],
            location: FOLDER.into(),
        }
    }

    #[test]
    fn a_missing_table_is_created() {
        assert_eq!(diff(None, FOLDER, &[column("a", "string")]), Difference::Create);
    }

    #[test]
    fn what_is_there_in_any_order_with_columns_of_others_is_left_alone() {
        let current = table(&[("mine", "int"), ("b", "double"), ("A", "STRING")]);
        let wanted = [column("a", "string"), column("b", "double")];
        assert_eq!(diff(Some(&current), FOLDER, &wanted), Difference::Unchanged);
    }

    #[test]
    fn only_what_is_missing_is_appended_in_the_order_wanted() {
        let wanted = [column("c", "string"), column("a", "string"), column("b", "double")];
        let expected = vec![wanted[0].clone(), wanted[2].clone()];
        assert_eq!(
            diff(Some(&table(&[("a", "string")])), FOLDER, &wanted),
            Difference::Append(expected)
        );
    }

    #[test]
    fn another_type_is_a_conflict_that_names_both() {
        let Difference::Conflict(conflicts) = diff(
            Some(&table(&[("a", "int")])),
            FOLDER,
            &[column("a", "double"), column("new", "string")],
        ) else {
            panic!("no conflict");
        };
        assert_eq!(
            conflicts[0].to_string(),
            "column a is int in the catalog and double in the files"
        );
    }

    #[test]
    fn another_partitioning_is_a_conflict() {
        let mut current = table(&[("a", "string")]);
        current.partition_keys = vec!["day".into()];
        let Difference::Conflict(conflicts) = diff(Some(&current), FOLDER, &[]) else {
            panic!("none")
        };
        assert!(conflicts[0].to_string().contains("[day]"));
    }

    #[test]
    fn a_table_of_another_folder_is_left_to_whoever_made_it() {
        let Difference::Conflict(conflicts) =
            diff(Some(&table(&[("a", "string")])), "s3://b/other/", &[column("new", "string")])
        else {
            panic!("no conflict");
        };
        assert!(conflicts[0].to_string().contains("s3://b/t/"));
    }
}
