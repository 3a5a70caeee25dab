//! File systems block; the runtime must not.

use std::panic::resume_unwind;

/// Runs work that blocks on a thread where it may. A panic in it goes on here.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nothing cancels the work but the end of the runtime, and that ends the caller as well.
        Err(error) => resume_unwind(error.into_panic()),
    }
}
