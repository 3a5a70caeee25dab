//! Every error of this crate, as a user reads it with its causes. A new variant does not compile until its
//! `match` has it. What the doctor says is in `doctor/messages.rs`.

use crate::commit::CommitError;
use crate::compact::CompactError;
use crate::document::DocumentError;
use crate::export::{ExportError, RowsTaken, StartError};
use crate::ports::{BudgetError, CatalogError, Format, SourceError, StoreError};
use crate::reconcile::{Conflict, FooterError, Memo, NoMemo, ReconcileError};
use crate::registry::UnusableRegistry;
use mixlake_columnar::{
    CompactionError, FooterError as UnreadableFooter, NoIdentities, RowsHashError, TransformError,
};
use mixlake_domain::{DataFormat, Origin, Partitioning, Slice, TableName, Target, Window, Zone};
use mixlake_schema::Registry;
use std::error::Error;
use std::time::Duration;

type Cause = Box<dyn Error + Send + Sync>;

fn list<T: Error>(samples: &[T], name: impl Fn(&T) -> &'static str) -> String {
    let lines: Vec<_> = samples
        .iter()
        .map(|sample| format!("{}: {}\n", name(sample), crate::chain(sample)))
        .collect();
    lines.concat()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn cause() -> Cause {
    "words of the service".into()
}

fn store_error(hint: Option<&str>) -> StoreError {
    let location = text("s3://lake/raw/42/mp_master_event/2026/11/10/_manifest.json");
    StoreError { action: "read", location, hint: hint.map(str::to_owned), cause: cause() }
}

fn malformed() -> DocumentError {
    let cause = serde_json::from_str::<u8>("x").unwrap_err();
    DocumentError::Malformed { location: text("s3://lake/raw/42/_ledger.json"), cause }
}

fn registry_error() -> mixlake_schema::RegistryError {
    let project = "42".parse().unwrap();
    Registry::from_document(b"{", &project).unwrap_err()
}

fn unusable_registry() -> UnusableRegistry {
    UnusableRegistry { location: text("s3://lake/r.json"), cause: registry_error() }
}

fn slice() -> Slice {
    Slice::parse("2026-11-10T13", &Zone::UTC).unwrap()
}

fn table() -> TableName {
    "mp_master_event".parse().unwrap()
}

fn taken(whole: bool) -> RowsTaken {
    let mp_date = (!whole).then(|| "2026-11-10".parse().unwrap());
    RowsTaken { table: table(), mp_date, before: 5, after: 3 }
}

fn start_errors() -> [StartError; 4] {
    let date = "2026-11-10".parse().unwrap();
    let ingestion = Slice::parse("i2026-11-10", &Zone::UTC).unwrap().label();
    [
        StartError::Other { has: date, wanted: None },
        StartError::Other { has: date, wanted: Some("2026-12-01".parse().unwrap()) },
        StartError::Begun(date),
        StartError::Both { slice: ingestion, other: slice().label() },
    ]
}

#[test]
fn documents_and_budget() {
    let location = text("s3://lake/raw/42/_manifest.json");
    let misplaced = text("it is the manifest of mp_master_event on 2026-11-10");
    let documents = [
        DocumentError::Store(store_error(None)),
        malformed(),
        DocumentError::Misplaced { location, text: misplaced },
    ];
    let documents = list(&documents, |error| match error {
        DocumentError::Store(_) => "Store",
        DocumentError::Malformed { .. } => "Malformed",
        DocumentError::Misplaced { .. } => "Misplaced",
    });
    let budget = [BudgetError::Document(malformed()), BudgetError::Contended(64)];
    let budget = list(&budget, |error| match error {
        BudgetError::Document(_) => "Document",
        BudgetError::Contended(_) => "Contended",
    });
    let commit = [
        CommitError::Store(store_error(None)),
        CommitError::Document(malformed()),
        CommitError::Contended(64),
    ];
    let commit = list(&commit, |error| match error {
        CommitError::Store(_) => "Store",
        CommitError::Document(_) => "Document",
        CommitError::Contended(_) => "Contended",
    });
    insta::assert_snapshot!([documents, budget, commit].join("\n"));
}

#[test]
fn sources() {
    let samples = [
        SourceError::Incomplete { reason: text("<reason>"), cause: Some(cause()) },
        SourceError::TimedOut { reason: text("<reason>"), cause: None },
        SourceError::OutOfTime,
        SourceError::Unavailable { reason: text("<reason>"), cause: None },
        SourceError::Unreachable { reason: text("<reason>"), cause: Some(cause()) },
        SourceError::RateLimited { retry_after: Duration::from_secs(90) },
        SourceError::NotYet {
            reason: text("<reason>"),
            from: "2026-11-11T05:00:00Z".parse().unwrap(),
        },
        SourceError::Refused(text("<reason>")),
    ];
    let texts = list(&samples, |error| match error {
        SourceError::Incomplete { .. } => "Incomplete",
        SourceError::TimedOut { .. } => "TimedOut",
        SourceError::OutOfTime => "OutOfTime",
        SourceError::Unavailable { .. } => "Unavailable",
        SourceError::Unreachable { .. } => "Unreachable",
        SourceError::RateLimited { .. } => "RateLimited",
        SourceError::NotYet { .. } => "NotYet",
        SourceError::Refused(_) => "Refused",
    });
    insta::assert_snapshot!(texts);
}

#[test]
fn stores_and_catalogs() {
    let stores = [store_error(None), store_error(Some("<hint>"))];
    let stores = list(&stores, |StoreError { .. }| "StoreError");
    let subject = || text("table mixpanel.mp_master_event");
    let catalogs = [
        CatalogError::Conflict(subject()),
        CatalogError::NotFound(subject()),
        CatalogError::Damaged { subject: subject(), cause: cause() },
        CatalogError::Refused {
            action: "update",
            subject: subject(),
            hint: Some(text("<hint>")),
            cause: cause(),
        },
        CatalogError::Failed { action: "read", subject: subject(), hint: None, cause: cause() },
    ];
    let catalogs = list(&catalogs, |error| match error {
        CatalogError::Conflict(_) => "Conflict",
        CatalogError::NotFound(_) => "NotFound",
        CatalogError::Damaged { .. } => "Damaged",
        CatalogError::Refused { .. } => "Refused",
        CatalogError::Failed { .. } => "Failed",
    });
    insta::assert_snapshot!([stores, catalogs].join("\n"));
}

#[test]
fn exports() {
    let samples = [
        ExportError::Source(SourceError::OutOfTime),
        ExportError::Transform(TransformError::CutLine(3)),
        ExportError::Store(store_error(None)),
        ExportError::Document(malformed()),
        ExportError::Registry(unusable_registry()),
        ExportError::Identities { location: text("s3://lake/r.ids"), cause: NoIdentities },
        ExportError::Zone { has: text("UTC"), wanted: text("Europe/Berlin") },
        ExportError::Start(StartError::Begun("2026-11-10".parse().unwrap())),
        ExportError::MostlyBad {
            bad: 3,
            lines: 4,
            share: 0.5,
            reasons: vec![text("time: the field is missing"), text("line: must be a JSON object")],
        },
        ExportError::Empty { rows: 5 },
        ExportError::Fewer { taken: vec![taken(false), taken(true)] },
        ExportError::NotTried(slice().label()),
        ExportError::Minute {
            window: Box::new(Window::whole(&slice())),
            cause: Box::new(SourceError::OutOfTime.into()),
        },
        ExportError::Compacted {
            target: Target::day(table(), "2026-11-10".parse().unwrap()),
            others: Origin::from(slice().label()),
        },
        ExportError::Table("a/b".parse::<TableName>().unwrap_err()),
        ExportError::Contended(64),
    ];
    let exports = list(&samples, |error| match error {
        ExportError::Source(_) => "Source",
        ExportError::Transform(_) => "Transform",
        ExportError::Store(_) => "Store",
        ExportError::Document(_) => "Document",
        ExportError::Registry { .. } => "Registry",
        ExportError::Identities { .. } => "Identities",
        ExportError::Zone { .. } => "Zone",
        ExportError::Start(_) => "Start",
        ExportError::MostlyBad { .. } => "MostlyBad",
        ExportError::Empty { .. } => "Empty",
        ExportError::Fewer { .. } => "Fewer",
        ExportError::NotTried(_) => "NotTried",
        ExportError::Minute { .. } => "Minute",
        ExportError::Compacted { .. } => "Compacted",
        ExportError::Table(_) => "Table",
        ExportError::Contended(_) => "Contended",
    });
    let starts = list(&start_errors(), |error| match error {
        StartError::Other { .. } => "Other",
        StartError::Begun(_) => "Begun",
        StartError::Both { .. } => "Both",
    });
    insta::assert_snapshot!([exports, starts].join("\n"));
}

#[test]
fn compactions() {
    let location =
        || text("s3://lake/raw/42/mp_master_event/2026/11/10/g1/2026-11-10T13-000.parquet");
    let io = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let samples = [
        CompactError::NotEnded {
            date: "2026-11-11".parse().unwrap(),
            today: "2026-11-10".parse().unwrap(),
            zone: Zone::parse("Europe/Berlin").unwrap(),
        },
        CompactError::Zone(Zone::parse("Europe/Atlantis").unwrap_err()),
        CompactError::Store(store_error(None)),
        CompactError::Document(malformed()),
        CompactError::Registry(unusable_registry()),
        CompactError::Missing { location: location() },
        CompactError::Damaged { location: location() },
        CompactError::Rows { location: location(), cause: RowsHashError::Type("a".to_owned()) },
        CompactError::Identities { location: text("s3://lake/r.ids") },
        CompactError::Merge(CompactionError::NoTable(text("mp_plan"))),
        CompactError::Scratch(io()),
        CompactError::Contended(64),
    ];
    let texts = list(&samples, |error| match error {
        CompactError::NotEnded { .. } => "NotEnded",
        CompactError::Zone(_) => "Zone",
        CompactError::Store(_) => "Store",
        CompactError::Document(_) => "Document",
        CompactError::Registry { .. } => "Registry",
        CompactError::Missing { .. } => "Missing",
        CompactError::Damaged { .. } => "Damaged",
        CompactError::Rows { .. } => "Rows",
        CompactError::Identities { .. } => "Identities",
        CompactError::Merge(_) => "Merge",
        CompactError::Scratch(_) => "Scratch",
        CompactError::Contended(_) => "Contended",
    });
    insta::assert_snapshot!(texts);
}

fn conflicts() -> [Conflict; 7] {
    let keys = vec![text("year"), text("month")];
    [
        Conflict::Type { column: text("plan"), table: text("string"), files: text("double") },
        Conflict::Dropped { column: text("plan"), files: text("double") },
        Conflict::Order { column: text("plan"), before: text("city") },
        Conflict::Location { table: text("s3://other/table/"), files: text("s3://lake/table/") },
        Conflict::Format { table: Format::Other(text("CSV")), files: DataFormat::Parquet },
        Conflict::PartitionKeys { table: keys.clone(), files: Partitioning::ByDate },
        Conflict::PartitionKeys { table: keys, files: Partitioning::Whole },
    ]
}

#[test]
fn reconciliations() {
    let unreadable = || FooterError::Unreadable(UnreadableFooter::ForeignType(text("plan.name")));
    let footers = [
        unreadable(),
        FooterError::OtherType { column: text("plan"), file: "string", known: "number" },
    ];
    let footers = list(&footers, |error| match error {
        FooterError::Unreadable(_) => "Unreadable",
        FooterError::OtherType { .. } => "OtherType",
    });
    let conflicts = conflicts().map(|conflict| {
        let name = match conflict {
            Conflict::Type { .. } => "Type",
            Conflict::Dropped { .. } => "Dropped",
            Conflict::Order { .. } => "Order",
            Conflict::Location { .. } => "Location",
            Conflict::Format { .. } => "Format",
            Conflict::PartitionKeys { .. } => "PartitionKeys",
        };
        format!("{name}: {conflict}\n")
    });
    let samples = [
        ReconcileError::Footer { location: text("s3://lake/a.parquet"), cause: unreadable() },
        ReconcileError::Drift { table: text("mp_master_event"), conflicts: two_conflicts() },
        ReconcileError::Store(store_error(None)),
        ReconcileError::Document(malformed()),
        ReconcileError::Registry(unusable_registry()),
        ReconcileError::Catalog(CatalogError::Conflict(text("table mixpanel.mp_master_event"))),
    ];
    let errors = list(&samples, |error| match error {
        ReconcileError::Footer { .. } => "Footer",
        ReconcileError::Drift { .. } => "Drift",
        ReconcileError::Store(_) => "Store",
        ReconcileError::Document(_) => "Document",
        ReconcileError::Registry { .. } => "Registry",
        ReconcileError::Catalog(_) => "Catalog",
    });
    let memo: NoMemo = "x".parse::<Memo>().unwrap_err();
    insta::assert_snapshot!(
        [errors, conflicts.concat(), footers, format!("NoMemo: {memo}\n")].join("\n")
    );
}

fn two_conflicts() -> Vec<Conflict> {
    conflicts().into_iter().take(2).collect()
}
