//! What is transformed: a slice of events, or profiles.

use crate::options::SchemaType;
use mixlake_domain::{Date, Slice, Timestamp};

/// What is transformed.
#[derive(Debug)]
pub(crate) enum Subject {
    /// The events of a slice, into one table.
    Events(Slice),
    /// The events of a slice, into a table for each event.
    EachEvent(Slice),
    /// Profiles, into one table. Its columns are first seen on this date.
    Profiles(String, Date),
}

impl Subject {
    pub(crate) fn of_slice(slice: Slice, schema_type: SchemaType) -> Self {
        match schema_type {
            SchemaType::Monoschema => Self::Events(slice),
            SchemaType::Multischema => Self::EachEvent(slice),
        }
    }

    pub(crate) fn slice(&self) -> Option<&Slice> {
        match self {
            Self::Events(slice) | Self::EachEvent(slice) => Some(slice),
            Self::Profiles(..) => None,
        }
    }

    /// The date on which new names are first seen.
    pub(crate) fn date(&self) -> Date {
        match self {
            Self::Events(slice) | Self::EachEvent(slice) => slice.date(),
            Self::Profiles(_, date) => *date,
        }
    }

    /// Whether a row of this time lies outside of the slice.
    pub(crate) fn is_outside(&self, time: Timestamp) -> bool {
        self.slice().is_some_and(|slice| !slice.contains(time))
    }

    /// Whether other slices may have a row of this time too.
    pub(crate) fn is_near_another(&self, time: Timestamp) -> bool {
        self.slice().is_some_and(|slice| !slice.is_well_inside(time))
    }
}
