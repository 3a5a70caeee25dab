use super::*;
use mixlake_domain::SliceLabel;

fn label(text: &str) -> SliceLabel {
    text.to_owned().try_into().unwrap()
}

fn file(slice: &str, hash: &str) -> LiveFile {
    LiveFile {
        name: format!("{slice}-000.parquet"),
        origin: label(slice).into(),
        rows: 1,
        bytes: 1,
        hash: hash.to_owned(),
        rows_hash: None,
        columns: vec![],
        identities: None,
        compacted: false,
    }
}

fn day() -> Target {
    Target::day("t".parse().unwrap(), "2026-11-10".parse().unwrap())
}

fn decide(current: Option<&Manifest>, slice: &str, ours: &[LiveFile], fence: bool) -> Plan {
    plan(current, &day(), &Change::put(&label(slice).into(), ours, fence))
}

fn published(plan: Plan) -> Manifest {
    match plan {
        Plan::Append(manifest) | Plan::Replace { manifest, .. } => manifest,
        Plan::Unchanged => panic!("a change was expected"),
    }
}

fn first_hour() -> Manifest {
    published(decide(None, "2026-11-10T01", &[file("2026-11-10T01", "a")], false))
}

#[test]
fn the_first_export_of_an_hour_appends_to_the_generation() {
    let before = first_hour();
    let ours = [file("2026-11-10T02", "b")];
    let Plan::Append(after) = decide(Some(&before), "2026-11-10T02", &ours, false) else {
        panic!("not appended");
    };
    assert_eq!(after.generation, before.generation);
    assert_eq!(after.files.len(), 2);
}

#[test]
fn the_same_content_again_changes_nothing() {
    let before = first_hour();
    let plan = decide(Some(&before), "2026-11-10T01", &before.files, false);
    assert_eq!(plan, Plan::Unchanged);
}

/// A file with the same rows as another one, by its hash, and other bytes.
fn with_rows(slice: &str, bytes: &str, rows: u128) -> LiveFile {
    LiveFile { rows_hash: format!("{rows:032x}").parse().ok(), ..file(slice, bytes) }
}

#[test]
fn equal_rows_in_other_bytes_change_nothing() {
    let (slice, other) = ("2026-11-10T01", "2026-11-10T02");
    let live = published(decide(None, slice, &[with_rows(slice, "a", 1)], false));
    assert_eq!(decide(Some(&live), slice, &[with_rows(slice, "b", 1)], false), Plan::Unchanged);
    assert_ne!(decide(Some(&live), slice, &[with_rows(slice, "b", 2)], false), Plan::Unchanged);
    let rows = [with_rows(other, "b", 1)];
    assert_ne!(decide(Some(&live), other, &rows, false), Plan::Unchanged, "another slice");
    let silent = published(decide(None, slice, &[file(slice, "a")], false));
    assert_ne!(decide(Some(&silent), slice, &rows, false), Plan::Unchanged, "nothing is said");
    let identities = [LiveFile { identities: Some("i".to_owned()), ..with_rows(slice, "a", 1) }];
    assert_ne!(decide(Some(&live), slice, &identities, false), Plan::Unchanged);
}

#[test]
fn rows_may_be_cut_into_other_files() {
    let slice = "2026-11-10T01";
    let part = |part: usize, rows: u128| LiveFile {
        name: format!("{slice}-{part:03}.parquet"),
        ..with_rows(slice, &format!("{part}"), rows)
    };
    let live = published(decide(None, slice, &[part(0, 3), part(1, 4)], false));
    let one = LiveFile { rows: 2, ..with_rows(slice, "a", 7) };
    assert_eq!(decide(Some(&live), slice, &[one], false), Plan::Unchanged);
}

#[test]
fn a_slice_without_rows_on_a_day_without_files_changes_nothing() {
    assert_eq!(decide(None, "2026-11-10", &[], false), Plan::Unchanged);
}

#[test]
fn other_content_for_a_live_slice_is_a_new_generation_with_the_rest_copied() {
    let both = published(decide(
        Some(&first_hour()),
        "2026-11-10T02",
        &[file("2026-11-10T02", "b")],
        false,
    ));
    let ours = [file("2026-11-10T01", "c")];
    let Plan::Replace { manifest, copies } = decide(Some(&both), "2026-11-10T01", &ours, false)
    else {
        panic!("not replaced");
    };
    assert_ne!(manifest.generation, both.generation);
    let kept = Copied {
        target: day(),
        generation: both.generation.clone(),
        name: "2026-11-10T02-000.parquet".to_owned(),
    };
    assert_eq!(copies, [kept]);
    let hashes: Vec<_> = manifest.files.iter().map(|f| f.hash.as_str()).collect();
    assert_eq!(hashes, ["c", "b"]);
}

#[test]
fn a_day_replaces_its_hours() {
    let ours = [file("2026-11-10", "d")];
    let after = published(decide(Some(&first_hour()), "2026-11-10", &ours, false));
    assert_eq!(after.files, ours);
}

#[test]
fn a_generation_with_unknown_files_is_left_behind() {
    let before = first_hour();
    let ours = [file("2026-11-10T02", "b")];
    let after = published(decide(Some(&before), "2026-11-10T02", &ours, true));
    assert_ne!(after.generation, before.generation);
}

#[test]
fn a_slice_that_lost_its_rows_leaves_what_a_crashed_run_put_there_behind() {
    let before = first_hour();
    let after = published(decide(Some(&before), "2026-11-10T02", &[], true));
    assert_eq!(after.files, before.files);
    assert_ne!(after.generation, before.generation);
}

#[test]
fn a_day_is_fenced_off_from_other_runs_even_where_nothing_changes() {
    let before = first_hour();
    let after = published(decide(Some(&before), "2026-11-10T01", &before.files, true));
    assert_ne!(after.generation, before.generation);
    assert!(published(decide(None, "2026-11-10T01", &[], true)).files.is_empty());
}

#[test]
fn a_generation_that_was_left_never_comes_back() {
    let a = first_hour();
    let b = published(decide(Some(&a), "2026-11-10T01", &[file("2026-11-10T01", "b")], false));
    let back = published(decide(Some(&b), "2026-11-10T01", &a.files, false));
    assert_eq!(back.files, a.files);
    assert_ne!(back.generation, a.generation);
}

#[test]
fn a_folder_of_which_files_were_deleted_is_not_met_again() {
    let live = first_hour();
    let swept = live.swept(&["left behind".to_owned()]);
    let ours = [file("2026-11-10T01", "b")];
    let folder = |of: &Manifest| published(decide(Some(of), "2026-11-10T01", &ours, false));
    assert_eq!(live.files, swept.files);
    assert_ne!(folder(&live).generation, folder(&swept).generation);
    let again = swept.swept(&["left behind".to_owned()]);
    assert_ne!(folder(&swept).generation, folder(&again).generation);
    let appended = decide(Some(&swept), "2026-11-10T02", &[file("2026-11-10T02", "c")], false);
    assert_eq!(published(appended).swept, swept.swept, "the folder is the same");
}

#[test]
fn a_day_without_a_file_is_a_new_folder() {
    let live = first_hour();
    let without =
        |names: &BTreeSet<String>| published(plan(Some(&live), &day(), &Change::remove(names)));
    let after = without(&BTreeSet::from([live.files[0].name.clone()]));
    assert!(after.files.is_empty());
    assert_ne!(after.generation, live.generation);
    assert_ne!(without(&BTreeSet::new()).generation, live.generation);
}

#[test]
fn files_that_are_taken_back_get_a_folder_that_never_was() {
    let first = first_hour();
    let right =
        published(decide(Some(&first), "2026-11-10T01", &[file("2026-11-10T01", "b")], false));
    let back = |folders: &[&Generation]| {
        let origin = label("2026-11-10T01").into();
        let left = (&day(), &right.generation);
        let avoid = folders.iter().copied().cloned().collect();
        let change = Change::copies(Removal::Overlapping(&origin), &right.files, left, avoid);
        published(plan(Some(&first), &day(), &change))
    };
    let known = [&first.generation, &right.generation];
    let once = back(&known);
    assert_eq!(once.files, right.files);
    assert!(!known.contains(&&once.generation));
    let again = back(&[&first.generation, &right.generation, &once.generation]);
    assert!(![known[0], known[1], &once.generation].contains(&&again.generation));
}

#[test]
fn a_snapshot_replaces_the_whole_table() {
    let table = Target::whole("mp_people_data".parse().unwrap());
    let snapshot = |name: &str| LiveFile {
        origin: Origin::Snapshot(name.to_owned()),
        name: format!("{name}-000.parquet"),
        ..file("2026-11-10", name)
    };
    let put = |current: Option<&Manifest>, name: &str| {
        let files = [snapshot(name)];
        plan(current, &table, &Change::put(&files[0].origin, &files, false))
    };
    let first = published(put(None, "a"));
    assert_eq!(put(Some(&first), "a"), Plan::Unchanged);
    let Plan::Replace { manifest, copies } = put(Some(&first), "b") else {
        panic!("not replaced");
    };
    assert_eq!((manifest.files, copies), (vec![snapshot("b")], vec![]));
    assert_ne!(manifest.generation, first.generation);
}
