//! Which live files of a target are merged. No I/O.

use crate::manifest::LiveFile;
use mixlake_domain::{Basis, DataFormat, Date, Origin, SliceLabel};
use std::collections::{BTreeMap, BTreeSet};

/// The files with slices of one date and basis: a day slice replaces them together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub date: Date,
    pub basis: Basis,
    pub files: Vec<&'a LiveFile>,
}

/// What a group needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Merge,
    /// Nothing.
    Done,
    /// It has files that cannot be merged.
    JsonLines,
}

/// One file with fewer rows is one row group, which is sorted already.
const SMALL: u64 = 65_536;

/// The groups of live files. Files that are not made of slices have none.
pub(super) fn groups(files: &[LiveFile]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(Date, Basis), Vec<&LiveFile>> = BTreeMap::new();
    for file in files {
        let of: BTreeSet<(Date, Basis)> =
            file.origin.slices().iter().map(|slice| (slice.date(), slice.basis())).collect();
        // A file of slices of several dates was not made by this version.
        if let (1, Some(key)) = (of.len(), of.first()) {
            groups.entry(*key).or_default().push(file);
        }
    }
    groups.into_iter().map(|((date, basis), files)| Group { date, basis, files }).collect()
}

impl Group<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        if self
            .files
            .iter()
            .any(|file| DataFormat::of_file(&file.name) != Some(DataFormat::Parquet))
        {
            return Verdict::JsonLines;
        }
        let one_origin = self.files.windows(2).all(|two| two[0].origin == two[1].origin);
        let compacted = one_origin && self.files.iter().all(|file| file.compacted);
        let small = self.files.len() == 1 && self.files[0].rows <= SMALL;
        if compacted || small { Verdict::Done } else { Verdict::Merge }
    }

    /// All slices that have rows in the files.
    pub(super) fn origin(&self) -> Origin {
        let slices: BTreeSet<SliceLabel> =
            self.files.iter().flat_map(|file| file.origin.slices()).copied().collect();
        Origin::Slices(slices.into_iter().collect())
    }

    /// The label of the day, which names the new files.
    pub(super) fn day(&self) -> SliceLabel {
        SliceLabel::day(self.date, self.basis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, slices: &[&str], compacted: bool) -> LiveFile {
        let slices = slices.iter().map(|slice| (*slice).to_owned().try_into().unwrap());
        LiveFile {
            name: name.to_owned(),
            origin: Origin::Slices(slices.collect()),
            rows: SMALL + 1,
            bytes: 1,
            hash: String::new(),
            rows_hash: None,
            columns: Vec::new(),
            identities: None,
            compacted,
        }
    }

    #[test]
    fn files_of_one_date_and_basis_are_merged() {
        let files = [
            file("2026-11-09T23-000.parquet", &["2026-11-09T23"], false),
            file("2026-11-10T01-000.parquet", &["2026-11-10T01"], false),
            file("2026-11-10T02-000.parquet", &["2026-11-10T02"], false),
            file("i2026-11-10T02-000.parquet", &["i2026-11-10T02"], false),
        ];
        let groups = groups(&files);
        let sizes: Vec<usize> = groups.iter().map(|group| group.files.len()).collect();
        assert_eq!(sizes, [1, 2, 1]);
        assert_eq!(groups[1].origin().to_string(), "2026-11-10T01, 2026-11-10T02");
        let days: Vec<String> = groups.iter().map(|group| group.day().to_string()).collect();
        assert_eq!(days, ["2026-11-09", "2026-11-10", "i2026-11-10"]);
    }

    #[test]
    fn what_is_compacted_or_small_stays_and_json_lines_too() {
        let hours = ["2026-11-10T01", "2026-11-10T02"];
        let (one, two) = (file("2026-11-10-000.parquet", &hours, true), "2026-11-10-001.parquet");
        let more = file(two, &hours, true);
        let verdict = |files: &[LiveFile]| groups(files)[0].verdict();
        assert_eq!(verdict(&[one.clone(), more.clone()]), Verdict::Done);
        let late = file("2026-11-10T03-000.parquet", &["2026-11-10T03"], false);
        assert_eq!(verdict(&[one.clone(), more, late]), Verdict::Merge);
        let large = LiveFile { compacted: false, ..one.clone() };
        assert_eq!(verdict(std::slice::from_ref(&large)), Verdict::Merge);
        let small = LiveFile { rows: SMALL, ..large };
        assert_eq!(verdict(&[small]), Verdict::Done);
        let json = LiveFile { name: "2026-11-10T01-000.json.gz".to_owned(), ..one.clone() };
        assert_eq!(verdict(&[one, json]), Verdict::JsonLines);
    }
}
