//! What the doctor says it would do, and why it did not. A new variant does not compile until its `match`
//! has it. The texts of findings are in `tests/doctor_messages.rs`.

use super::Remedy;
use super::repair::RepairError;
use crate::ports::CatalogError;
use crate::reconcile::ReconcileError;
use mixlake_domain::{Origin, Slice, SliceLabel, TableName, Zone};

fn text(text: &str) -> String {
    text.to_owned()
}

fn slice() -> SliceLabel {
    Slice::parse("2026-11-10", &Zone::UTC).unwrap().label()
}

fn remedies() -> [Remedy; 14] {
    let date = Some("2026-11-10".parse().unwrap());
    let files = || vec![text("2026-11-10-000.parquet")];
    [
        Remedy::Reconcile,
        Remedy::RemovePartitions { values: vec![text("2026-11-10")] },
        Remedy::RepairPartition { value: text("2026-11-10") },
        Remedy::Delete { keys: files() },
        Remedy::Delete { keys: [files(), files()].concat() },
        Remedy::Strike { date, names: files() },
        Remedy::LeaveBehind { date, keys: files() },
        Remedy::GoBack { slice: slice(), folders: vec![text("g1/"), text("g2/")] },
        Remedy::CompleteRegistry,
        Remedy::Rename { event: text("_signup") },
        Remedy::Encrypt { keys: files() },
        Remedy::Encrypt { keys: [files(), files()].concat() },
        Remedy::Wait { reason: text("<reason>") },
        Remedy::ByHand { advice: text("<advice>") },
    ]
}

#[test]
fn remedies_as_text() {
    let texts = remedies().map(|remedy| {
        let name = match remedy {
            Remedy::Reconcile => "Reconcile",
            Remedy::RemovePartitions { .. } => "RemovePartitions",
            Remedy::RepairPartition { .. } => "RepairPartition",
            Remedy::Delete { .. } => "Delete",
            Remedy::Strike { .. } => "Strike",
            Remedy::LeaveBehind { .. } => "LeaveBehind",
            Remedy::GoBack { .. } => "GoBack",
            Remedy::CompleteRegistry => "CompleteRegistry",
            Remedy::Rename { .. } => "Rename",
            Remedy::Encrypt { .. } => "Encrypt",
            Remedy::Wait { .. } => "Wait",
            Remedy::ByHand { .. } => "ByHand",
        };
        format!("{name}: {}\n", remedy.text())
    });
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn failed_repairs() {
    let conflict = || CatalogError::Conflict(text("table mixpanel.mp_master_event"));
    let store = crate::ports::StoreError {
        action: "write",
        location: text("s3://lake/r.json"),
        hint: None,
        cause: "words of the service".into(),
    };
    let samples = [
        RepairError::Busy,
        RepairError::Overtaken,
        RepairError::Names,
        RepairError::InParts(Origin::from(slice())),
        RepairError::NotCatalogued(text("<key and reason>")),
        RepairError::NoDay(text("other")),
        RepairError::Table("a/b".parse::<TableName>().unwrap_err()),
        RepairError::Reconcile(ReconcileError::Catalog(conflict())),
        RepairError::Store(store),
        RepairError::Catalog(conflict()),
    ];
    let texts = samples.map(|error| {
        let name = match error {
            RepairError::Busy => "Busy",
            RepairError::Overtaken => "Overtaken",
            RepairError::Names => "Names",
            RepairError::InParts(_) => "InParts",
            RepairError::NotCatalogued(_) => "NotCatalogued",
            RepairError::NoDay(_) => "NoDay",
            RepairError::Table(_) => "Table",
            RepairError::Reconcile(_) => "Reconcile",
            RepairError::Store(_) => "Store",
            RepairError::Catalog(_) => "Catalog",
        };
        format!("{name}: {}\n", crate::chain(&error))
    });
    insta::assert_snapshot!(texts.concat());
}
