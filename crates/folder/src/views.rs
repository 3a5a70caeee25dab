//! The views of a catalog as JSON files, beside those of its tables.

use crate::catalog::{FolderCatalog, is_name, listed};
use crate::lake_folder::is_absence;
use crate::view_document::ViewDocument;
use mixlake_app::ports::{CatalogError, View, ViewState};
use std::error::Error;
use std::fs;
use std::path::PathBuf;

impl FolderCatalog {
    fn views_folder(&self) -> PathBuf {
        self.lake.hidden().join("views").join(&self.database)
    }

    fn view_path(&self, view: &str) -> Result<PathBuf, CatalogError> {
        if is_name(view) {
            return Ok(self.views_folder().join(format!("{view}.json")));
        }
        Err(self.failed("read", view, format!("{view:?} is not a valid name of a view")))
    }

    pub(crate) fn view_names(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        let failed = |error: std::io::Error| self.failed_database("read", error);
        listed(&self.views_folder(), prefix).map_err(failed)
    }

    pub(crate) fn read_view(&self, view: &str) -> Result<Option<ViewDocument>, CatalogError> {
        let json = match fs::read(self.view_path(view)?) {
            Ok(json) => json,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(self.failed("read", view, error)),
        };
        ViewDocument::parse(&json).map(Some).map_err(|error| CatalogError::Damaged {
            subject: self.subject(view),
            cause: error.into(),
        })
    }

    /// What has the name of a view.
    pub(crate) fn named(&self, name: &str) -> Result<Option<ViewState>, CatalogError> {
        if let Some(view) = self.read_view(name)? {
            return Ok(Some(view.state()));
        }
        let table = self.read(name)?;
        Ok(table.map(|table| ViewState { version: table.version(), mark: None }))
    }

    /// Writes a view under the lock. Without a version, nothing may have its name.
    pub(crate) fn write_view(
        &self,
        version: Option<&str>,
        view: &View,
    ) -> Result<(), CatalogError> {
        let action = if version.is_some() { "update" } else { "create" };
        let failed = |error: Box<dyn Error + Send + Sync>| self.failed(action, &view.name, error);
        let path = self.view_path(&view.name)?;
        let lock = self.lake.lock().map_err(|e| failed(e.into()))?;
        let current = self.named(&view.name)?;
        let next = match (version, &current) {
            (None, None) => 0,
            (Some(_), None) => return Err(CatalogError::NotFound(self.subject(&view.name))),
            (Some(version), Some(state)) if state.mark.is_some() && state.version == version => {
                self.read_view(&view.name)?.map_or(0, |document| document.version() + 1)
            }
            (_, Some(_)) => return Err(CatalogError::Conflict(self.subject(&view.name))),
        };
        let json = ViewDocument::create(view, next).to_json().map_err(|e| failed(e.into()))?;
        let staged = self.lake.stage(&json).map_err(|e| failed(e.into()))?;
        self.lake.publish(staged, &path, &lock).map_err(|e| failed(e.into()))
    }

    pub(crate) fn delete_view(&self, name: &str, mark: &str) -> Result<(), CatalogError> {
        let failed = |error: Box<dyn Error + Send + Sync>| self.failed("delete", name, error);
        let lock = self.lake.lock().map_err(|e| failed(e.into()))?;
        let Some(view) = self.read_view(name)? else {
            let is_table = self.read(name)?.is_some();
            let conflict = || CatalogError::Conflict(self.subject(name));
            return if is_table { Err(conflict()) } else { Ok(()) };
        };
        if !view.has_mark(mark) {
            return Err(CatalogError::Conflict(self.subject(name)));
        }
        self.lake.remove(&self.view_path(name)?, &lock).map_err(|e| failed(e.into()))
    }
}
