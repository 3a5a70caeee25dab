//! A budget that the test controls, and the calls that it received.

use mixlake_app::ports::{BudgetError, QueryBudget, Turn};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

#[derive(Default)]
pub struct Budget {
    /// The waits of the next turns; without one, a query may start.
    pub waits: Mutex<VecDeque<Duration>>,
    /// How long the source refuses everything.
    pub refuses: Mutex<Option<Duration>>,
    pub closed: Mutex<Vec<Duration>>,
    /// How many queries were entered.
    pub turns: Mutex<u32>,
}

#[async_trait::async_trait]
impl QueryBudget for Budget {
    async fn turn(&self) -> Result<Turn, BudgetError> {
        if let Some(wait) = self.waits.lock().unwrap().pop_front() {
            return Ok(Turn::After(wait));
        }
        *self.turns.lock().unwrap() += 1;
        Ok(Turn::Now)
    }

    async fn open(&self) -> Result<Turn, BudgetError> {
        Ok(self.refuses.lock().unwrap().map_or(Turn::Now, Turn::After))
    }

    async fn closed(&self, wait: Duration) -> Result<(), BudgetError> {
        self.closed.lock().unwrap().push(wait);
        Ok(())
    }
}
