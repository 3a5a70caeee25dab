//! Maintenance: compaction and collection.

use super::lake::{LakeConfig, lake};
use super::transformation::compression_of;
use crate::settings::table::{COMPACT, KEEP_REPLACED_HOURS};
use crate::settings::{Problems, Reader, Settings};
use mixlake_columnar::Compression;
use std::time::Duration;

/// What maintenance needs.
#[derive(Debug, Clone)]
pub struct MaintenanceConfig {
    /// What every use-case needs.
    pub lake: LakeConfig,
    /// The compression of the merged files of closed days, if they are merged.
    pub compact: Option<Compression>,
    /// How long replaced files stay.
    pub keep_replaced: Duration,
}

impl MaintenanceConfig {
    /// Checks what maintenance needs.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let config = maintenance(&mut reader);
        reader.finish(config)
    }
}

fn maintenance(reader: &mut Reader<'_>) -> Option<MaintenanceConfig> {
    let lake = lake(reader);
    let (wanted, keep_replaced) = (reader.get(&COMPACT), reader.get(&KEEP_REPLACED_HOURS));
    let compression = compression_of(reader);
    let compact = wanted.map(|wanted| compression.filter(|_| wanted));
    Some(MaintenanceConfig { lake: lake?, compact: compact?, keep_replaced: keep_replaced? })
}
