//! The way back to rows that are missing: files that no manifest lists, and that are exactly what a
//! ledger says of a slice.

use super::facts::{DayFacts, Facts};
use crate::ledger::{self, Day, Entry};
use crate::manifest::LiveFile;
use mixlake_domain::{Generation, SliceLabel};
use std::collections::{BTreeMap, BTreeSet};

/// The files to take back, day by day. A day whose files are the right ones is not there.
pub(super) type Way = BTreeMap<Day, Source>;

/// Files of a slice in a folder of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub generation: Generation,
    /// Their keys start with it.
    pub folder: String,
    pub files: Vec<LiveFile>,
}

/// What a day may have had of a slice: what is live, or what lies in another folder.
struct Choice<'a> {
    source: Option<Source>,
    files: Vec<&'a LiveFile>,
}

/// So many combinations of folders are compared with the ledger.
const MOST: usize = 1_024;

/// The ways back for slices of which rows are missing.
pub(super) fn ways(facts: &Facts) -> BTreeMap<SliceLabel, Way> {
    let missing = facts.accounts.missing();
    missing.filter_map(|it| Some((it.entry.slice, way(facts, it.entry)?))).collect()
}

/// The ledger has the hash of all that the slice holds, so one combination of folders fits, or none.
fn way(facts: &Facts, entry: &Entry) -> Option<Way> {
    let mut days = Vec::new();
    let mut combinations = 1_usize;
    for day in &entry.days {
        let about = facts.tables.get(&day.table)?.days.get(&day.date)?;
        let choices = choices(about, entry.slice);
        combinations = combinations.saturating_mul(choices.len());
        days.push((day, choices));
    }
    if combinations > MOST {
        return None;
    }
    (0..combinations).map(|number| pick(&days, number)).find(|picked| is(entry, picked)).map(
        |picked| {
            let source =
                |(day, choice): (&Day, &Choice<'_>)| Some((day.clone(), choice.source.clone()?));
            picked.into_iter().filter_map(source).collect()
        },
    )
}

/// What is taken for a day.
type Picked<'a> = (&'a Day, &'a Choice<'a>);

/// One choice of each day; each number gives another combination.
fn pick<'a>(days: &'a [(&'a Day, Vec<Choice<'a>>)], mut number: usize) -> Vec<Picked<'a>> {
    let mut picked = Vec::new();
    for (day, choices) in days {
        picked.push((*day, &choices[number % choices.len()]));
        number /= choices.len();
    }
    picked
}

fn is(entry: &Entry, picked: &[Picked<'_>]) -> bool {
    let files = picked.iter().flat_map(|(day, choice)| {
        choice.files.iter().map(|file| (day.table.as_str(), day.date, *file))
    });
    ledger::content(files, entry.counts, entry.quarantine.as_deref()) == entry.content
}

fn choices(day: &DayFacts, slice: SliceLabel) -> Vec<Choice<'_>> {
    let live = day.manifest.iter().flat_map(|manifest| &manifest.files);
    let live: Vec<&LiveFile> = live.filter(|file| file.slice == slice).collect();
    let mut choices: Vec<Choice<'_>> = Vec::new();
    if !live.is_empty() {
        choices.push(Choice { source: None, files: live });
    }
    let mut folders: BTreeMap<(&Generation, &str), Vec<&LiveFile>> = BTreeMap::new();
    for (key, file) in &day.spare {
        let Some(object) = day.objects.get(key).filter(|_| file.slice == slice) else { continue };
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
            let source = Some(Source { generation, folder, files: taken });
            choices.push(Choice { source, files });
        }
    }
    choices
}
