//! The catalog function: notifications in, tables out.

use super::views::Views;
use crate::answer::{Failure, Kind};
use crate::clients::Clients;
use crate::config::LakeConfig;
use crate::notification::{Message, Notification, ObjectName};
use crate::settings::{CatalogBy, Settings};
use mixlake_app::ports::{Catalog, ObjectStore};
use mixlake_app::reconcile::Reconciler;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The catalog function.
pub struct CatalogHandler {
    config: LakeConfig,
    bucket: String,
    store: Box<dyn ObjectStore>,
    catalog: Box<dyn Catalog>,
    views: Views,
}

impl CatalogHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = LakeConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        let bucket = crate::config::bucket(settings).map_err(|p| Failure::settings(&p))?;
        let clients =
            Clients::new(config.access.clone(), format!("mixlake-catalog-{}", config.project));
        let store = Box::new(clients.lake(bucket.clone()).await?);
        let catalog = Box::new(clients.catalog(&config.database).await?);
        Ok(Self { config, bucket, store, catalog, views: Views::default() })
    }

    /// A handler over any store and catalog.
    #[must_use]
    pub fn over(
        config: LakeConfig,
        bucket: &str,
        store: Box<dyn ObjectStore>,
        catalog: Box<dyn Catalog>,
    ) -> Self {
        Self { config, bucket: bucket.to_owned(), store, catalog, views: Views::default() }
    }

    /// Brings the objects that a notification names into the catalog.
    pub async fn handle(&self, payload: Value) -> Result<Value, Failure> {
        let notification = Notification::read(payload)
            .map_err(|error| Failure::caused(Kind::InvalidPayload, &error))?;
        match notification {
            Notification::Queue(messages) => Ok(self.queue(&messages).await),
            Notification::Direct(objects) => self.direct(&objects).await,
        }
    }

    /// Answers which messages have to come again; the others are done.
    async fn queue(&self, messages: &[Message]) -> Value {
        let objects = messages.iter().filter_map(|m| m.objects.as_ref().ok()).flatten();
        let failed = self.reconcile(objects).await.1;
        let again = |message: &&Message| match &message.objects {
            Err(error) => {
                let error = mixlake_app::chain(error);
                tracing::error!(message = message.id, error, "the message cannot be read");
                true
            }
            Ok(objects) => objects.iter().any(|o| self.is_ours(o) && failed.contains_key(&o.key)),
        };
        let failures: Vec<Value> = messages
            .iter()
            .filter(again)
            .map(|message| json!({"itemIdentifier": message.id}))
            .collect();
        json!({ "batchItemFailures": failures })
    }

    async fn direct(&self, objects: &[ObjectName]) -> Result<Value, Failure> {
        let (answer, failed) = self.reconcile(objects).await;
        if failed.is_empty() {
            return Ok(answer);
        }
        let failed: Vec<String> =
            failed.into_iter().map(|(key, error)| format!("{key}: {error}")).collect();
        Err(Failure::new(Kind::CatalogFailed, failed.join("; ")))
    }

    /// The answer, and the objects that failed.
    async fn reconcile(
        &self,
        objects: impl IntoIterator<Item = &ObjectName>,
    ) -> (Value, BTreeMap<String, String>) {
        if self.config.catalog == CatalogBy::Crawler {
            tracing::info!(
                "catalog=crawler: a crawler keeps the tables, so this function changes nothing"
            );
            return (json!({"tables": []}), BTreeMap::new());
        }
        let keys = objects.into_iter().filter(|o| self.is_ours(o)).map(|o| o.key.as_str());
        let reconciler = Reconciler {
            store: &*self.store,
            catalog: &*self.catalog,
            layout: &self.config.layout,
            project: &self.config.project,
            table_prefix: &self.config.table_prefix,
            on_drift: self.config.on_drift,
        };
        let done = reconciler.reconcile(keys).await;
        for table in &done.tables {
            for what in &table.repaired {
                tracing::warn!(table = table.table, what, "the table was repaired");
            }
            tracing::info!(
                table = table.table,
                created = table.created,
                appended_columns = table.appended_columns.len(),
                partitions_set = table.partitions_set.len(),
                partitions_removed = table.partitions_removed.len(),
                "the table is up to date"
            );
        }
        let mut answer = json!({"tables": done.tables});
        if let Some(views) = self.views.follow(&reconciler, self.config.views, &done.tables).await {
            answer["views"] = json!(views);
        }
        let failed =
            done.failed.iter().map(|(key, error)| (key.clone(), mixlake_app::chain(&**error)));
        (answer, failed.collect())
    }

    fn is_ours(&self, object: &ObjectName) -> bool {
        object.bucket == self.bucket
    }
}
