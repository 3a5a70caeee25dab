//! Brings the views in the catalog up to date, or removes them.

use super::definitions::{Tables, definitions};
use super::kind::Kind;
use super::source::Source;
use crate::ports::{CatalogError, TableState, View, ViewState};
use crate::reconcile::{ReconcileError, Reconciler};
use mixlake_domain::{Dataset, VIEW_PREFIX};
use mixlake_schema::{MASTER_TABLE, Registry};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The number of attempts while other functions change the same views.
const TRIES: u32 = 8;

/// The tables whose views are brought up to date. Names are those of the catalog.
#[derive(Debug, Clone, Copy)]
pub enum ViewScope<'a> {
    /// All.
    All,
    /// The table of all events, the tables of events that have no view, and these.
    Missing(&'a BTreeSet<String>),
    /// These. Those of profiles and identities stand for the table of all events.
    Changed(&'a BTreeSet<String>),
}

/// What became of the views.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ViewsReport {
    /// The views that were created or got another definition.
    pub set: Vec<String>,
    /// The views that were removed.
    pub removed: Vec<String>,
    /// The views whose name a table has, or a view that somebody else made. They are left out.
    pub taken: Vec<String>,
    /// The views that could not be changed.
    pub failed: Vec<FailedView>,
}

/// A view that could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedView {
    /// The name.
    pub view: String,
    /// What failed.
    pub error: String,
}

impl ViewsReport {
    fn fail(&mut self, view: &str, error: &CatalogError) {
        let (view, error) = (view.to_owned(), crate::chain(error));
        self.failed.push(FailedView { view, error });
    }
}

/// The tables that views show, as the catalog has them.
struct Found {
    registry: Registry,
    states: BTreeMap<String, TableState>,
    profiles: Option<(Registry, TableState)>,
    identities: Option<(Registry, TableState)>,
}

impl Reconciler<'_> {
    /// Brings the views of some tables up to date, and removes views whose tables or columns are gone.
    ///
    /// A view that cannot be changed is in the report, and the others are changed. Other functions may do the
    /// same at the same time: versions are read before the tables, so who has read older tables loses.
    pub async fn update_views(&self, scope: ViewScope<'_>) -> Result<ViewsReport, ReconcileError> {
        let mut report = ViewsReport::default();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.catalog.pause(attempt).await;
            }
            report.taken.clear();
            report.failed.clear();
            if self.try_update(scope, &mut report).await? {
                break;
            }
        }
        report.set.sort();
        report.set.dedup();
        Ok(report)
    }

    /// The names of the views in the catalog.
    pub async fn view_names(&self) -> Result<Vec<String>, ReconcileError> {
        Ok(self.catalog.views(&self.view_prefix()).await?)
    }

    /// Removes all views of this project.
    pub async fn remove_views(&self) -> Result<ViewsReport, ReconcileError> {
        let mut report = ViewsReport::default();
        for name in self.view_names().await? {
            let state = self.catalog.view(&name).await?;
            self.remove(&name, state.as_ref(), &mut report).await;
        }
        Ok(report)
    }

    /// Removes a view of this project that has the name of a table.
    pub(crate) async fn clear_view(&self, table: &str) -> Result<(), CatalogError> {
        if let Some(state) = self.catalog.view(table).await?
            && let Some(mark) = state.mark.filter(|mark| self.is_ours(mark))
        {
            tracing::warn!(table, "a table takes the name of this view, which is removed");
            self.catalog.remove_view(table, &mark).await?;
        }
        Ok(())
    }

    /// Returns whether nobody else changed a view at the same time.
    async fn try_update(
        &self,
        scope: ViewScope<'_>,
        report: &mut ViewsReport,
    ) -> Result<bool, ReconcileError> {
        let registry = self.registry().await?;
        let tables: BTreeSet<String> =
            self.catalog.tables(self.table_prefix).await?.into_iter().collect();
        let existing = self.catalog.views(&self.view_prefix()).await?;
        let events: Vec<&str> = registry.tables().keys().map(String::as_str).collect();
        let events = events.into_iter().filter(|table| tables.contains(&self.full(table)));
        let events: BTreeSet<&str> =
            events.filter(|table| Dataset::of_table(table) == Dataset::Events).collect();
        let chosen: BTreeSet<String> = events
            .iter()
            .filter(|table| self.is_chosen(table, scope, &existing))
            .map(|table| (*table).to_owned())
            .collect();

        let mut states = BTreeMap::new();
        for name in existing {
            let shown = name.strip_prefix(self.table_prefix).and_then(Kind::table_of);
            if shown.is_none_or(|table| chosen.contains(table) || !events.contains(table)) {
                states.extend(self.catalog.view(&name).await?.map(|state| (name, state)));
            }
        }
        let found = self.found(registry, &chosen, &tables).await?;
        let mut alone = true;
        for view in self.wanted(&found) {
            let name_is_free =
                !found.registry.tables().contains_key(&view.name[self.table_prefix.len()..])
                    && !tables.contains(&view.name);
            let state = states.remove(&view.name);
            if !name_is_free {
                report.taken.push(view.name);
                continue;
            }
            alone &= self.put(view, state, report).await;
        }
        for (name, state) in &states {
            self.remove(name, Some(state), report).await;
        }
        Ok(alone)
    }

    fn is_chosen(&self, table: &str, scope: ViewScope<'_>, existing: &[String]) -> bool {
        let joined = [Dataset::Profiles, Dataset::Identities].map(Dataset::main_table);
        let is_in = |changed: &BTreeSet<String>| {
            let by_others = table == MASTER_TABLE
                && joined.iter().any(|other| changed.contains(&self.full(other)));
            by_others || changed.contains(&self.full(table))
        };
        match scope {
            ViewScope::All => true,
            ViewScope::Changed(changed) => is_in(changed),
            ViewScope::Missing(changed) => {
                let first = self.full(&Kind::Names.name(table, 1));
                table == MASTER_TABLE || is_in(changed) || !existing.contains(&first)
            }
        }
    }

    /// Reads the tables. One that was removed in the meantime is left out.
    async fn found(
        &self,
        registry: Registry,
        chosen: &BTreeSet<String>,
        tables: &BTreeSet<String>,
    ) -> Result<Found, ReconcileError> {
        let mut states = BTreeMap::new();
        for table in chosen {
            let state = self.catalog.table(&self.full(table)).await?;
            states.extend(state.map(|state| (table.clone(), state)));
        }
        let mut found = Found { registry, states, profiles: None, identities: None };
        if chosen.contains(MASTER_TABLE) {
            found.profiles = self.joined(Dataset::Profiles, tables).await?;
            found.identities = self.joined(Dataset::Identities, tables).await?;
        }
        Ok(found)
    }

    async fn joined(
        &self,
        dataset: Dataset,
        tables: &BTreeSet<String>,
    ) -> Result<Option<(Registry, TableState)>, ReconcileError> {
        let name = self.full(dataset.main_table());
        if !tables.contains(&name) {
            return Ok(None);
        }
        let registry = self.read_registry(dataset).await?.value.unwrap_or_default();
        Ok(self.catalog.table(&name).await?.map(|state| (registry, state)))
    }

    fn wanted(&self, found: &Found) -> Vec<View> {
        let profiles = found
            .profiles
            .as_ref()
            .and_then(|(registry, state)| of_dataset(Dataset::Profiles, registry, state));
        let identities = found
            .identities
            .as_ref()
            .and_then(|(registry, state)| of_dataset(Dataset::Identities, registry, state));
        let mut wanted = Vec::new();
        for (table, state) in &found.states {
            let Some(known) = found.registry.tables().get(table) else { continue };
            let events = Source { table, known, state };
            let (prefix, project) = (self.table_prefix, self.project.as_str());
            wanted.extend(definitions(&Tables { prefix, project, events, profiles, identities }));
        }
        wanted
    }

    /// Returns whether nobody else changed the view at the same time.
    async fn put(&self, view: View, state: Option<ViewState>, report: &mut ViewsReport) -> bool {
        let put = match state {
            None => self.catalog.create_view(&view).await,
            Some(ViewState { version, mark: Some(mark) }) if self.is_ours(&mark) => {
                if mark == view.mark {
                    return true;
                }
                self.catalog.update_view(&version, &view).await
            }
            Some(_) => {
                report.taken.push(view.name);
                return true;
            }
        };
        match put {
            Ok(()) => report.set.push(view.name),
            Err(error) => {
                report.fail(&view.name, &error);
                return !matches!(error, CatalogError::Conflict(_) | CatalogError::NotFound(_));
            }
        }
        true
    }

    /// Removes a view of this project. All else stays.
    async fn remove(&self, name: &str, state: Option<&ViewState>, report: &mut ViewsReport) {
        let mark = state.and_then(|state| state.mark.as_ref());
        let Some(mark) = mark.filter(|mark| self.is_ours(mark)) else { return };
        match self.catalog.remove_view(name, mark).await {
            Ok(()) => report.removed.push(name.to_owned()),
            Err(error) => report.fail(name, &error),
        }
    }

    fn is_ours(&self, mark: &str) -> bool {
        mark.split_once(':').is_some_and(|(project, _)| project == self.project.as_str())
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.table_prefix)
    }

    fn view_prefix(&self) -> String {
        self.full(VIEW_PREFIX)
    }
}

fn of_dataset<'a>(
    dataset: Dataset,
    registry: &'a Registry,
    state: &'a TableState,
) -> Option<Source<'a>> {
    let table = dataset.main_table();
    registry.tables().get(table).map(|known| Source { table, known, state })
}
