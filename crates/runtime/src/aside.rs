//! What is made while a function asks for its first work.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::future::Future;
use std::sync::Arc;

/// A value that is made aside.
///
/// Reading the root certificates of the system takes most of a function's start. The request for
/// work need not wait for it.
#[derive(Debug)]
pub struct Aside<T>(Shared<BoxFuture<'static, Arc<T>>>);

impl<T: Send + Sync + 'static> Aside<T> {
    /// Begins to make it at once, beside what else the runtime does.
    pub fn new(making: impl Future<Output = T> + Send + 'static) -> Self {
        let made = tokio::spawn(making).map(|made| match made {
            Ok(made) => Arc::new(made),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        });
        Self(made.boxed().shared())
    }

    /// Waits until it is made. A panic in the making is one here.
    pub async fn get(&self) -> Arc<T> {
        self.0.clone().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_is_made_once_however_many_wait() {
        let aside = Aside::new(async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            String::from("made")
        });
        let (one, other) = tokio::join!(aside.get(), aside.get());
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(*aside.get().await, "made");
    }

    #[tokio::test]
    #[should_panic(expected = "no certificates")]
    async fn a_panic_in_the_making_is_not_swallowed() {
        Aside::<()>::new(async { panic!("no certificates") }).get().await;
    }
}
