//! The least and the greatest text of each column on a day.

use super::{DescribeError, Describer};
use crate::manifest::Manifest;
use crate::reconcile::footer;
use futures::StreamExt;
use mixlake_columnar::{TextBounds, text_bounds, text_bounds_of_first_rows};
use mixlake_domain::DataFormat;
use std::collections::BTreeMap;

/// The most bytes that are read of a file of JSON lines.
const FIRST_BYTES: usize = 256 << 10;

type AllBounds = BTreeMap<String, TextBounds>;

impl Describer<'_> {
    /// The bounds of a day's texts; none if its files are more than are left to look into.
    pub(super) async fn bounds(
        &self,
        manifest: &Manifest,
        files_left: &mut usize,
    ) -> Result<AllBounds, DescribeError> {
        let Some(left) = files_left.checked_sub(manifest.files.len()) else {
            return Ok(AllBounds::new());
        };
        *files_left = left;
        let folder = self.layout.generation(&manifest.target, &manifest.generation);
        let mut all = AllBounds::new();
        for file in &manifest.files {
            let key = format!("{folder}{}", file.name);
            let of_file = match DataFormat::of_file(&file.name) {
                Some(DataFormat::Json) => self.of_json_lines(&key).await?,
                Some(DataFormat::Parquet) | None => self.of_parquet(&key).await?,
            };
            let Some(of_file) = of_file else {
                tracing::warn!(key, "a live file is missing; `mixlake doctor` says which");
                continue;
            };
            for (column, bounds) in of_file {
                let joined = match all.remove(&column) {
                    Some(before) => before.and(bounds),
                    None => bounds,
                };
                all.insert(column, joined);
            }
        }
        Ok(all)
    }

    async fn of_parquet(&self, key: &str) -> Result<Option<AllBounds>, DescribeError> {
        let read = footer::read_with_tail(self.store, key).await?;
        let bounds = read.map(|read| read.and_then(|(_, tail)| text_bounds(&tail))).transpose();
        bounds.map_err(|cause| DescribeError::Footer { location: self.store.location(key), cause })
    }

    /// Such a file does not describe its columns, so its first rows stand for all.
    async fn of_json_lines(&self, key: &str) -> Result<Option<AllBounds>, DescribeError> {
        let Some(mut body) = self.store.read(key).await? else { return Ok(None) };
        let mut first = Vec::new();
        while first.len() < FIRST_BYTES
            && let Some(piece) = body.next().await
        {
            first.extend_from_slice(&piece?);
        }
        first.truncate(FIRST_BYTES);
        Ok(Some(text_bounds_of_first_rows(&first)))
    }
}
