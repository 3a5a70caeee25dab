//! How events become rows and files.

use crate::settings::table::{
    COMPRESSION, CONTRACTS, DATA_FORMAT, DEDUPLICATE, EVENT_NAME, MP_DATE_ZONE, SCHEMA_PROFILE,
    SCHEMA_TYPE, TIME_TYPE,
};
use crate::settings::{DateZone, Problems, Reader, Settings};
use mixlake_columnar::{Bounds, Compression, Options};
use mixlake_domain::{ProjectId, Zone};
use std::num::NonZero;

/// What other settings say of the events.
pub(super) struct Events<'a> {
    pub project: &'a ProjectId,
    pub zone: &'a Zone,
    /// Whether their times are readings of the project's wall clock.
    pub wall_clock: bool,
    /// Whether an event can be in two slices.
    pub in_two_slices: bool,
}

/// Reads how events become rows. Without `events` another setting is wrong: then only problems count.
pub(super) fn options(reader: &mut Reader<'_>, events: Option<Events<'_>>) -> Option<Options> {
    let profile = reader.get(&SCHEMA_PROFILE);
    let schema_type = reader.get(&SCHEMA_TYPE);
    let format = reader.get(&DATA_FORMAT);
    // The default depends on who is to read the tables.
    let compression = reader.get(&COMPRESSION).or_else(|| profile.map(Compression::of_profile));
    let contracts = reader.get(&CONTRACTS);
    let event_name = reader.get(&EVENT_NAME);
    let time_type = reader.get(&TIME_TYPE);
    let date_zone = reader.get(&MP_DATE_ZONE);
    let deduplicate = reader.get(&DEDUPLICATE);
    let Events { project, zone, wall_clock, in_two_slices } = events?;
    let date_zone = match date_zone? {
        DateZone::Project => zone.clone(),
        DateZone::Utc => Zone::UTC,
    };
    Some(Options {
        profile: profile?,
        schema_type: schema_type?,
        format: format?,
        compression: compression?,
        event_name: event_name?,
        time_type: time_type?,
        date_zone,
        wall_clock: wall_clock.then(|| zone.clone()),
        deduplicate: deduplicate?,
        across_slices: deduplicate? && in_two_slices,
        contracts: contracts.unwrap_or_default(),
        bounds: Bounds { threads: threads(), ..Bounds::default() },
        ..Options::of(project.clone())
    })
}

/// The compression of the files that a command writes.
pub fn compression(settings: &Settings) -> Result<Compression, Problems> {
    let mut reader = Reader::new(settings);
    let compression = compression_of(&mut reader);
    reader.finish(compression)
}

pub(super) fn compression_of(reader: &mut Reader<'_>) -> Option<Compression> {
    let profile = reader.get(&SCHEMA_PROFILE);
    reader.get(&COMPRESSION).or_else(|| profile.map(Compression::of_profile))
}

/// As many as there are processors; a small function has one.
fn threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}
