//! A partition as Glue returns it, and as it should be.

use crate::batch::value_of;
use crate::describe;
use aws_sdk_glue::types::{Partition as GluePartition, PartitionInput};
use mixlake_app::ports::{Format, Partition};
use mixlake_domain::DataFormat;
use std::collections::{BTreeMap, HashMap};

/// The wanted location of each partition, by value, and its format. If a value is given twice, the last
/// one counts.
pub(crate) struct Wanted<'a> {
    pub(crate) format: DataFormat,
    pub(crate) locations: BTreeMap<&'a str, &'a str>,
}

impl Wanted<'_> {
    /// Whether a partition is as it should be.
    pub(crate) fn is(&self, value: &str, there: &GluePartition) -> bool {
        let storage = there.storage_descriptor.as_ref();
        storage.is_some_and(|storage| describe::format(storage) == Format::Lake(self.format))
            && self.locations.get(value) == Some(&location_of(there))
    }
}

/// Converted to the types of the port.
pub(crate) fn in_order(partitions: Vec<GluePartition>) -> Vec<Partition> {
    let mut shown: Vec<Partition> = partitions
        .into_iter()
        .map(|partition| Partition {
            location: location_of(&partition).to_owned(),
            value: value_of(partition.values()),
        })
        .collect();
    shown.sort_by(|a, b| a.value.cmp(&b.value));
    shown
}

pub(crate) fn by_value(partitions: Vec<GluePartition>) -> HashMap<String, GluePartition> {
    partitions.into_iter().map(|partition| (value_of(partition.values()), partition)).collect()
}

fn location_of(partition: &GluePartition) -> &str {
    partition.storage_descriptor.as_ref().and_then(|storage| storage.location()).unwrap_or_default()
}

/// The partition with the right location and format; everything that others added stays.
pub(crate) fn corrected(
    partition: GluePartition,
    format: DataFormat,
    location: &str,
) -> PartitionInput {
    let ours = describe::storage(format, location, Vec::new());
    let storage = match partition.storage_descriptor {
        Some(mut storage) => {
            if describe::format(&storage) != Format::Lake(format) {
                storage.input_format = ours.input_format;
                storage.output_format = ours.output_format;
                storage.serde_info = ours.serde_info;
            }
            storage.location = ours.location;
            storage
        }
        None => ours,
    };
    PartitionInput::builder()
        .set_values(partition.values)
        .set_last_access_time(partition.last_access_time)
        .storage_descriptor(storage)
        .set_parameters(partition.parameters)
        .set_last_analyzed_time(partition.last_analyzed_time)
        .build()
}

/// The same, without columns of its own.
pub(crate) fn repaired(
    mut partition: GluePartition,
    format: DataFormat,
    location: &str,
) -> PartitionInput {
    if let Some(storage) = &mut partition.storage_descriptor {
        storage.columns = Some(Vec::new());
    }
    corrected(partition, format, location)
}
