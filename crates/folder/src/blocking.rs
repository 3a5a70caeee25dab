//! File systems block, but the async runtime must not.

use std::panic::resume_unwind;

/// Runs blocking work on a thread for it. A panic in the work continues in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Only the end of the runtime cancels the work, and that ends the caller as well.
        Err(error) => resume_unwind(error.into_panic()),
    }
}
