//! The table of identities: its columns, and how it is replaced.

use super::sorter::Disk;
use super::{IdentitiesError, IdentityMapper};
use crate::commit::{Body, Change, Guard, NewFile, Outcome, rows_of};
use crate::document::{Read, SWAPS};
use crate::hash;
use crate::manifest::{LiveFile, Manifest};
use crate::ports::Precondition;
use crate::registry;
use mixlake_columnar::{Cell, Options, write_records};
use mixlake_domain::{Dataset, Origin, Target};
use mixlake_schema::{Column, ColumnType, Registry, Table};
use std::fs::File;
use std::io::Write;

/// Name and comment of the columns. Names and types never change.
const COLUMNS: [(&str, &str); 2] = [
    ("distinct_id", "an identifier, as events have it"),
    ("resolved_distinct_id", "the identity that it stands for"),
];

/// The name of the table.
fn table() -> &'static str {
    Dataset::Identities.main_table()
}

pub(super) fn target() -> Target {
    Target::whole(table().parse().expect("the name of the table is the name of a folder"))
}

/// The files of the table while they are made. A file has a bounded number of rows, so memory is bounded.
pub(super) struct NewTable<'a> {
    options: &'a Options,
    disk: Disk<'a>,
    columns: Vec<Column>,
    file_rows: usize,
    rows: Vec<Vec<Option<Cell>>>,
    origin: Origin,
    files: Vec<(LiveFile, Body)>,
}

impl NewTable<'_> {
    /// Adds a row.
    pub(super) fn push(
        &mut self,
        identifier: String,
        identity: String,
    ) -> Result<(), IdentitiesError> {
        let (mut identifier, mut identity) = (Some(identifier), Some(identity));
        let cells = self.columns.iter().map(|column| match column.name.as_str() {
            "distinct_id" => identifier.take().map(Cell::Text),
            "resolved_distinct_id" => identity.take().map(Cell::Text),
            // A later version added it.
            _ => None,
        });
        self.rows.push(cells.collect());
        if self.rows.len() == self.file_rows { self.end_file() } else { Ok(()) }
    }

    fn end_file(&mut self) -> Result<(), IdentitiesError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let made = write_records(table(), &self.columns, &rows, self.options)?;
        let mut file: File = tempfile::tempfile_in(self.disk.folder)?;
        file.write_all(&made.bytes)?;
        let live = LiveFile {
            name: format!("identities-{:03}.parquet", self.files.len()),
            origin: self.origin.clone(),
            rows: made.rows,
            bytes: made.bytes.len() as u64,
            hash: hash::content(&made.bytes),
            rows_hash: Some(made.rows_hash),
            columns: made.columns,
            identities: None,
            compacted: false,
        };
        self.files.push((live, Body::File(file)));
        Ok(())
    }
}

impl IdentityMapper<'_> {
    /// An empty table that is derived from these inputs. Its columns are in the registry.
    pub(super) async fn new_table(&self, inputs: &str) -> Result<NewTable<'_>, IdentitiesError> {
        Ok(NewTable {
            options: self.options,
            disk: self.disk(),
            columns: self.table().await?.columns().to_vec(),
            file_rows: self.bounds.file_rows.max(1),
            rows: Vec::new(),
            origin: Origin::Derived(inputs.to_owned()),
            files: Vec::new(),
        })
    }

    /// Puts the new table in the place of the one that was there when the run began. Answers the number of rows too.
    pub(super) async fn publish(
        &self,
        seen: (Option<Manifest>, Precondition),
        mut table: NewTable<'_>,
    ) -> Result<(Outcome, u64), IdentitiesError> {
        table.end_file()?;
        let (live, bodies): (Vec<LiveFile>, Vec<Body>) = table.files.into_iter().unzip();
        let rows = live.iter().map(|file| file.rows).sum();
        if same_rows(seen.0.as_ref(), &live) {
            return Ok((Outcome::Unchanged, rows));
        }
        let files = live.iter().zip(&bodies).map(|(live, body)| NewFile { live, body });
        let files: Vec<NewFile<'_>> = files.collect();
        // A run that was interrupted may have left files in a generation without live files.
        let is_empty = seen.0.as_ref().is_some_and(|manifest| manifest.files.is_empty());
        let change = Change::put(&table.origin, &live, is_empty);
        let guard = AsItWas(seen.0.clone());
        let (commit, target) = (self.commit(), target());
        let (outcome, _) =
            commit.change::<IdentitiesError>(&target, seen, change, &files, &guard).await?;
        Ok((outcome, rows))
    }

    /// The table in the registry of identities. Its columns are added if they are missing.
    async fn table(&self) -> Result<Table, IdentitiesError> {
        let place = (self.store, self.layout, &self.options.project);
        let columns = COLUMNS.map(|(name, comment)| (name, comment, ColumnType::String));
        let table = registry::fixed_table::<IdentitiesError>(place, Dataset::Identities, &columns);
        table.await?.ok_or(IdentitiesError::Contended(SWAPS))
    }

    pub(super) async fn registry(
        &self,
        dataset: Dataset,
    ) -> Result<Read<Registry>, IdentitiesError> {
        registry::read(self.store, self.layout, dataset, &self.options.project).await
    }
}

/// Whether the table has these rows already, whatever they were derived from.
fn same_rows(live: Option<&Manifest>, ours: &[LiveFile]) -> bool {
    let live = live.map_or(&[][..], |manifest| &manifest.files);
    rows_of(live).is_some_and(|has| rows_of(ours) == Some(has))
}

/// The table must be as it was when the run began. Otherwise another run, which may have seen newer days, or an
/// erasure has changed it.
struct AsItWas(Option<Manifest>);

#[async_trait::async_trait]
impl Guard<IdentitiesError> for AsItWas {
    async fn may_go_on(
        &self,
        current: Option<&Manifest>,
        _: bool,
    ) -> Result<bool, IdentitiesError> {
        Ok(current == self.0.as_ref())
    }
}
