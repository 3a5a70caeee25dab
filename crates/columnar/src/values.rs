//! The values of a column chunk in the order of their rows, as pages take them.

use crate::blocks::Blocks;
use crate::column::{self, SparseColumn};
use crate::numbering::{Different, different, hasher, most, renumber};
use crate::places::{InBlocks, Places, Present};
use crate::rle;
use crate::rows_hash::{ColumnHash, RowSums};
use crate::texts::{Place, Placed, Texts, View, prefix};
use parquet::basic::Encoding;
use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::iter::once;
use std::ops::Range;

/// The least and the greatest of some values, as plain bytes.
pub(crate) struct Extremes {
    pub min: Vec<u8>,
    pub max: Vec<u8>,
}

/// What a column chunk holds: different values once and their numbers, or all of them plain.
pub(crate) trait PageValues {
    fn encoding(&self) -> Encoding;

    /// Appends the different values in their order, plain, and answers how many; none without a
    /// dictionary.
    fn dictionary(&self, out: &mut Vec<u8>) -> Option<usize>;

    /// How many bytes some of the values take at the most.
    fn bytes(&self, range: Range<usize>) -> usize {
        range.len() * 8
    }

    /// Appends some of the values.
    fn write(&self, range: Range<usize>, out: &mut Vec<u8>);

    /// The extremes of some of the values; there is at least one.
    fn extremes(&self, range: Range<usize>) -> Extremes;

    /// Hands every different value at least once to `each`.
    fn each(&self, each: &mut dyn FnMut(&[u8]));

    /// Adds the hash of each value to the sum of its row.
    fn hash(&self, column: ColumnHash, present: &Present, sums: &mut RowSums);
}

/// The rows of a column chunk that have a value, and the values in the order of their places.
pub(crate) type Arranged<'a> = (Present, Box<dyn PageValues + 'a>);

/// Puts a column's values in the order of their places and chooses their encoding; none if no row
/// that is written has a value.
pub(crate) fn arranged<'a>(column: &'a SparseColumn, places: &Places) -> Option<Arranged<'a>> {
    match column {
        SparseColumn::Text(all) => text(all, places),
        SparseColumn::Number(all) => fixed(column::numbers(all), places),
        SparseColumn::Long(all) => fixed(column::longs(all), places),
        SparseColumn::Boolean(all) => booleans(all, places),
    }
}

/// A value of eight bytes.
pub(crate) trait Fixed: Copy + Default + 'static {
    fn bits(self) -> u64;
    fn plain(self) -> [u8; 8] {
        self.bits().to_le_bytes()
    }
    fn order(&self, other: &Self) -> Ordering;
    /// The least and the greatest value that compare equal to these.
    fn widened(min: Self, max: Self) -> (Self, Self);
}

impl Fixed for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }

    /// The two zeros are equal to a query, and readers are promised that both are looked for.
    fn widened(min: Self, max: Self) -> (Self, Self) {
        (if min == 0.0 { -0.0 } else { min }, if max == 0.0 { 0.0 } else { max })
    }
}

impl Fixed for i64 {
    fn bits(self) -> u64 {
        self.cast_unsigned()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn widened(min: Self, max: Self) -> (Self, Self) {
        (min, max)
    }
}

/// Numbers of different values, which are kept in order, so numbers compare like values.
struct Numbered<D> {
    values: D,
    numbers: Vec<u32>,
    width: u8,
}

/// Different values in order.
trait Dictionary {
    fn len(&self) -> usize;
    fn append_plain(&self, out: &mut Vec<u8>);
    fn extremes(&self, min: u32, max: u32) -> Extremes;
    fn each(&self, each: &mut dyn FnMut(&[u8]));
    /// The hash that each has as a cell.
    fn cells(&self, column: ColumnHash) -> Vec<u64>;
}

impl<D: Dictionary> PageValues for Numbered<D> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN_DICTIONARY
    }

    fn dictionary(&self, out: &mut Vec<u8>) -> Option<usize> {
        self.values.append_plain(out);
        Some(self.values.len())
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        out.push(self.width);
        rle::indices(&self.numbers[range], self.width, out);
    }

    fn extremes(&self, range: Range<usize>) -> Extremes {
        let (min, max) = self.numbers[range]
            .iter()
            .fold((u32::MAX, 0), |(min, max), &number| (min.min(number), max.max(number)));
        self.values.extremes(min, max)
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.values.each(each);
    }

    fn hash(&self, column: ColumnHash, present: &Present, sums: &mut RowSums) {
        let cells = self.values.cells(column);
        sums.add(present, self.numbers.iter().map(|&number| cells[number as usize]));
    }
}

/// The largest dictionary: its readers hold all of it.
const DICTIONARY_BYTES: usize = 4 << 20;

/// Whether a dictionary makes a chunk smaller, before compression.
fn pays(different: usize, dictionary: usize, values: usize, plain: usize) -> bool {
    let indices = values * usize::from(rle::width(different.saturating_sub(1))) / 8;
    different <= most(values) && dictionary <= DICTIONARY_BYTES && dictionary + indices < plain
}

// ---- values of eight bytes ----

struct Plain<T>(Vec<T>);

struct FixedDictionary<T>(Vec<T>);

fn fixed<'a, T: Fixed>(cells: impl InBlocks<T>, places: &Places) -> Option<Arranged<'a>> {
    let (present, values) = Present::with(cells, places)?;
    let values: Box<dyn PageValues> = match fixed_dictionary(&values) {
        Some(numbered) => Box::new(numbered),
        None => Box::new(Plain(values)),
    };
    Some((present, values))
}

/// The different values in their order, and the number of each value; none if it does not pay.
fn fixed_dictionary<T: Fixed>(values: &[T]) -> Option<Numbered<FixedDictionary<T>>> {
    let hash = |value: T| hasher().hash_one(value.bits());
    let equal = |a: T, b: T| a.bits() == b.bits();
    let Different { first, mut numbers } = different(values.iter().copied(), hash, equal)?;
    if !pays(first.len(), first.len() * 8, values.len(), values.len() * 8) {
        return None;
    }
    let mut order: Vec<u32> = (0..).take(first.len()).collect();
    order.sort_unstable_by(|&a, &b| first[a as usize].order(&first[b as usize]));
    renumber(&mut numbers, &order);
    let different = order.iter().map(|&number| first[number as usize]).collect();
    let width = rle::width(first.len() - 1);
    Some(Numbered { values: FixedDictionary(different), numbers, width })
}

fn fixed_extremes<T: Fixed>(min: T, max: T) -> Extremes {
    let (min, max) = T::widened(min, max);
    Extremes { min: min.plain().to_vec(), max: max.plain().to_vec() }
}

impl<T: Fixed> Dictionary for FixedDictionary<T> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn append_plain(&self, out: &mut Vec<u8>) {
        out.extend(self.0.iter().flat_map(|value| value.plain()));
    }

    fn extremes(&self, min: u32, max: u32) -> Extremes {
        fixed_extremes(self.0[min as usize], self.0[max as usize])
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().for_each(|value| each(&value.plain()));
    }

    fn cells(&self, column: ColumnHash) -> Vec<u64> {
        self.0.iter().map(|value| column.fixed(value.bits())).collect()
    }
}

impl<T: Fixed> PageValues for Plain<T> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self, _: &mut Vec<u8>) -> Option<usize> {
        None
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        out.reserve(range.len() * 8);
        for value in &self.0[range] {
            out.extend_from_slice(&value.plain());
        }
    }

    fn extremes(&self, range: Range<usize>) -> Extremes {
        let first = self.0[range.start];
        let (min, max) = self.0[range].iter().fold((first, first), |(min, max), &value| {
            let min = if value.order(&min).is_lt() { value } else { min };
            let max = if value.order(&max).is_gt() { value } else { max };
            (min, max)
        });
        fixed_extremes(min, max)
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().for_each(|value| each(&value.plain()));
    }

    fn hash(&self, column: ColumnHash, present: &Present, sums: &mut RowSums) {
        sums.add(present, self.0.iter().map(|value| column.fixed(value.bits())));
    }
}

// ---- booleans ----

struct Booleans(Vec<bool>);

fn booleans<'a>(bits: &Blocks<u32>, places: &Places) -> Option<Arranged<'a>> {
    let (present, values) = Present::with(column::booleans(bits), places)?;
    Some((present, Box::new(Booleans(values))))
}

impl PageValues for Booleans {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self, _: &mut Vec<u8>) -> Option<usize> {
        None
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        out.extend(self.0[range].chunks(8).map(|eight| {
            (0..).zip(eight).fold(0, |byte, (bit, &value)| byte | u8::from(value) << bit)
        }));
    }

    fn extremes(&self, range: Range<usize>) -> Extremes {
        let values = &self.0[range];
        let (all, any) = (values.iter().all(|&v| v), values.iter().any(|&v| v));
        Extremes { min: vec![u8::from(all)], max: vec![u8::from(any)] }
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().for_each(|&value| each(&[u8::from(value)]));
    }

    fn hash(&self, column: ColumnHash, present: &Present, sums: &mut RowSums) {
        let [no, yes] = [false, true].map(|value| column.boolean(value));
        sums.add(present, self.0.iter().map(|&value| if value { yes } else { no }));
    }
}

// ---- texts ----

/// All values as they are, where nearly all are different.
struct PlainTexts<'a> {
    texts: View<'a>,
    /// Where each value stands.
    order: Vec<Place>,
}

/// Different texts in their order.
struct TextDictionary<'a> {
    texts: View<'a>,
    order: Vec<Place>,
}

fn text<'a>(texts: &'a Texts, places: &Places) -> Option<Arranged<'a>> {
    let texts = texts.placed();
    let present = Present::of(once(texts.rows()), places)?;
    let Some((order, numbers)) = text_dictionary(&texts, &present) else {
        let order = present.arrange(once(texts.places()));
        return Some((present, Box::new(PlainTexts { texts: texts.view, order })));
    };
    let width = rle::width(order.len() - 1);
    let values = TextDictionary { texts: texts.view, order };
    Some((present, Box::new(Numbered { values, numbers, width })))
}

/// The different texts in their order, and the number of each value; none if it does not pay.
fn text_dictionary(texts: &Placed<'_>, present: &Present) -> Option<(Vec<Place>, Vec<u32>)> {
    let Different { first, numbers } = texts.different()?;
    let mut numbers = present.arrange(once(numbers.into_iter()));
    // A text may be there for rows only that are left out.
    let mut uses = vec![0_usize; first.len()];
    for &number in &numbers {
        uses[number as usize] += 1;
    }
    let occurring = (0..).zip(&uses).filter_map(|(number, &uses)| (uses > 0).then_some(number));
    let mut order: Vec<u32> = occurring.collect();
    let size = |number: u32| first[number as usize].plain_bytes();
    let dictionary = order.iter().map(|&number| size(number)).sum();
    let plain = order.iter().map(|&number| uses[number as usize] * size(number)).sum();
    if !pays(order.len(), dictionary, numbers.len(), plain) {
        return None;
    }
    let get = |number: u32| texts.view.get(first[number as usize]);
    order.sort_by_cached_key(|&number| (prefix(get(number)), get(number)));
    renumber(&mut numbers, &order);
    Some((order.into_iter().map(|number| first[number as usize]).collect(), numbers))
}

impl TextDictionary<'_> {
    fn get(&self, number: u32) -> &[u8] {
        self.texts.get(self.order[number as usize])
    }
}

impl Dictionary for TextDictionary<'_> {
    fn len(&self) -> usize {
        self.order.len()
    }

    fn append_plain(&self, out: &mut Vec<u8>) {
        self.order.iter().for_each(|&place| self.texts.append_plain(place, out));
    }

    fn extremes(&self, min: u32, max: u32) -> Extremes {
        Extremes { min: self.get(min).to_vec(), max: self.get(max).to_vec() }
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.order.iter().for_each(|&place| each(self.texts.get(place)));
    }

    fn cells(&self, column: ColumnHash) -> Vec<u64> {
        self.order.iter().map(|&place| column.text(self.texts.get(place))).collect()
    }
}

impl PlainTexts<'_> {
    fn some(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        self.order[range].iter().map(|&place| self.texts.get(place))
    }
}

impl PageValues for PlainTexts<'_> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self, _: &mut Vec<u8>) -> Option<usize> {
        None
    }

    fn bytes(&self, range: Range<usize>) -> usize {
        self.order[range].iter().map(|place| place.plain_bytes()).sum()
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        self.order[range].iter().for_each(|&place| self.texts.append_plain(place, out));
    }

    fn extremes(&self, range: Range<usize>) -> Extremes {
        let mut texts = self.some(range).map(|text| (prefix(text), text));
        let first = texts.next().unwrap_or_default();
        let (min, max) = texts.fold((first, first), |(min, max), text| {
            (if text < min { text } else { min }, if text > max { text } else { max })
        });
        Extremes { min: min.1.to_vec(), max: max.1.to_vec() }
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.order.iter().for_each(|&place| each(self.texts.get(place)));
    }

    fn hash(&self, column: ColumnHash, present: &Present, sums: &mut RowSums) {
        // In the order of their coming they are found one behind the other.
        let mut places = present.places();
        self.texts.each(|text| {
            let place = places.next().expect("each text has a place");
            sums.add_to(place, || column.text(text));
        });
    }
}
