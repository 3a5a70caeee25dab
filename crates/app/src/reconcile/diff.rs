//! Decides what a table lacks, and where it contradicts the files. No I/O.

use crate::ports::{Column, Format, TableState};
use mixlake_domain::{DataFormat, PARTITION_KEY, Partitioning};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What a table should be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The folder of the table.
    pub folder: &'a str,
    /// Its partitioning.
    pub partitioning: Partitioning,
    /// The format of its files.
    pub format: DataFormat,
    /// The columns of the files, each once.
    pub columns: &'a [Column],
    /// The columns that Mixlake added to the table before, in the table's order.
    pub given: &'a [Column],
}

/// What a table lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Nothing: no update is sent.
    Unchanged,
    /// The table does not exist.
    Create,
    /// These columns, in this order.
    Append(Vec<Column>),
    /// The table contradicts the files. Somebody has to decide.
    Conflict(Vec<Conflict>),
}

/// A contradiction between the table and the files.
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
    /// A column that Mixlake added is no longer on the table.
    Dropped {
        /// The column.
        column: String,
        /// The type in the files.
        files: String,
    },
    /// Two columns were exchanged.
    Order {
        /// The column that was first.
        column: String,
        /// The column that is now before it.
        before: String,
    },
    /// The table has another folder: of another project, or of somebody else.
    Location {
        /// The folder in the catalog.
        table: String,
        /// The folder of the files.
        files: String,
    },
    /// The table declares another format than the files have.
    Format {
        /// The format in the catalog.
        table: Format,
        /// The format of the files.
        files: DataFormat,
    },
    /// The table has other partition keys than its files need.
    PartitionKeys {
        /// The keys in the catalog.
        table: Vec<String>,
        /// The partitioning of the files.
        files: Partitioning,
    },
}

impl Conflict {
    /// Whether every file contradicts it.
    pub(super) fn is_of_the_whole(&self) -> bool {
        match self {
            Self::Location { .. } | Self::Format { .. } | Self::PartitionKeys { .. } => true,
            Self::Type { .. } | Self::Dropped { .. } | Self::Order { .. } => false,
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { column, table, files } => {
                write!(f, "column {column} is {table} in the catalog, but {files} in the files")
            }
            Self::Dropped { column, files } => {
                write!(f, "column {column} was dropped in the catalog, but is {files} in the files")
            }
            Self::Order { column, before } => {
                write!(f, "column {before} was moved before column {column} in the catalog")
            }
            Self::Location { table, files } => write!(
                f,
                "the table points to {table}, but the files are in {files}. \
                 Set another glue_table_prefix or glue_database to keep the two apart"
            ),
            Self::Format { table, files } => {
                write!(f, "the files are {files}, but the catalog says to read them as {table}")
            }
            Self::PartitionKeys { table, files } => {
                write!(f, "the table is partitioned by [{}], ", table.join(", "))?;
                match files {
                    Partitioning::ByDate => write!(f, "not by {PARTITION_KEY}"),
                    Partitioning::Whole => f.write_str("but its files have no partitions"),
                }
            }
        }
    }
}

/// Compares a table with what it should be.
#[must_use]
pub fn diff(current: Option<&TableState>, wanted: &Wanted<'_>) -> Difference {
    let Some(current) = current else { return Difference::Create };
    let mut conflicts = of_the_whole(current, wanted);
    let known = by_name(&current.columns);
    let given = by_name(wanted.given);
    let mut missing = Vec::new();
    for column in wanted.columns {
        let name = column.name.to_lowercase();
        match known.get(&name) {
            None if given.contains_key(&name) => conflicts.push(Conflict::Dropped {
                column: column.name.clone(),
                files: column.hive_type.clone(),
            }),
            None => missing.push(column.clone()),
            Some((_, has)) if has.hive_type.eq_ignore_ascii_case(&column.hive_type) => {}
            Some((_, has)) => conflicts.push(Conflict::Type {
                column: column.name.clone(),
                table: has.hive_type.clone(),
                files: column.hive_type.clone(),
            }),
        }
    }
    conflicts.extend(moved(&known, wanted));
    if !conflicts.is_empty() {
        Difference::Conflict(conflicts)
    } else if missing.is_empty() {
        Difference::Unchanged
    } else {
        Difference::Append(missing)
    }
}

fn of_the_whole(current: &TableState, wanted: &Wanted<'_>) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    if !wanted.is_of_its_folder(&current.location) {
        let (table, files) = (current.location.clone(), wanted.folder.to_owned());
        conflicts.push(Conflict::Location { table, files });
    }
    if current.format != Format::Lake(wanted.format) {
        conflicts.push(Conflict::Format { table: current.format.clone(), files: wanted.format });
    }
    if current.partition_keys != wanted.partitioning.keys() {
        let (table, files) = (current.partition_keys.clone(), wanted.partitioning);
        conflicts.push(Conflict::PartitionKeys { table, files });
    }
    conflicts
}

impl Wanted<'_> {
    /// Whether a location belongs to the table. A table without partitions points to a generation below
    /// its folder.
    pub(super) fn is_of_its_folder(&self, location: &str) -> bool {
        match self.partitioning {
            Partitioning::ByDate => same_folder(location, self.folder),
            Partitioning::Whole => location.starts_with(self.folder),
        }
    }
}

/// Locations may be written with or without the final slash.
pub(crate) fn same_folder(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// Positions and columns, by name. Glue ignores the case of names.
fn by_name(columns: &[Column]) -> HashMap<String, (usize, &Column)> {
    columns.iter().enumerate().map(|(i, c)| (c.name.to_lowercase(), (i, c))).collect()
}

/// Neighbouring columns of Mixlake that are exchanged, if the current files have one of them.
fn moved<'a>(
    known: &'a HashMap<String, (usize, &Column)>,
    wanted: &'a Wanted<'_>,
) -> impl Iterator<Item = Conflict> + 'a {
    let names: HashSet<String> = wanted.columns.iter().map(|c| c.name.to_lowercase()).collect();
    let there: Vec<_> = wanted.given.iter().map(|c| c.name.to_lowercase()).collect();
    let there: Vec<_> =
        there.into_iter().filter_map(|n| known.get(&n).map(|(place, _)| (n, *place))).collect();
    let turned = |pair: &[(String, usize)]| {
        let [(column, place), (before, earlier)] = pair else { return None };
        let at_hand = names.contains(column) || names.contains(before);
        (at_hand && earlier < place)
            .then(|| Conflict::Order { column: column.clone(), before: before.clone() })
    };
    there.windows(2).filter_map(turned).collect::<Vec<_>>().into_iter()
}

/// The repaired columns of a table: Mixlake's columns in their original order, with their types, at
/// their positions. Columns of others stay where they are. Missing columns follow at the end.
#[must_use]
pub fn repaired(current: &[Column], wanted: &Wanted<'_>) -> Vec<Column> {
    let known = by_name(current);
    let given = by_name(wanted.given);
    let not_given = wanted.columns.iter().filter(|c| !given.contains_key(&c.name.to_lowercase()));
    let (there, missing): (Vec<&Column>, Vec<&Column>) =
        not_given.partition(|c| known.contains_key(&c.name.to_lowercase()));
    let there = by_name_of(&there);
    let is_ours = |c: &&Column| given.contains_key(&c.name.to_lowercase());
    let mut ours = wanted.given.iter();
    let mut columns = Vec::with_capacity(current.len() + wanted.columns.len());
    for column in current {
        if is_ours(&column) {
            columns.extend(ours.next().cloned());
        } else {
            let right = there.get(&column.name.to_lowercase()).copied();
            columns.push(right.unwrap_or(column).clone());
        }
    }
    columns.extend(ours.cloned());
    columns.extend(missing.into_iter().cloned());
    columns
}

fn by_name_of<'a>(columns: &[&'a Column]) -> HashMap<String, &'a Column> {
    columns.iter().map(|c| (c.name.to_lowercase(), *c)).collect()
}

#[cfg(test)]
mod tests;
