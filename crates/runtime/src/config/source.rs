//! Where events come from.

use crate::settings::table::{
    EVENT_SOURCE, MIXPANEL_ENDPOINT, RAW_PIPELINE_DELAY_HOURS, RAW_PIPELINE_LOCATION,
    RAW_PIPELINE_REGION, RESIDENCY, WHERE,
};
use crate::settings::{EventOrigin, Place, Reader, Row};
use mixlake_mixpanel::Endpoint;
use std::time::Duration;

/// The files of a JSON pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Where they are.
    pub place: Place,
    /// How long after the end of a slice all of it is there.
    pub delay: Duration,
}

pub(super) fn pipeline(reader: &mut Reader<'_>) -> Option<Pipeline> {
    let wanted = reader.get(&EVENT_SOURCE) == Some(EventOrigin::RawPipeline);
    let delay = reader.get(&RAW_PIPELINE_DELAY_HOURS);
    if !wanted {
        let own: [&dyn Row; 3] =
            [&RAW_PIPELINE_LOCATION, &RAW_PIPELINE_REGION, &RAW_PIPELINE_DELAY_HOURS];
        reader.check(&RAW_PIPELINE_LOCATION);
        reader.only_with("event_source=raw_pipeline", &own);
        return None;
    }
    if reader.has(&WHERE) {
        let what = "only Mixpanel can evaluate it; leave it out with event_source=raw_pipeline";
        reader.problem(&WHERE, what);
    }
    let place = reader.require(&RAW_PIPELINE_LOCATION);
    Some(Pipeline { place: place?, delay: delay? })
}

/// Mixpanel's own host, or the address that takes its place.
pub(super) fn endpoint(reader: &mut Reader<'_>) -> Option<Endpoint> {
    let residency = reader.get(&RESIDENCY);
    let given = reader.get(&MIXPANEL_ENDPOINT);
    given.or_else(|| residency.map(Endpoint::residency))
}
