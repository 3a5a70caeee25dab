//! The query budget and the clock.

use super::StoreError;
use crate::document::DocumentError;
use mixlake_domain::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Returns the time. The caller who builds the adapters provides it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The queries that a project may start. All runs of the project share it.
#[async_trait::async_trait]
pub trait QueryBudget: Send + Sync {
    /// Asks whether a query may start. If it may, it is counted.
    async fn turn(&self) -> Result<Turn, BudgetError>;

    /// Asks whether a request that the source does not count may start. It may, unless the source refuses
    /// all requests for now.
    async fn open(&self) -> Result<Turn, BudgetError>;

    /// Records that the source will refuse every query for this long.
    async fn closed(&self, wait: Duration) -> Result<(), BudgetError>;
}

/// Whether a query may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Yes, now.
    Now,
    /// Not yet. Ask again after this time.
    After(Duration),
}

/// The budget cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// Its document cannot be read or written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Other runs changed it at each attempt.
    #[error("other runs changed the query budget {0} times in a row")]
    Contended(u32),
}

impl From<StoreError> for BudgetError {
    fn from(error: StoreError) -> Self {
        Self::Document(error.into())
    }
}
