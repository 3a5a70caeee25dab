//! `mixlake backfill`.

mod deployed;
mod local;

use crate::arguments::{Backfill, Export, Lake};
use anyhow::Result;

impl From<Backfill> for Export {
    fn from(arguments: Backfill) -> Self {
        let Backfill { from_date, to_date, force, place, set, json, .. } = arguments;
        // The parser refuses a backfill with neither a lake nor a stack.
        let lake = Lake { place: place.unwrap_or_default(), set, json };
        let (input, hour) = (Vec::new(), None);
        let (from_date, to_date) = (Some(from_date), Some(to_date));
        let (replace, allow_empty, group) = (false, false, None);
        Self { input, from_date, to_date, hour, force, replace, allow_empty, group, lake }
    }
}

/// Exports a range of days, in a deployed stack or here. Answers whether every day is published.
pub async fn run(arguments: Backfill, account: Option<String>, verbose: bool) -> Result<bool> {
    match &arguments.stack {
        Some(stack) => deployed::run(stack, &arguments, verbose).await,
        None => local::run(&arguments.into(), account, verbose).await,
    }
}
