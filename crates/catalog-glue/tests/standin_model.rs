//! Whatever happens to a lake, in whatever order the catalog hears of it: its columns and partitions
//! are those of a reference that is made of sets and knows no order, version or retry.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod standin;

use mixlake_app::ports::Catalog;
use mixlake_app::reconcile::OnDrift;
use mixlake_testkit::glue::Glue;
use proptest::prelude::*;
use serde_json::{Value, json};
use standin::lake::{Lake, TABLE};
use standin::{DATABASE, Dice, Life, Trouble, Watched, Wire};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Two hours a day.
const HOURS: usize = 6;
const BUILT_IN: [&str; 3] = ["mp_event_name", "time", "distinct_id"];
const TROUBLE: Trouble =
    Trouble { throttled: 100, conflicts: 200, breaks: 50, slow: true, rate: None };

/// The properties of a row, and whether each is a text.
type Row = BTreeMap<usize, bool>;

#[derive(Debug, Clone)]
enum Step {
    /// An hour has this row now, or none.
    Publish(usize, Option<Row>),
    /// Some of the notices so far are delivered, in an order of their own.
    Deliver(Vec<usize>),
    /// The same, to a function that dies at this step; they are delivered again.
    Die(Vec<usize>, usize),
    /// Somebody adds a column of their own.
    Others(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = prop::collection::btree_map(0_usize..8, any::<bool>(), 0..5);
    let notices = || prop::collection::vec(0_usize..1_000, 1..12);
    let step = prop_oneof![
        5 => (0..HOURS, prop::option::weighted(0.8, row)).prop_map(|(h, row)| Step::Publish(h, row)),
        4 => notices().prop_map(Step::Deliver),
        2 => (notices(), 0_usize..60).prop_map(|(notices, at)| Step::Die(notices, at)),
        1 => (0_usize..3).prop_map(Step::Others),
    ];
    prop::collection::vec(step, 1..30)
}

/// What the catalog should have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reference {
    columns: BTreeSet<(String, String)>,
    partitions: BTreeMap<String, String>,
}

/// The lake, as the test knows it without looking.
#[derive(Default)]
struct Model {
    rows: BTreeMap<usize, Row>,
    /// Whether the first value of a property was a text: that type has the plain name.
    first: BTreeMap<usize, bool>,
    notices: Vec<String>,
    columns_of: BTreeMap<String, BTreeSet<(String, String)>>,
    reference: Reference,
}

fn label(hour: usize) -> String {
    format!("2026-11-0{}T0{}", 1 + hour / 2, hour % 2)
}

fn day(key: &str) -> String {
    let at = key.find("/2026/").unwrap();
    key[at + 1..at + 11].replace('/', "-")
}

fn properties(row: &Row) -> Value {
    row.iter()
        .map(|(n, text)| (format!("p{n}"), if *text { json!("x") } else { json!(1) }))
        .collect()
}

impl Model {
    fn columns(&self, row: &Row) -> BTreeSet<(String, String)> {
        let built_in = BUILT_IN.iter().zip(["string", "timestamp", "string"]);
        let mut columns: BTreeSet<_> =
            built_in.map(|(name, kind)| ((*name).to_owned(), kind.to_owned())).collect();
        for (n, &text) in row {
            let kind = if text { "string" } else { "double" };
            let suffix = match (self.first[n] == text, text) {
                (true, _) => "",
                (false, true) => "_string",
                (false, false) => "_number",
            };
            columns.insert((format!("p{n}{suffix}"), kind.to_owned()));
        }
        columns
    }

    async fn publish(&mut self, lake: &Lake, hour: usize, row: Option<&Row>) {
        let keys = lake.publish(&label(hour), row.map(properties)).await;
        for (n, text) in row.into_iter().flatten() {
            self.first.entry(*n).or_insert(*text);
        }
        match row {
            Some(row) => self.rows.insert(hour, row.clone()),
            None => self.rows.remove(&hour),
        };
        for key in &keys {
            for (hour, row) in self.rows.iter().filter(|(h, _)| key.contains(&label(**h))) {
                assert!(*hour < HOURS);
                self.columns_of.insert(key.clone(), self.columns(row));
            }
        }
        self.notices.extend(keys);
    }

    fn chosen(&self, notices: &[usize]) -> Vec<String> {
        let some = notices.iter().filter(|_| !self.notices.is_empty());
        some.map(|n| self.notices[n % self.notices.len()].clone()).collect()
    }

    /// What a delivery does to the reference: unions and differences.
    fn delivered(&mut self, lake: &Lake, keys: &[String]) {
        let live = lake.generations();
        for key in keys {
            let of_file = self.columns_of.get(key).cloned().unwrap_or_default();
            self.reference.columns.extend(of_file);
            let day = day(key);
            for (hour, row) in self.rows.clone() {
                if label(hour).starts_with(&day) {
                    let of_row = self.columns(&row);
                    self.reference.columns.extend(of_row);
                }
            }
            match live.get(&day) {
                Some(location) => self.reference.partitions.insert(day, location.clone()),
                None => self.reference.partitions.remove(&day),
            };
        }
    }

    fn others(&mut self, glue: &Glue, n: usize) {
        let name = format!("theirs_{n}");
        let column = (name.clone(), "int".to_owned());
        if glue.input(TABLE).is_none() || !self.reference.columns.insert(column) {
            return;
        }
        glue.edit(TABLE, |input| {
            let columns = input["StorageDescriptor"]["Columns"].as_array_mut().unwrap();
            columns.push(json!({"Name": name, "Type": "int"}));
        });
    }
}

async fn found(glue: &Glue) -> Reference {
    let catalog = standin::catalog(0, Wire::quiet(glue));
    let Some(table) = catalog.table(TABLE).await.unwrap() else { return Reference::default() };
    let partitions = catalog.partitions(TABLE, &[]).await.unwrap().into_iter();
    let columns: Vec<_> = table.columns.into_iter().map(|c| (c.name, c.hive_type)).collect();
    let reference = Reference {
        columns: columns.iter().cloned().collect(),
        partitions: partitions.map(|p| (p.value, p.location)).collect(),
    };
    assert_eq!(reference.columns.len(), columns.len(), "each column once");
    reference
}

/// Delivers until nothing fails.
async fn deliver(lake: &Lake, glue: &Glue, dice: &Arc<Dice>, keys: &[String]) {
    let mut keys = keys.to_vec();
    for attempt in 0.. {
        assert!(attempt < 50, "{keys:?} never comes in");
        let life = Life::long();
        let catalog = standin::catalog(1, Wire::new(glue, life.clone(), dice.clone(), TROUBLE));
        let store = Watched { inner: &lake.store, life, dice };
        let done = lake.reconcile(&catalog, &store, OnDrift::Fail, &keys).await;
        keys = done.failed.into_iter().map(|(key, _)| key).collect();
        if keys.is_empty() {
            return;
        }
    }
}

async fn check(steps: Vec<Step>, seed: u64) {
    let (lake, glue, dice) = (Lake::new(), Glue::new(DATABASE), Arc::new(Dice::new(seed)));
    let mut model = Model::default();
    for step in steps {
        let about = format!("{step:?}");
        match step {
            Step::Publish(hour, row) => model.publish(&lake, hour, row.as_ref()).await,
            Step::Deliver(notices) => {
                let keys = model.chosen(&notices);
                deliver(&lake, &glue, &dice, &keys).await;
                model.delivered(&lake, &keys);
            }
            Step::Die(notices, at) => {
                let keys = model.chosen(&notices);
                let life = Life::until(at);
                let catalog =
                    standin::catalog(2, Wire::new(&glue, life.clone(), dice.clone(), TROUBLE));
                let store = Watched { inner: &lake.store, life: life.clone(), dice: &dice };
                let run = lake.reconcile(&catalog, &store, OnDrift::Fail, &keys);
                drop(life.of(run).await);
                deliver(&lake, &glue, &dice, &keys).await;
                model.delivered(&lake, &keys);
            }
            Step::Others(n) => model.others(&glue, n),
        }
        assert_eq!(found(&glue).await, model.reference, "after {about}");
    }
    let story = glue.story(TABLE);
    assert_eq!((story.archived, story.needless, story.rewritten), (0, 0, 0), "{story:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn the_catalog_is_what_a_reference_of_sets_says(steps in steps(), seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(steps, seed));
    }
}
