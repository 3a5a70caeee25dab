//! The maintenance function: replaced files are deleted.

use crate::answer::{Failure, Kind};
use crate::clients::Clients;
use crate::clock;
use crate::config::MaintenanceConfig;
use crate::settings::{CatalogBy, Settings};
use mixlake_app::doctor::{Collection, Doctor};
use mixlake_app::ports::{Catalog, ObjectStore};
use mixlake_app::reconcile::Reconciler;
use serde_json::{Value, json};

/// The maintenance function.
pub struct MaintenanceHandler {
    config: MaintenanceConfig,
    store: Box<dyn ObjectStore>,
    catalog: Box<dyn Catalog>,
}

impl MaintenanceHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = MaintenanceConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        let bucket = crate::config::bucket(settings).map_err(|p| Failure::settings(&p))?;
        let session = format!("mixlake-maintenance-{}", config.lake.project);
        let clients = Clients::new(config.lake.access.clone(), session);
        let store = Box::new(clients.lake(bucket).await?);
        let catalog = Box::new(clients.catalog(&config.lake.database).await?);
        Ok(Self { config, store, catalog })
    }

    /// Maintains the lake.
    pub async fn handle(&self, payload: &Value) -> Result<Value, Failure> {
        if self.config.lake.catalog == CatalogBy::Crawler {
            // Only the locations in the catalog prove that no reader is sent to a replaced file.
            tracing::info!("catalog=crawler: a crawler keeps the tables, so nothing is deleted");
            return Ok(json!({}));
        }
        tracing::info!(%payload, "maintenance begins");
        let collection = self.collect().await?;
        Ok(json!({ "collected": collection }))
    }

    async fn collect(&self) -> Result<Collection, Failure> {
        let lake = &self.config.lake;
        let lake = Reconciler {
            store: &*self.store,
            catalog: &*self.catalog,
            layout: &lake.layout,
            project: &lake.project,
            table_prefix: &lake.table_prefix,
            on_drift: lake.on_drift,
        };
        let (now, grace) = (clock::now().into(), self.config.keep_replaced);
        let doctor = Doctor { lake, engines: &[], deep: false, now, grace };
        let collection = doctor.collect(None).await;
        let collection =
            collection.map_err(|error| Failure::caused(Kind::MaintenanceFailed, &error))?;
        for day in &collection.deleted {
            let (table, day, files) = (&day.table, &day.subject, day.files);
            tracing::info!(table, day, files, "replaced files were deleted");
        }
        if collection.failed.is_empty() {
            return Ok(collection);
        }
        let failed = collection.failed.iter();
        let failed: Vec<String> =
            failed.map(|day| format!("{} {}: {}", day.table, day.subject, day.error)).collect();
        Err(Failure::new(Kind::MaintenanceFailed, failed.join("; ")))
    }
}
