//! Values that are made while a function waits for work.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A value that is made when it is asked for, or before that, once the function has asked for work.
///
/// Reading the root certificates of the system takes most of a function's start. The request for work
/// need not wait for it, nor share the processor with it.
#[derive(Debug)]
pub struct Deferred<T>(Shared<BoxFuture<'static, Arc<T>>>);

/// After this a function has asked for work. If it has not, both go on side by side.
const ASKED_FOR_WORK: Duration = Duration::from_millis(20);

impl<T: Send + Sync + 'static> Deferred<T> {
    /// Sees to it that the value is made in a while, if nobody asks for it sooner. What makes it is made
    /// then, too: the futures of clients take many pages of memory.
    pub fn new<F>(make: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let value = async { Arc::new(Box::pin(make()).await) }.boxed().shared();
        let unasked = value.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ASKED_FOR_WORK).await;
            unasked.await;
        });
        Self(value)
    }

    /// Waits until it is made. A panic in the making is one here.
    pub async fn get(&self) -> Arc<T> {
        self.0.clone().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn counted() -> (Deferred<String>, Arc<AtomicUsize>) {
        let times = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&times);
        let deferred = Deferred::new(move || async move {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
            String::from("made")
        });
        (deferred, times)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_made_once_however_many_wait() {
        let (deferred, times) = counted();
        let (one, other) = tokio::join!(deferred.get(), deferred.get());
        assert!(Arc::ptr_eq(&one, &other));
        tokio::time::sleep(2 * ASKED_FOR_WORK).await;
        assert_eq!((deferred.get().await.as_str(), times.load(Ordering::Relaxed)), ("made", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_made_though_nobody_asks_but_not_at_once() {
        let (_deferred, times) = counted();
        tokio::time::sleep(ASKED_FOR_WORK / 2).await;
        assert_eq!(times.load(Ordering::Relaxed), 0);
        tokio::time::sleep(ASKED_FOR_WORK).await;
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "no certificates")]
    async fn a_panic_in_the_making_is_not_swallowed() {
        Deferred::<()>::new(|| async { panic!("no certificates") }).get().await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "panicked during poll")]
    async fn nor_is_one_that_came_before_anybody_asked() {
        let deferred = Deferred::<()>::new(|| async { panic!("no certificates") });
        tokio::time::sleep(2 * ASKED_FOR_WORK).await;
        deferred.get().await;
    }
}
