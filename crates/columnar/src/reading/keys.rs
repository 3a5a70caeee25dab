//! The keys of properties as small numbers, and where the values of each go.
//!
//! Events of one name carry nearly the same keys in nearly the same order. So a key is first
//! compared with the few that followed last time, and looked up only if it is none of them.

use foldhash::HashMap;
use mixlake_schema::ValueType;

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(u32);

impl KeyId {
    pub(crate) const TIME: Self = Self(0);
    pub(crate) const DISTINCT_ID: Self = Self(1);
    pub(crate) const INSERT_ID: Self = Self(2);
    pub(crate) const PROCESSING: Self = Self(3);

    /// Whether the key has a meaning of its own.
    pub(crate) fn is_known(self) -> bool {
        self.at() < KNOWN.len()
    }

    fn at(self) -> usize {
        self.0 as usize
    }
}

/// The keys that have a number before any line is read, in the order of their numbers.
const KNOWN: [&str; 4] = ["time", "distinct_id", "$insert_id", "mp_processing_time_ms"];

/// How many keys are expected of an event at the most: an event whose keys are made up as it goes
/// has no order worth searching.
const EXPECTED: usize = 256;

/// How many of the keys that followed last time a key is compared with.
const AHEAD: usize = 4;

/// The longest name of an event or a property, in bytes. Mixpanel takes 255 characters, which are at most
/// 1,020 bytes. Names are held in memory until a slice ends.
pub(crate) const NAME_BYTES: usize = 1_024;

/// About the bytes that a name takes in memory beside its text.
pub(crate) const NAME_COST: usize = 160;

/// Keys of properties.
#[derive(Debug)]
pub(crate) struct Keys {
    ids: HashMap<Box<str>, KeyId>,
    names: Vec<Box<str>>,
    /// Where the values of each key and type go.
    targets: Vec<[Target; 3]>,
    /// Whether they are the keys of one event only.
    alone: bool,
    /// The orders of keys, by the number of the event they were seen on; one if they are alone.
    orders: Vec<Vec<Expected>>,
    /// The expected keys as they stand in lines, those of an order near each other.
    texts: Vec<u8>,
    /// The object that each key was last seen in.
    seen: Vec<u64>,
    /// Counts objects, to tell a key that occurs twice in one.
    object: u64,
    /// About the bytes of memory that came since they were last asked for.
    grown: usize,
}

/// A key at its place in an order, as it stands in a line with its quotes and colon. Compared where it
/// lies: what most keys differ in needs no look elsewhere.
#[derive(Debug)]
struct Expected {
    /// Its first eight bytes, and its last; all of it in both if it has fewer.
    first: u64,
    last: u64,
    /// Where it begins in the texts of all.
    start: u32,
    length: u16,
    /// Where its last eight bytes begin.
    tail: u16,
    /// By how many bits its bytes are shifted so that those behind it fall away.
    beyond: u8,
    id: KeyId,
}

/// Where values go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nobody has asked the table yet.
    Undecided,
    /// Into the column of this number.
    Column(u32),
    /// Under the original name into the JSON text of the column of this number.
    Overflow(u32),
    /// Nowhere: a contract says so.
    LeftOut,
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
        let mut keys = Self {
            ids: HashMap::default(),
            names: Vec::new(),
            targets: Vec::new(),
            seen: Vec::new(),
            object: 0,
            alone: false,
            orders: Vec::new(),
            texts: Vec::new(),
            grown: 0,
        };
        for name in KNOWN {
            keys.intern(name);
        }
        keys
    }
}

impl Keys {
    /// The keys of one event: its number, which counts all events, takes no room.
    pub(crate) fn of_one_event() -> Self {
        Self { alone: true, ..Self::default() }
    }

    /// Begins the properties of an event. Its number is any number that is the same for its name.
    pub(crate) fn walk(&mut self, event: usize) -> Walk {
        let event = if self.alone { 0 } else { event };
        if self.orders.len() <= event {
            self.orders.resize_with(event + 1, Vec::new);
        }
        self.object += 1;
        Walk { event, at: 0 }
    }

    /// The key that `rest` begins with, and how long that is with its quotes and colon; none if it is
    /// not one of the few that followed last time.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call costs as much as what it does")]
    pub(crate) fn written(&mut self, walk: &mut Walk, rest: &[u8]) -> Option<(KeyId, usize)> {
        let expected = self.orders[walk.event].get(walk.at)?;
        let first = u64::from_le_bytes(*rest.first_chunk()?);
        if !expected.begins(first, rest, &self.texts) {
            return self.further(walk, first, rest);
        }
        walk.at += 1;
        Some((expected.id, usize::from(expected.length)))
    }

    /// The same for what comes after the next.
    #[inline(never)]
    fn further(&self, walk: &mut Walk, first: u64, rest: &[u8]) -> Option<(KeyId, usize)> {
        let behind = self.orders[walk.event].get(walk.at + 1..)?;
        for (expected, next) in behind.iter().take(AHEAD - 1).zip(walk.at + 2..) {
            if expected.begins(first, rest, &self.texts) {
                walk.at = next;
                return Some((expected.id, usize::from(expected.length)));
            }
        }
        None
    }

    /// The number of the next key of an object.
    pub(crate) fn next(&mut self, walk: &mut Walk, name: &str) -> KeyId {
        let id = self.ids.get(name).copied().unwrap_or_else(|| self.intern(name));
        self.expect(walk, id);
        id
    }

    /// Notes that the object has this key.
    #[inline]
    pub(crate) fn see(&mut self, id: KeyId) -> Result<(), Twice> {
        let before = std::mem::replace(&mut self.seen[id.at()], self.object);
        if before == self.object { Err(Twice) } else { Ok(()) }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// The key that came last.
    pub(crate) fn last(&self) -> &str {
        self.names.last().map_or("", |name| name)
    }

    /// About the bytes of memory that came since this was last asked.
    #[inline]
    pub(crate) fn take_grown(&mut self) -> usize {
        std::mem::take(&mut self.grown)
    }

    /// The key is expected here from now on, unless it has its place elsewhere.
    fn expect(&mut self, walk: &mut Walk, id: KeyId) {
        let order = &mut self.orders[walk.event];
        if let Some(index) = order.iter().position(|expected| expected.id == id) {
            walk.at = index + 1;
        } else if order.len() < EXPECTED {
            let Some(expected) = Expected::new(id, &self.names[id.at()], &mut self.texts) else {
                return;
            };
            self.grown += size_of::<Expected>() + usize::from(expected.length);
            order.insert(walk.at, expected);
            walk.at += 1;
        }
    }

    fn intern(&mut self, name: &str) -> KeyId {
        let id = KeyId(u32::try_from(self.names.len()).expect("far fewer keys than 2^32"));
        self.ids.insert(name.into(), id);
        self.names.push(name.into());
        self.targets.push([Target::Undecided; 3]);
        self.seen.push(0);
        self.grown += NAME_COST + 2 * name.len();
        id
    }

    /// The key itself.
    pub(crate) fn name(&self, id: KeyId) -> &str {
        &self.names[id.at()]
    }

    /// Where the values of a key and type go.
    #[inline]
    pub(crate) fn target(&self, id: KeyId, value_type: ValueType) -> Target {
        self.targets[id.at()][type_index(value_type)]
    }

    /// From now on the values of a key and type go there.
    pub(crate) fn decide(&mut self, id: KeyId, value_type: ValueType, target: Target) {
        self.targets[id.at()][type_index(value_type)] = target;
    }
}

fn type_index(value_type: ValueType) -> usize {
    match value_type {
        ValueType::String => 0,
        ValueType::Number => 1,
        ValueType::Boolean => 2,
    }
}

impl Expected {
    /// Adds a key to the texts; none if it has to be looked up each time.
    fn new(id: KeyId, name: &str, texts: &mut Vec<u8>) -> Option<Self> {
        let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
        if !name.bytes().all(plain) {
            return None;
        }
        let written = format!("\"{name}\":").into_bytes();
        let tail = written.len().saturating_sub(EIGHT);
        let word = |bytes: &[u8]| {
            let mut eight = [0; EIGHT];
            let length = bytes.len().min(EIGHT);
            eight[..length].copy_from_slice(&bytes[..length]);
            u64::from_le_bytes(eight)
        };
        let expected = Self {
            first: word(&written),
            last: word(&written[tail..]),
            start: u32::try_from(texts.len()).ok()?,
            length: u16::try_from(written.len()).ok()?,
            tail: u16::try_from(tail).ok()?,
            beyond: u8::try_from(8 * EIGHT.saturating_sub(written.len())).ok()?,
            id,
        };
        texts.extend(written);
        Some(expected)
    }

    /// Whether a line goes on with this key; `first` are the first eight bytes of the rest of it.
    #[inline]
    fn begins(&self, first: u64, rest: &[u8], texts: &[u8]) -> bool {
        let tail = usize::from(self.tail);
        let Some(last) = rest.get(tail..).and_then(<[u8]>::first_chunk) else { return false };
        let others = (first ^ self.first) | (u64::from_le_bytes(*last) ^ self.last);
        others << self.beyond == 0 && (tail <= EIGHT || self.goes_on(rest, texts))
    }

    /// The same for what lies between the ends of a long key.
    #[inline(never)]
    fn goes_on(&self, rest: &[u8], texts: &[u8]) -> bool {
        let written = &texts[self.start as usize..];
        let middle = EIGHT..usize::from(self.tail);
        written[middle.clone()] == rest[middle]
    }
}

/// The bytes that are compared at once.
const EIGHT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(keys: &mut Keys, event: usize, names: &[String]) -> Result<Vec<usize>, Twice> {
        let mut walk = keys.walk(event);
        let mut next = |name: &String| {
            let text = format!("\"{name}\": 1, and so on");
            let id = match keys.written(&mut walk, text.as_bytes()) {
                Some((id, length)) => {
                    assert_eq!(length, name.len() + 3);
                    id
                }
                None => keys.next(&mut walk, name),
            };
            keys.see(id).map(|()| id.at())
        };
        names.iter().map(&mut next).collect()
    }

    #[test]
    fn a_key_that_occurs_twice_in_an_object_is_told() {
        let mut keys = Keys::default();
        let twice = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(ids(&mut keys, 0, &twice), Err(Twice));
        assert!(ids(&mut keys, 0, &twice[..2]).is_ok(), "the next object begins afresh");
    }

    #[test]
    fn new_keys_take_memory_and_known_ones_do_not() {
        let mut keys = Keys::default();
        keys.take_grown();
        let names = ["a".to_owned(), "b".repeat(1_000)];
        assert!(ids(&mut keys, 0, &names).is_ok());
        assert!((2_000..5_000).contains(&keys.take_grown()));
        assert!(ids(&mut keys, 0, &names).is_ok());
        assert_eq!(keys.take_grown(), 0);
        assert!(ids(&mut keys, 1, &names).is_ok());
        assert!((1_000..1_200).contains(&keys.take_grown()), "the order of another event");
    }

    #[test]
    fn the_keys_of_one_event_have_one_order_whatever_its_number() {
        let mut keys = Keys::of_one_event();
        assert!(ids(&mut keys, 5_000, &["a", "b"].map(str::to_owned)).is_ok());
        assert_eq!((keys.orders.len(), keys.orders[0].len()), (1, 2));
    }

    proptest! {
        #[test]
        fn a_key_has_one_number_whatever_was_expected(
            objects in prop::collection::vec(
                (0_usize..3, prop::collection::hash_set("[a-f]{1,2}|a_long_key_[ab]_with_[ab]_ends_[ab]", 0..10)), 0..20,
            )
        ) {
            let mut keys = Keys::default();
            for (event, names) in &objects {
                let names: Vec<String> = names.iter().cloned().collect();
                for (id, name) in ids(&mut keys, *event, &names).unwrap().iter().zip(&names) {
                    prop_assert_eq!(&*keys.names[*id], name);
                    prop_assert_eq!(keys.ids[name.as_str()].at(), *id);
                }
            }
        }
    }
}
