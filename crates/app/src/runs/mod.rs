//! The use case *runs*: each run records what became of the slices that it tried, as rows of the table
//! `mp_export_runs`, and keeps its whole report in the lake.
//!
//! The rows are for people who ask with SQL how the pipeline does. Nothing else in Mixlake decides by
//! them: ledgers and manifests hold what is true. They have no content of events: an error is a word of a
//! fixed list, and the report has its text.

mod failure;
#[cfg(test)]
mod messages;
mod read;
mod report;
mod row;
mod table;

pub use read::{ReadRow, read_runs};
pub use report::keep_report;
pub use row::{Changed, RunRow, Why, identity_row, profile_rows, rows};

use crate::commit::{Body, Change, Commit, CommitError, Guard, NewFile};
use crate::document::{DocumentError, Read, SWAPS};
use crate::hash;
use crate::manifest::{LiveFile, Manifest};
use crate::ports::{ObjectStore, StoreError};
use crate::registry::{self, UnusableRegistry};
use bytes::Bytes;
use mixlake_columnar::{Options, TransformError, write_records};
use mixlake_domain::{Dataset, Date, Layout, Origin, RunId, RunIdError, Target};
use mixlake_schema::{Contradiction, Registry, Table};

/// The lake in which runs are recorded.
#[derive(Clone, Copy)]
pub struct RunLog<'a> {
    /// The store.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// How files are written.
    pub options: &'a Options,
}

/// Why a run could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// An event has the name of the table.
    #[error(
        "an event of this lake has a table of its own with the name {0}, so runs are not recorded in a table"
    )]
    Taken(&'static str),
    /// The table has a column of the same name and another type.
    #[error("the table of runs cannot get its columns")]
    Columns(#[from] Contradiction),
    /// The rows could not be encoded.
    #[error(transparent)]
    Encode(#[from] TransformError),
    /// An object with the name of the report has another content.
    #[error("{0} holds something else than the report that it is named after")]
    Occupied(String),
    /// The hash of a file names no run.
    #[error(transparent)]
    Name(#[from] RunIdError),
    /// Other runs made changes at each attempt.
    #[error("other runs changed the table of runs {0} times in a row")]
    Contended(u32),
}

impl From<CommitError> for RunsError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => error.into(),
            CommitError::Contended(times) => Self::Contended(times),
        }
    }
}

/// The name of the table.
const TABLE: &str = "mp_export_runs";

impl RunLog<'_> {
    /// Adds the rows of a run that ended on this date (in UTC) to the table. A run without rows adds
    /// nothing. The same rows are added once.
    pub async fn append(&self, rows: &[RunRow], date: Date) -> Result<(), RunsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let table = self.table().await?;
        let cells: Vec<_> = rows.iter().map(|row| table::cells(row, table.columns())).collect();
        let file = write_records(TABLE, table.columns(), &cells, self.options)?;
        let hash = hash::content(&file.bytes);
        let run = RunId::of_hash(&hash)?;
        let live = LiveFile {
            name: Layout::run_file(&run),
            origin: run.into(),
            rows: file.rows,
            bytes: file.bytes.len() as u64,
            hash,
            rows_hash: Some(file.rows_hash),
            columns: file.columns,
            identities: None,
            compacted: false,
        };
        self.publish(&live, file.bytes, date).await
    }

    async fn publish(&self, live: &LiveFile, bytes: Bytes, date: Date) -> Result<(), RunsError> {
        let name = TABLE.parse().expect("the name of the table is the name of a folder");
        let (target, body) = (Target::day(name, date), Body::Memory(bytes));
        let commit = Commit { store: self.store, layout: self.layout };
        let origin: Origin = live.origin.clone();
        let change = Change::put(&origin, std::slice::from_ref(live), false);
        let files = [NewFile { live, body: &body }];
        let seen = commit.read(&target).await?;
        commit.change::<RunsError>(&target, seen, change, &files, &Always).await?;
        Ok(())
    }

    /// The table in the registry of runs. Its columns are added if they are missing.
    async fn table(&self) -> Result<Table, RunsError> {
        let columns: Vec<_> = table::COLUMNS.iter().map(table::FixedColumn::described).collect();
        match self.registry(Dataset::Runs).await?.value {
            None => self.refuse_table_of_event().await?,
            Some(there) => {
                if let (_, table, false) = registry::completed(there, Dataset::Runs, &columns)? {
                    return Ok(table);
                }
            }
        }
        let place = (self.store, self.layout, &self.options.project);
        let table = registry::fixed_table::<RunsError>(place, Dataset::Runs, &columns);
        table.await?.ok_or(RunsError::Contended(SWAPS))
    }

    /// Versions before this table could give its name to an event.
    async fn refuse_table_of_event(&self) -> Result<(), RunsError> {
        let events = self.registry(Dataset::Events).await?.value.unwrap_or_default();
        if events.tables().contains_key(TABLE) { Err(RunsError::Taken(TABLE)) } else { Ok(()) }
    }

    async fn registry(&self, dataset: Dataset) -> Result<Read<Registry>, RunsError> {
        registry::read(self.store, self.layout, dataset, &self.options.project).await
    }
}

/// Runs do not depend on each other.
struct Always;

#[async_trait::async_trait]
impl Guard<RunsError> for Always {
    async fn may_go_on(&self, _: Option<&Manifest>, _: bool) -> Result<bool, RunsError> {
        Ok(true)
    }
}
