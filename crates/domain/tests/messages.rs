//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.

use mixlake_domain::{Layout, ProjectId, RunId, Slice, SliceError, Zone};

#[test]
fn messages() {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    let project = "42".parse::<ProjectId>().unwrap();
    let slices = ["10.11.2026", "2026-03-29T02", "2026-03-29T03b"].map(|text| {
        let error = Slice::parse(text, &zone).unwrap_err();
        let name = match error {
            SliceError::Malformed(_) => "SliceError::Malformed",
            SliceError::Skipped(..) => "SliceError::Skipped",
            SliceError::NotRepeated(..) => "SliceError::NotRepeated",
        };
        format!("{name}: {error}\n")
    });
    let project_id = "_x".parse::<ProjectId>().unwrap_err();
    let zone = Zone::parse("Mars/Olympus").unwrap_err();
    let layout = Layout::new("raw//x", &project).unwrap_err();
    let run = RunId::of_hash("xyz").unwrap_err();
    let others = format!(
        "ProjectIdError: {project_id}\nZoneError: {zone}\nLayoutError: {layout}\nRunIdError: {run}\n"
    );
    insta::assert_snapshot!(slices.concat() + &others);
}
