//! The use case *reconcile*: updates the catalog from the objects in the store.
//!
//! Notifications only say where to look. The facts come from the objects: columns from the footers of
//! data files, locations from manifests. So notifications can be repeated and out of order. A batch is
//! grouped first: one read, one update and one batch of partitions per table.

mod columns;
mod diff;
mod fold;
pub(crate) mod footer;
mod memo;
mod report;
mod table;
mod targets;
mod view;

pub(crate) use columns::given_columns;
pub(crate) use diff::same_folder;
pub use diff::{Conflict, Difference, Wanted, diff, repaired};
pub use footer::FooterError;
pub use memo::{Memo, NoMemo};
pub use report::TableReport;
pub use view::{ColumnView, FileView, PartitionView, TableView};

use crate::document::{DocumentError, Read};
use crate::ports::{Catalog, CatalogError, ObjectStore, StoreError};
use crate::registry::{self, UnusableRegistry};
use fold::{TableWork, Work};
use mixlake_domain::{Dataset, Layout, ProjectId, TableName, VIEW_PREFIX};
use mixlake_schema::Registry;
use std::sync::Arc;

/// The parameters of a reconciliation.
#[derive(Clone, Copy)]
pub struct Reconciler<'a> {
    /// The store with the objects.
    pub store: &'a dyn ObjectStore,
    /// The catalog to update.
    pub catalog: &'a dyn Catalog,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// The project of the tables.
    pub project: &'a ProjectId,
    /// The prefix of all table names.
    pub table_prefix: &'a str,
    /// What to do with a table that somebody changed so that it contradicts its files.
    pub on_drift: OnDrift,
}

/// What to do with a table that contradicts its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDrift {
    /// Report it, and leave it unchanged.
    #[default]
    Fail,
    /// Repair it.
    Repair,
}

/// The reason why a key could not be applied to the catalog.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A data file cannot be read.
    #[error("{location} is not a data file of this lake")]
    Footer {
        /// Its location.
        location: String,
        /// What is wrong.
        #[source]
        cause: FooterError,
    },
    /// The table contradicts the files.
    #[error("table {table} does not fit its files: {}", list(conflicts))]
    Drift {
        /// The table.
        table: String,
        /// Each contradiction.
        conflicts: Vec<Conflict>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest or the registry cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl ReconcileError {
    /// Whether only some of the objects may cause the error, so that the others can succeed without
    /// them.
    fn may_be_of_a_part(&self) -> bool {
        match self {
            Self::Drift { conflicts, .. } => !conflicts.iter().any(Conflict::is_of_the_whole),
            Self::Catalog(error) => matches!(error, CatalogError::Refused { .. }),
            Self::Footer { .. } | Self::Store(_) | Self::Document(_) | Self::Registry { .. } => {
                false
            }
        }
    }
}

/// The number of attempts while other functions change the same table.
const TRIES: u32 = 16;

/// The keys that could not be applied, and the reasons.
type Failed = Vec<(String, Arc<ReconcileError>)>;

/// The result of a reconciliation.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// The report of each table.
    pub tables: Vec<TableReport>,
    /// The keys that could not be applied, and the reasons.
    pub failed: Vec<(String, Arc<ReconcileError>)>,
}

impl Reconciled {
    fn add(&mut self, report: TableReport, failed: Failed) {
        for (key, error) in &failed {
            let error = crate::chain(&**error);
            tracing::error!(target: crate::TOLD, key, error, "the object did not reach the catalog");
        }
        self.failed.extend(failed);
        match self.tables.iter_mut().find(|known| known.table == report.table) {
            Some(known) => known.extend(report),
            None => self.tables.push(report),
        }
    }

    fn fail(&mut self, work: &TableWork, error: ReconcileError) {
        for key in work.keys() {
            tracing::error!(target: crate::TOLD, key, error = crate::chain(&error), "the object did not reach the catalog");
        }
        let error = Arc::new(error);
        self.failed.extend(work.keys().map(|key| (key.to_owned(), error.clone())));
    }
}

impl Reconciler<'_> {
    /// Updates the tables and days of these keys. Other keys are ignored.
    pub async fn reconcile<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Reconciled {
        let work = Work::fold(self.layout, keys);
        let mut done = Reconciled::default();
        if work.tables.is_empty() {
            return done;
        }
        let registry = match self.registry().await {
            Ok(registry) => registry,
            Err(error) => {
                let error = Arc::new(error);
                done.failed = work.all_keys().map(|key| (key, error.clone())).collect();
                return done;
            }
        };
        let events = registry;
        for (table, work) in work.tables {
            if table.as_str().starts_with(VIEW_PREFIX)
                && let Err(error) = self.clear_view(&self.name_of(&table)).await
            {
                done.fail(&work, error.into());
                continue;
            }
            match self.registry_for(&table, &events).await {
                Ok(None) => self.in_parts(&table, work, &events, &mut done).await,
                Ok(Some(other)) => self.in_parts(&table, work, &other, &mut done).await,
                Err(error) => done.fail(&work, error),
            }
        }
        done
    }

    /// Updates a table. If a part of the work may cause a failure, the work is split, so that only the
    /// keys at fault fail.
    async fn in_parts(
        &self,
        table: &TableName,
        work: TableWork,
        registry: &Registry,
        done: &mut Reconciled,
    ) {
        let mut parts = vec![work];
        while let Some(work) = parts.pop() {
            let mut failed = Vec::new();
            let error = match self.table(table, &work, registry, &mut failed).await {
                Ok(report) => {
                    done.add(report, failed);
                    continue;
                }
                Err(error) => error,
            };
            match work.halves(self.layout).filter(|_| error.may_be_of_a_part()) {
                Some([first, second]) => parts.extend([second, first]),
                None => done.fail(&work, error),
            }
        }
    }

    /// Updates every day that has a manifest.
    pub async fn reconcile_all(&self) -> Result<Reconciled, ReconcileError> {
        let objects = self.store.list(self.layout.root()).await?;
        let manifests = objects.iter().map(|object| object.key.as_str());
        Ok(self.reconcile(manifests.filter(|key| key.ends_with("/_manifest.json"))).await)
    }

    pub(crate) async fn registry(&self) -> Result<Registry, ReconcileError> {
        self.registry_of(Dataset::Events).await
    }

    /// The registry of a table that is not a table of events; `None` if the registry of events has it.
    async fn registry_for(
        &self,
        table: &TableName,
        events: &Registry,
    ) -> Result<Option<Registry>, ReconcileError> {
        let dataset = Dataset::of_table(table.as_str());
        if dataset == Dataset::Events || events.tables().contains_key(table.as_str()) {
            return Ok(None);
        }
        self.registry_of(dataset).await.map(Some)
    }

    async fn registry_of(&self, dataset: Dataset) -> Result<Registry, ReconcileError> {
        Ok(self.read_registry(dataset).await?.value.unwrap_or_default())
    }

    /// The registry of a dataset, with the precondition for writing it.
    pub(crate) async fn read_registry(
        &self,
        dataset: Dataset,
    ) -> Result<Read<Registry>, ReconcileError> {
        registry::read(self.store, self.layout, dataset, self.project).await
    }
}

fn list(conflicts: &[Conflict]) -> String {
    conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
