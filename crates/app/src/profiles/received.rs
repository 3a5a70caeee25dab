//! Transforms all pages, and judges the result before anything is published.

use super::pages::{self, Pages};
use super::publish::origin;
use super::{ProfileExporter, ProfilesError};
use crate::commit::{Body, NewFile};
use crate::export::{OnEmpty, RowsTaken, TELLING, is_more};
use crate::hash;
use crate::manifest::{LiveFile, Manifest};
use crate::people::People;
use crate::ports::Precondition;
use mixlake_columnar::{DataFile, Options, Superseded, Transform, Transformed};
use mixlake_domain::{Layout, TableName, Target};
use mixlake_schema::Registry;

/// The profiles of a table as files that are not published yet.
pub(super) struct Received {
    pub transformed: Transformed,
    /// The registry before them.
    pub before: Registry,
    pub files: Vec<ProfileFile>,
}

/// A file that is not published yet.
pub(super) struct ProfileFile {
    pub live: LiveFile,
    body: Body,
}

impl Received {
    pub(super) fn live_files(&self) -> Vec<LiveFile> {
        self.files.iter().map(|file| file.live.clone()).collect()
    }

    pub(super) fn new_files(&self) -> Vec<NewFile<'_>> {
        self.files.iter().map(|ProfileFile { live, body }| NewFile { live, body }).collect()
    }

    /// The keys of the staged files.
    pub(super) fn staged(&self) -> Vec<String> {
        staged(&self.files)
    }
}

fn staged(files: &[ProfileFile]) -> Vec<String> {
    let key = |file: &ProfileFile| match &file.body {
        Body::Staged(key) => Some(key.clone()),
        Body::Memory(_) | Body::File(_) => None,
    };
    files.iter().filter_map(key).collect()
}

impl ProfileExporter<'_> {
    /// Transforms the pages. If it fails, its staged files are deleted.
    pub(super) async fn transform(
        &self,
        table: &TableName,
        pages: &Pages,
        superseded: &Superseded,
        people: Option<&People>,
    ) -> Result<Received, ProfilesError> {
        let suppression = people.map(People::suppression);
        let options = Options { suppression, ..self.options.clone() };
        let date = options.date_zone.date_of(pages.began);
        let before = self.names(table, date).await?;
        let transform =
            Transform::profiles(options, (table, date), before.clone(), superseded.clone())?;
        let mut files = Vec::new();
        match self.files(table, pages, transform, &mut files).await {
            Ok(transformed) => Ok(Received { transformed, before, files }),
            Err(error) => {
                pages::delete(self.store, &staged(&files)).await;
                Err(error)
            }
        }
    }

    async fn files(
        &self,
        table: &TableName,
        pages: &Pages,
        mut transform: Transform,
        files: &mut Vec<ProfileFile>,
    ) -> Result<Transformed, ProfilesError> {
        for piece in 0..pages.pieces() {
            transform.push(&pages.piece(self.store, piece).await?)?;
            for file in transform.take_files() {
                let file = self.staged_file(table, pages, file).await?;
                files.push(file);
            }
            self.in_time()?;
        }
        let mut transformed = transform.finish()?;
        files.extend(transformed.files.drain(..).map(ProfileFile::in_memory));
        Ok(transformed)
    }

    /// A file that is full before the last profile came.
    async fn staged_file(
        &self,
        table: &TableName,
        pages: &Pages,
        file: DataFile,
    ) -> Result<ProfileFile, ProfilesError> {
        let mut file = ProfileFile::in_memory(file);
        if let Body::Memory(bytes) = file.body {
            let name = hash::of_parts([&*pages.began.to_string(), &file.live.hash]);
            let key = self.layout.staged_profiles(table, &name);
            self.store.put(&key, bytes, Precondition::Absent).await?;
            file.body = Body::Staged(key);
        }
        Ok(file)
    }

    /// Refuses profiles that prove nothing. Returns the rows that publishing them removes.
    pub(super) async fn judge(
        &self,
        table: &TableName,
        transformed: &Transformed,
    ) -> Result<Option<RowsTaken>, ProfilesError> {
        let (counts, reasons) = (transformed.counts, || transformed.reasons.clone());
        let (lines, bad) = (counts.received, counts.quarantined);
        if lines > 0 && bad == lines {
            return Err(ProfilesError::NoProfile { lines, reasons: reasons() });
        }
        let share = self.safeguards.quarantine_share;
        if lines >= TELLING && is_more(bad, lines, share) {
            return Err(ProfilesError::MostlyBad { bad, lines, share, reasons: reasons() });
        }
        let target = Target::whole(table.clone());
        let live = Manifest::read(self.store, self.layout, &target).await?.value;
        let before = live.iter().flat_map(|manifest| &manifest.files).map(|file| file.rows).sum();
        let after = counts.written;
        if lines == 0 && before > 0 && self.safeguards.empty != OnEmpty::Allow {
            return Err(ProfilesError::Empty { rows: before });
        }
        if after >= before {
            return Ok(None);
        }
        let taken = RowsTaken { table: table.clone(), mp_date: None, before, after };
        if lines > 0 && !self.safeguards.fewer_rows {
            return Err(ProfilesError::Fewer(taken));
        }
        Ok(Some(taken))
    }
}

impl ProfileFile {
    fn in_memory(file: DataFile) -> Self {
        let live = LiveFile {
            name: Layout::snapshot_file(file.part, file.format),
            origin: origin(),
            rows: file.rows,
            bytes: file.bytes.len() as u64,
            hash: hash::content(&file.bytes),
            rows_hash: Some(file.rows_hash),
            columns: file.columns,
            identities: None,
            compacted: false,
        };
        Self { live, body: Body::Memory(file.bytes) }
    }
}
