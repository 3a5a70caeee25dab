#![doc = include_str!("../README.md")]

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use mixlake_runtime::settings::Settings;
use mixlake_runtime::{Deferred, ExportFunction, logs};
use serde_json::Value;

/// Row groups come and go; the system's allocator gives their memory back each time, and the next
/// one pays for the pages again (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
async fn main() -> Result<(), Error> {
    logs::json();
    let settings = Settings::from_environment(|name| std::env::var(name).ok());
    let handler = Deferred::new(move || async move { ExportFunction::new(&settings).await });
    // A wrong setting is told to whoever invokes the function, not only to its log.
    // Boxed, it takes no room before there is an event: the start would pay for each page of it.
    let answer = async |event: LambdaEvent<Value>| match &*handler.get().await {
        Ok(handler) => {
            let left = mixlake_runtime::time_until(event.context.deadline);
            Box::pin(handler.handle(&event.payload, left)).await.map_err(Diagnostic::from)
        }
        Err(failure) => Err(Diagnostic::from(failure.clone())),
    };
    run(service_fn(answer)).await
}
