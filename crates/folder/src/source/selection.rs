//! Which part of the input is exported.

use mixlake_domain::{Slice, Zone};

/// Which part of the input is exported.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The days that are exported, in order.
    pub days: Vec<Slice>,
    /// The zone of the days.
    pub zone: Zone,
    /// Only these events; empty means all.
    pub events: Vec<String>,
    /// If times are the local time of a zone, that zone.
    pub wall_clock: Option<Zone>,
}
