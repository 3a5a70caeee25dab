//! Whatever happens to a lake, and in whatever order the catalog is notified: its columns and
//! partitions match those of a reference model made of sets, without order, versions or retries.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod standin;

use mixlake_app::ports::{Catalog, Column, ObjectStore};
use mixlake_app::reconcile::OnDrift;
use mixlake_testkit::day as target;
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
    /// An hour now has this row, or none.
    Publish(usize, Option<Row>),
    /// Some of the notifications so far are delivered, in any order.
    Deliver(Vec<usize>),
    /// The same, to a function that dies at this step; they are delivered again.
    Die(Vec<usize>, usize),
    /// Somebody removes written objects; no notification was delivered yet.
    Remove(Vec<usize>),
    /// Somebody adds a column of their own.
    Others(usize),
    /// Somebody writes a comment on a column, a parameter on the table and one on a partition.
    Annotate(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = prop::collection::btree_map(0_usize..8, any::<bool>(), 0..5);
    let notices = || prop::collection::vec(0_usize..1_000, 1..12);
    let step = prop_oneof![
        5 => (0..HOURS, prop::option::weighted(0.8, row)).prop_map(|(h, row)| Step::Publish(h, row)),
        4 => notices().prop_map(Step::Deliver),
        2 => (notices(), 0_usize..60).prop_map(|(notices, at)| Step::Die(notices, at)),
        1 => prop::collection::vec(0_usize..1_000, 1..4).prop_map(Step::Remove),
        1 => (0_usize..3).prop_map(Step::Others),
        1 => (0_usize..1_000).prop_map(Step::Annotate),
    ];
    prop::collection::vec(step, 1..30)
}

/// The expected content of the catalog.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reference {
    columns: BTreeSet<(String, String)>,
    partitions: BTreeMap<String, String>,
    /// What others wrote: comments by column, parameters of the table, and days whose partition has a
    /// parameter.
    comments: BTreeMap<String, String>,
    parameters: BTreeSet<String>,
    marked: BTreeSet<String>,
}

/// The lake, as the test tracks it without reading it.
#[derive(Default)]
struct Model {
    rows: BTreeMap<usize, Row>,
    /// Whether the first value of a property was text: the first type has the plain name.
    first: BTreeMap<usize, bool>,
    notices: Vec<String>,
    columns_of: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Days whose objects were removed: an export of them starts from scratch.
    damaged: BTreeSet<String>,
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

    async fn remove(&mut self, lake: &Lake, notices: &[usize]) {
        for key in self.chosen(notices) {
            lake.store.delete(&key).await.unwrap();
            self.damaged.insert(day(&key));
        }
    }

    async fn publish(&mut self, lake: &Lake, hour: usize, row: Option<&Row>) {
        let date = &label(hour)[..10];
        if self.damaged.remove(date) {
            self.notices.extend(lake.wipe(date.parse().unwrap()).await);
            self.rows.retain(|hour, _| !label(*hour).starts_with(date));
        }
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

    /// The effect of a delivery on the reference: unions and differences.
    fn delivered(&mut self, lake: &Lake, keys: &[String]) {
        let live = lake.generations();
        for key in keys {
            let of_file = self.columns_of.get(key).filter(|_| lake.has(key));
            self.reference.columns.extend(of_file.cloned().unwrap_or_default());
            let day = day(key);
            if let Some(location) = live.get(&day) {
                for (_, row) in self.rows.iter().filter(|(hour, _)| label(**hour).starts_with(&day))
                {
                    let of_row = self.columns(row);
                    self.reference.columns.extend(of_row);
                }
                self.reference.partitions.insert(day, location.clone());
                continue;
            }
            let manifest = lake.layout.manifest(&target(TABLE, day.parse().unwrap()));
            // If the manifest of a day is missing, only the notification of the manifest itself shows
            // this.
            if *key == manifest || lake.has(&manifest) {
                self.reference.partitions.remove(&day);
                self.reference.marked.remove(&day);
            }
        }
    }

    fn annotate(&mut self, glue: &Glue, n: usize) {
        let Some(mut input) = glue.input(TABLE) else { return };
        let text = format!("theirs {n}");
        let columns = input["StorageDescriptor"]["Columns"].as_array_mut().unwrap();
        let at = n % columns.len();
        columns[at]["Comment"] = json!(text);
        let name = columns[at]["Name"].as_str().unwrap().to_owned();
        input["Parameters"][&text] = json!("theirs");
        glue.edit(TABLE, |table| *table = input);
        self.reference.comments.insert(name, text.clone());
        self.reference.parameters.insert(text);
        let days: Vec<&String> = self.reference.partitions.keys().collect();
        if let Some(&day) = days.get(n % days.len().max(1)) {
            glue.edit_partition(TABLE, day, |partition| {
                partition["Parameters"] = json!({"theirs": "partition"});
            });
            self.reference.marked.insert(day.clone());
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

async fn found(glue: &Glue, days: &BTreeSet<String>) -> Reference {
    let catalog = standin::catalog(0, Wire::quiet(glue));
    let Some(table) = catalog.table(TABLE).await.unwrap() else { return Reference::default() };
    let partitions = catalog.partitions(TABLE, &[]).await.unwrap().into_iter();
    let theirs = |text: &String| text.starts_with("theirs");
    let parameters = glue.input(TABLE).unwrap()["Parameters"].as_object().unwrap().clone();
    let comment = |c: &Column| Some((c.name.clone(), c.comment.clone().filter(theirs)?));
    let marked = |day: &&String| {
        let mut marked = false;
        glue.edit_partition(TABLE, day, |p| marked = p["Parameters"]["theirs"] == "partition");
        marked
    };
    let reference = Reference {
        columns: table.columns.iter().map(|c| (c.name.clone(), c.hive_type.clone())).collect(),
        partitions: partitions.map(|p| (p.value, p.location)).collect(),
        comments: table.columns.iter().filter_map(comment).collect(),
        parameters: parameters.into_iter().map(|(name, _)| name).filter(theirs).collect(),
        marked: days.iter().filter(marked).cloned().collect(),
    };
    assert_eq!(reference.columns.len(), table.columns.len(), "each column once");
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
            Step::Remove(notices) => model.remove(&lake, &notices).await,
            Step::Others(n) => model.others(&glue, n),
            Step::Annotate(n) => model.annotate(&glue, n),
        }
        let found = found(&glue, &model.reference.marked).await;
        assert_eq!(found, model.reference, "after {about}");
    }
    let history = glue.history(TABLE);
    assert_eq!((history.archived, history.needless, history.rewritten), (0, 0, 0), "{history:?}");
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
