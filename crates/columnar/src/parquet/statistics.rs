//! The bounds and counts of column chunks and pages. Readers use them to skip data.

use crate::parquet::values::Extremes;
use mixlake_schema::ColumnType;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};
use std::cmp::Ordering;

/// Texts are cut to so many bytes: a bound need not be a value.
const BOUND_BYTES: usize = 64;

/// Bounds of values: the least and the greatest, or texts just outside of them.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub min: Vec<u8>,
    pub max: Vec<u8>,
    min_is_exact: bool,
    max_is_exact: bool,
}

impl Bounds {
    /// None where a text has no short upper bound.
    pub(crate) fn of(extremes: Extremes) -> Option<Self> {
        let Extremes { min, max } = extremes;
        let (min_is_exact, max_is_exact) = (min.len() <= BOUND_BYTES, max.len() <= BOUND_BYTES);
        let min = if min_is_exact { min } else { cut(&min).as_bytes().to_vec() };
        let max = if max_is_exact { max } else { above(cut(&max))?.into_bytes() };
        Some(Self { min, max, min_is_exact, max_is_exact })
    }

    /// The bounds of all parts from those of each; none if there is no part, or one without bounds.
    pub(crate) fn of_all<'a>(
        column_type: ColumnType,
        parts: impl Iterator<Item = Option<&'a Self>>,
    ) -> Option<Self> {
        let parts: Vec<&Self> = parts.collect::<Option<_>>()?;
        // Of equal bounds one may be a value and the other lie outside of its own.
        let min = parts.iter().min_by(|a, b| {
            compare(column_type, &a.min, &b.min).then(b.min_is_exact.cmp(&a.min_is_exact))
        })?;
        let max = parts.iter().max_by(|a, b| {
            compare(column_type, &a.max, &b.max).then(a.max_is_exact.cmp(&b.max_is_exact))
        })?;
        Some(Self {
            min: min.min.clone(),
            max: max.max.clone(),
            min_is_exact: min.min_is_exact,
            max_is_exact: max.max_is_exact,
        })
    }

    /// The statistics of a column chunk.
    pub(crate) fn statistics(self, column_type: ColumnType, nulls: u64) -> Statistics {
        let Self { min, max, min_is_exact, max_is_exact } = self;
        let nulls = Some(nulls);
        match column_type {
            ColumnType::String => {
                let (min, max) = (ByteArray::from(min), ByteArray::from(max));
                ValueStatistics::new(Some(min), Some(max), None, nulls, false)
                    .with_min_is_exact(min_is_exact)
                    .with_max_is_exact(max_is_exact)
                    .into()
            }
            ColumnType::Number => {
                let [min, max] = [min, max].map(|bytes| f64::from_le_bytes(eight(&bytes)));
                // A zero may be the other one, for which no row has to be there.
                doubles(Some(min), Some(max), nulls)
                    .with_min_is_exact(min != 0.0)
                    .with_max_is_exact(max != 0.0)
                    .into()
            }
            ColumnType::Boolean => {
                let [min, max] = [min, max].map(|bytes| Some(bytes == [1]));
                Statistics::boolean(min, max, None, nulls, false)
            }
            ColumnType::Timestamp | ColumnType::Bigint => {
                let [min, max] = [min, max].map(|bytes| Some(i64::from_le_bytes(eight(&bytes))));
                Statistics::int64(min, max, None, nulls, false)
            }
        }
    }
}

/// Compares two values as they lie in pages.
fn compare(column_type: ColumnType, a: &[u8], b: &[u8]) -> Ordering {
    match column_type {
        ColumnType::String | ColumnType::Boolean => a.cmp(b),
        ColumnType::Number => f64::from_le_bytes(eight(a)).total_cmp(&f64::from_le_bytes(eight(b))),
        ColumnType::Timestamp | ColumnType::Bigint => {
            i64::from_le_bytes(eight(a)).cmp(&i64::from_le_bytes(eight(b)))
        }
    }
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    bytes.try_into().unwrap_or_default()
}

/// The statistics of a chunk of which only the nulls are known.
pub(crate) fn without_bounds(column_type: ColumnType, nulls: u64) -> Statistics {
    let nulls = Some(nulls);
    match column_type {
        ColumnType::String => Statistics::byte_array(None, None, None, nulls, false),
        ColumnType::Number => doubles(None, None, nulls).into(),
        ColumnType::Boolean => Statistics::boolean(None, None, None, nulls, false),
        ColumnType::Timestamp | ColumnType::Bigint => {
            Statistics::int64(None, None, None, nulls, false)
        }
    }
}

/// JSON has no NaN, and a reader that is not told that there is none has to look.
pub(crate) fn nans(column_type: ColumnType) -> Option<i64> {
    (column_type == ColumnType::Number).then_some(0)
}

fn doubles(min: Option<f64>, max: Option<f64>, nulls: Option<u64>) -> ValueStatistics<f64> {
    ValueStatistics::new(min, max, None, nulls, false).with_nan_count(Some(0))
}

/// The start of a text, cut between characters.
fn cut(text: &[u8]) -> &str {
    let text = std::str::from_utf8(text).expect("only texts are that long, and all are UTF-8");
    &text[..text.floor_char_boundary(BOUND_BYTES)]
}

/// A text that is greater than all that start with this one.
fn above(start: &str) -> Option<String> {
    let (at, next) = start.char_indices().rev().find_map(|(at, c)| {
        let mut following = c..=char::MAX;
        following.next();
        Some((at, following.next()?))
    })?;
    Some(format!("{}{next}", &start[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounds_are_short_and_enclose(a in ".{0,90}", b in ".{0,90}") {
            let (min, max) = (a.clone().min(b.clone()), a.max(b));
            let extremes = Extremes { min: min.clone().into_bytes(), max: max.clone().into_bytes() };
            let bounds = Bounds::of(extremes).unwrap();
            prop_assert!(bounds.min.as_slice() <= min.as_bytes());
            prop_assert!(bounds.max.as_slice() >= max.as_bytes());
            prop_assert!(bounds.min.len() <= BOUND_BYTES && bounds.max.len() <= BOUND_BYTES + 3);
            prop_assert_eq!(bounds.max_is_exact, bounds.max == max.as_bytes());
            prop_assert!(std::str::from_utf8(&bounds.max).is_ok());
        }
    }

    proptest! {
        #[test]
        fn bounds_of_all_parts_enclose_and_are_exact_where_they_say_so(
            parts in prop::collection::vec(
                prop::collection::vec("(a{62,63}|b)[aé\u{10ffff}]{0,3}|a{64}b?", 1..4), 1..4),
        ) {
            let extremes = |texts: &[String]| Extremes {
                min: texts.iter().min().unwrap().clone().into_bytes(),
                max: texts.iter().max().unwrap().clone().into_bytes(),
            };
            let bounds: Vec<_> = parts.iter().map(|texts| Bounds::of(extremes(texts)).unwrap()).collect();
            let all = Bounds::of_all(ColumnType::String, bounds.iter().map(Some)).unwrap();
            let Extremes { min, max } = extremes(&parts.concat());
            prop_assert!(all.min <= min && all.max >= max);
            prop_assert!(!all.min_is_exact || all.min == min);
            prop_assert!(!all.max_is_exact || all.max == max);
        }
    }

    #[test]
    fn bounds_of_numbers_are_compared_as_numbers() {
        let of = |min: i64, max: i64| {
            Bounds::of(Extremes { min: min.to_le_bytes().into(), max: max.to_le_bytes().into() })
        };
        let parts = [of(-1, 3), of(-300, 2), of(4, 1_000)];
        let all = Bounds::of_all(ColumnType::Bigint, parts.iter().map(Option::as_ref)).unwrap();
        assert_eq!(
            (all.min, all.max),
            ((-300_i64).to_le_bytes().into(), 1_000_i64.to_le_bytes().into())
        );
        assert!(
            Bounds::of_all(ColumnType::Bigint, [parts[0].as_ref(), None].into_iter()).is_none()
        );
    }

    #[test]
    fn a_zero_may_be_the_other_one_and_so_is_not_exact() {
        let of = |min: f64, max: f64| {
            let [min, max] = [min, max].map(|number| number.to_le_bytes().to_vec());
            let bounds = Bounds::of(Extremes { min, max }).unwrap();
            let statistics = bounds.statistics(ColumnType::Number, 1);
            assert_eq!(
                (statistics.nan_count_opt(), statistics.null_count_opt()),
                (Some(0), Some(1))
            );
            (statistics.min_is_exact(), statistics.max_is_exact())
        };
        assert_eq!(of(-0.0, 2.5), (false, true));
        assert_eq!(of(-2.5, 0.0), (true, false));
    }

    #[test]
    fn a_text_of_last_characters_has_no_upper_bound() {
        let last = char::MAX.to_string().repeat(30).into_bytes();
        assert!(Bounds::of(Extremes { min: vec![], max: last }).is_none());
    }
}
