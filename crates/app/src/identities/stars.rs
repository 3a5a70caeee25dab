//! Finds the smallest member of each connected component of a graph that does not fit in memory.
//!
//! Two steps are repeated until they change nothing. Each sorts the edges once and reads them once:
//!
//! - *large*: all larger neighbours of a node move to its smallest neighbour, or to the node itself;
//! - *small*: all smaller neighbours of a node, and the node, move to the smallest of them.
//!
//! Neither step joins or splits components. At the end each component is a star around its smallest member.
//! The number of rounds grows with the logarithm of the size of a component, not with the length of a chain.

use super::sorter::{Disk, Record, Sorted, Sorter, read_number};
use std::io::{self, Read, Write};

/// Two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge(pub u64, pub u64);

impl Record for Edge {
    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&self.0.to_le_bytes())?;
        to.write_all(&self.1.to_le_bytes())
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        Ok(Self(read_number(from)?, read_number(from)?))
    }
}

impl Edge {
    /// The larger node first. None for an edge from a node to itself.
    fn downward(a: u64, b: u64) -> Option<Self> {
        (a != b).then(|| Self(a.max(b), a.min(b)))
    }
}

/// The edges of the stars: each node that is not the smallest of its component, and the smallest. In order.
pub(super) fn stars<'a>(
    mut edges: Sorter<'a, Edge>,
    disk: Disk<'a>,
    may_go_on: &dyn Fn() -> io::Result<()>,
) -> io::Result<Sorted<Edge>> {
    loop {
        may_go_on()?;
        let (after_large, large_changed) = large(edges.sorted()?, disk)?;
        let (after_small, small_changed) = small(after_large.sorted()?, disk)?;
        if !large_changed && !small_changed {
            return after_small.sorted();
        }
        edges = after_small;
    }
}

/// Returns the edges, and whether any is another one than before.
fn large(mut edges: Sorted<Edge>, disk: Disk<'_>) -> io::Result<(Sorter<'_, Edge>, bool)> {
    let mut both = Sorter::new(disk);
    while let Some(Edge(a, b)) = edges.next()? {
        both.push(Edge(a, b))?;
        both.push(Edge(b, a))?;
    }
    let (mut moved, mut changed) = (Sorter::new(disk), false);
    let mut both = both.sorted()?;
    let mut of: Option<(u64, u64)> = None;
    while let Some(Edge(node, neighbour)) = both.next()? {
        // Neighbours come in order, so the first one is the smallest.
        let smallest = match of {
            Some((same, smallest)) if same == node => smallest,
            Some(_) | None => node.min(neighbour),
        };
        of = Some((node, smallest));
        if neighbour > node {
            changed |= smallest != node;
            Edge::downward(neighbour, smallest).map_or(Ok(()), |edge| moved.push(edge))?;
        }
    }
    Ok((moved, changed))
}

/// The same for the smaller neighbours. The edges lead from larger nodes to smaller ones.
fn small(mut edges: Sorted<Edge>, disk: Disk<'_>) -> io::Result<(Sorter<'_, Edge>, bool)> {
    let (mut moved, mut changed) = (Sorter::new(disk), false);
    let mut of: Option<(u64, u64)> = None;
    while let Some(edge @ Edge(node, neighbour)) = edges.next()? {
        match of {
            Some((same, smallest)) if same == node => {
                changed = true;
                Edge::downward(neighbour, smallest).map_or(Ok(()), |edge| moved.push(edge))?;
            }
            Some(_) | None => {
                of = Some((node, neighbour));
                moved.push(edge)?;
            }
        }
    }
    Ok((moved, changed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn of(edges: &[(u64, u64)], memory: usize) -> (Vec<(u64, u64)>, u32) {
        let folder = std::env::temp_dir();
        let disk = Disk { folder: &folder, memory };
        let mut sorter = Sorter::new(disk);
        for (a, b) in edges {
            Edge::downward(*a, *b).map_or(Ok(()), |edge| sorter.push(edge)).unwrap();
        }
        let rounds = std::cell::Cell::new(0);
        let count = || {
            rounds.set(rounds.get() + 1);
            Ok(())
        };
        let mut stars = stars(sorter, disk, &count).unwrap();
        let stars = std::iter::from_fn(|| stars.next().unwrap()).map(|edge| (edge.0, edge.1));
        (stars.collect(), rounds.get())
    }

    /// Every member of a component gets the smallest label of its neighbours until nothing changes.
    fn reference(edges: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let mut label: BTreeMap<u64, u64> =
            edges.iter().flat_map(|(a, b)| [(*a, *a), (*b, *b)]).collect();
        loop {
            let before = label.clone();
            for (a, b) in edges {
                let smallest = label[a].min(label[b]);
                label.insert(*a, smallest);
                label.insert(*b, smallest);
            }
            if label == before {
                return label.into_iter().filter(|(node, smallest)| node != smallest).collect();
            }
        }
    }

    #[test]
    fn a_long_chain_takes_few_rounds() {
        let chain: Vec<(u64, u64)> = (1..20_000).map(|node| (node, node + 1)).collect();
        let (stars, rounds) = of(&chain, 1 << 20);
        assert!(stars.len() == 19_999 && stars.iter().all(|(_, smallest)| *smallest == 1));
        assert!(rounds < 24, "{rounds}");
    }

    proptest! {
        #[test]
        fn each_node_is_joined_to_the_smallest_of_its_component(
            edges in prop::collection::vec((0_u64..40, 0_u64..40), 0..60), memory in 1_usize..4_000,
        ) {
            prop_assert_eq!(of(&edges, memory).0, reference(&edges));
        }
    }
}
