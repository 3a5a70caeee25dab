//! From facts to the identity of each identifier. Nothing depends on the order in which facts come, and
//! memory does not grow with their number: everything is sorted and merged in temporary files.
//!
//! 1. Facts that come later than another one about the same identifier are left out, where the first one
//!    wins. The others are links.
//! 2. Each identifier gets a number. Its upper byte is the rank of the identifier as the identity of the
//!    others, the rest its place in the order of all identifiers. So the smallest number of a component is
//!    its identity.
//! 3. `stars` joins each number to the smallest of its component.
//! 4. Numbers become identifiers again.

use super::fact::{Fact, IdMerge, Kind, is_device};
use super::sorter::{
    Disk, Reader, Record, Sorter, Tape, read_number, read_text, text_size, write_text,
};
use super::stars::{Edge, stars};
use std::io::{self, ErrorKind, Read, Write};

/// Bits of what is known of an identifier.
mod mark {
    /// A fact leads to it.
    pub const TARGET: u8 = 1;
    /// A fact leads away from it.
    pub const SOURCE: u8 = 2;
    /// Mixpanel resolved another one to it, with original ID merge.
    pub const CHOSEN: u8 = 4;
    /// Mixpanel resolved it to another one, with original ID merge.
    pub const LEFT: u8 = 8;
}

/// The bits of a number below the rank.
const PLACE: u32 = 56;

/// The rank of an identifier as the identity of its component; the lowest is taken.
fn rank(marks: u8, identifier: &str) -> u64 {
    let has = |mark: u8| marks & mark != 0;
    let rank = if has(mark::CHOSEN) && !has(mark::LEFT) {
        0
    } else if has(mark::TARGET) && !has(mark::SOURCE) {
        1
    } else if has(mark::TARGET) {
        2
    } else {
        3
    };
    rank * 2 + u64::from(is_device(identifier))
}

/// Calls `each` with every identifier that has another one as its identity, and that identity, in the
/// order of the identifiers.
pub(super) fn resolve<E: From<io::Error>>(
    facts: Sorter<'_, Fact>,
    merge: IdMerge,
    disk: Disk<'_>,
    may_go_on: &dyn Fn() -> io::Result<()>,
    each: &mut dyn FnMut(String, String) -> Result<(), E>,
) -> Result<(), E> {
    let (links, names) = links(facts, merge, disk)?;
    may_go_on()?;
    let mut dictionary = Dictionary::new(names, disk)?;
    may_go_on()?;
    let mut edges = Sorter::new(disk);
    dictionary.numbered(links, disk, &mut edges)?;
    let mut members = stars(edges, disk, may_go_on)?;
    let mut by_identity = Sorter::new(disk);
    while let Some(Edge(member, identity)) = members.next()? {
        by_identity.push(Edge(place_of(identity), place_of(member)))?;
    }
    may_go_on()?;
    let mut by_identity = by_identity.sorted()?;
    let mut rows = Sorter::new(disk);
    dictionary.rewind()?;
    while let Some(Edge(identity, member)) = by_identity.next()? {
        rows.push(Named { place: member, text: dictionary.text_at(identity)?.to_owned() })?;
    }
    may_go_on()?;
    let mut rows = rows.sorted()?;
    dictionary.rewind()?;
    while let Some(Named { place, text }) = rows.next()? {
        each(dictionary.text_at(place)?.to_owned(), text)?;
    }
    Ok(())
}

/// The facts that count, as links in the order of their first identifier, and all identifiers in them.
fn links<'a>(
    facts: Sorter<'a, Fact>,
    merge: IdMerge,
    disk: Disk<'a>,
) -> io::Result<(Tape<Link>, Sorter<'a, Name>)> {
    let (mut links, mut names) = (Tape::new(disk)?, Sorter::new(disk));
    let mut facts = facts.sorted()?;
    let mut firsts = Firsts::default();
    let mut last: Option<Fact> = None;
    loop {
        let fact = facts.next()?;
        let is_next = fact.as_ref().is_none_or(|fact| firsts.of != fact.from);
        if is_next {
            for fact in firsts.take() {
                link(&fact, merge, &mut links, &mut names)?;
            }
        }
        let Some(fact) = fact else { return Ok((links, names)) };
        if is_next {
            firsts.of.clone_from(&fact.from);
        }
        if !fact.kind.counts(merge) {
            continue;
        }
        if let Some(slot) = slot(fact.kind, merge) {
            firsts.enter(slot, fact);
        } else {
            if !last.as_ref().is_some_and(|last| last.says_the_same(&fact)) {
                link(&fact, merge, &mut links, &mut names)?;
            }
            last = Some(fact);
        }
    }
}

/// Facts about the same identifier in the same slot exclude each other. None: all of them count.
fn slot(kind: Kind, merge: IdMerge) -> Option<usize> {
    match (kind, merge) {
        // An identifier has one identity. What Mixpanel resolved outweighs who had the device first.
        (_, IdMerge::Simplified) | (Kind::Identify, IdMerge::Original) => Some(0),
        (Kind::Alias, IdMerge::Original) => Some(1),
        (Kind::Resolved | Kind::Device | Kind::Merge, IdMerge::Original) => None,
    }
}

/// The facts that win, of one identifier.
#[derive(Default)]
struct Firsts {
    of: String,
    slots: [Option<Fact>; 2],
}

impl Firsts {
    fn enter(&mut self, slot: usize, fact: Fact) {
        let key = |fact: &Fact| (fact.kind, fact.time, fact.to.clone());
        let slot = &mut self.slots[slot];
        if slot.as_ref().is_none_or(|first| key(&fact) < key(first)) {
            *slot = Some(fact);
        }
    }

    fn take(&mut self) -> impl Iterator<Item = Fact> + use<> {
        std::mem::take(&mut self.slots).into_iter().flatten()
    }
}

fn link(
    fact: &Fact,
    merge: IdMerge,
    links: &mut Tape<Link>,
    names: &mut Sorter<'_, Name>,
) -> io::Result<()> {
    let (of_from, of_to) = match (fact.kind, merge) {
        (Kind::Merge, _) => (0, 0),
        (Kind::Resolved, IdMerge::Original) => {
            (mark::SOURCE | mark::LEFT, mark::TARGET | mark::CHOSEN)
        }
        (Kind::Resolved | Kind::Device | Kind::Identify | Kind::Alias, _) => {
            (mark::SOURCE, mark::TARGET)
        }
    };
    names.push(Name { text: fact.from.clone(), marks: of_from })?;
    names.push(Name { text: fact.to.clone(), marks: of_to })?;
    links.push(&Link { from: fact.from.clone(), to: fact.to.clone() })
}

/// All identifiers in order. Their places are their numbers, below their ranks.
struct Dictionary {
    entries: Reader<Named>,
    /// The entry that was read last.
    at: Option<Named>,
    read: u64,
}

impl Dictionary {
    fn new(names: Sorter<'_, Name>, disk: Disk<'_>) -> io::Result<Self> {
        let mut entries = Tape::new(disk)?;
        let mut names = names.sorted()?;
        let (mut open, mut place): (Option<Name>, u64) = (None, 0);
        loop {
            let name = names.next()?;
            open = match (open, name) {
                (Some(mut same), Some(name)) if same.text == name.text => {
                    same.marks |= name.marks;
                    Some(same)
                }
                (done, name) => {
                    if let Some(Name { text, marks }) = done {
                        let number = rank(marks, &text) << PLACE | place;
                        entries.push(&Named { place: number, text })?;
                        place += 1;
                    }
                    name
                }
            };
            if open.is_none() {
                break;
            }
        }
        Ok(Self { entries: entries.into_reader()?, at: None, read: 0 })
    }

    fn rewind(&mut self) -> io::Result<()> {
        (self.at, self.read) = (None, 0);
        self.entries.rewind()
    }

    fn advance(&mut self) -> io::Result<&Named> {
        self.read += 1;
        self.at = self.entries.next()?;
        self.at.as_ref().ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    /// The number of an identifier. Identifiers are asked for in order.
    fn number_of(&mut self, text: &str) -> io::Result<u64> {
        while self.at.as_ref().is_none_or(|entry| entry.text != text) {
            self.advance()?;
        }
        self.at.as_ref().map(|entry| entry.place).ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    /// The identifier at a place. Places are asked for in order.
    fn text_at(&mut self, place: u64) -> io::Result<&str> {
        while self.read <= place {
            self.advance()?;
        }
        self.at.as_ref().map(|entry| &*entry.text).ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    /// The links as edges between numbers.
    fn numbered<'a>(
        &mut self,
        links: Tape<Link>,
        disk: Disk<'a>,
        edges: &mut Sorter<'a, Edge>,
    ) -> io::Result<()> {
        let mut links = links.into_reader()?;
        let mut by_target = Sorter::new(disk);
        self.rewind()?;
        while let Some(Link { from, to }) = links.next()? {
            by_target.push(Half { to, from: self.number_of(&from)? })?;
        }
        let mut by_target = by_target.sorted()?;
        self.rewind()?;
        while let Some(Half { to, from }) = by_target.next()? {
            edges.push(Edge(from, self.number_of(&to)?))?;
        }
        Ok(())
    }
}

/// The place of an identifier, from its number.
fn place_of(number: u64) -> u64 {
    number & ((1 << PLACE) - 1)
}

/// Two identifiers that are one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    from: String,
    to: String,
}

impl Record for Link {
    fn size(&self) -> usize {
        text_size(&self.from) + text_size(&self.to)
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        write_text(to, &self.from)?;
        write_text(to, &self.to)
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        Ok(Self { from: read_text(from)?, to: read_text(from)? })
    }
}

/// An identifier, and what a fact says of it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    text: String,
    marks: u8,
}

impl Record for Name {
    fn size(&self) -> usize {
        text_size(&self.text) + 8
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        write_text(to, &self.text)?;
        to.write_all(&[self.marks])
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        let text = read_text(from)?;
        let mut marks = [0];
        from.read_exact(&mut marks)?;
        Ok(Self { text, marks: marks[0] })
    }
}

/// A link whose first identifier is a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Half {
    to: String,
    from: u64,
}

impl Record for Half {
    fn size(&self) -> usize {
        text_size(&self.to) + 8
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        write_text(to, &self.to)?;
        to.write_all(&self.from.to_le_bytes())
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        Ok(Self { to: read_text(from)?, from: read_number(from)? })
    }
}

/// An identifier with a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    place: u64,
    text: String,
}

impl Record for Named {
    fn size(&self) -> usize {
        text_size(&self.text) + 8
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&self.place.to_le_bytes())?;
        write_text(to, &self.text)
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        Ok(Self { place: read_number(from)?, text: read_text(from)? })
    }
}

#[cfg(test)]
mod tests;
