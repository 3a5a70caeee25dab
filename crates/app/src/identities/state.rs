//! What the rows of each day say about who is who, as a hidden object for each day: sorted, each fact once.
//! Its name is a hash of the rows, so a day is read again only if its rows changed.

use super::fact::{Fact, Kind, MergeEvent, facts_of};
use super::sorter::{Disk, Sorter};
use super::{IdentitiesError, IdentityMapper};
use crate::commit::Commit;
use crate::fetch::fetch;
use crate::hash;
use crate::manifest::{LiveFile, Manifest};
use crate::people::columns_of;
use crate::ports::Precondition;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use mixlake_columnar::{IdentityRow, RowsHash, Suppression, TableColumns, identity_rows};
use mixlake_domain::{DataFormat, Target};
use mixlake_schema::Registry;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};

/// The form of the objects, and of what they are read from. Part of their names.
pub(super) const FORM: &str = "1";

/// The number of times that a day is begun. Each further time, another run has replaced its files.
const ROUNDS: u32 = 8;

/// The hash of the live rows of a target. It does not depend on how they are divided into files, as far as files
/// have a hash of their rows. None if there are no files.
pub(super) fn rows_of(manifest: &Manifest) -> Option<String> {
    let files = &manifest.files;
    if files.is_empty() {
        return None;
    }
    let sums: Option<Vec<RowsHash>> = files.iter().map(|file| file.rows_hash).collect();
    let count = files.iter().map(|file| file.rows).sum::<u64>().to_string();
    if let Some(sums) = sums {
        let sum: RowsHash = sums.into_iter().sum();
        return Some(hash::of_parts([FORM, &count, &sum.to_string()]));
    }
    let mut hashes: Vec<&str> = files.iter().map(|file| file.hash.as_str()).collect();
    hashes.sort_unstable();
    Some(hash::of_parts([FORM, &count].into_iter().chain(hashes)))
}

/// What is needed to read rows.
pub(super) struct Reading<'a> {
    registry: &'a Registry,
    /// By the names that rows and tables have for them.
    events: BTreeMap<&'a str, MergeEvent>,
    suppression: Option<&'a Suppression>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(registry: &'a Registry, suppression: Option<&'a Suppression>) -> Self {
        let mut events = BTreeMap::new();
        for event in MergeEvent::ALL {
            if let Some(named) = registry.find_event(event.event()) {
                let names = [Some(&named.event), Some(&named.name), named.renamed_from.as_ref()];
                events.extend(names.into_iter().flatten().map(|name| (name.as_str(), event)));
            }
        }
        Self { registry, events, suppression }
    }
}

/// Whether a fact names a person who was erased.
fn names_any(fact: &Fact, people: Option<&Suppression>) -> bool {
    people.is_some_and(|people| people.has(&fact.from) || people.has(&fact.to))
}

impl IdentityMapper<'_> {
    pub(super) fn disk(&self) -> Disk<'_> {
        Disk { folder: self.scratch, memory: self.bounds.memory }
    }

    pub(super) fn commit(&self) -> Commit<'_> {
        Commit { store: self.store, layout: self.layout }
    }

    /// The hash of the live rows of a target.
    pub(super) async fn live_rows(
        &self,
        target: Target,
    ) -> Result<Option<(Target, String)>, IdentitiesError> {
        let (manifest, _) = self.commit().read(&target).await?;
        Ok(manifest.as_ref().and_then(rows_of).map(|rows| (target, rows)))
    }

    /// Reads the facts of a target, and stores them. Answers the hash of the rows that it read, and none if it has
    /// no files any more.
    pub(super) async fn read_day(
        &self,
        target: &Target,
        reading: &Reading<'_>,
    ) -> Result<Option<String>, IdentitiesError> {
        for _ in 0..ROUNDS {
            let (manifest, _) = self.commit().read(target).await?;
            let Some(manifest) = manifest else { return Ok(None) };
            let Some(rows) = rows_of(&manifest) else { return Ok(None) };
            match self.facts_of_files(&manifest, reading).await {
                Ok(facts) => {
                    self.store_facts(target, &rows, facts).await?;
                    return Ok(Some(rows));
                }
                Err(error) => {
                    // The files may belong to a generation that was replaced and then deleted.
                    if self.commit().read(target).await?.0.as_ref() == Some(&manifest) {
                        return Err(error);
                    }
                }
            }
        }
        Err(IdentitiesError::Contended(ROUNDS))
    }

    async fn facts_of_files(
        &self,
        manifest: &Manifest,
        reading: &Reading<'_>,
    ) -> Result<Sorter<'_, Fact>, IdentitiesError> {
        let table = manifest.target.table.as_str();
        let columns = columns_of(reading.registry.tables().get(table));
        let mut facts = Sorter::new(self.disk());
        for live in &manifest.files {
            let folder = self.layout.generation(&manifest.target, &manifest.generation);
            let key = format!("{folder}{}", live.name);
            let location = || self.store.location(&key);
            let file = fetch(self.store, &key, self.scratch, IdentitiesError::Scratch).await?;
            let (file, hash) =
                file.ok_or_else(|| IdentitiesError::Missing { location: location() })?;
            if hash != live.hash {
                return Err(IdentitiesError::Damaged { location: location() });
            }
            let read = facts_of_file(file, live, (table, &columns), reading, &mut facts)?;
            read.map_err(|cause| IdentitiesError::Rows { location: location(), cause })?;
        }
        Ok(facts)
    }

    /// Stores the facts of a target. Another run may have stored the same at the same time.
    async fn store_facts(
        &self,
        target: &Target,
        rows: &str,
        facts: Sorter<'_, Fact>,
    ) -> Result<(), IdentitiesError> {
        let file = written(facts, self.disk())?;
        let key = self.layout.identity_facts(target, rows);
        self.store.put_file(&key, &file, Precondition::Absent).await?;
        Ok(())
    }

    /// Adds the stored facts of a target. Answers how many there are, and none if another run or an erasure has
    /// deleted them. An erasure that goes on may not have deleted those of its people yet.
    pub(super) async fn add_stored(
        &self,
        (target, rows): (&Target, &str),
        suppression: Option<&Suppression>,
        facts: &mut Sorter<'_, Fact>,
    ) -> Result<Option<u64>, IdentitiesError> {
        let key = self.layout.identity_facts(target, rows);
        let location = || self.store.location(&key);
        let file = fetch(self.store, &key, self.scratch, IdentitiesError::Scratch).await?;
        let Some((file, _)) = file else { return Ok(None) };
        let damaged = |cause| IdentitiesError::Facts { location: location(), cause };
        let mut lines = BufReader::new(MultiGzDecoder::new(BufReader::new(file)));
        let (mut line, mut count) = (String::new(), 0);
        while lines.read_line(&mut line).map_err(damaged)? > 0 {
            let fact = parsed(&line).map_err(damaged)?;
            line.clear();
            if !names_any(&fact, suppression) {
                facts.push(fact)?;
                count += 1;
            }
        }
        Ok(Some(count))
    }
}

/// Reads the facts of a data file. The outer error is one of temporary files.
fn facts_of_file(
    file: File,
    live: &LiveFile,
    (table, columns): (&str, &TableColumns),
    reading: &Reading<'_>,
    facts: &mut Sorter<'_, Fact>,
) -> io::Result<Result<(), mixlake_columnar::PeopleError>> {
    let format = DataFormat::of_file(&live.name).unwrap_or(DataFormat::Parquet);
    let mut added = Ok(());
    let mut each = |row: &IdentityRow<'_>| {
        if added.is_ok() {
            let event = reading.events.get(row.event.as_deref().unwrap_or(table)).copied();
            added = facts_of(row, event, &mut |fact| {
                if names_any(&fact, reading.suppression) { Ok(()) } else { facts.push(fact) }
            });
        }
    };
    let read = identity_rows(file, format, columns, &mut each);
    added.map(|()| read)
}

/// The facts as gzip lines of JSON, in order, each once with its earliest time.
fn written(facts: Sorter<'_, Fact>, disk: Disk<'_>) -> io::Result<File> {
    let file = BufWriter::new(tempfile::tempfile_in(disk.folder)?);
    let mut gzip = GzEncoder::new(file, Compression::default());
    let mut facts = facts.sorted()?;
    let mut last: Option<Fact> = None;
    while let Some(fact) = facts.next()? {
        // The earliest time comes first.
        if last.as_ref().is_some_and(|last| last.says_the_same(&fact)) {
            continue;
        }
        let time = Some(fact.time).filter(|time| *time != i64::MAX);
        serde_json::to_writer(&mut gzip, &(fact.kind.name(), &fact.from, &fact.to, time))?;
        gzip.write_all(b"\n")?;
        last = Some(fact);
    }
    gzip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)
}

fn parsed(line: &str) -> io::Result<Fact> {
    let (kind, from, to, time): (String, String, String, Option<i64>) = serde_json::from_str(line)?;
    let kind = Kind::parse(&kind).ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?;
    Fact::new(kind, &from, &to, time.unwrap_or(i64::MAX))
        .ok_or_else(|| ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn facts_are_stored_in_order_each_once_with_its_earliest_time() {
        let folder = std::env::temp_dir();
        let disk = Disk { folder: &folder, memory: 100 };
        let mut facts = Sorter::new(disk);
        for (kind, from, to, time) in [
            (Kind::Device, "$device:d", "ann", 7),
            (Kind::Merge, "z", "a\"\n", i64::MAX),
            (Kind::Device, "$device:d", "ann", 5),
            (Kind::Device, "$device:d", "bob", 6),
        ] {
            facts.push(Fact::new(kind, from, to, time).unwrap()).unwrap();
        }
        let mut file = written(facts, disk).unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                r#"["device","$device:d","ann",5]"#,
                r#"["device","$device:d","bob",6]"#,
                r#"["merge","a\"\n","z",null]"#,
            ]
        );
        let read: Vec<Fact> = lines.iter().map(|line| parsed(line).unwrap()).collect();
        assert_eq!(read[2], Fact::new(Kind::Merge, "z", "a\"\n", i64::MAX).unwrap());
        for wrong in ["", "[]", r#"["other","a","b",1]"#, r#"["merge","a","a",1]"#] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
