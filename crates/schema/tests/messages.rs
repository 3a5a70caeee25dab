//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_domain::ProjectId;
use mixlake_schema::{Contradiction, NameTaken, Registry, RegistryError};

fn contradictions() -> [Contradiction; 5] {
    let text = str::to_owned;
    [
        Contradiction::EventName {
            event: text("Sign Up"),
            name: text("sign_up"),
            other: text("Sign-Up"),
        },
        Contradiction::Event {
            event: text("Sign Up"),
            name: text("sign_up"),
            has: text("sign_up_1"),
        },
        Contradiction::Column {
            column: text("plan"),
            is: text("plan (string)"),
            has: text("Plan (number)"),
        },
        Contradiction::Property {
            what: text("plan (string)"),
            column: text("plan"),
            has: text("plan_1"),
        },
        Contradiction::Format { is: "parquet", has: "json" },
    ]
}

fn name(contradiction: &Contradiction) -> &'static str {
    match contradiction {
        Contradiction::EventName { .. } => "EventName",
        Contradiction::Event { .. } => "Event",
        Contradiction::Column { .. } => "Column",
        Contradiction::Property { .. } => "Property",
        Contradiction::Format { .. } => "Format",
    }
}

fn document_error(document: &str) -> String {
    let project = "42".parse::<ProjectId>().unwrap();
    let error = Registry::from_document(document.as_bytes(), &project).unwrap_err();
    let name = match error {
        RegistryError::Malformed(_) => "Malformed",
        RegistryError::Newer(_) => "Newer",
        RegistryError::OtherProject(_) => "OtherProject",
    };
    format!("{name}: {error}\n")
}

#[test]
fn messages() {
    let contradictions =
        contradictions().map(|error| format!("{}: {error}\n", name(&error))).concat();
    let empty = r#"{"format":1,"project_id":"7","events":[],"tables":{}}"#;
    let documents = ["[]", r#"{"format":2,"project_id":"42","events":[],"tables":{}}"#, empty]
        .map(document_error)
        .concat();
    let taken = NameTaken { what: "Plan".to_owned(), wanted: "plan_1".to_owned() };
    insta::assert_snapshot!(format!("{contradictions}\n{documents}\nNameTaken: {taken}\n"));
}
