//! The calls on partitions. Batches report errors per item, in a response that succeeds.

use super::{Answer, Refusal, State, Table, checks, page};
use serde_json::{Value, json};

const PAGE: usize = 100;
const READ: usize = 1_000;
const WRITE: usize = 100;
const DELETE: usize = 25;

impl State {
    pub(super) fn get_partitions(&mut self, request: &Value) -> Answer {
        let table = self.table(request, "TableName")?;
        let without_columns = request["ExcludeColumnSchema"] == true;
        let shown = |partition: &Value| {
            let mut partition = partition.clone();
            if without_columns && let Some(storage) = partition["StorageDescriptor"].as_object_mut()
            {
                storage.remove("Columns");
            }
            partition
        };
        let (partitions, next) =
            page(table.partitions.values().map(shown).collect(), request, PAGE);
        Ok(json!({"Partitions": partitions, "NextToken": next}))
    }

    pub(super) fn get_partition(&mut self, request: &Value) -> Answer {
        let table = self.table(request, "TableName")?;
        let found = table.partitions.get(&values(&request["PartitionValues"]));
        found.map(|p| json!({"Partition": p})).ok_or_else(|| Refusal::missing("Partition"))
    }

    /// Returns the keys without a partition as unprocessed.
    pub(super) fn batch_get_partition(&mut self, request: &Value) -> Answer {
        let table = self.table(request, "TableName")?;
        let keys = checks::batch(request, "PartitionsToGet", READ)?;
        let (mut found, mut handed_back) = (Vec::new(), Vec::new());
        for key in keys {
            match table.partitions.get(&values(&key["Values"])) {
                Some(partition) => found.push(partition.clone()),
                None => handed_back.push(key.clone()),
            }
        }
        Ok(json!({"Partitions": found, "UnprocessedKeys": handed_back}))
    }

    pub(super) fn batch_create_partition(&mut self, request: &Value) -> Answer {
        let inputs = checks::batch(request, "PartitionInputList", WRITE)?;
        let errors =
            self.each(request, "BatchCreatePartition", inputs, "Values", |table, input| {
                let key = values(&input["Values"]);
                if table.partitions.contains_key(&key) {
                    return Err(Refusal::exists("Partition"));
                }
                checks::partition(input, table.keys())?;
                table.partitions.insert(key, input.clone());
                Ok(())
            })?;
        Ok(json!({"Errors": labelled(errors, "PartitionValues")}))
    }

    pub(super) fn batch_update_partition(&mut self, request: &Value) -> Answer {
        let entries = checks::batch(request, "Entries", WRITE)?;
        let name = "BatchUpdatePartition";
        let errors = self.each(request, name, entries, "PartitionValueList", |table, entry| {
            let (key, input) = (values(&entry["PartitionValueList"]), &entry["PartitionInput"]);
            checks::partition(input, table.keys())?;
            let partition = table.partitions.get_mut(&key);
            *partition.ok_or_else(|| Refusal::missing("Partition"))? = input.clone();
            Ok(())
        })?;
        Ok(json!({"Errors": labelled(errors, "PartitionValueList")}))
    }

    pub(super) fn batch_delete_partition(&mut self, request: &Value) -> Answer {
        let keys = checks::batch(request, "PartitionsToDelete", DELETE)?;
        let errors = self.each(request, "BatchDeletePartition", keys, "Values", |table, key| {
            let removed = table.partitions.remove(&values(&key["Values"]));
            removed.map(|_| ()).ok_or_else(|| Refusal::missing("Partition"))
        })?;
        Ok(json!({"Errors": labelled(errors, "PartitionValues")}))
    }

    pub(super) fn delete_partition(&mut self, request: &Value) -> Answer {
        let table = self.table(request, "TableName")?;
        let removed = table.partitions.remove(&values(&request["PartitionValues"]));
        removed.map(|_| json!({})).ok_or_else(|| Refusal::missing("Partition"))
    }

    /// Applies a change to each item of a batch; the response lists those that failed.
    fn each(
        &mut self,
        request: &Value,
        operation: &str,
        items: &[Value],
        field: &str,
        act: impl Fn(&mut Table, &Value) -> Result<(), Refusal>,
    ) -> Result<Vec<(Value, Refusal)>, Refusal> {
        self.table(request, "TableName")?;
        let mut failed = Vec::new();
        for item in items {
            let value = values(&item[field]).join("/");
            let done = match (self.items)(operation, &value) {
                Some(code) => Err(Refusal::new(code, "refused by the test")),
                None => act(self.table(request, "TableName")?, item),
            };
            failed.extend(done.err().map(|refusal| (item[field].clone(), refusal)));
        }
        Ok(failed)
    }
}

fn values(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array().into_iter().flatten().map(text).collect()
}

fn labelled(errors: Vec<(Value, Refusal)>, field: &str) -> Value {
    let item = |(values, refusal): (Value, Refusal)| {
        let mut item = json!({"ErrorDetail": refusal.detail()});
        item[field] = values;
        item
    };
    errors.into_iter().map(item).collect()
}
