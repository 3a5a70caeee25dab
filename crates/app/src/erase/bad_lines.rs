//! Removes the bad lines of a person, and deletes staged objects that name the person.

use super::settle::{files_of, rehashed};
use super::{EraseError, Eraser, Run};
use crate::commit::put_once;
use crate::hash;
use crate::ledger::{Entry, SliceCounts, State};
use bytes::Bytes;
use mixlake_columnar::{Person, without_bad_lines};

impl Eraser<'_> {
    /// Removes the bad lines of the person from every object that has some.
    pub(super) async fn bad_lines(&self, run: &mut Run<'_>) {
        let mut keys: Vec<String> = run.found.bad_lines.keys().cloned().collect();
        // An export that was fenced may have written bad lines since the search.
        match self.store.list(&self.layout.quarantines()).await {
            Ok(listed) => keys.extend(listed.into_iter().map(|object| object.key)),
            Err(error) => run.fail(self.layout.quarantines(), &error),
        }
        keys.sort();
        keys.dedup();
        for key in keys {
            if let Err(error) = self.clean(&key, run.person).await {
                run.fail(key, &error);
            }
        }
    }

    /// Puts an object without the person's lines in the place of another one.
    async fn clean(&self, key: &str, person: &Person) -> Result<(), EraseError> {
        let Some(object) = self.store.get(key).await? else { return Ok(()) };
        let is_of = |line: &[u8]| person.is_in_bad_line(line);
        let (removed, rest) = without_bad_lines(&object.body, is_of)
            .map_err(|cause| EraseError::BadLines { location: self.store.location(key), cause })?;
        if removed == 0 {
            return Ok(());
        }
        if let Some(table) = self.layout.table_of_quarantine(key) {
            let place = |hash: &str| self.layout.quarantined_profiles(&table, hash);
            let new = self.put_rest(rest.as_ref(), place).await?;
            self.count_profiles(&table, |published| {
                if published.quarantine.as_deref() == Some(key) {
                    take_lines(&mut published.counts, removed);
                    published.quarantine.clone_from(&new);
                }
            })
            .await?;
            return Ok(self.store.delete(key).await?);
        }
        let Some(slice) = self.layout.slice_of_quarantine(key) else { return Ok(()) };
        let place = |hash: &str| self.layout.quarantine(&slice, hash);
        let new = self.put_rest(rest.as_ref(), place).await?;
        self.change_with_manifests(slice.date(), |ledger, manifests| {
            let Some(entry) = ledger.entry(slice).filter(|entry| names(entry, key)).cloned() else {
                return;
            };
            let mut counts = entry.counts;
            take_lines(&mut counts, removed);
            let is_published = entry.state == State::Published;
            let mut entry = Entry { counts, quarantine: new.clone(), ..entry };
            if is_published {
                let files = files_of(&entry, manifests);
                entry = rehashed(entry, &files);
            }
            ledger.insert(entry);
        })
        .await?;
        Ok(self.store.delete(key).await?)
    }

    /// Writes the lines that are left, if there are any, under a key that has their hash. Returns the key.
    async fn put_rest(
        &self,
        rest: Option<&Bytes>,
        key: impl Fn(&str) -> String,
    ) -> Result<Option<String>, EraseError> {
        let Some(rest) = rest else { return Ok(None) };
        let hash = hash::content(rest);
        let key = key(&hash[..16]);
        put_once(self.store, &key, rest, &hash).await?;
        Ok(Some(key))
    }

    /// Deletes the staged objects that name the person.
    pub(super) async fn staged(&self, run: &mut Run<'_>) {
        for key in run.found.staged.clone() {
            if let Err(error) = self.store.delete(&key).await {
                run.fail(key, &error);
            }
        }
    }
}

/// Bad lines of the person become suppressed lines.
fn take_lines(counts: &mut SliceCounts, lines: u64) {
    counts.quarantined = counts.quarantined.saturating_sub(lines);
    counts.suppressed += lines;
}

fn names(entry: &Entry, quarantine: &str) -> bool {
    entry.quarantine.as_deref() == Some(quarantine)
}
