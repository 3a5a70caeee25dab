//! All files whose key starts with a prefix.

use crate::lake_folder::{HIDDEN, is_absence};
use mixlake_app::ports::ObjectMeta;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

/// The objects in the order of their keys, which differs from the order of a directory walk: `a-b/1` <
/// `a/1`.
pub(crate) fn list(root: &Path, prefix: &str) -> io::Result<Vec<ObjectMeta>> {
    let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
    if folder.split('/').any(|part| matches!(part, "." | "..")) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    walk(root, &start, prefix, &mut found)?;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

/// Walks a folder whose key is empty or ends in `/`. It skips folders that cannot contain the prefix.
fn walk(root: &Path, folder: &str, prefix: &str, found: &mut Vec<ObjectMeta>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let Some(name) = name(&entry, folder) else { continue };
        let key = format!("{folder}{name}");
        let Some(meta) = metadata(&entry)? else { continue };
        if meta.is_dir() {
            let below = format!("{key}/");
            if below.starts_with(prefix) || prefix.starts_with(&below) {
                walk(root, &below, prefix, found)?;
            }
        } else if meta.is_file() && key.starts_with(prefix) {
            found.push(ObjectMeta { key, size: meta.len(), modified: meta.modified().ok() });
        }
    }
    Ok(())
}

/// A name that is not UTF-8 is not a key; the lake's own folder has no objects.
fn name(entry: &DirEntry, folder: &str) -> Option<String> {
    let name = entry.file_name().into_string().ok()?;
    (!(folder.is_empty() && name == HIDDEN)).then_some(name)
}

/// A file may be removed while the folder is read.
fn metadata(entry: &DirEntry) -> io::Result<Option<fs::Metadata>> {
    match entry.metadata() {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
