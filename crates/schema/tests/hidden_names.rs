//! Event names of earlier versions that query engines do not see, and the names that replace them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_domain::Date;
use mixlake_schema::{Profile, Registry};

fn day() -> Date {
    "2026-11-10".parse().unwrap()
}

/// A registry as an earlier version made it, with a table of its own for each event.
fn with_hidden_names() -> Registry {
    let column = r#"{"column":"x","property":"x","type":"number"}"#;
    let document = format!(
        r#"{{"format":1,"project_id":"42",
            "events":[{{"event":"(not set)","name":"_not_set_"}},{{"event":"e not set ","name":"e_not_set_"}}],
            "tables":{{"_not_set_":{{"columns":[{column}]}}}}}}"#
    );
    Registry::from_document(document.as_bytes(), &"42".parse().unwrap()).unwrap()
}

#[test]
fn a_name_that_was_given_stays_also_if_it_is_hidden() {
    let mut registry = with_hidden_names();
    let event = registry.event("(not set)", Profile::Portable, day());
    assert_eq!(registry.events()[event].name, "_not_set_");
}

#[test]
fn an_event_with_a_hidden_name_gets_a_visible_one_and_the_old_one_is_kept() {
    let mut registry = with_hidden_names();
    assert!(registry.unhide(0, Profile::Portable));
    assert!(!registry.unhide(0, Profile::Portable) && !registry.unhide(1, Profile::Portable));
    let event = registry.events()[0].clone();
    assert_eq!(
        (event.name.as_str(), event.renamed_from.as_deref()),
        ("e_not_set__1", Some("_not_set_"))
    );
    assert_eq!(registry.tables()["e_not_set__1"], registry.tables()["_not_set_"]);
    let project = "42".parse().unwrap();
    let document = registry.to_document(&project);
    let read = Registry::from_document(&document, &project).unwrap();
    assert_eq!(read, registry);
    assert_eq!(read.to_document(&project), document);
    let mut read = read;
    let again = read.event("(not set)", Profile::Portable, day());
    assert_eq!(read.events()[again], event);
}

#[test]
fn a_new_name_is_rebased_and_what_was_made_with_the_old_one_is_refused() {
    let base = with_hidden_names();
    let (mut renamed, mut theirs) = (base.clone(), base.clone());
    renamed.unhide(0, Profile::Portable);
    theirs.event("other", Profile::Portable, day());
    let both = renamed.rebase(theirs, Profile::Portable).unwrap();
    assert_eq!(both.events()[0], renamed.events()[0]);
    assert_eq!(both.events()[2].name, "other");
    assert_eq!(both.tables(), renamed.tables());
    let mut ours = base.clone();
    ours.event("another", Profile::Portable, day());
    assert!(ours.rebase(renamed, Profile::Portable).is_err());
    let mut taken = base;
    taken.event("(Not Set)", Profile::Portable, day());
    assert_eq!(taken.events()[2].name, "e_not_set__1");
}
