//! Finds tables that engines ignore because of their names.

use super::engines;
use super::facts::{Facts, TargetFacts};
use super::finding::{Finding, Kind, Remedy};
use mixlake_schema::{EventName, Registry, is_hidden};

/// A table that engines ignore without an error.
pub(super) fn finding(name: &str, facts: &Facts) -> Option<Finding> {
    if !engines::is_hidden(name) {
        return None;
    }
    let registry = facts.registry.as_ref().filter(|_| facts.registry_etag.is_some());
    let Some(event) = registry.and_then(|registry| event_of(registry, name)) else {
        return engines::hidden_table(name);
    };
    let live = facts.tables.get(name)?.targets.values().any(TargetFacts::is_live);
    live.then(|| {
        let event = event.event.clone();
        let text = format!(
            "engines skip the table {name} without an error, because its name marks it as hidden"
        );
        Finding::problem(Kind::HiddenTable, name, event.clone(), text, Remedy::Rename { event })
    })
}

/// The event that has, or had, the table.
fn event_of<'r>(registry: &'r Registry, table: &str) -> Option<&'r EventName> {
    let had = |event: &&EventName| event.renamed_from.as_deref() == Some(table);
    let has = |event: &&EventName| event.name == table && is_hidden(table);
    registry.events().iter().find(|event| had(event) || has(event))
}
