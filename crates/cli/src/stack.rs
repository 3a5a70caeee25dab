//! `mixlake pause`, `mixlake resume` and `mixlake cancel`.

use crate::arguments::OfStack;
use crate::show;
use anyhow::Result;
use mixlake_runtime::sdk_of_process;
use mixlake_stack::aws::Account;
use mixlake_stack::{Power, Switched, find};
use serde_json::json;

/// The account that a person is signed in to.
pub async fn account() -> Result<Account> {
    Ok(Account::new(&sdk_of_process().await?))
}

/// Lets the schedules of a stack run or not.
pub async fn switch(arguments: OfStack, to: Power) -> Result<bool> {
    let account = account().await?;
    let stack = find(&account, &arguments.stack).await?;
    let switched = mixlake_stack::switch(&account, &stack, to).await?;
    if arguments.json {
        let schedule = |switched: &Switched| json!({"schedule": switched.schedule.to_string(), "changed": switched.changed});
        let schedules: Vec<_> = switched.iter().map(schedule).collect();
        let state = to.name();
        show::json(&json!({"stack": stack.name, "state": state, "schedules": schedules}))?;
    } else {
        show::text(&show::switched(&stack, to, &switched))?;
    }
    Ok(true)
}

/// Stops the running backfill of a stack.
pub async fn cancel(arguments: OfStack) -> Result<bool> {
    let account = account().await?;
    let stack = find(&account, &arguments.stack).await?;
    let (stopped, items) = mixlake_stack::cancel(&account, &stack).await?;
    if arguments.json {
        let request = stopped.request;
        show::json(&json!({
            "stack": stack.name, "execution": stopped.arn, "request": request, "slices": items,
        }))?;
    } else {
        show::text(&show::canceled(&stack.name, stopped.request.as_ref(), items))?;
    }
    Ok(true)
}
