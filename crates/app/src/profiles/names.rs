//! The names and types of a table of profiles.

use super::{ProfileExporter, ProfilesError};
use crate::manifest::Manifest;
use crate::reconcile::footer;
use mixlake_domain::{DataFormat, Dataset, Date, TableName, Target};
use mixlake_schema::{ColumnType, Registry};

impl ProfileExporter<'_> {
    /// The names given so far. If the registry was lost, the live files of the table have those that they use, so
    /// that readers find them again under the same names.
    pub(super) async fn names(
        &self,
        table: &TableName,
        date: Date,
    ) -> Result<Registry, ProfilesError> {
        let mut registry = self.registry().await?.value.unwrap_or_default();
        if registry.tables().contains_key(table.as_str()) {
            return Ok(registry);
        }
        let target = Target::whole(table.clone());
        let Some(manifest) = Manifest::read(self.store, self.layout, &target).await?.value else {
            return Ok(registry);
        };
        let folder = self.layout.generation(&target, &manifest.generation);
        for file in &manifest.files {
            let key = format!("{folder}{}", file.name);
            let columns = self.recorded(&key).await?.ok_or_else(|| self.names_lost())?;
            for (name, property, column_type) in &columns {
                let format = (table.as_str(), DataFormat::Parquet);
                let completed =
                    registry.complete_column(format, (name, property, *column_type), date);
                completed.map_err(|_| self.names_lost())?;
            }
            tracing::warn!(
                key,
                "the registry does not have the table; its names come from a live file"
            );
        }
        Ok(registry)
    }

    /// Name, property and type of each column that a file records; none if it records none.
    async fn recorded(
        &self,
        key: &str,
    ) -> Result<Option<Vec<(String, String, ColumnType)>>, ProfilesError> {
        if DataFormat::of_file(key) != Some(DataFormat::Parquet) {
            return Ok(None);
        }
        let Some(Ok(footer)) = footer::read(self.store, key).await? else { return Ok(None) };
        let columns = footer.notes.get("columns").and_then(|text| serde_json::from_str(text).ok());
        Ok(columns)
    }

    fn names_lost(&self) -> ProfilesError {
        let location = self.store.location(&self.layout.registry(Dataset::Profiles));
        ProfilesError::NamesLost { location }
    }
}
