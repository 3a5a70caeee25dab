//! Keeps the views up to date, beside the tables. No failure of a view is one of a table.

use mixlake_app::reconcile::{Reconciler, TableReport};
use mixlake_app::views::{ViewScope, ViewsReport};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an invocation may work on views. The next one goes on.
const MOST_TIME: Duration = Duration::from_mins(1);

/// What is still to be done for views.
#[derive(Debug)]
pub(super) struct Views(Mutex<Pending>);

#[derive(Debug)]
struct Pending {
    /// The settings or the version may have changed since the last function looked.
    is_new: bool,
    /// The tables whose columns changed.
    tables: BTreeSet<String>,
}

impl Default for Views {
    fn default() -> Self {
        Self(Mutex::new(Pending { is_new: true, tables: BTreeSet::new() }))
    }
}

impl Views {
    /// Updates the views of the tables whose columns changed, and at first those that are missing. If views
    /// are switched off, removes them, once. Returns nothing if there was nothing to do.
    pub(super) async fn follow(
        &self,
        reconciler: &Reconciler<'_>,
        are_on: bool,
        tables: &[TableReport],
    ) -> Option<ViewsReport> {
        let (is_new, changed) = self.note(tables);
        if !is_new && (changed.is_empty() || !are_on) {
            return None;
        }
        let work = async {
            match (are_on, is_new) {
                (false, _) => reconciler.remove_views().await,
                (true, true) => reconciler.update_views(ViewScope::Missing(&changed)).await,
                (true, false) => reconciler.update_views(ViewScope::Changed(&changed)).await,
            }
        };
        let report = match tokio::time::timeout(MOST_TIME, work).await {
            Ok(Ok(report)) => report,
            Ok(Err(error)) => {
                let error = mixlake_app::chain(&error);
                tracing::warn!(
                    error,
                    "the views could not be looked at; the tables are up to date"
                );
                self.done_if(!are_on);
                return None;
            }
            Err(_) => {
                tracing::warn!("the views need more time; the next invocation goes on");
                return None;
            }
        };
        tell(&report);
        self.done_if(report.failed.is_empty() || !are_on);
        Some(report)
    }

    fn note(&self, tables: &[TableReport]) -> (bool, BTreeSet<String>) {
        let mut pending = self.pending();
        let has_columns = |table: &&TableReport| {
            table.created || !table.appended_columns.is_empty() || !table.repaired.is_empty()
        };
        let changed = tables.iter().filter(has_columns).map(|table| table.table.clone());
        pending.tables.extend(changed);
        (pending.is_new, pending.tables.clone())
    }

    /// What is not done stays to be done.
    fn done_if(&self, is_done: bool) {
        if is_done {
            *self.pending() = Pending { is_new: false, tables: BTreeSet::new() };
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(report: &ViewsReport) {
    for failed in &report.failed {
        let (view, error) = (&failed.view, &failed.error);
        tracing::error!(view, error, "the view could not be changed");
    }
    for view in &report.taken {
        tracing::warn!(
            view,
            "a table, or a view that somebody else made, has the name of this view"
        );
    }
    let (set, removed) = (report.set.len(), report.removed.len());
    tracing::info!(set, removed, "the views were looked at");
}
