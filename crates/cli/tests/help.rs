//! The help of the program and of each command, as a person reads it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

/// Clap folds nothing here: the width of the terminal is not known.
fn help(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_mixlake")).args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says of wrong arguments.
fn refusal(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mixlake"))
        .args(arguments)
        .env_remove("MIXPANEL_SERVICE_ACCOUNT")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    format!("$ mixlake {}\n{}\n", arguments.join(" "), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn of_the_program() {
    insta::assert_snapshot!(help(&[]));
}

#[test]
fn of_export() {
    insta::assert_snapshot!(help(&["export"]));
}

#[test]
fn of_backfill() {
    insta::assert_snapshot!(help(&["backfill"]));
}

#[test]
fn of_create() {
    insta::assert_snapshot!(help(&["create"]));
}

#[test]
fn of_verbs_on_a_stack() {
    let texts = ["pause", "resume", "cancel"].map(|verb| help(&[verb]));
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn of_wrong_backfills() {
    let dates = ["backfill", "--from-date", "2009-12-31", "--to-date", "2009-01-01"];
    let project = ["--set", "project_id=1"];
    let local = ["--local", "--lake", "/nowhere/lake"];
    let texts = [
        refusal(&dates),
        refusal(&[&dates[..], &["--local"]].concat()),
        refusal(&[&dates[..], &["--stack", "a"], &local].concat()),
        refusal(&[&dates[..], &["--stack", "a"], &project].concat()),
        refusal(&[&dates[..], &local, &project, &["--set", "timezone=Mars"]].concat()),
        refusal(&["create", "--set", "project_id=x"]),
    ];
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn of_catalog() {
    insta::assert_snapshot!(help(&["catalog"]));
}

#[test]
fn of_doctor() {
    insta::assert_snapshot!(help(&["doctor"]));
}

#[test]
fn of_erase() {
    insta::assert_snapshot!(help(&["erase"]));
}

#[test]
fn of_sql() {
    insta::assert_snapshot!(help(&["sql"]));
}

#[test]
fn of_settings() {
    insta::assert_snapshot!(help(&["settings"]));
}

#[test]
fn of_wrong_arguments() {
    let dates = ["export", "--from-date", "2026-11-10", "--to-date"];
    let lake = ["--lake", "gs://b/p", "--set", "project_id=1"];
    let from_files = ["--input", "-", "-", "no-such-file", "--lake", "Cargo.toml"];
    let of_mixpanel = ["--set", "where=a", "--set", "late_data=ingestion_cursor"];
    let of_pipeline = ["--set", "event_source=raw_pipeline", "--set", "s3_region=eu-central-1"];
    let twice = ["--set", "s3_bucket=b", "--set", "s3_prefix=p"];
    let texts = [
        refusal(&[&dates[..], &["2026-11-10"], &lake].concat()),
        refusal(&["catalog", "--lake", "/nowhere/lake"]),
        refusal(&[&dates[..], &["soon", "--lake", "/nowhere/lake"]].concat()),
        refusal(&[&dates[..], &["2026-11-10"], &from_files, &of_mixpanel].concat()),
        refusal(&[&dates[..], &["2026-11-10"], &from_files[..3], &lake, &of_pipeline].concat()),
        refusal(&[&["catalog", "--lake", "s3:///p"], &twice[..]].concat()),
        refusal(&[&dates[..], &["2026-11-10", "--hour", "24"], &from_files[..2], &lake].concat()),
    ];
    insta::assert_snapshot!(texts.concat());
}
