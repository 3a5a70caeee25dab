//! Maintenance: compaction, collection, and the table of identities.

use super::lake::{LakeConfig, lake};
use super::transformation::compression_of;
use crate::settings::table::{COMPACT, ID_MERGE, IDENTITIES, KEEP_REPLACED_HOURS};
use crate::settings::{Problems, Reader, Settings};
use mixlake_app::identities::IdMerge;
use mixlake_columnar::{Compression, Options};
use mixlake_domain::ProjectId;
use std::time::Duration;

/// What maintenance needs.
#[derive(Debug, Clone)]
pub struct MaintenanceConfig {
    /// What every use-case needs.
    pub lake: LakeConfig,
    /// The compression of the merged files of closed days, if they are merged.
    pub compact: Option<Compression>,
    /// How the table of identities is made, if it is.
    pub identities: Option<IdentitiesConfig>,
    /// How long replaced files stay.
    pub keep_replaced: Duration,
}

/// How the table of identities is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentitiesConfig {
    /// How the project merges identities.
    pub merge: IdMerge,
    /// The compression of its files.
    pub compression: Compression,
}

impl IdentitiesConfig {
    /// Checks the settings of a command that makes the table.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let config = identities(&mut reader);
        reader.finish(config)
    }

    /// How its files are written.
    #[must_use]
    pub fn options(&self, project: &ProjectId, version: &'static str) -> Options {
        Options { compression: self.compression, version, ..Options::of(project.clone()) }
    }
}

fn identities(reader: &mut Reader<'_>) -> Option<IdentitiesConfig> {
    let (merge, compression) = (reader.get(&ID_MERGE), compression_of(reader));
    Some(IdentitiesConfig { merge: merge?, compression: compression? })
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
    let (of_identities, identities) = (reader.get(&IDENTITIES), identities(reader));
    let compression = identities.map(|config| config.compression);
    let compact = wanted.map(|wanted| compression.filter(|_| wanted));
    let identities = of_identities.map(|wanted| identities.filter(|_| wanted));
    Some(MaintenanceConfig {
        lake: lake?,
        compact: compact?,
        identities: identities?,
        keep_replaced: keep_replaced?,
    })
}
