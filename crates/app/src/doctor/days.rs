//! The objects of a day against its manifest, and the manifest against the ledgers.

use super::engines::is_hidden;
use super::facts::{DayFacts, TableFacts};
use super::finding::{Finding, Kind, Remedy, by_hand};
use crate::LiveFile;
use crate::reconcile::same_folder;
use mixlake_domain::Date;

pub(super) fn findings(name: &str, date: Date, table: &TableFacts, findings: &mut Vec<Finding>) {
    let Some(day) = table.days.get(&date) else { return };
    let found =
        |(kind, text, remedy): Found| Finding::problem(kind, name, date.to_string(), text, remedy);
    findings.extend(listed(date, day).map(found));
    if day.busy {
        return;
    }
    findings.extend(strays(date, day).map(found));
    findings.extend(day.missing_slices().map(|slice| {
        let text = format!("{slice} was exported, and readers find none of its rows on this day");
        found((Kind::SliceMissing, text, by_hand(&format!("export {slice} again"))))
    }));
    findings.extend(left_behind(date, table, day).map(|left| found(left).note()));
}

type Found = (Kind, String, Remedy);

/// What the manifest lists, and is not there, or not as it says.
fn listed(date: Date, day: &DayFacts) -> impl Iterator<Item = Found> {
    let files = day.manifest.iter().flat_map(|manifest| &manifest.files);
    files.filter_map(move |file| {
        let key = format!("{}{}", day.folder, file.name);
        let (kind, text) = differs(day, file, &key)?;
        Some((kind, text, Remedy::Strike { date, names: vec![file.name.clone()] }))
    })
}

fn differs(day: &DayFacts, file: &LiveFile, key: &str) -> Option<(Kind, String)> {
    match day.objects.get(key) {
        // Listed before it was written, perhaps; it was looked for last.
        None if day.files.get(key).is_some_and(|f| f.is_there) => None,
        None => {
            Some((Kind::ObjectMissing, format!("the manifest lists {key}, and it is not there")))
        }
        Some(object) if object.size != file.bytes => Some((
            Kind::ObjectDiffers,
            format!("{key} has {} bytes, and {} in the manifest", object.size, file.bytes),
        )),
        Some(_) => None,
    }
}

/// What readers see of the live folder, and no manifest lists.
fn strays(date: Date, day: &DayFacts) -> impl Iterator<Item = Found> {
    let missing: Vec<String> = day.missing_slices().map(ToString::to_string).collect();
    let below = day.objects.keys().chain(&day.others);
    let below = below.filter(move |key| day.is_in_live_folder(key));
    let seen = move |key: &&String| {
        let name = &key[day.folder.len()..];
        !name.ends_with('/') && !name.split('/').any(is_hidden) && !day.files.contains_key(*key)
    };
    below.filter(seen).map(move |key| {
        let text = format!("readers see {key}, and no manifest lists it");
        // It may be all that is left of rows that are missing.
        let remedy = if missing.is_empty() {
            Remedy::LeaveBehind { date, keys: vec![key.clone()] }
        } else {
            let slices = missing.join(", ");
            by_hand(&format!("export {slices} again first: the file may hold those rows"))
        };
        (Kind::Orphan, text, remedy)
    })
}

/// The files of folders that were replaced. While rows are missing, they may be all that is left of
/// them.
fn left_behind(date: Date, table: &TableFacts, day: &DayFacts) -> Option<Found> {
    let is_left = |(key, _): &(&String, _)| !day.is_in_live_folder(key);
    let left: Vec<_> = day.objects.iter().filter(is_left).collect();
    if left.is_empty() || day.manifest.is_none() || day.missing_slices().next().is_some() {
        return None;
    }
    let bytes: u64 = left.iter().map(|(_, object)| object.size).sum();
    let text = format!(
        "{} of folders that were replaced are still there ({bytes} bytes)",
        files(left.len())
    );
    let old = left.into_iter().filter(|(_, object)| object.is_old);
    let keys: Vec<String> = old.map(|(key, _)| key.clone()).collect();
    let remedy = if !readers_are_elsewhere(date, table, day) {
        Remedy::Wait { reason: "delete them when readers are sent to the live folder".to_owned() }
    } else if keys.is_empty() || !day.is_old {
        Remedy::Wait { reason: "delete them when no query can be reading them any more".to_owned() }
    } else {
        Remedy::Delete { keys }
    };
    Some((Kind::LeftBehind, text, remedy))
}

fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

/// Whether the catalog sends readers where the manifest says, and nowhere else.
fn readers_are_elsewhere(date: Date, table: &TableFacts, day: &DayFacts) -> bool {
    let partition = table.partition(date);
    table.state.is_some()
        && match partition {
            Some(partition) => day.is_live() && same_folder(&partition.location, &day.location),
            None => !day.is_live(),
        }
}
