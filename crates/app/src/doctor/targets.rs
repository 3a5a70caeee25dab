//! Compares the objects of a target with its manifest, and the manifest with the ledgers.

use super::accounts::Evidence;
use super::engines::is_hidden;
use super::facts::{Facts, TargetFacts};
use super::finding::{Finding, Kind, Remedy, Verdict, by_hand, list_slices, subject};
use super::replaced_files;
use crate::LiveFile;
use mixlake_domain::{Date, Layout, SliceLabel, Target};

pub(super) fn findings(target: &Target, facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(table) = facts.tables.get(&target.table) else { return };
    let date = target.date;
    let Some(day) = table.targets.get(&date) else { return };
    let found = |(kind, text, remedy): Verdict| {
        Finding::problem(kind, target.table.as_str(), subject(date), text, remedy)
    };
    findings.extend(listed(date, day).map(found));
    if day.busy {
        return;
    }
    let missing = facts.missing_in(target);
    findings.extend(strays(date, day, facts, missing).map(found));
    let for_good = day.missing_slices().filter(|slice| !facts.recoveries.contains_key(slice));
    findings.extend(for_good.map(|slice| {
        let text = format!("{slice} was exported, but readers find none of its rows on this day");
        found((Kind::SliceMissing, text, by_hand(&format!("export {slice} again"))))
    }));
    if missing.is_empty() && day.missing_slices().next().is_none() {
        findings.extend(
            replaced_files::findings(date, table, day, facts).map(|left| found(left).note()),
        );
    }
}

/// Files of the manifest that are missing or differ.
fn listed(date: Option<Date>, day: &TargetFacts) -> impl Iterator<Item = Verdict> {
    let files = day.manifest.iter().flat_map(|manifest| &manifest.files);
    files.filter_map(move |file| {
        let key = format!("{}{}", day.folder, file.name);
        let (kind, text) = differs(day, file, &key)?;
        Some((kind, text, Remedy::Strike { date, names: vec![file.name.clone()] }))
    })
}

fn differs(day: &TargetFacts, file: &LiveFile, key: &str) -> Option<(Kind, String)> {
    match day.objects.get(key) {
        // The listing may be older than the file. The file was read later.
        None if day.files.get(key).is_some_and(|f| f.is_there) => None,
        None => Some((
            Kind::ObjectMissing,
            format!("the manifest lists {key}, but the file is missing"),
        )),
        Some(object) if object.size != file.bytes => Some((
            Kind::ObjectDiffers,
            format!("{key} has {} bytes, but {} in the manifest", object.size, file.bytes),
        )),
        Some(_) => {
            let damage = day.files.get(key)?.content.damage.as_ref()?;
            Some((Kind::ContentDiffers, format!("{key} is damaged: {damage}")))
        }
    }
}

/// Objects in the live folder that no manifest lists and readers see.
fn strays(
    date: Option<Date>,
    day: &TargetFacts,
    facts: &Facts,
    missing: &[SliceLabel],
) -> impl Iterator<Item = Verdict> {
    let below = day.objects.keys().chain(&day.others);
    let below = below.filter(move |key| day.is_in_live_folder(key) && !is_being_recorded(day, key));
    let seen = move |key: &&String| {
        let name = &key[day.folder.len()..];
        !name.ends_with('/') && !name.split('/').any(is_hidden) && !day.files.contains_key(*key)
    };
    below.filter(seen).map(move |key| {
        let text = format!("readers see {key}, but no manifest lists it");
        (Kind::Orphan, text, leave_behind(date, (day, key), facts, missing))
    })
}

/// Whether a run may be about to list its file in the manifest. No ledger says so, unlike for slices.
fn is_being_recorded(day: &TargetFacts, key: &str) -> bool {
    let run = Layout::run_of(key.rsplit('/').next().unwrap_or(key));
    run.is_some() && day.objects.get(key).is_some_and(|object| !object.is_old)
}

/// The object may be the only copy of missing rows, or of rows that no ledger counts.
fn leave_behind(
    date: Option<Date>,
    (day, key): (&TargetFacts, &str),
    facts: &Facts,
    missing: &[SliceLabel],
) -> Remedy {
    if missing.iter().any(|slice| !facts.recoveries.contains_key(slice)) {
        let slices = list_slices(missing);
        return by_hand(&format!("export {slices} again first: the file may hold those rows"));
    }
    if !missing.is_empty() {
        let reason = format!("look at it again when the rows of {} are back", list_slices(missing));
        return Remedy::Wait { reason };
    }
    match day.evidence(key, &facts.accounts) {
        Some((slice, Evidence::Uncounted)) => by_hand(&format!(
            "no ledger lists {slice}, so this may be the only copy of its rows: restore the ledger's last \
             good version, or export {slice} again"
        )),
        Some((_, Evidence::Live | Evidence::Differs { .. } | Evidence::Unknown)) | None => {
            Remedy::LeaveBehind { date, keys: vec![key.to_owned()] }
        }
    }
}
