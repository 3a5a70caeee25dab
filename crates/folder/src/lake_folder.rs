//! The folder on disk: atomic file creation, and the lock for name changes.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// The folder that the lake reserves for itself; it has no objects.
pub(crate) const HIDDEN: &str = ".mixlake";

/// A lake's folder.
#[derive(Debug, Clone)]
pub(crate) struct LakeFolder {
    root: PathBuf,
}

/// The right to change names in the lake, until it is dropped.
///
/// It is a lock of the operating system: it works between threads and processes, and is released when
/// its process ends.
pub(crate) struct Lock {
    _lock: File,
}

impl LakeFolder {
    /// The folder need not exist yet. All spellings of its path mean the same folder.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        let absolute = std::path::absolute(root)?;
        match fs::metadata(&absolute) {
            Ok(metadata) if !metadata.is_dir() => Err(io::ErrorKind::NotADirectory.into()),
            Ok(_) => Ok(Self { root: fs::canonicalize(&absolute)? }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { root: absolute }),
            Err(error) => Err(error),
        }
    }

    /// The location of a key, as the catalog shows it.
    pub(crate) fn location(&self, key: &str) -> String {
        format!("{}/{key}", self.root.display().to_string().trim_end_matches('/'))
    }

    /// A location as stored in files of the lake: relative, so that the lake can be moved.
    pub(crate) fn kept(&self, location: &str) -> String {
        location.strip_prefix(&self.location("")).unwrap_or(location).to_owned()
    }

    /// A stored location, resolved against the current folder.
    pub(crate) fn shown(&self, kept: &str) -> String {
        let elsewhere = Path::new(kept).is_absolute() || kept.contains("://");
        if elsewhere { kept.to_owned() } else { self.location(kept) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn hidden(&self) -> PathBuf {
        self.root.join(HIDDEN)
    }

    /// Waits for the lock on name changes.
    pub(crate) fn lock(&self) -> io::Result<Lock> {
        fs::create_dir_all(self.hidden())?;
        let path = self.hidden().join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(path)?;
        lock.lock()?;
        Ok(Lock { _lock: lock })
    }

    /// Writes a temporary file. Its content is on the disk before the file can be found.
    pub(crate) fn stage(&self, body: &[u8]) -> io::Result<TempPath> {
        let mut file = self.stage_file()?;
        file.write_all(body)?;
        file.as_file().sync_all()?;
        Ok(file.into_temp_path())
    }

    /// Copies to a temporary file.
    pub(crate) fn stage_copy(&self, from: &Path) -> io::Result<TempPath> {
        let mut from = File::open(from)?;
        let mut file = self.stage_file()?;
        io::copy(&mut from, file.as_file_mut())?;
        file.as_file().sync_all()?;
        Ok(file.into_temp_path())
    }

    /// Copies an open file to a temporary file.
    pub(crate) fn stage_open(&self, mut from: File) -> io::Result<TempPath> {
        from.rewind()?;
        let mut file = self.stage_file()?;
        io::copy(&mut from, file.as_file_mut())?;
        file.as_file().sync_all()?;
        Ok(file.into_temp_path())
    }

    fn stage_file(&self) -> io::Result<NamedTempFile> {
        let folder = self.hidden().join("tmp");
        fs::create_dir_all(&folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("");
        // Otherwise only its owner could read the file, and an engine that runs as another user could
        // not read the lake. The umask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(folder)
    }

    /// Gives a staged file its name and replaces an existing file.
    pub(crate) fn publish(&self, staged: TempPath, path: &Path, _lock: &Lock) -> io::Result<()> {
        let parent = self.make_parent(path)?;
        staged.persist(path).map_err(|error| error.error)?;
        sync(&parent)
    }

    /// Gives a staged file its name if the name is free. Returns whether it was.
    pub(crate) fn publish_new(
        &self,
        staged: TempPath,
        path: &Path,
        _lock: &Lock,
    ) -> io::Result<bool> {
        let parent = self.make_parent(path)?;
        match staged.persist_noclobber(path) {
            Ok(()) => sync(&parent).map(|()| true),
            Err(_) if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    }

    /// Removes a file and the folders that become empty, because S3 has no empty folders either.
    pub(crate) fn remove(&self, path: &Path, _lock: &Lock) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if !is_absence(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let within = |folder: &&Path| folder.starts_with(&self.root) && *folder != self.root;
        for folder in path.ancestors().skip(1).take_while(within) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Makes the folders above a file. The name of each new folder reaches the disk before the file does.
    fn make_parent(&self, path: &Path) -> io::Result<PathBuf> {
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        let missing = |folder: &&Path| folder.starts_with(&self.root) && !folder.is_dir();
        let new: Vec<&Path> = parent.ancestors().take_while(missing).collect();
        if !new.is_empty() {
            fs::create_dir_all(&parent)?;
            new.iter().filter_map(|folder| folder.parent()).try_for_each(sync)?;
        }
        Ok(parent)
    }
}

/// Only "not found" means absent; a file in the place of a folder means the same.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Opens a file to read; `None` if there is none. A folder does not count.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) if file.metadata()?.is_dir() => Ok(None),
        Ok(file) => Ok(Some(file)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Syncs the names in a folder to disk. On systems where folders cannot be opened, the system does it.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
