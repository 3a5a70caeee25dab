//! How many queries a source answers, and what time it is.

use super::StoreError;
use crate::document::DocumentError;
use mixlake_domain::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Tells the time. Whoever builds the adapters brings it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The queries that a project may start, shared by all who start some.
#[async_trait::async_trait]
pub trait QueryBudget: Send + Sync {
    /// Asks whether a query may start. One that may is counted.
    async fn turn(&self) -> Result<Turn, BudgetError>;

    /// Enters that the source will refuse every query for so long.
    async fn closed(&self, wait: Duration) -> Result<(), BudgetError>;
}

/// Whether a query may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It may, now.
    Now,
    /// Not before this time has passed; then ask again.
    After(Duration),
}

/// The budget cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// Its document cannot be read or written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Others changed it again and again.
    #[error("other runs changed the query budget {0} times in a row")]
    Contended(u32),
}

impl From<StoreError> for BudgetError {
    fn from(error: StoreError) -> Self {
        Self::Document(error.into())
    }
}
