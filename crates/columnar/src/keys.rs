//! The keys of properties as small numbers, and where the values of each go.
//!
//! Events of one name carry nearly the same keys in nearly the same order. So a key is first
//! compared with the few that followed last time, and looked up only if it is none of them.

use foldhash::HashMap;
use mixlake_domain::Date;
use mixlake_schema::{Profile, Resolved, Table, ValueType};

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId(usize);

impl KeyId {
    pub(crate) const TIME: Self = Self(0);
    pub(crate) const DISTINCT_ID: Self = Self(1);
    pub(crate) const INSERT_ID: Self = Self(2);
    pub(crate) const PROCESSING: Self = Self(3);
}

/// The keys that have a number before any line is read, in the order of their numbers.
const KNOWN: [&str; 4] = ["time", "distinct_id", "$insert_id", "mp_processing_time_ms"];

/// How many keys are expected of an event at the most: an event whose keys are made up as it goes
/// has no order worth searching.
const EXPECTED: usize = 256;

/// How many of the keys that followed last time a key is compared with.
const AHEAD: usize = 4;

/// All keys seen.
#[derive(Debug)]
pub(crate) struct Keys {
    ids: HashMap<Box<str>, KeyId>,
    all: Vec<Key>,
    /// The orders of keys, by the number of the event they were seen on.
    orders: Vec<Vec<KeyId>>,
    /// Counts objects, to tell a key that occurs twice in one.
    object: u64,
}

#[derive(Debug)]
struct Key {
    name: Box<str>,
    /// Where the values of each type go, once it is known.
    columns: [Option<Resolved>; 3],
    /// The object that it was last seen in.
    seen: u64,
}

/// The place in the order of an event's keys that has been reached.
pub(crate) struct Walk {
    event: usize,
    at: usize,
}

/// A key occurs twice in one object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Twice;

impl Default for Keys {
    fn default() -> Self {
        let mut keys =
            Self { ids: HashMap::default(), all: Vec::new(), orders: Vec::new(), object: 0 };
        for name in KNOWN {
            keys.intern(name);
        }
        keys
    }
}

impl Keys {
    /// Begins the properties of an event. Its number is any number that is the same for its name.
    pub(crate) fn walk(&mut self, event: usize) -> Walk {
        if self.orders.len() <= event {
            self.orders.resize_with(event + 1, Vec::new);
        }
        self.object += 1;
        Walk { event, at: 0 }
    }

    /// The number of the next key of an object.
    pub(crate) fn next(&mut self, walk: &mut Walk, name: &str) -> Result<KeyId, Twice> {
        let order = &self.orders[walk.event];
        let ahead = order[walk.at..].iter().take(AHEAD);
        let id = match ahead.zip(walk.at..).find(|(id, _)| *self.all[id.0].name == *name) {
            Some((&id, place)) => {
                walk.at = place + 1;
                id
            }
            None => self.unexpected(walk, name),
        };
        let key = &mut self.all[id.0];
        if key.seen == self.object {
            return Err(Twice);
        }
        key.seen = self.object;
        Ok(id)
    }

    /// A key that is not where it was last time. It is expected here from now on, unless it has its
    /// place elsewhere.
    fn unexpected(&mut self, walk: &mut Walk, name: &str) -> KeyId {
        let id = self.ids.get(name).copied().unwrap_or_else(|| self.intern(name));
        let order = &mut self.orders[walk.event];
        if order.len() >= EXPECTED {
            return id;
        }
        if let Some(place) = order.iter().position(|other| *other == id) {
            walk.at = place + 1;
        } else {
            order.insert(walk.at, id);
            walk.at += 1;
        }
        id
    }

    fn intern(&mut self, name: &str) -> KeyId {
        let id = KeyId(self.all.len());
        self.ids.insert(name.into(), id);
        self.all.push(Key { name: name.into(), columns: [None; 3], seen: 0 });
        id
    }

    /// The key itself.
    pub(crate) fn name(&self, id: KeyId) -> &str {
        &self.all[id.0].name
    }

    /// Where the values of a key and type go; the table is asked once for each.
    pub(crate) fn column(
        &mut self,
        id: KeyId,
        value_type: ValueType,
        (table, profile, seen): (&mut Table, Profile, Date),
    ) -> Resolved {
        let key = &mut self.all[id.0];
        let place = match value_type {
            ValueType::String => 0,
            ValueType::Number => 1,
            ValueType::Boolean => 2,
        };
        *key.columns[place]
            .get_or_insert_with(|| table.resolve(&key.name, value_type, profile, seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(keys: &mut Keys, event: usize, names: &[String]) -> Result<Vec<usize>, Twice> {
        let mut walk = keys.walk(event);
        names.iter().map(|name| keys.next(&mut walk, name).map(|id| id.0)).collect()
    }

    #[test]
    fn a_key_that_occurs_twice_in_an_object_is_told() {
        let mut keys = Keys::default();
        let twice = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(ids(&mut keys, 0, &twice), Err(Twice));
        assert!(ids(&mut keys, 0, &twice[..2]).is_ok(), "the next object begins afresh");
    }

    proptest! {
        #[test]
        fn a_key_has_one_number_whatever_was_expected(
            objects in prop::collection::vec(
                (0_usize..3, prop::collection::hash_set("[a-f]{1,2}", 0..10)), 0..20,
            )
        ) {
            let mut keys = Keys::default();
            for (event, names) in &objects {
                let names: Vec<String> = names.iter().cloned().collect();
                for (id, name) in ids(&mut keys, *event, &names).unwrap().iter().zip(&names) {
                    prop_assert_eq!(keys.name(KeyId(*id)), name);
                    prop_assert_eq!(keys.ids[name.as_str()].0, *id);
                }
            }
        }
    }
}
