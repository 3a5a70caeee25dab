//! With any number of functions and any faults, no column is lost or misplaced, and the table has no
//! more versions than there were changes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod standin;

use futures::future::join;
use mixlake_app::ports::Catalog;
use mixlake_app::reconcile::OnDrift;
use mixlake_testkit::glue::Glue;
use mixlake_testkit::store;
use serde_json::json;
use standin::functions::{Queue, Weather, work};
use standin::lake::{Lake, TABLE, label};
use standin::{DATABASE, Dice, Life, Trouble, Watched, Wire};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const FUNCTIONS: usize = 32;
const FILES: usize = 200;
/// The hours of a lake that changes during the test.
const HOURS: usize = 80;
const SEEDS: u64 = 3;
const STORM: Trouble =
    Trouble { throttled: 150, conflicts: 300, breaks: 50, slow: true, rate: None };

/// Compares the table with the lake, and its history with the necessary changes.
async fn check(lake: &Lake, glue: &Glue, about: &str) {
    let catalog = standin::catalog(0, Wire::quiet(glue));
    let table = catalog.table(TABLE).await.unwrap().unwrap();
    let registry = lake.registry();
    let known = registry.tables()[TABLE].columns();
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let expected: BTreeSet<&str> = known.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), expected, "the columns, {about}");
    assert_eq!(names.len(), expected.len(), "each once, {about}");

    let history = glue.history(TABLE);
    assert_eq!(
        (history.archived, history.needless, history.rewritten),
        (0, 0, 0),
        "{about}: {history:?}"
    );
    assert_eq!(history.versions, history.brought.len() as u64, "{about}");
    for brought in &history.brought {
        assert!(!brought.is_empty(), "a version that brought nothing, {about}");
        let place = |name: &String| known.iter().position(|column| column.name == *name).unwrap();
        let places: Vec<usize> = brought.iter().map(place).collect();
        assert!(places.is_sorted(), "columns of one change are in their order, {about}");
    }
    assert_eq!(history.brought.concat(), names, "{about}");

    let expected: BTreeMap<String, String> = lake.generations();
    let found = catalog.partitions(TABLE, &[]).await.unwrap().into_iter();
    let found: BTreeMap<_, _> = found.map(|p| (p.value, p.location)).collect();
    assert_eq!(found, expected, "the partitions, {about}");
}

#[tokio::test(start_paused = true)]
async fn functions_by_the_dozen_lose_no_column_and_make_no_version_too_many() {
    let (lake, keys) = Lake::with_hours(FILES).await;
    for seed in 0..SEEDS {
        let (glue, dice) = (Glue::new(DATABASE), Arc::new(Dice::new(seed)));
        let queue = Queue::new(keys.clone(), &dice);
        let weather = Weather { trouble: STORM, deaths: None };
        let seen = work(&lake, &glue, &queue, FUNCTIONS, weather, &dice).await;
        check(&lake, &glue, &format!("seed {seed}, {seen:?}")).await;
    }
}

/// Publishes new hours and replaces existing ones: files and columns are added, and manifests change.
/// Some notifications arrive at once, others after the next generation exists.
async fn publish_slowly(lake: &Lake, queue: &Queue, dice: &Dice) {
    let mut unsent = Vec::new();
    for hour in 0..HOURS {
        unsent.extend(lake.publish_hour(hour).await);
        if dice.below(3) == 0 {
            let earlier = usize::try_from(dice.below(hour as u64 + 1)).unwrap();
            let other = json!({ format!("again{hour}"): hour, format!("p{hour}"): 1 });
            unsent.extend(lake.publish(&label(earlier), Some(other)).await);
        }
        dice.shuffle(&mut unsent);
        let kept = unsent.len().min(usize::try_from(dice.below(40)).unwrap());
        queue.add(unsent.split_off(kept), dice);
        dice.pause().await;
    }
    queue.add(unsent, dice);
    queue.close();
}

#[tokio::test(start_paused = true)]
async fn the_same_holds_while_files_columns_and_generations_come() {
    for (seed, deaths) in [(0, None), (1, Some(90)), (2, Some(90))] {
        let (lake, glue, dice) = (Lake::new(), Glue::new(DATABASE), Arc::new(Dice::new(seed)));
        let queue = Queue::open();
        let weather = Weather { trouble: STORM, deaths };
        let work = work(&lake, &glue, &queue, FUNCTIONS, weather, &dice);
        let (seen, ()) = join(work, publish_slowly(&lake, &queue, &dice)).await;
        check(&lake, &glue, &format!("seed {seed}, {seen:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_holds_while_functions_die_and_items_of_batches_fail() {
    let (lake, keys) = Lake::with_hours(FILES).await;
    let (mut deaths, refused) = (0, Arc::new(AtomicUsize::new(0)));
    for seed in 0..SEEDS {
        let (glue, dice) = (Glue::new(DATABASE), Arc::new(Dice::new(seed)));
        let (of_items, count) = (Dice::new(seed + 1_000), Arc::clone(&refused));
        glue.refuse_items(move |_, _| {
            let is_hit = of_items.below(3) == 0;
            count.fetch_add(usize::from(is_hit), Ordering::Relaxed);
            is_hit.then_some("InternalServiceException")
        });
        let queue = Queue::new(keys.clone(), &dice);
        let weather = Weather { trouble: STORM, deaths: Some(90) };
        let seen = work(&lake, &glue, &queue, FUNCTIONS, weather, &dice).await;
        check(&lake, &glue, &format!("seed {seed}, {seen:?}")).await;
        deaths += seen.deaths;
    }
    let refused = refused.load(Ordering::Relaxed);
    assert!(deaths > 10 && refused > 5, "{deaths} deaths, {refused} items refused");
}

#[tokio::test(start_paused = true)]
async fn a_function_may_die_between_any_two_calls() {
    let (lake, mut keys) = Lake::with_hours(50).await;
    let dice = Arc::new(Dice::new(0));
    dice.shuffle(&mut keys);
    let (first, rest) = keys.split_at(keys.len() / 2);
    for step in 0.. {
        let (glue, life) = (Glue::new(DATABASE), Life::until(step));
        // A table exists already, so that the function that dies changes it and does not only create
        // it.
        lake.deliver(&standin::catalog(0, Wire::quiet(&glue)), first).await;
        let wire = Wire::new(&glue, life.clone(), dice.clone(), Trouble::default());
        let catalog = standin::catalog(1, wire);
        let store = Watched { inner: &lake.store, life: life.clone(), dice: &dice };
        let run = lake.reconcile(&catalog, &store, OnDrift::Fail, rest);
        let ended = life.of(run).await.is_some();
        lake.deliver(&standin::catalog(2, Wire::quiet(&glue)), rest).await;
        check(&lake, &glue, &format!("dead at step {step}")).await;
        if ended {
            assert!(step > 40, "{step} steps");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_costs_one_read_of_the_table_one_update_and_one_batch_of_partitions() {
    let (lake, keys) = Lake::with_hours(FILES).await;
    let (first, rest) = keys.split_at(keys.len() / 2);
    let glue = Glue::new(DATABASE);
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    lake.deliver(&catalog, first).await;
    let made = [
        ("GetTable", 1),
        ("CreateTable", 1),
        ("BatchGetPartition", 1),
        ("BatchCreatePartition", 1),
    ];
    let counts = |of: &[(&str, usize)]| -> BTreeMap<String, usize> {
        of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    assert_eq!(glue.counts(), counts(&made));
    lake.deliver(&catalog, rest).await;
    let both = [
        ("GetTable", 2),
        ("CreateTable", 1),
        ("UpdateTable", 1),
        ("BatchGetPartition", 2),
        ("BatchCreatePartition", 2),
    ];
    assert_eq!(glue.counts(), counts(&both));
    lake.deliver(&catalog, &keys).await;
    let read = [("GetTable", 3), ("BatchGetPartition", 3)];
    let unchanged: BTreeMap<_, _> = counts(&both).into_iter().chain(counts(&read)).collect();
    assert_eq!(glue.counts(), unchanged, "what is there already is only looked at");
}

/// Multischema: one table per event, and all of them appear in the first hour.
#[tokio::test(start_paused = true)]
async fn tables_by_the_hundred_appear_at_once_under_a_limit_on_calls() {
    const TABLES: usize = 300;
    let (lake, keys) = Lake::with_hours(1).await;
    let mut all = Vec::new();
    for (key, body) in lake.store.snapshot() {
        for number in (0..TABLES).filter(|_| keys.contains(&key)) {
            let other = format!("event_{number}");
            let (key, body) = store::as_of_another_table(&key, &body, TABLE, &other);
            let absent = mixlake_app::ports::Precondition::Absent;
            mixlake_app::ports::ObjectStore::put(&lake.store, &key, body, absent).await.unwrap();
            all.push(key);
        }
    }
    let (glue, dice) = (Glue::new(DATABASE), Arc::new(Dice::new(7)));
    let trouble = Trouble { slow: true, rate: Some(20), ..Trouble::default() };
    let queue = Queue::new(all, &dice);
    let weather = Weather { trouble, deaths: None };
    let seen = work(&lake, &glue, &queue, FUNCTIONS, weather, &dice).await;
    assert_eq!(seen.failed, 0, "throttling is waited out: {seen:?}");
    let calls: usize = glue.counts().values().sum();
    assert!(seen.throttled > 0, "there is a limit");
    assert!(seen.throttled * 4 < calls, "no herd: {seen:?} of {calls} calls");
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    let tables = catalog.tables("event_").await.unwrap();
    assert_eq!(tables.len(), TABLES);
    for table in tables {
        assert_eq!(glue.history(&table).versions, 1, "{table}");
        assert_eq!(catalog.partitions(&table, &[]).await.unwrap().len(), 1, "{table}");
    }
}
