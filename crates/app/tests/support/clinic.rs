//! A lake and a catalog to do harm to, and a doctor to look at them.

use super::notices::IN_CATALOG;
use super::{Lake, TABLE};
use bytes::Bytes;
use mixlake_app::doctor::{Doctor, Engine, Finding, Kind, Severity};
use mixlake_app::ports::{Catalog, Column, NewTable, ObjectStore, Partition, Precondition};
use mixlake_domain::{DataFormat, Partitioning};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::day;
use parquet::data_type::Int64Type;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const BOTH: &[Engine] = &[Engine::Athena, Engine::Spectrum];
pub const DAY: &str = "2026-11-10";
pub const GRACE: Duration = Duration::from_hours(24);

/// When the doctor comes. Everything was written in 1970, unless a test says otherwise.
pub fn now() -> SystemTime {
    UNIX_EPOCH + 10 * GRACE
}

/// Two days, in the catalog.
pub async fn lake() -> (Lake, MemoryCatalog) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.hold(&["x 2026-11-09T10:00", "a 2026-11-10T01:10"]);
    lake.publish("2026-11-09").await;
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    (lake, catalog)
}

impl Lake {
    /// The catalog hears of every manifest that was ever written.
    pub async fn catch_up(&self, catalog: &MemoryCatalog) {
        let mut manifests = self.written_since(0);
        manifests.retain(|key| key.ends_with("/_manifest.json"));
        self.deliver(catalog, &manifests).await;
    }

    /// The keys of the folders of the day.
    pub fn data(&self) -> Vec<String> {
        self.keys(&format!("{TABLE}/2026/11/10/g"))
    }

    pub fn manifest_key(&self) -> String {
        self.layout.manifest(&day(TABLE, DAY.parse().unwrap()))
    }

    pub async fn overwrite(&self, key: &str, body: Bytes) {
        self.store.delete(key).await.unwrap();
        self.store.put(key, body, Precondition::Absent).await.unwrap();
    }
}

pub fn doctor<'a>(lake: &'a Lake, catalog: &'a MemoryCatalog) -> Doctor<'a> {
    let lake = lake.reconciler(catalog);
    Doctor { lake, engines: BOTH, deep: true, now: now(), grace: GRACE }
}

pub async fn examine(lake: &Lake, catalog: &MemoryCatalog) -> Vec<Finding> {
    doctor(lake, catalog).examine().await.unwrap()
}

pub fn kinds(findings: &[Finding]) -> Vec<Kind> {
    findings.iter().map(|finding| finding.kind).collect()
}

pub fn problems(findings: &[Finding]) -> Vec<Kind> {
    let problems = findings.iter().filter(|finding| finding.severity == Severity::Problem);
    problems.map(|finding| finding.kind).collect()
}

pub fn partition(value: &str, location: &str) -> [Partition; 1] {
    [Partition { value: value.to_owned(), location: location.to_owned() }]
}

pub async fn location(catalog: &MemoryCatalog, value: &str) -> Option<String> {
    let found = catalog.partitions(IN_CATALOG, &[value.to_owned()]).await.unwrap();
    found.into_iter().next().map(|partition| partition.location)
}

/// A file with a column of whole numbers.
pub fn whole_numbers(column: &str) -> Bytes {
    let schema = format!("message m {{ required int64 {column}; }}");
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap().into()
}

pub fn column(name: &str, hive_type: &str) -> Column {
    Column { name: name.to_owned(), hive_type: hive_type.to_owned(), comment: None }
}

/// Somebody changes the columns, and leaves our note as it is.
pub async fn change(catalog: &MemoryCatalog, edit: impl FnOnce(&mut Vec<Column>)) {
    let table = catalog.table(IN_CATALOG).await.unwrap().unwrap();
    let mut columns = table.columns;
    edit(&mut columns);
    let to = NewTable {
        name: IN_CATALOG.to_owned(),
        columns,
        location: table.location,
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: table.memo.unwrap(),
    };
    catalog.repair_table(&table.version, &to).await.unwrap();
}
