//! Finds the other identifiers of a person in the events of a lake.
//!
//! - `$distinct_id_before_identity` and `distinct_id` of an event are one person, and so are `$identified_id` and
//!   `$anon_id`, the elements of `$distinct_ids`, and `alias` and `distinct_id`.
//! - `$device_id` and `$user_id` of an event are one person if no other user had the device before: the first
//!   user wins a device. So the users of a shared device stay apart.

use super::{EraseError, Eraser};
use crate::manifest::Manifest;
use mixlake_columnar::{IdentityRow, elements, identity_rows, normal};
use mixlake_domain::{DataFormat, Target};
use std::collections::{BTreeMap, BTreeSet};

/// The most times that the lake is read. Each further identifier may lead to others.
const PASSES: u32 = 16;

/// The first user of each device, with the time of the event.
type FirstUsers = BTreeMap<String, (i64, String)>;

/// What is known of a person.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Known {
    identifiers: BTreeSet<String>,
    /// Devices that may be the person's: their first users have to be found.
    devices: BTreeSet<String>,
}

impl Eraser<'_> {
    /// All identifiers of a person, with those that are given. Reads the lake several times.
    pub async fn resolve(&self, identifiers: &[String]) -> Result<Vec<String>, EraseError> {
        let identifiers = identifiers.iter().map(|id| normal(id).to_owned()).collect();
        let mut known = Known { identifiers, devices: BTreeSet::new() };
        for _ in 0..PASSES {
            let before = known.clone();
            self.pass(&mut known).await?;
            if known == before {
                return Ok(known.identifiers.into_iter().collect());
            }
        }
        Err(EraseError::Resolve(PASSES))
    }

    /// Reads all live files once.
    async fn pass(&self, known: &mut Known) -> Result<(), EraseError> {
        let columns = self.columns().await?;
        let objects = self.store.list(self.layout.root()).await?;
        let targets: BTreeSet<Target> = objects
            .iter()
            .filter_map(|object| Some(self.layout.read(&object.key)?.target))
            .collect();
        let wanted = known.devices.clone();
        let mut first = FirstUsers::new();
        for target in targets {
            let Some(manifest) = Manifest::read(self.store, self.layout, &target).await?.value
            else {
                continue;
            };
            let columns = columns.of(&target.table);
            for file in &manifest.files {
                let (key, body) = self.object(&manifest, file).await?;
                let format = DataFormat::of_file(&key).unwrap_or(DataFormat::Parquet);
                let mut each = |row: &IdentityRow<'_>| known.learn(row, &wanted, &mut first);
                identity_rows(body, format, &columns, &mut each).map_err(|cause| {
                    EraseError::File { location: self.store.location(&key), cause }
                })?;
            }
        }
        known.decide(&first);
        Ok(())
    }
}

impl Known {
    /// Learns from a row.
    fn learn(&mut self, row: &IdentityRow<'_>, wanted: &BTreeSet<String>, first: &mut FirstUsers) {
        let all = |properties: &[&str]| -> Vec<String> {
            let values = properties.iter().flat_map(|property| row.values(property));
            values.flat_map(identifiers).map(|id| normal(&id).to_owned()).collect()
        };
        self.are_one(&all(&["$distinct_id_before_identity", "distinct_id"]));
        self.are_one(&all(&["$identified_id", "$anon_id"]));
        self.are_one(&all(&["$distinct_ids"]));
        let with_alias: &[&str] =
            if row.values("alias").next().is_none() { &[] } else { &["alias", "distinct_id"] };
        self.are_one(&all(with_alias));
        for device in all(&["$device_id"]) {
            for user in all(&["$user_id"]) {
                if self.identifiers.contains(&user) || self.identifiers.contains(&device) {
                    self.devices.insert(device.clone());
                }
                let now = (row.time.unwrap_or(i64::MAX), user);
                if wanted.contains(&device) && first.get(&device).is_none_or(|it| now < *it) {
                    first.insert(device.clone(), now);
                }
            }
        }
    }

    /// Identifiers that are one person.
    fn are_one(&mut self, identifiers: &[String]) {
        if identifiers.iter().any(|id| self.identifiers.contains(id)) {
            let named = identifiers.iter().filter(|id| !id.is_empty());
            self.identifiers.extend(named.cloned());
        }
    }

    /// Devices belong to their first users.
    fn decide(&mut self, first: &FirstUsers) {
        for (device, (_, user)) in first {
            let pair = [device.clone(), user.clone()];
            self.are_one(&pair);
        }
    }
}

/// The identifiers in a value: the elements of a list, or the value.
fn identifiers(value: &str) -> Vec<String> {
    let elements = elements(value);
    if elements.is_empty() { vec![value.to_owned()] } else { elements }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (i64, &'static [(&'static str, &'static str)]);

    /// All identifiers of Ann, from rows that are read until nothing new is found.
    fn of_ann(rows: &[Row]) -> Vec<String> {
        let mut known = Known { identifiers: ["ann".to_owned()].into(), ..Known::default() };
        loop {
            let before = known.clone();
            let mut first = FirstUsers::new();
            for (time, values) in rows {
                let values =
                    values.iter().map(|(property, value)| (*property, (*value).to_owned()));
                let row = IdentityRow::new(Some(*time), None, values.collect());
                known.learn(&row, &before.devices, &mut first);
            }
            known.decide(&first);
            if known == before {
                return known.identifiers.into_iter().collect();
            }
        }
    }

    #[test]
    fn facts_are_followed_from_one_identifier_to_the_next_in_any_order() {
        let rows: &[Row] = &[
            (9, &[("distinct_id", "y"), ("$user_id", "y"), ("$device_id", "d9")]),
            (1, &[("$distinct_ids", r#"["z","y"]"#)]),
            (2, &[("$identified_id", "z"), ("$anon_id", "$device:d1")]),
            (3, &[("distinct_id", "ann"), ("$distinct_id_before_identity", "$device:d1")]),
            (4, &[("distinct_id", "bob"), ("$distinct_id_before_identity", "$device:d2")]),
        ];
        assert_eq!(of_ann(rows), ["ann", "d1", "d9", "y", "z"]);
    }

    #[test]
    fn a_shared_device_belongs_to_its_first_user_and_does_not_lead_to_others() {
        let ann_first: &[Row] = &[
            (2, &[("distinct_id", "bob"), ("$user_id", "bob"), ("$device_id", "d1")]),
            (1, &[("distinct_id", "ann"), ("$user_id", "ann"), ("$device_id", "d1")]),
        ];
        assert_eq!(of_ann(ann_first), ["ann", "d1"]);
        let bob_first: &[Row] = &[
            (1, &[("distinct_id", "bob"), ("$user_id", "bob"), ("$device_id", "d1")]),
            (2, &[("distinct_id", "ann"), ("$user_id", "ann"), ("$device_id", "d1")]),
        ];
        assert_eq!(of_ann(bob_first), ["ann"]);
    }

    #[test]
    fn an_alias_is_a_fact_only_together_with_the_person_who_has_it() {
        let rows: &[Row] = &[(1, &[("distinct_id", "ann"), ("alias", "annie")])];
        assert_eq!(of_ann(rows), ["ann", "annie"]);
        let other: &[Row] = &[(1, &[("distinct_id", "ann"), ("$user_id", "u")])];
        assert_eq!(of_ann(other), ["ann"], "a user without a device says nothing new");
    }
}
