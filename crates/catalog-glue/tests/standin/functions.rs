//! Functions that process notifications from a queue until it is empty.

use super::lake::Lake;
use super::wire::Limit;
use super::{Dice, Life, Trouble, Watched, Wire, catalog};
use futures::future::join_all;
use mixlake_app::reconcile::OnDrift;
use mixlake_testkit::glue::Glue;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Notifications that are not processed yet. Like a queue, it delivers them in any order, and some
/// twice.
#[derive(Default)]
pub struct Queue {
    keys: Mutex<Vec<String>>,
    /// Whether more will be added.
    open: AtomicBool,
}

impl Queue {
    pub fn new(keys: Vec<String>, dice: &Dice) -> Self {
        let queue = Self::default();
        queue.add(keys, dice);
        queue
    }

    /// A queue that stays open until it is closed.
    pub fn open() -> Self {
        Self { open: AtomicBool::new(true), ..Self::default() }
    }

    pub fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    pub fn add(&self, keys: Vec<String>, dice: &Dice) {
        let again: Vec<String> = keys.iter().filter(|_| dice.below(3) == 0).cloned().collect();
        let mut all = self.keys.lock().unwrap();
        all.extend(keys.into_iter().chain(again));
        dice.shuffle(&mut all);
    }

    fn take(&self, most: u64, dice: &Dice) -> Vec<String> {
        let mut keys = self.keys.lock().unwrap();
        let count = usize::try_from(1 + dice.below(most)).unwrap().min(keys.len());
        let at = keys.len() - count;
        keys.split_off(at)
    }

    fn back(&self, keys: impl IntoIterator<Item = String>) {
        self.keys.lock().unwrap().extend(keys);
    }
}

/// The faults that the functions meet.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub trouble: Trouble,
    /// Now and then a function dies at a random step below this number.
    pub deaths: Option<u64>,
}

/// The result of a run.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    pub runs: usize,
    pub deaths: usize,
    pub failed: usize,
    /// Calls above the rate limit.
    pub throttled: usize,
}

/// Runs functions until the queue is empty. Failed or interrupted notifications are delivered again.
pub async fn work(
    lake: &Lake,
    glue: &Glue,
    queue: &Queue,
    functions: usize,
    weather: Weather,
    dice: &Arc<Dice>,
) -> Seen {
    let (seen, limit) = (Mutex::new(Seen::default()), Arc::new(Limit::default()));
    let function = async |number: usize| {
        // A function that survives keeps its client, including what it has learned about throttling.
        let mut kept = None;
        loop {
            dice.pause().await;
            let keys = queue.take(10, dice);
            match (keys.is_empty(), queue.open.load(Ordering::Relaxed)) {
                (true, true) => continue,
                (true, false) => return,
                (false, _) => {}
            }
            let dies = weather.deaths.filter(|_| dice.below(3) == 0).map(|most| dice.below(most));
            let life = dies.map_or_else(Life::long, |at| Life::until(usize::try_from(at).unwrap()));
            let wire = Wire::new(glue, life.clone(), dice.clone(), weather.trouble);
            let wire = Wire { limit: Arc::clone(&limit), ..wire };
            let catalog = match kept.take() {
                Some(catalog) if weather.deaths.is_none() => catalog,
                _ => catalog(number, wire),
            };
            let store = Watched { inner: &lake.store, life: life.clone(), dice };
            let run = lake.reconcile(&catalog, &store, OnDrift::Fail, &keys);
            let done = life.of(run).await;
            kept = Some(catalog);
            let mut seen = seen.lock().unwrap();
            seen.runs += 1;
            match done {
                None => {
                    seen.deaths += 1;
                    queue.back(keys);
                }
                Some(done) => {
                    seen.failed += done.failed.len();
                    queue.back(done.failed.into_iter().map(|(key, _)| key));
                }
            }
        }
    };
    join_all((0..functions).map(function)).await;
    Seen { throttled: limit.throttled(), ..seen.into_inner().unwrap() }
}
