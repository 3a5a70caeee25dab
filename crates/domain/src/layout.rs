//! The keys of all objects below the bucket, and how to parse a key.
//!
//! ```text
//! [<prefix>/]<project_id>/<table>/<YYYY>/<MM>/<DD>/_manifest.json
//! [<prefix>/]<project_id>/<table>/<YYYY>/<MM>/<DD>/<generation>/<slice>-<part>.{parquet,json.gz}
//! [<prefix>/]<project_id>/<table without partitions>/_manifest.json
//! [<prefix>/]<project_id>/<table without partitions>/<generation>/<file>.{parquet,json.gz}
//! [<prefix>/]<project_id>/schema/{events,people,identities,runs}.json
//! [<prefix>/]<project_id>/_slices/<YYYY>/<MM>/<DD>.json
//! [<prefix>/]<project_id>/_budget/queries.json
//! [<prefix>/]<project_id>/_sync/days.json
//! [<prefix>/]<project_id>/_staging/<slice>-<hash>
//! [<prefix>/]<project_id>/_staging/<slice>-<hash>.jsonl
//! [<prefix>/]<project_id>/_staging/<slice>-<hash>.json
//! [<prefix>/]<project_id>/_identities/<table>/<YYYY>/<MM>/<DD>/<hash>
//! [<prefix>/]<project_id>/_identity_facts/<table>/<YYYY>/<MM>/<DD>/<hash>.jsonl.gz
//! [<prefix>/]<project_id>/_suppression/people.json
//! [<prefix>/]<project_id>/_erasures/<hash>.json
//! [<prefix>/]<project_id>/_quarantine/<YYYY>/<MM>/<DD>/<slice>-<hash>.jsonl.gz
//! [<prefix>/]<project_id>/_reports/<YYYY>/<MM>/<DD>/<hash>.json
//! [<prefix>/]<project_id>/mp_export_runs/<YYYY>/<MM>/<DD>/<generation>/run-<run>-000.parquet
//! ```
//!
//! Athena, Spectrum and crawlers skip names that start with `_`.

use crate::format::DataFormat;
use crate::project::ProjectId;
use crate::run::RunId;
use crate::slice::SliceLabel;
use crate::table::{Dataset, TableName, Target};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of a folder that holds one version of a day of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(String);

impl Generation {
    /// Names a generation with sixteen hexadecimal digits of a hash.
    #[must_use]
    pub fn from_hash(hash: u64) -> Self {
        Self(format!("g{hash:016x}"))
    }

    /// The folder name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('g')?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (digits.len() == 16 && digits.bytes().all(hex)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The location of one project's lake in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Everything up to and with the project's folder, ending in `/`.
    root: String,
}

/// The prefix cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "a prefix is made of folders without empty, `.` or `..` parts, such as mixpanel/raw; got {0:?}"
)]
pub struct LayoutError(String);

impl Layout {
    /// Slashes at either end of the prefix are ignored.
    pub fn new(prefix: &str, project: &ProjectId) -> Result<Self, LayoutError> {
        let prefix = prefix.trim_matches('/');
        if prefix.is_empty() {
            return Ok(Self { root: format!("{project}/") });
        }
        if prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(LayoutError(prefix.to_owned()));
        }
        Ok(Self { root: format!("{prefix}/{project}/") })
    }

    /// The project's folder, ending in `/`.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The names and types of a dataset.
    #[must_use]
    pub fn registry(&self, dataset: Dataset) -> String {
        format!("{}schema/{}", self.root, dataset.registry())
    }

    /// The ledger of the slices of a date.
    #[must_use]
    pub fn ledger(&self, date: Date) -> String {
        format!("{}_slices/{}.json", self.root, slashed(date))
    }

    /// The prefix of the keys of all ledgers.
    #[must_use]
    pub fn ledgers(&self) -> String {
        format!("{}_slices/", self.root)
    }

    /// The date of a ledger, if the key is that of a ledger.
    #[must_use]
    pub fn date_of_ledger(&self, key: &str) -> Option<Date> {
        let day = key.strip_prefix(&self.ledgers())?.strip_suffix(".json")?;
        let date: Date = day.replace('/', "-").parse().ok()?;
        (self.ledger(date) == key).then_some(date)
    }

    /// The folder of a table, ending in `/`.
    #[must_use]
    pub fn table(&self, table: &TableName) -> String {
        format!("{}{table}/", self.root)
    }

    /// The folder of a target, ending in `/`: its manifest and all of its generations are below.
    #[must_use]
    pub fn target(&self, target: &Target) -> String {
        let day = target.date.map(|date| slashed(date) + "/").unwrap_or_default();
        format!("{}{}/{day}", self.root, target.table)
    }

    /// The manifest of a target.
    #[must_use]
    pub fn manifest(&self, target: &Target) -> String {
        self.target(target) + MANIFEST
    }

    /// The folder of a generation, ending in `/`: the location of the partition, or of a table without
    /// partitions.
    #[must_use]
    pub fn generation(&self, target: &Target, generation: &Generation) -> String {
        format!("{}{generation}/", self.target(target))
    }

    /// The name of a data file within its generation.
    #[must_use]
    pub fn file_name(slice: &SliceLabel, part: usize, format: DataFormat) -> String {
        format!("{slice}-{part:03}.{}", format.extension())
    }

    /// The slice of a data file, from its name; none for a name that no export writes.
    #[must_use]
    pub fn slice_of(name: &str) -> Option<SliceLabel> {
        DataFormat::of_file(name)?;
        let (label, part) = name.split_once('.')?.0.rsplit_once('-')?;
        let is_part = part.len() >= 3 && part.bytes().all(|b| b.is_ascii_digit());
        SliceLabel::try_from(label.to_owned()).ok().filter(|_| is_part)
    }

    /// The name of the data file with what a run recorded.
    #[must_use]
    pub fn run_file(run: &RunId) -> String {
        format!("{RUN}{run}{RUN_PART}")
    }

    /// The run of a data file, from its name; none for a name that no run writes.
    #[must_use]
    pub fn run_of(name: &str) -> Option<RunId> {
        let run = name.strip_prefix(RUN)?.strip_suffix(RUN_PART)?;
        RunId::try_from(run.to_owned()).ok()
    }

    /// The name of a data file of a table that is replaced as a whole.
    #[must_use]
    pub fn snapshot_file(part: usize, format: DataFormat) -> String {
        format!("snapshot-{part:03}.{}", format.extension())
    }

    /// The whole report of a run that ended on this date; named by its content.
    #[must_use]
    pub fn report(&self, date: Date, hash: &str) -> String {
        format!("{}_reports/{}/{hash}.json", self.root, slashed(date))
    }

    /// The bad lines of a slice; the name contains their hash.
    #[must_use]
    pub fn quarantine(&self, slice: &SliceLabel, hash: &str) -> String {
        let day = slashed(slice.date());
        format!("{}_quarantine/{day}/{slice}-{hash}.jsonl.gz", self.root)
    }

    /// The prefix of the keys of all bad lines.
    #[must_use]
    pub fn quarantines(&self) -> String {
        format!("{}_quarantine/", self.root)
    }

    /// The slice of an object with bad lines, if the key is that of one.
    #[must_use]
    pub fn slice_of_quarantine(&self, key: &str) -> Option<SliceLabel> {
        let name = key.strip_prefix(&self.quarantines())?.rsplit('/').next()?;
        let (label, hash) = name.strip_suffix(".jsonl.gz")?.rsplit_once('-')?;
        let slice = SliceLabel::try_from(label.to_owned()).ok()?;
        (self.quarantine(&slice, hash) == key).then_some(slice)
    }

    /// The bad lines of the profiles of a table; the name contains their hash.
    #[must_use]
    pub fn quarantined_profiles(&self, table: &TableName, hash: &str) -> String {
        format!("{}profiles/{table}/{hash}.jsonl.gz", self.quarantines())
    }

    /// The table of an object with bad lines of profiles, if the key is that of one.
    #[must_use]
    pub fn table_of_quarantine(&self, key: &str) -> Option<TableName> {
        let name = key.strip_prefix(&self.quarantines())?.strip_prefix("profiles/")?;
        let (table, hash) = name.strip_suffix(".jsonl.gz")?.split_once('/')?;
        let table = TableName::from_str(table).ok()?;
        (self.quarantined_profiles(&table, hash) == key).then_some(table)
    }

    /// The people whose events are not written.
    #[must_use]
    pub fn suppression(&self) -> String {
        format!("{}_suppression/people.json", self.root)
    }

    /// The receipt of an erasure; the name is a hash of the people.
    #[must_use]
    pub fn erasure(&self, hash: &str) -> String {
        format!("{}{hash}.json", self.erasures())
    }

    /// The prefix of the keys of all receipts.
    #[must_use]
    pub fn erasures(&self) -> String {
        format!("{}_erasures/", self.root)
    }

    /// The identities of the rows of a data file; the name is their hash.
    #[must_use]
    pub fn identities(&self, target: &Target, hash: &str) -> String {
        let day = target.date.map(|date| slashed(date) + "/").unwrap_or_default();
        format!("{}_identities/{}/{day}{hash}", self.root, target.table)
    }

    /// What the rows of a target say about who is who; the name is a hash of these rows.
    #[must_use]
    pub fn identity_facts(&self, target: &Target, hash: &str) -> String {
        let day = target.date.map(|date| slashed(date) + "/").unwrap_or_default();
        format!("{}{}/{day}{hash}.jsonl.gz", self.all_identity_facts(), target.table)
    }

    /// The prefix of the keys of what all rows say about who is who.
    #[must_use]
    pub fn all_identity_facts(&self) -> String {
        format!("{}_identity_facts/", self.root)
    }

    /// The target and the hash of such an object, if the key is that of one.
    #[must_use]
    pub fn of_identity_facts(&self, key: &str) -> Option<(Target, String)> {
        let (folder, name) = key.strip_prefix(&self.all_identity_facts())?.rsplit_once('/')?;
        let (table, date) = folder.split_once('/')?;
        let target = Target::day(table.parse().ok()?, date.replace('/', "-").parse().ok()?);
        let hash = name.strip_suffix(".jsonl.gz")?.to_owned();
        (self.identity_facts(&target, &hash) == key).then_some((target, hash))
    }

    /// The prefix of the keys of all staged files and parts.
    #[must_use]
    pub fn staged(&self) -> String {
        format!("{}_staging/", self.root)
    }

    /// A complete file that waits until its slice is complete; named by its content.
    #[must_use]
    pub fn staging(&self, slice: &SliceLabel, hash: &str) -> String {
        format!("{}_staging/{slice}-{hash}", self.root)
    }

    /// An object of an export of a table's profiles that is not complete; named by its content.
    #[must_use]
    pub fn staged_profiles(&self, table: &TableName, hash: &str) -> String {
        format!("{}_staging/{table}-{hash}", self.root)
    }

    /// Which pages of a table's profiles were received; named by the query.
    #[must_use]
    pub fn staged_pages(&self, table: &TableName, hash: &str) -> String {
        format!("{}_staging/{table}-{hash}.json", self.root)
    }

    /// What the exports of profiles do, and when they did.
    #[must_use]
    pub fn profiles(&self) -> String {
        format!("{}_profiles/state.json", self.root)
    }

    /// The start times of the queries of the last hour.
    #[must_use]
    pub fn budget(&self) -> String {
        format!("{}_budget/queries.json", self.root)
    }

    /// The same for queries for profiles, which Mixpanel counts apart.
    #[must_use]
    pub fn profile_budget(&self) -> String {
        format!("{}_budget/profiles.json", self.root)
    }

    /// When each date was last fetched again as a whole.
    #[must_use]
    pub fn sync_times(&self) -> String {
        format!("{}_sync/days.json", self.root)
    }

    /// Lines that wait until their window is complete; named by their content.
    #[must_use]
    pub fn staged_lines(&self, slice: &SliceLabel, hash: &str) -> String {
        format!("{}_staging/{slice}-{hash}.jsonl", self.root)
    }

    /// Which lines a complete window has; named by the query.
    #[must_use]
    pub fn staged_part(&self, slice: &SliceLabel, hash: &str) -> String {
        format!("{}_staging/{slice}-{hash}.json", self.root)
    }

    /// Parses a key from a notification. `None`: the key does not belong to a table of this lake.
    #[must_use]
    pub fn read(&self, key: &str) -> Option<LakeKey> {
        let parts: Vec<&str> = key.strip_prefix(&self.root)?.split('/').collect();
        let (table, date, below) = match *parts.as_slice() {
            [table, y, m, d, ref below @ ..] if !below.is_empty() => {
                (table, Some(date_of([y, m, d])?), below)
            }
            [table, ref below @ ..] => (table, None, below),
            [] => return None,
        };
        let object = match *below {
            [MANIFEST] => LakeObject::Manifest,
            [generation, file] => {
                LakeObject::Data(Generation::parse(generation)?, DataFormat::of_file(file)?)
            }
            _ => return None,
        };
        let table = TableName::from_str(table).ok()?;
        Some(LakeKey { target: Target { table, date }, object })
    }
}

/// What stands before and after a run in the name of its file. A run has one file.
const RUN: &str = "run-";
const RUN_PART: &str = "-000.parquet";

/// The name of a manifest. Engines skip names that begin with `_`.
const MANIFEST: &str = "_manifest.json";

fn date_of(folders: [&str; 3]) -> Option<Date> {
    let date: Date = folders.join("-").parse().ok()?;
    (slashed(date) == folders.join("/")).then_some(date)
}

/// A key of the lake, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeKey {
    /// The day of a table, or the table.
    pub target: Target,
    /// What lies there.
    pub object: LakeObject,
}

/// What a key of a target names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LakeObject {
    /// The list of live files.
    Manifest,
    /// A data file of a generation, live or not.
    Data(Generation, DataFormat),
}

fn slashed(date: Date) -> String {
    format!("{:04}/{:02}/{:02}", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn layout() -> Layout {
        Layout::new("/raw/mixpanel/", &"42".parse().unwrap()).unwrap()
    }

    fn date() -> Date {
        "2026-11-09".parse().unwrap()
    }

    fn day(table: &str) -> Target {
        Target::day(table.parse().unwrap(), date())
    }

    #[test]
    fn every_key_that_is_made_is_read_back() {
        let generation = Generation::from_hash(0xabc);
        let label = SliceLabel::try_from("2026-11-09T03".to_owned()).unwrap();
        let folder = layout().generation(&day("mp_master_event"), &generation);
        let file = folder + &Layout::file_name(&label, 1, DataFormat::Parquet);
        assert_eq!(
            file,
            "raw/mixpanel/42/mp_master_event/2026/11/09/g0000000000000abc/2026-11-09T03-001.parquet"
        );
        let read = layout().read(&file).unwrap();
        assert_eq!(read.target, day("mp_master_event"));
        assert_eq!(read.object, LakeObject::Data(generation, DataFormat::Parquet));

        let manifest = layout().read(&layout().manifest(&day("signup"))).unwrap();
        assert_eq!(manifest.object, LakeObject::Manifest);
    }

    #[test]
    fn a_table_without_partitions_has_its_generations_in_its_folder() {
        let table = Target::whole("mp_people_data".parse().unwrap());
        let generation = Generation::from_hash(1);
        let file = layout().generation(&table, &generation) + "snapshot-000.parquet";
        assert_eq!(file, "raw/mixpanel/42/mp_people_data/g0000000000000001/snapshot-000.parquet");
        let read = layout().read(&file).unwrap();
        assert_eq!(
            (read.target, read.object),
            (table.clone(), LakeObject::Data(generation, DataFormat::Parquet))
        );
        let read = layout().read(&layout().manifest(&table)).unwrap();
        assert_eq!((read.target, read.object), (table, LakeObject::Manifest));
    }

    #[rstest]
    #[case("2026-11-10-000.parquet", Some("2026-11-10"))]
    #[case("2026-11-10T03-012.json.gz", Some("2026-11-10T03"))]
    #[case("i2026-10-25T02b-1000.parquet", Some("i2026-10-25T02b"))]
    #[case("2026-11-10T03_15to30-000.parquet", Some("2026-11-10T03_15to30"))]
    #[case("i2026-10-25T02b_55to60-000.json.gz", Some("i2026-10-25T02b_55to60"))]
    #[case("2026-11-10.parquet", None)]
    #[case("2026-11-10-a00.parquet", None)]
    #[case("part-000.parquet", None)]
    #[case("2026-11-10-000.csv", None)]
    fn the_name_of_a_file_tells_its_slice(#[case] name: &str, #[case] slice: Option<&str>) {
        let read = Layout::slice_of(name).map(|label| label.to_string());
        assert_eq!(read.as_deref(), slice);
    }

    #[test]
    fn the_name_of_a_file_tells_its_run() {
        let run = RunId::of_hash("0123456789abcdef").unwrap();
        let name = Layout::run_file(&run);
        assert_eq!(name, "run-0123456789abcdef-000.parquet");
        assert_eq!(Layout::run_of(&name), Some(run));
        assert_eq!(Layout::slice_of(&name), None, "it is of no slice");
        assert_eq!(Layout::run_of("2026-11-10-000.parquet"), None);
        assert_eq!(DataFormat::of_file(&name), Some(DataFormat::Parquet));
    }

    #[test]
    fn the_key_of_identity_facts_tells_their_target() {
        let key = layout().identity_facts(&day("signup"), "00ff");
        assert_eq!(key, "raw/mixpanel/42/_identity_facts/signup/2026/11/09/00ff.jsonl.gz");
        assert_eq!(layout().of_identity_facts(&key), Some((day("signup"), "00ff".to_owned())));
        for other in [key.replace("/09/", "/9/"), key.clone() + ".bak", key.replace("signup/", "")]
        {
            assert_eq!(layout().of_identity_facts(&other), None, "{other}");
        }
        assert_eq!(layout().read(&key), None, "it is no file of a table");
    }

    #[test]
    fn the_key_of_bad_lines_tells_their_slice() {
        let slice = SliceLabel::try_from("2026-11-09T03".to_owned()).unwrap();
        let key = layout().quarantine(&slice, "00ff");
        assert_eq!(layout().slice_of_quarantine(&key), Some(slice));
        for other in [key.replace("/09/", "/08/"), key + ".bak"] {
            assert_eq!(layout().slice_of_quarantine(&other), None, "{other}");
        }
    }

    #[test]
    fn the_key_of_bad_profiles_tells_their_table() {
        let people: TableName = "mp_people_data".parse().unwrap();
        let key = layout().quarantined_profiles(&people, "00ff");
        assert_eq!(layout().table_of_quarantine(&key), Some(people));
        assert_eq!(layout().slice_of_quarantine(&key), None);
        assert_eq!(layout().table_of_quarantine(&(key + ".bak")), None);
    }

    #[test]
    fn the_key_of_a_ledger_tells_its_date() {
        let key = layout().ledger(date());
        assert_eq!(layout().date_of_ledger(&key), Some(date()));
        for other in [key.replace("/09.json", "/9.json"), key.clone() + ".bak", "x".to_owned()] {
            assert_eq!(layout().date_of_ledger(&other), None, "{other}");
        }
    }

    #[rstest]
    #[case::other_project("raw/mixpanel/43/t/2026/11/09/_manifest.json")]
    #[case::registry("raw/mixpanel/42/schema/events.json")]
    #[case::ledger("raw/mixpanel/42/_slices/2026/11/09.json")]
    #[case::no_generation("raw/mixpanel/42/t/2026/11/09/a.parquet")]
    #[case::foreign_folder("raw/mixpanel/42/t/2026/11/09/backup/a.parquet")]
    #[case::no_format("raw/mixpanel/42/t/2026/11/09/g0000000000000abc/a.json")]
    #[case::no_date("raw/mixpanel/42/t/2026/13/09/_manifest.json")]
    #[case::short_date("raw/mixpanel/42/t/2026/1/9/_manifest.json")]
    fn a_foreign_key_is_none_of_ours(#[case] key: &str) {
        assert_eq!(layout().read(key), None);
    }

    #[rstest]
    #[case("a//b")]
    #[case("../up")]
    fn a_prefix_that_climbs_or_has_holes_is_refused(#[case] prefix: &str) {
        assert!(Layout::new(prefix, &"42".parse().unwrap()).is_err());
    }
}
