//! Receives all pages of a session, and keeps them until the profiles are published.
//!
//! The lines of pages that are complete lie in hidden objects. A run that cannot end in its time writes which
//! pages it has, and the next run of the table goes on from there.

use super::session::Session;
use super::{ProfileExporter, ProfilesError};
use crate::hash::{self, Digest};
use crate::manifest::Format;
use crate::ports::{ObjectStore, PageEnd, PageError, PagePiece, Precondition, Put, SourceError};
use crate::{chain, document};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use mixlake_domain::{TableName, Timestamp};
use serde::{Deserialize, Serialize};

/// The pages that a run has of a table.
pub(super) struct Pages {
    /// When the first page was requested.
    pub began: Timestamp,
    pub session: Option<Session>,
    lines: Lines,
    /// The key of the document that says which pages an earlier run had.
    checkpoint: Option<String>,
}

/// Lines in objects, and those after them in memory.
#[derive(Default)]
struct Lines {
    staged: Vec<String>,
    last: BytesMut,
}

/// Which pages a run had when its time ended.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    format: Format,
    began: Timestamp,
    session: Session,
    lines: Vec<String>,
}

/// The memory for lines: one divided by this, of the size of an output file.
const IN_MEMORY: usize = 4;

/// The number of attempts for a page that breaks off.
const ATTEMPTS: u32 = 4;

/// The same for the first page of a session, which is a query of the hourly budget.
const ATTEMPTS_OF_FIRST: u32 = 2;

/// The number of sessions in one run. Mixpanel forgets a session after a while.
const SESSIONS: u32 = 2;

/// How long pages of an earlier run are used, in milliseconds: a day. Profiles change, so older ones are
/// received again.
const KEPT: i64 = 24 * 3_600_000;

impl ProfileExporter<'_> {
    /// Receives all pages. If the run cannot go on, complete pages are kept for the next run.
    pub(super) async fn receive(&self, table: &TableName) -> Result<Pages, ProfilesError> {
        let mut pages = match self.kept_pages(table).await? {
            Some(pages) => pages,
            None => Pages::new(self.now()),
        };
        let mut sessions = 1;
        while !pages.is_complete() {
            let failed = match self.next_page(table, &mut pages).await {
                Ok(()) => continue,
                Err(failed) => failed,
            };
            if let ProfilesError::SessionEnded(text) = &failed
                && sessions < SESSIONS
            {
                tracing::warn!(%table, text, "the session of the pages ended; the export begins a new one");
                sessions += 1;
                pages.discard(self.store).await;
                pages = Pages::new(self.now());
                continue;
            }
            if failed.is_for_later() {
                self.keep(table, pages).await;
            } else {
                pages.discard(self.store).await;
            }
            return Err(failed);
        }
        Ok(pages)
    }

    async fn next_page(&self, table: &TableName, pages: &mut Pages) -> Result<(), ProfilesError> {
        self.in_time()?;
        let (end, hash, lines) = self.page(table, pages).await?;
        let session = match pages.session.take() {
            Some(session) => session.with(&end, hash),
            None => Session::begin(&end, hash),
        };
        // The lines are kept with the pages, so that they are deleted with them.
        pages.lines.add(lines);
        pages.session = Some(session?);
        if pages.lines.last.len() >= self.most_in_memory() {
            self.stage(table, pages.began, &mut pages.lines).await?;
        }
        Ok(())
    }

    /// A page that is complete: what it says, and the hash of its lines.
    async fn page(
        &self,
        table: &TableName,
        pages: &mut Pages,
    ) -> Result<(PageEnd, String, Lines), ProfilesError> {
        let most = if pages.session.is_some() { ATTEMPTS } else { ATTEMPTS_OF_FIRST };
        let mut attempt = 0;
        loop {
            let mut lines = Lines::default();
            let read = self.read_page(table, pages, attempt, &mut lines).await;
            attempt += 1;
            match read {
                Ok((end, hash)) => return Ok((end, hash, lines)),
                Err(error) => {
                    lines.discard(self.store).await;
                    let is_transient =
                        matches!(&error, ProfilesError::Source(error) if error.is_transient());
                    if !is_transient || attempt >= most {
                        return Err(error);
                    }
                    tracing::warn!(%table, attempt, error = chain(&error), "a page failed; the export asks for it again");
                }
            }
        }
    }

    async fn read_page(
        &self,
        table: &TableName,
        pages: &Pages,
        attempt: u32,
        lines: &mut Lines,
    ) -> Result<(PageEnd, String), ProfilesError> {
        let next = pages.session.as_ref().map(Session::next);
        let mut pieces = self.source.page(next.as_ref(), attempt).await?;
        let mut digest = Digest::default();
        while let Some(piece) = pieces.next().await {
            match piece.map_err(|error| self.at_page(error))? {
                PagePiece::Lines(bytes) => {
                    digest.update(&bytes);
                    lines.last.extend_from_slice(&bytes);
                    if lines.last.len() >= self.most_in_memory() {
                        self.stage(table, pages.began, lines).await?;
                    }
                }
                PagePiece::End(end) => return Ok((end, digest.finish())),
            }
            self.in_time()?;
        }
        let reason = "the page ended before it said that it is complete".to_owned();
        Err(SourceError::Incomplete { reason, cause: None }.into())
    }

    fn at_page(&self, error: PageError) -> ProfilesError {
        // A stream that is cut by the deadline of the run is no fault of the source.
        match self.in_time() {
            Err(out_of_time) => out_of_time,
            Ok(()) => error.into(),
        }
    }

    fn most_in_memory(&self) -> usize {
        self.options.bounds.file_bytes / IN_MEMORY
    }

    /// Moves lines from memory to the store. The objects of two exports have different names, so that neither
    /// deletes those of the other.
    async fn stage(
        &self,
        table: &TableName,
        began: Timestamp,
        lines: &mut Lines,
    ) -> Result<(), ProfilesError> {
        let bytes = lines.last.split().freeze();
        if bytes.is_empty() {
            return Ok(());
        }
        let place = lines.staged.len().to_string();
        let name = hash::of_parts([&*began.to_string(), &place, &hash::content(&bytes)]);
        let key = self.layout.staged_profiles(table, &format!("{name}.jsonl"));
        self.store.put(&key, bytes, Precondition::Absent).await?;
        lines.staged.push(key);
        Ok(())
    }

    fn checkpoint_key(&self, table: &TableName) -> Option<String> {
        let query = self.source.query()?;
        Some(self.layout.staged_pages(table, &hash::of_parts([&*query])))
    }

    /// Writes which pages are complete. A failure is only logged, because the run has failed already.
    pub(super) async fn keep(&self, table: &TableName, mut pages: Pages) {
        if let Err(error) = self.note_complete(table, &mut pages).await {
            tracing::warn!(%table, error = chain(&error), "cannot keep the pages for a later run");
            pages.discard(self.store).await;
        }
    }

    async fn note_complete(
        &self,
        table: &TableName,
        pages: &mut Pages,
    ) -> Result<(), ProfilesError> {
        let (Some(key), Some(session)) = (self.checkpoint_key(table), pages.session.clone()) else {
            return Ok(());
        };
        self.stage(table, pages.began, &mut pages.lines).await?;
        let (began, lines) = (pages.began, pages.lines.staged.clone());
        let checkpoint = Checkpoint { format: Format, began, session, lines };
        let before = document::read::<Checkpoint>(self.store, &key).await?;
        match document::write(self.store, &key, &checkpoint, before.precondition).await? {
            // If another run wrote its pages, these are of no use.
            Put::Done | Put::Refused => Ok(()),
        }
    }

    /// The pages of an earlier run that are less than a day old.
    async fn kept_pages(&self, table: &TableName) -> Result<Option<Pages>, ProfilesError> {
        let Some(key) = self.checkpoint_key(table) else { return Ok(None) };
        let Some(kept) = document::read::<Checkpoint>(self.store, &key).await?.value else {
            return Ok(None);
        };
        let Checkpoint { began, session, lines: staged, .. } = kept;
        let lines = Lines { staged, last: BytesMut::new() };
        let pages = Pages { began, session: Some(session), lines, checkpoint: Some(key) };
        let is_fresh = (self.now().as_millisecond() - began.as_millisecond()).abs() <= KEPT;
        if is_fresh && self.are_there(&pages).await? {
            let complete = pages.session.as_ref().map_or(0, |session| session.pages.len());
            tracing::info!(%table, pages = complete, "the export goes on with the pages of an earlier run");
            return Ok(Some(pages));
        }
        pages.discard(self.store).await;
        Ok(None)
    }

    async fn are_there(&self, pages: &Pages) -> Result<bool, ProfilesError> {
        for key in &pages.lines.staged {
            if self.store.tail(key, 1).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Lines {
    /// Adds the lines of a page. Lines in memory that stand before lines in objects stay in their order,
    /// because the order of profiles does not matter.
    fn add(&mut self, page: Self) {
        self.staged.extend(page.staged);
        self.last.unsplit(page.last);
    }

    async fn discard(self, store: &dyn ObjectStore) {
        delete(store, &self.staged).await;
    }
}

impl Pages {
    fn new(began: Timestamp) -> Self {
        Self { began, session: None, lines: Lines::default(), checkpoint: None }
    }

    fn is_complete(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_complete)
    }

    /// How many objects and pieces of memory have lines.
    pub(super) fn pieces(&self) -> usize {
        self.lines.staged.len() + 1
    }

    /// The lines of a piece.
    pub(super) async fn piece(
        &self,
        store: &dyn ObjectStore,
        piece: usize,
    ) -> Result<Bytes, ProfilesError> {
        let Some(key) = self.lines.staged.get(piece) else {
            return Ok(Bytes::copy_from_slice(&self.lines.last));
        };
        let object = store.get(key).await?.ok_or_else(|| SourceError::Incomplete {
            reason: format!("{} is gone; another run used it too", store.location(key)),
            cause: None,
        })?;
        Ok(object.body)
    }

    /// Deletes what the run has stored of the pages. A failure does not fail the run: objects that stay are
    /// hidden, and expire.
    pub(super) async fn discard(self, store: &dyn ObjectStore) {
        delete(store, &self.lines.staged).await;
        delete(store, self.checkpoint.as_slice()).await;
    }
}

/// Deletes hidden objects.
pub(super) async fn delete(store: &dyn ObjectStore, keys: &[String]) {
    for key in keys {
        if let Err(error) = store.delete(key).await {
            tracing::warn!(
                key,
                error = chain(&error),
                "cannot delete a staged object; it stays behind"
            );
        }
    }
}
