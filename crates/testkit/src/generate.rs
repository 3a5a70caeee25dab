//! A seeded generator of events in the shape of the export API: any number of rows, any width.
//!
//! The shape is that of a large customer: some event names, each with its own set of properties out of
//! many. Two values in a hundred have another type than usual (all of them in one property of ten), one
//! in twenty is nested, and some text has non-ASCII characters.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::io::{self, Write};

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// The number of events.
    pub rows: u64,
    /// The number of event names.
    pub names: usize,
    /// The total number of properties.
    pub properties: usize,
    /// The number of properties that an event has, on average.
    pub per_event: usize,
    /// One row in this many repeats an earlier one; 0 means none.
    pub repeat_one_in: u64,
    /// The number of days. The last one is always the same; at least 1.
    pub days: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seed: 1,
            rows: 1_000,
            names: 60,
            properties: 388,
            per_event: 25,
            repeat_one_in: 0,
            days: 1,
        }
    }
}

/// The usual type of a property.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Word,
    Number,
    Decimal,
    Boolean,
    Nested,
    Unicode,
}

const WORDS: [&str; 16] = [
    "alpha",
    "berlin",
    "checkout",
    "dark",
    "express",
    "frequent",
    "gold",
    "homepage",
    "invite",
    "january",
    "kitchen",
    "landing",
    "mobile",
    "newsletter",
    "organic",
    "premium",
];
const UNICODE: [&str; 4] = ["Zürich – Höngg", "東京都渋谷区", "naïve café", "Ærøskøbing 🎈"];

/// The start of the last day: 2026-11-10 UTC, in milliseconds.
const LAST_DAY: u64 = 1_794_268_800_000;
const DAY: u64 = 86_400_000;

impl Shape {
    /// Writes the events as JSON lines.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut random = StdRng::seed_from_u64(self.seed);
        let kinds: Vec<Kind> = (0..self.properties).map(kind).collect();
        let sets = self.sets(&mut random);
        let mut last = Vec::new();
        for row in 0..self.rows {
            let repeats =
                self.repeat_one_in > 0 && random.random_ratio(1, ratio(self.repeat_one_in));
            if !repeats || last.is_empty() {
                last.clear();
                self.event(&mut last, row, &kinds, &sets, &mut random)?;
            }
            out.write_all(&last)?;
        }
        Ok(())
    }

    /// The properties of each event name, in the order in which they are written. All properties are
    /// dealt out, again and again.
    fn sets(&self, random: &mut StdRng) -> Vec<Vec<usize>> {
        let length = (self.per_event + self.per_event / 4).min(self.properties);
        let mut all: Vec<usize> = (0..self.properties).collect();
        let mut left = Vec::new();
        let deal = |_| {
            let mut set = Vec::with_capacity(length);
            while set.len() < length {
                if left.is_empty() {
                    all.shuffle(random);
                    left.clone_from(&all);
                }
                set.extend(left.pop().filter(|property| !set.contains(property)));
            }
            set
        };
        (0..self.names).map(deal).collect()
    }

    fn event(
        &self,
        line: &mut Vec<u8>,
        row: u64,
        kinds: &[Kind],
        sets: &[Vec<usize>],
        random: &mut StdRng,
    ) -> io::Result<()> {
        // A few names make up most events.
        let name = random.random_range(0..sets.len()).min(random.random_range(0..sets.len()));
        let start = LAST_DAY - (self.days - 1) * DAY;
        let time = start + random.random_range(0..self.days * DAY);
        let person = random.random_range(0..self.rows / 10 + 1);
        write!(
            line,
            r#"{{"event":"Event {name}","properties":{{"time":{time},"distinct_id":"user-{person:08x}","$insert_id":"{:016x}{row:08x}","$browser":"Chrome","$os":"{}","mp_lib":"web","mp_processing_time_ms":{}"#,
            random.random::<u64>(),
            ["Mac OS X", "Windows", "Android", "iOS"][usize::try_from(person % 4).unwrap_or(0)],
            time + 900,
        )?;
        for &property in &sets[name] {
            // An event lacks one in five properties of its set.
            if random.random_ratio(4, 5) {
                write!(line, r#","Property {property}":"#)?;
                let usual = kinds[property];
                let mixed = property % 10 == 3 && random.random_ratio(1, 5);
                let kind = if mixed { other(usual) } else { usual };
                value(line, kind, random)?;
            }
        }
        line.extend_from_slice(b"}}\n");
        Ok(())
    }
}

fn ratio(one_in: u64) -> u32 {
    u32::try_from(one_in).unwrap_or(u32::MAX)
}

fn kind(property: usize) -> Kind {
    match property % 20 {
        0..8 => Kind::Word,
        8..13 => Kind::Number,
        13..15 => Kind::Decimal,
        15..18 => Kind::Boolean,
        18 => Kind::Nested,
        _ => Kind::Unicode,
    }
}

/// A value of another type than usual.
fn other(kind: Kind) -> Kind {
    match kind {
        Kind::Word | Kind::Unicode | Kind::Nested => Kind::Number,
        Kind::Number | Kind::Decimal | Kind::Boolean => Kind::Word,
    }
}

fn value(line: &mut Vec<u8>, kind: Kind, random: &mut StdRng) -> io::Result<()> {
    let word = |random: &mut StdRng| WORDS[random.random_range(0..WORDS.len())];
    match kind {
        Kind::Word => write!(line, r#""{} {}""#, word(random), random.random_range(0..500)),
        Kind::Number => write!(line, "{}", random.random_range(0..100_000)),
        Kind::Decimal => {
            write!(line, "{}.{}", random.random_range(0..1_000), random.random_range(1..99))
        }
        Kind::Boolean => write!(line, "{}", random.random::<bool>()),
        Kind::Nested => {
            let (name, count) = (word(random), random.random_range(0..40));
            write!(line, r#"{{"name":"{name}","tags":["a","{name}"],"count":{count}}}"#)
        }
        Kind::Unicode => write!(line, r#""{}""#, UNICODE[random.random_range(0..UNICODE.len())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn generated(shape: Shape) -> Vec<u8> {
        let mut out = Vec::new();
        shape.write(&mut out).unwrap();
        out
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
        let shape = Shape { rows: 50, ..Shape::default() };
        assert_eq!(generated(shape), generated(shape));
        assert_ne!(generated(shape), generated(Shape { seed: 2, ..shape }));
    }

    #[test]
    fn events_of_several_days_are_in_each_of_them_and_people_come_again() {
        let lines = generated(Shape { rows: 300, days: 3, ..Shape::default() });
        let mut dates = BTreeSet::new();
        let mut people = BTreeSet::new();
        for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let event: serde_json::Value = serde_json::from_slice(line).unwrap();
            let time = event["properties"]["time"].as_u64().unwrap();
            assert!(time < LAST_DAY + DAY);
            dates.insert(time / DAY);
            people.insert(event["properties"]["distinct_id"].to_string());
        }
        let last = LAST_DAY / DAY;
        assert_eq!(dates, BTreeSet::from([last - 2, last - 1, last]));
        assert!(people.len() < 32);
    }

    #[test]
    fn every_line_is_an_event() {
        let lines = generated(Shape { rows: 200, properties: 4_000, ..Shape::default() });
        for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let event: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert!(event["properties"].as_object().unwrap().len() > 10);
        }
    }
}
