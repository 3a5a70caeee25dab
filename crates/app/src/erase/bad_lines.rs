//! Removes the bad lines of a person, and deletes staged objects that name the person.

use super::settle::{files_of, rehashed};
use super::{EraseError, Eraser, Run};
use crate::commit::put_once;
use crate::hash;
use crate::ledger::{Entry, State};
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
        let Some(slice) = self.layout.slice_of_quarantine(key) else { return Ok(()) };
        let Some(object) = self.store.get(key).await? else { return Ok(()) };
        let is_of = |line: &[u8]| person.is_in_bad_line(line);
        let (removed, rest) = without_bad_lines(&object.body, is_of)
            .map_err(|cause| EraseError::BadLines { location: self.store.location(key), cause })?;
        if removed == 0 {
            return Ok(());
        }
        let mut new = None;
        if let Some(rest) = rest {
            let hash = hash::content(&rest);
            let key = self.layout.quarantine(&slice, &hash[..16]);
            put_once(self.store, &key, &rest, &hash).await?;
            new = Some(key);
        }
        self.change_with_manifests(slice.date(), |ledger, manifests| {
            let Some(entry) = ledger.entry(slice).filter(|entry| names(entry, key)).cloned() else {
                return;
            };
            let mut counts = entry.counts;
            counts.quarantined = counts.quarantined.saturating_sub(removed);
            counts.suppressed += removed;
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

    /// Deletes the staged objects that name the person.
    pub(super) async fn staged(&self, run: &mut Run<'_>) {
        for key in run.found.staged.clone() {
            if let Err(error) = self.store.delete(&key).await {
                run.fail(key, &error);
            }
        }
    }
}

fn names(entry: &Entry, quarantine: &str) -> bool {
    entry.quarantine.as_deref() == Some(quarantine)
}
