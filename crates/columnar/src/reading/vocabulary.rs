//! The names of events and the keys of their properties, as small numbers.

use crate::options::contract::Contracts;
use crate::reading::keys::{Keys, NAME_COST};
use foldhash::HashMap;

/// All names seen in a slice.
///
/// Events whose properties go to the same columns by the same rules share their keys.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    numbers: HashMap<Box<str>, usize>,
    names: Vec<Box<str>>,
    /// Which keys an event has, by its number.
    of_event: Vec<usize>,
    keys: Vec<Keys>,
    shared: Option<usize>,
    apart: Apart,
    /// About the bytes of memory that all names take.
    memory: usize,
}

/// Which events have keys of their own.
#[derive(Debug, Default)]
pub(crate) enum Apart {
    #[default]
    Nobody,
    Those(Contracts),
    Everybody,
}

impl Vocabulary {
    pub(crate) fn new(apart: Apart) -> Self {
        Self { apart, ..Self::default() }
    }

    /// The number of an event: they count from 0 in the order of their coming.
    pub(crate) fn event(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.numbers.len();
        self.numbers.insert(name.into(), number);
        self.names.push(name.into());
        let apart = match &self.apart {
            Apart::Nobody => false,
            Apart::Those(contracts) => contracts.sets_apart(name),
            Apart::Everybody => true,
        };
        let keys = if apart { self.add(Keys::of_one_event()) } else { self.shared() };
        self.of_event.push(keys);
        self.memory += NAME_COST + 2 * name.len();
        number
    }

    /// About the bytes of memory that all names take. It has to be asked after each line, with the number of
    /// the event that was read last: only the keys of that event can have grown.
    #[inline]
    pub(crate) fn memory(&mut self, event: usize) -> usize {
        if let Some(&keys) = self.of_event.get(event) {
            self.memory += self.keys[keys].take_grown();
        }
        self.memory
    }

    /// An example of the names that there are many of: the last key, or the last event if there are more
    /// events than keys.
    pub(crate) fn last(&self, event: usize) -> String {
        let keys = self.of_event.get(event).map(|&keys| &self.keys[keys]);
        let key = keys.filter(|keys| keys.count() > self.names.len()).map(Keys::last);
        let name = key.or(self.names.last().map(|name| &**name)).unwrap_or_default();
        name.chars().take(64).collect()
    }

    /// How many events there are.
    pub(crate) fn events(&self) -> usize {
        self.names.len()
    }

    /// How many keys all events have.
    pub(crate) fn properties(&self) -> usize {
        self.keys.iter().map(Keys::count).sum()
    }

    /// The name of an event.
    pub(crate) fn name(&self, event: usize) -> &str {
        &self.names[event]
    }

    /// The keys of an event.
    pub(crate) fn keys_of(&self, event: usize) -> &Keys {
        &self.keys[self.of_event[event]]
    }

    pub(crate) fn keys(&mut self, event: usize) -> &mut Keys {
        &mut self.keys[self.of_event[event]]
    }

    fn add(&mut self, keys: Keys) -> usize {
        self.keys.push(keys);
        self.keys.len() - 1
    }

    fn shared(&mut self) -> usize {
        if let Some(shared) = self.shared {
            return shared;
        }
        let shared = self.add(Keys::default());
        self.shared = Some(shared);
        shared
    }
}
