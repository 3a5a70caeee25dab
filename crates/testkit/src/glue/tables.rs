//! The calls on tables.

use super::history::TableHistory;
use super::{Answer, Refusal, State, Table, checks, page};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Small, so that every listing has more than one page.
const PAGE: usize = 3;

impl State {
    pub(super) fn get_tables(&self, request: &Value) -> Value {
        let asked = &request["AttributesToGet"];
        let shown = |(name, table): (&String, &Table)| {
            if *asked == json!(["NAME"]) {
                json!({"Name": name})
            } else if *asked == json!(["NAME", "TABLE_TYPE"]) {
                json!({"Name": name, "TableType": table.input["TableType"]})
            } else {
                table.shown(&self.database)
            }
        };
        let all = self.tables.iter().map(shown).collect();
        let (tables, next) = page(all, request, PAGE);
        json!({"TableList": tables, "NextToken": next})
    }

    pub(super) fn get_table(&mut self, request: &Value) -> Answer {
        let database = self.database.clone();
        Ok(json!({"Table": self.table(request, "Name")?.shown(&database)}))
    }

    pub(super) fn create_table(&mut self, request: &Value) -> Answer {
        let input = &request["TableInput"];
        checks::table(input)?;
        let name = input["Name"].as_str().unwrap_or_default().to_owned();
        if self.tables.contains_key(&name) {
            return Err(Refusal::exists("Table"));
        }
        let mut history = TableHistory::default();
        history.created(input);
        let (input, partitions) = (input.clone(), BTreeMap::new());
        self.tables.insert(name, Table { input, version: 0, partitions, history });
        Ok(json!({}))
    }

    pub(super) fn update_table(&mut self, request: &Value) -> Answer {
        let input = &request["TableInput"];
        let table = self.table(input, "Name")?;
        match request["VersionId"].as_str() {
            None => return Err(Refusal::invalid("this stand-in demands a VersionId")),
            Some(version) if version != table.version.to_string() => {
                let code = "ConcurrentModificationException";
                return Err(Refusal::new(
                    code,
                    "Update table failed due to concurrent modifications.",
                ));
            }
            Some(_) => {}
        }
        checks::table(input)?;
        if input["TableType"] != table.input["TableType"] {
            return Err(Refusal::invalid("this stand-in lets no table become a view"));
        }
        if input["PartitionKeys"] != table.input["PartitionKeys"] {
            return Err(Refusal::invalid("partition keys cannot be changed"));
        }
        table.history.updated(&table.input, input, request["SkipArchive"] != true);
        table.input = input.clone();
        table.version += 1;
        Ok(json!({}))
    }
}

impl State {
    pub(super) fn delete_table(&mut self, request: &Value) -> Answer {
        self.table(request, "Name")?;
        let name = request["Name"].as_str().unwrap_or_default().to_lowercase();
        self.tables.remove(&name);
        Ok(json!({}))
    }
}

impl Table {
    /// The result of `GetTable`: the input, and the fields that Glue adds.
    fn shown(&self, database: &str) -> Value {
        let mut shown = self.input.clone();
        shown["DatabaseName"] = json!(database);
        shown["VersionId"] = json!(self.version.to_string());
        shown["CreateTime"] = json!(1_794_268_800);
        shown["UpdateTime"] = json!(1_794_268_800);
        shown["IsRegisteredWithLakeFormation"] = json!(false);
        shown
    }

    pub(super) fn keys(&self) -> usize {
        self.input["PartitionKeys"].as_array().map_or(0, Vec::len)
    }
}
