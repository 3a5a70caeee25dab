//! The table of settings as a page for people and as JSON for programs.

use super::row::{Kind, Row};
use super::setting::{Preset, Scope};
use super::table;
use serde_json::{Value, json};
use std::fmt::Write;

const HEAD: &str = "# Settings

Names are those of Mixpanel's create-pipeline call, and ours beside them. In the functions they are environment
variables of the same names in capitals (`PROJECT_ID`), on the command line `--set project_id=2195193`.
A value that this page does not list is refused, with all other problems, before any work.

The column \"read by\" names the functions that read a setting. The template of a deployment has a parameter for
it, if there is more than one value to choose. The command line takes every setting. A setting that is read by
\"command line\" has no parameter, for the reason that its row gives. `mixlake settings --json` prints this table
for programs.

This page is written by `make docs`; `make test` fails where it is out of date.

| setting | accepts | default | read by | what it does |
|---|---|---|---|---|
";

/// The reference page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in table::rows() {
        let (name, accepts, default, about) = (row.name(), row.kind(), row.default(), row.about());
        let scope = row.scope().name();
        let why = match row.scope() {
            Scope::CommandLine { why } => format!(" A deployment does not set it: {why}."),
            Scope::All
            | Scope::Writers
            | Scope::Askers
            | Scope::Tables
            | Scope::Export
            | Scope::Profiles
            | Scope::Catalog
            | Scope::Maintenance => String::new(),
        };
        writeln!(page, "| `{name}` | {accepts} | {default} | {scope} | {about}{why} |")
            .expect("writing to a string cannot fail");
    }
    page
}

/// The names of all settings, in the order of the page.
#[must_use]
pub fn names() -> Vec<&'static str> {
    table::rows().map(Row::name).collect()
}

/// The table as JSON: an array of rows.
#[must_use]
pub fn document() -> Value {
    table::rows().map(row).collect()
}

fn row(row: &dyn Row) -> Value {
    let mut document = kind(&row.kind());
    document["name"] = json!(row.name());
    document["variable"] = json!(row.variable());
    document["default"] = json!(row.default().value());
    document["required"] = json!(matches!(row.default(), Preset::Required { .. }));
    document["scope"] = json!(row.scope().name());
    document["functions"] = json!(row.scope().functions());
    if let Scope::CommandLine { why } = row.scope() {
        document["why"] = json!(why);
    }
    document["about"] = json!(row.about());
    document
}

/// The type, and what belongs to it.
fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Choice(values) => json!({"type": "choice", "values": values}),
        Kind::Flag => json!({"type": "flag", "values": ["true", "false"]}),
        Kind::Number { unit, least, most } => {
            json!({"type": "number", "unit": unit, "least": least, "most": most})
        }
        Kind::Share => json!({"type": "share", "least": 0, "most": 1}),
        Kind::Date => json!({"type": "date"}),
        Kind::Text { shown, most } => json!({"type": "text", "accepts": shown, "most": most}),
        Kind::List { shown } => json!({"type": "list", "accepts": shown}),
        Kind::Only(value) => json!({"type": "only", "values": [value]}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SETTINGS.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written, page(), "run `make docs`");
    }

    #[test]
    fn the_document_says_of_each_setting_what_it_accepts() {
        let document = document();
        let of = |name: &str| {
            document.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()
        };
        let delay = of("export_delay_minutes");
        assert_eq!((&delay["type"], &delay["default"]), (&json!("number"), &json!("120")));
        assert_eq!((&delay["least"], &delay["most"]), (&json!(0), &json!(1440)));
        assert_eq!(
            (&delay["variable"], &delay["scope"]),
            (&json!("EXPORT_DELAY_MINUTES"), &json!("export"))
        );
        assert_eq!(of("residency")["values"], json!(["us", "eu", "in"]));
        assert_eq!(of("use_glue")["type"], "only");
        assert!(of("s3_region")["why"].as_str().unwrap().contains("notifications"));
    }
}
