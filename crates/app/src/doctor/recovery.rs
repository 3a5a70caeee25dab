//! Recovers missing rows: finds files that no manifest lists and that are exactly what a ledger counts
//! for a slice.

use super::facts::{Facts, LostFiles, Recovery, TargetFacts};
use crate::ledger::{self, Entry};
use crate::manifest::LiveFile;
use mixlake_domain::{Generation, SliceLabel, Target};
use std::collections::{BTreeMap, BTreeSet};

/// The possible files of a slice in a target: the live ones, or the ones in another folder.
struct Choice<'a> {
    source: Option<LostFiles>,
    files: Vec<&'a LiveFile>,
}

/// The largest number of combinations of folders that are compared with the ledger.
const MOST: usize = 1_024;

/// The recoveries of slices with missing rows.
pub(super) fn recoveries(facts: &Facts) -> BTreeMap<SliceLabel, Recovery> {
    // A slice whose rows are in one file with others cannot come back alone.
    let missing = facts.accounts.missing().filter(|missing| missing.balance.is_of_one());
    missing.filter_map(|it| Some((it.entry.slice, recovery(facts, it.entry)?))).collect()
}

/// The ledger has the hash of the slice's whole content, so one combination of folders matches, or none.
fn recovery(facts: &Facts, entry: &Entry) -> Option<Recovery> {
    let mut targets = Vec::new();
    let mut combinations = 1_usize;
    for target in &entry.targets {
        let choices = choices(facts.target(target)?, entry.slice);
        combinations = combinations.saturating_mul(choices.len());
        targets.push((target, choices));
    }
    if combinations > MOST {
        return None;
    }
    (0..combinations).map(|number| pick(&targets, number)).find(|picked| is(entry, picked)).map(
        |picked| {
            let source = |(target, choice): (&Target, &Choice<'_>)| {
                Some((target.clone(), choice.source.clone()?))
            };
            picked.into_iter().filter_map(source).collect()
        },
    )
}

/// The choice for a target.
type Picked<'a> = (&'a Target, &'a Choice<'a>);

/// One choice for each target. Each number gives another combination.
fn pick<'a>(targets: &'a [(&'a Target, Vec<Choice<'a>>)], mut number: usize) -> Vec<Picked<'a>> {
    let mut picked = Vec::new();
    for (target, choices) in targets {
        picked.push((*target, &choices[number % choices.len()]));
        number /= choices.len();
    }
    picked
}

fn is(entry: &Entry, picked: &[Picked<'_>]) -> bool {
    let files =
        picked.iter().flat_map(|(target, choice)| choice.files.iter().map(|file| (*target, *file)));
    ledger::are_files_of(entry, files)
}

fn choices(day: &TargetFacts, slice: SliceLabel) -> Vec<Choice<'_>> {
    let live = day.manifest.iter().flat_map(|manifest| &manifest.files);
    let live: Vec<&LiveFile> = live.filter(|file| file.origin == slice.into()).collect();
    let mut choices: Vec<Choice<'_>> = Vec::new();
    if !live.is_empty() {
        choices.push(Choice { source: None, files: live });
    }
    let mut folders: BTreeMap<(&Generation, &str), Vec<&LiveFile>> = BTreeMap::new();
    for (key, file) in &day.spare {
        let Some(object) = day.objects.get(key).filter(|_| file.origin == slice.into()) else {
            continue;
        };
        let folder = &key[..key.len() - file.name.len()];
        folders.entry((&object.generation, folder)).or_default().push(file);
    }
    let mut known: BTreeSet<Vec<(&str, &str)>> = BTreeSet::new();
    for ((generation, folder), mut files) in folders {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        // Copies of one another are one choice.
        if known.insert(files.iter().map(|f| (f.name.as_str(), f.hash.as_str())).collect()) {
            let (generation, folder) = (generation.clone(), folder.to_owned());
            let taken = files.iter().copied().cloned().collect();
            let source = Some(LostFiles { generation, folder, files: taken });
            choices.push(Choice { source, files });
        }
    }
    choices
}
