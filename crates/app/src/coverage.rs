//! Whether a slice is published, as itself or as slices of another length.

use crate::ledger::{Entry, Ledger, State};
use mixlake_domain::{Slice, SliceLabel, Zone};

impl Ledger {
    /// Whether a slice is published, or a longer one that covers it, or shorter ones that together are all of
    /// it. A lake has slices of several lengths if its frequency was changed, or if a day was made up for.
    pub(crate) fn holds(&self, slice: &Slice, zone: &Zone) -> bool {
        let label = slice.label();
        self.is_published(self.covering(label)) || self.shorter_hold(slice, zone)
    }

    fn is_published(&self, label: SliceLabel) -> bool {
        self.entry(label).is_some_and(|entry| entry.state == State::Published)
    }

    fn shorter_hold(&self, slice: &Slice, zone: &Zone) -> bool {
        let label = slice.label();
        let is_part =
            |entry: &&Entry| entry.state == State::Published && label.covers(&entry.slice);
        let parts = self.slices.iter().filter(is_part);
        let mut parts: Vec<Slice> =
            parts.filter_map(|entry| Slice::of_label(entry.slice, zone)).collect();
        // By time: labels of a repeated hour sort elsewhere.
        parts.sort_unstable_by_key(Slice::start);
        let held_until = parts.iter().fold(slice.start(), |until, part| {
            if part.start() <= until { until.max(part.end()) } else { until }
        });
        held_until >= slice.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::SliceCounts;
    use mixlake_domain::{Date, Minutes};
    use std::collections::BTreeSet;

    fn ledger(labels: &[String], state: State) -> Ledger {
        let entry = |label: &String| Entry {
            slice: label.clone().try_into().unwrap(),
            state,
            content: String::new(),
            files: None,
            targets: BTreeSet::new(),
            counts: SliceCounts::default(),
            quarantine: None,
        };
        let mut slices: Vec<Entry> = labels.iter().map(entry).collect();
        slices.sort_by_key(|entry| entry.slice);
        Ledger { slices, ..Ledger::default() }
    }

    fn labels(slices: &[Slice]) -> Vec<String> {
        slices.iter().map(ToString::to_string).collect()
    }

    fn date() -> Date {
        "2026-10-25".parse().unwrap()
    }

    #[test]
    fn slices_of_all_lengths_hold_a_day_together_and_each_of_them_is_needed() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let day = Slice::day(date(), &berlin);
        let in_hour = |slice: &Slice, hour: &str| slice.to_string().contains(hour);
        let mut parts = labels(&Slice::hours(date(), &berlin));
        parts.retain(|hour| !hour.ends_with("T02b") && !hour.ends_with("T14"));
        let [mut quarters, mut fives] =
            Minutes::ALL.map(|length| Slice::minutes(date(), length, &berlin));
        quarters.retain(|quarter| in_hour(quarter, "T02b"));
        fives.retain(|five| in_hour(five, "T14"));
        parts.extend([labels(&quarters), labels(&fives)].concat());
        assert_eq!(parts.len(), 23 + 4 + 12);
        assert!(ledger(&parts, State::Published).holds(&day, &berlin));
        assert!(!ledger(&parts, State::Writing).holds(&day, &berlin));
        for left_out in 0..parts.len() {
            let mut parts = parts.clone();
            let label = parts.remove(left_out);
            assert!(!ledger(&parts, State::Published).holds(&day, &berlin), "without {label}");
        }
    }

    #[test]
    fn a_longer_slice_holds_the_shorter_ones_in_it() {
        let hour = ledger(&["2026-10-25T14".to_owned()], State::Published);
        let holds = |label: &str| hour.holds(&Slice::parse(label, &Zone::UTC).unwrap(), &Zone::UTC);
        assert!(holds("2026-10-25T14_30to45") && holds("2026-10-25T14_55to60"));
        assert!(!holds("2026-10-25T15_00to15") && !holds("2026-10-25"));
        assert!(!holds("i2026-10-25T14_30to45"));
    }
}
