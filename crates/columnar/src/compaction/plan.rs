//! Decides where row groups end. No I/O.

/// The rows of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventRows {
    pub rows: u64,
    /// How many of them a row group may have.
    pub most: u64,
}

/// Rows for each column that a row group should have. What a file says of a column chunk takes a few hundred
/// bytes, so a wide table needs larger row groups.
const ROWS_A_COLUMN: u64 = 64;

/// Smaller row groups do not pay even in a narrow table.
const LEAST: u64 = 1_024;

/// Few rows of small events share the row group of a large event: at most one in so many.
const SHARED: u64 = 5;

/// How many rows a row group should have at least.
pub(super) fn least(columns: usize, most: u64) -> u64 {
    (columns as u64 * ROWS_A_COLUMN).clamp(LEAST.min(most / 2), most / 2).max(1)
}

/// The rows of each row group, for events in their order. A large event has row groups of its own. Small ones
/// share one.
pub(super) fn groups(events: &[EventRows], least: u64) -> Vec<u64> {
    let mut groups = Vec::new();
    let mut small = EventRows { rows: 0, most: u64::MAX };
    for event in events {
        if event.rows >= least.min(event.most) {
            let own = if small.rows * SHARED > event.rows {
                divide(small, &mut groups);
                *event
            } else {
                small.with(*event)
            };
            divide(own, &mut groups);
            small = EventRows { rows: 0, most: u64::MAX };
        } else {
            small = small.with(*event);
            if small.rows >= least {
                divide(small, &mut groups);
                small = EventRows { rows: 0, most: u64::MAX };
            }
        }
    }
    match groups.last_mut() {
        Some(before) if small.rows * SHARED <= *before && *before + small.rows <= small.most => {
            *before += small.rows;
        }
        Some(_) | None => divide(small, &mut groups),
    }
    groups
}

impl EventRows {
    fn with(self, next: Self) -> Self {
        Self { rows: self.rows + next.rows, most: self.most.min(next.most) }
    }
}

/// Cuts rows into row groups of nearly equal size.
fn divide(all: EventRows, groups: &mut Vec<u64>) {
    if all.rows == 0 {
        return;
    }
    let number = all.rows.div_ceil(all.most.max(1));
    let (each, more) = (all.rows / number, all.rows % number);
    groups.extend((0..number).map(|group| each + u64::from(group < more)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(rows: &[u64], least: u64, most: u64) -> Vec<u64> {
        let events: Vec<EventRows> = rows.iter().map(|&rows| EventRows { rows, most }).collect();
        groups(&events, least)
    }

    #[test]
    fn large_events_have_row_groups_of_their_own_and_small_ones_share() {
        assert_eq!(of(&[100, 250, 90], 50, 100), [100, 84, 83, 83, 90]);
        assert_eq!(of(&[20, 20, 20, 20, 20], 50, 100), [60, 40]);
        assert_eq!(of(&[1, 80, 2], 50, 100), [83]);
        assert_eq!(of(&[1, 80, 2], 50, 82), [81, 2], "the last rows would make it too large");
    }

    #[test]
    fn few_rows_share_the_row_group_of_their_neighbour() {
        assert_eq!(of(&[10, 60, 5], 50, 100), [75]);
        assert_eq!(
            of(&[30, 60], 50, 100),
            [30, 60],
            "a query for the second event would read half more"
        );
    }

    #[test]
    fn wide_tables_have_larger_row_groups() {
        assert_eq!([3, 100, 4_000].map(|columns| least(columns, 65_536)), [1_024, 6_400, 32_768]);
        assert_eq!(least(3, 100), 50);
    }

    proptest! {
        #[test]
        fn all_rows_are_in_row_groups_within_the_bound(
            rows in prop::collection::vec(0_u64..400, 0..40), most in 1_u64..90,
        ) {
            let groups = of(&rows, least(1, most), most);
            prop_assert_eq!(groups.iter().sum::<u64>(), rows.iter().sum::<u64>());
            prop_assert!(groups.iter().all(|&group| group > 0));
            prop_assert!(groups.iter().all(|&group| group <= most), "{groups:?}");
        }
    }
}
