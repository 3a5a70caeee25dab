//! Completes a registry that is older than its files with the names that they record.

use super::facts::{Completion, Facts, FileFacts};
use super::recorded_names::RecordedNames;
use mixlake_domain::{DataFormat, Date};

/// Adds the recorded names to the registry: oldest file first, in the order of each file.
pub(super) fn completion(facts: &Facts) -> Completion {
    let mut done = Completion::default();
    let Some(before) = facts.registry.as_ref().filter(|_| facts.registry_etag.is_some()) else {
        return done;
    };
    let mut registry = before.clone();
    for (table, of_table) in &facts.tables {
        let days = of_table.targets.iter();
        let files = days.flat_map(|(date, day)| day.files.iter().map(move |(k, f)| (*date, k, f)));
        let mut files: Vec<(Option<Date>, &String, &RecordedNames)> = files
            .filter_map(|(date, key, file): (_, _, &FileFacts)| {
                Some((date, key, file.recorded.as_ref()?))
            })
            .collect();
        files.sort_by_key(|(date, key, said)| (said.slice.date(), *date, *key));
        for (_, key, said) in files {
            let format = DataFormat::of_file(key).unwrap_or_default();
            let seen = said.slice.date();
            for (event, name) in &said.events {
                if let Err(error) = registry.complete_event(event, name, seen) {
                    done.events.insert((table.to_string(), event.clone()), error);
                }
            }
            for (column, property, of_type) in &said.columns {
                let said = (column.as_str(), property.as_str(), *of_type);
                if let Err(error) = registry.complete_column((table.as_str(), format), said, seen) {
                    done.columns.insert((table.to_string(), column.clone()), error);
                }
            }
        }
    }
    done.registry = Some(registry).filter(|registry| registry != before);
    done
}
