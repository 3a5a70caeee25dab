//! The manifest of a day of a table: which files are live, and in which generation.

use crate::document::{self, DocumentError, Read};
use crate::hash;
use crate::ports::ObjectStore;
use mixlake_domain::{Date, Generation, Layout, SliceLabel};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a reader of the day should see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this document.
    pub format: Format,
    /// The table.
    pub table: String,
    /// The value of the partition.
    pub date: Date,
    /// The folder that holds the live files.
    pub generation: Generation,
    /// The live files, by slice and part.
    pub files: Vec<LiveFile>,
    /// What was deleted of folders that were left, as a hash. It goes into the name of the next
    /// folder: no run that meets again in a folder of before finds files there that are about to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept: Option<String>,
}

impl Manifest {
    /// Reads the manifest of a day. One that is of another table or day is refused.
    pub(crate) async fn read(
        store: &dyn ObjectStore,
        layout: &Layout,
        table: &str,
        date: Date,
    ) -> Result<Read<Self>, DocumentError> {
        let key = layout.manifest(table, date);
        let read = document::read::<Self>(store, &key).await?;
        read.of_its_place(
            || store.location(&key),
            |is| {
                let other = is.table != table || is.date != date;
                other.then(|| format!("it is the manifest of {} on {}", is.table, is.date))
            },
        )
    }

    /// The day without some of its files, in a new folder; none is listed that is not copied there.
    pub(crate) fn without(&self, names: &BTreeSet<String>) -> Self {
        let files = self.files.iter().filter(|file| !names.contains(&file.name)).cloned();
        let files: Vec<LiveFile> = files.collect();
        Self { generation: next(Some(self), &files), files, swept: None, ..self.clone() }
    }

    /// The day with these files of a slice, which lie in the folder `left`, in the place of all that
    /// overlaps it. The new folder is none of `folders`: the one that would follow from the manifest
    /// may well be the one that was left.
    pub(crate) fn with_files_back(
        current: Option<&Self>,
        (table, date): (&str, Date),
        slice: SliceLabel,
        (left, back): (&Generation, &[LiveFile]),
        folders: &BTreeSet<&Generation>,
    ) -> Self {
        let live = current.iter().flat_map(|manifest| &manifest.files);
        let kept = live.filter(|file| !file.slice.overlaps(&slice));
        let mut files: Vec<LiveFile> = kept.chain(back).cloned().collect();
        files.sort_by(|a, b| (a.slice, &a.name).cmp(&(b.slice, &b.name)));
        let mut day = Self {
            format: Format,
            table: table.to_owned(),
            date,
            generation: left.clone(),
            files,
            swept: current.and_then(|manifest| manifest.swept.clone()),
        };
        while folders.contains(&day.generation) || day.generation == *left {
            day.generation = next(Some(&day), &day.files);
        }
        Self { swept: None, ..day }
    }

    /// The day with further files, of slices that it has none of, in a new folder.
    pub(crate) fn beside(
        current: Option<&Self>,
        (table, date): (&str, Date),
        further: &[LiveFile],
    ) -> Self {
        let live = current.iter().flat_map(|manifest| &manifest.files);
        let mut files: Vec<LiveFile> = live.chain(further).cloned().collect();
        files.sort_by(|a, b| (a.slice, &a.name).cmp(&(b.slice, &b.name)));
        let generation = next(current, &files);
        Self { format: Format, table: table.to_owned(), date, generation, files, swept: None }
    }

    /// The same files in a folder that is none of these: in them lie other files of the same names.
    pub(crate) fn outside(mut self, folders: &BTreeSet<Generation>) -> Self {
        while folders.contains(&self.generation) {
            self.generation = next(Some(&self), &self.files);
        }
        self
    }

    /// The same day, after objects of folders that were left are deleted. To be written before they
    /// are: from then on nobody can publish a folder that has one of them.
    pub(crate) fn swept(&self, keys: &[String]) -> Self {
        let before = self.swept.as_deref().unwrap_or_default();
        let parts = [before].into_iter().chain(keys.iter().map(String::as_str));
        Self { swept: Some(hash::of_parts(parts)), ..self.clone() }
    }
}

/// The folder for these files, after what a day has.
fn next(current: Option<&Manifest>, files: &[LiveFile]) -> Generation {
    let before = current.map_or("", |manifest| manifest.generation.as_str());
    let swept = current.and_then(|manifest| manifest.swept.as_deref());
    let content = files.iter().flat_map(|file| [file.name.as_str(), &file.hash]);
    hash::generation([before].into_iter().chain(swept).chain(content))
}

/// A live file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveFile {
    /// Its name within the generation.
    pub name: String,
    /// The slice that it is of.
    pub slice: SliceLabel,
    /// The number of rows.
    pub rows: u64,
    /// The size.
    pub bytes: u64,
    /// The hash of its bytes.
    pub hash: String,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// The hash of the identities of its rows, where other slices may have the same ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<String>,
}

/// The only form of our documents so far; another number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Format;

impl From<Format> for u32 {
    fn from(_: Format) -> Self {
        1
    }
}

impl TryFrom<u32> for Format {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number == 1 { Ok(Self) } else { Err(format!("format {number}; this version reads 1")) }
    }
}

/// What has to happen so that a day holds exactly these files of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DayPlan {
    /// Nothing: it does.
    Unchanged,
    /// Put the slice's files beside the live ones.
    Append(Manifest),
    /// Write a whole new generation: the slice's files, and copies of `copies` from `from`.
    Replace { manifest: Manifest, from: Option<Generation>, copies: Vec<String> },
}

/// Decides what publishing a slice does to a day. `dirty` says that another run of the slice, or of
/// one that overlaps it, may still be at work: it may have put, or be about to put, files into the
/// live generation, and to swap the manifest that it has read. A new generation leaves those files
/// behind, and a new manifest makes that swap fail, so even an equal one is written.
pub(crate) fn plan(
    current: Option<&Manifest>,
    (table, date): (&str, Date),
    slice: SliceLabel,
    ours: &[LiveFile],
    dirty: bool,
) -> DayPlan {
    let live = current.map_or(&[][..], |manifest| &manifest.files);
    let (replaced, kept): (Vec<LiveFile>, Vec<LiveFile>) =
        live.iter().cloned().partition(|file| file.slice.overlaps(&slice));
    if replaced == ours && !dirty {
        return DayPlan::Unchanged;
    }
    let copies = kept.iter().map(|file| file.name.clone()).collect();
    let mut files = [kept, ours.to_vec()].concat();
    files.sort_by(|a, b| (a.slice, &a.name).cmp(&(b.slice, &b.name)));
    let manifest = |generation, swept| Manifest {
        format: Format,
        table: table.to_owned(),
        date,
        generation,
        files: files.clone(),
        swept,
    };
    match current {
        Some(current) if replaced.is_empty() && !dirty => {
            DayPlan::Append(manifest(current.generation.clone(), current.swept.clone()))
        }
        _ => {
            let from = current.map(|manifest| manifest.generation.clone());
            let generation = next(current, &files);
            DayPlan::Replace { manifest: manifest(generation, None), from, copies }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> SliceLabel {
        text.to_owned().try_into().unwrap()
    }

    fn file(slice: &str, hash: &str) -> LiveFile {
        LiveFile {
            name: format!("{slice}-000.parquet"),
            slice: label(slice),
            rows: 1,
            bytes: 1,
            hash: hash.to_owned(),
            columns: vec![],
            identities: None,
        }
    }

    fn day() -> (&'static str, Date) {
        ("t", "2026-11-10".parse().unwrap())
    }

    fn decide(current: Option<&Manifest>, slice: &str, ours: &[LiveFile], dirty: bool) -> DayPlan {
        plan(current, day(), label(slice), ours, dirty)
    }

    fn published(plan: DayPlan) -> Manifest {
        match plan {
            DayPlan::Append(manifest) | DayPlan::Replace { manifest, .. } => manifest,
            DayPlan::Unchanged => panic!("a change was expected"),
        }
    }

    fn first_hour() -> Manifest {
        published(decide(None, "2026-11-10T01", &[file("2026-11-10T01", "a")], false))
    }

    #[test]
    fn the_first_export_of_an_hour_appends_to_the_generation() {
        let before = first_hour();
        let ours = [file("2026-11-10T02", "b")];
        let DayPlan::Append(after) = decide(Some(&before), "2026-11-10T02", &ours, false) else {
            panic!("not appended");
        };
        assert_eq!(after.generation, before.generation);
        assert_eq!(after.files.len(), 2);
    }

    #[test]
    fn the_same_content_again_changes_nothing() {
        let before = first_hour();
        let plan = decide(Some(&before), "2026-11-10T01", &before.files, false);
        assert_eq!(plan, DayPlan::Unchanged);
    }

    #[test]
    fn a_slice_without_rows_on_a_day_without_files_changes_nothing() {
        assert_eq!(decide(None, "2026-11-10", &[], false), DayPlan::Unchanged);
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
        let DayPlan::Replace { manifest, from, copies } =
            decide(Some(&both), "2026-11-10T01", &ours, false)
        else {
            panic!("not replaced");
        };
        assert_eq!(from.as_ref(), Some(&both.generation));
        assert_ne!(manifest.generation, both.generation);
        assert_eq!(copies, ["2026-11-10T02-000.parquet"]);
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
        let after = live.without(&BTreeSet::from([live.files[0].name.clone()]));
        assert!(after.files.is_empty());
        assert_ne!(after.generation, live.generation);
        assert_ne!(live.without(&BTreeSet::new()).generation, live.generation);
    }

    #[test]
    fn files_that_are_taken_back_get_a_folder_that_never_was() {
        let first = first_hour();
        let right =
            published(decide(Some(&first), "2026-11-10T01", &[file("2026-11-10T01", "b")], false));
        let back = |folders: &[&Generation]| {
            let left = (&right.generation, &right.files[..]);
            let folders = folders.iter().copied().collect();
            let slice = label("2026-11-10T01");
            Manifest::with_files_back(Some(&first), day(), slice, left, &folders)
        };
        let known = [&first.generation, &right.generation];
        let once = back(&known);
        assert_eq!(once.files, right.files);
        assert!(!known.contains(&&once.generation));
        let again = back(&[&first.generation, &right.generation, &once.generation]);
        assert!(![known[0], known[1], &once.generation].contains(&&again.generation));
    }

    #[test]
    fn a_document_of_a_later_form_is_refused() {
        let json = serde_json::to_string(&first_hour()).unwrap();
        let later = json.replace("\"format\":1", "\"format\":2");
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), first_hour());
        let error = serde_json::from_str::<Manifest>(&later).unwrap_err().to_string();
        assert!(error.contains("format 2"), "{error}");
    }
}
