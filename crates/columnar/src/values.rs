//! The values of a column chunk in the order of their rows, as pages take them.

use crate::column::{SparseColumn, Values};
use crate::places::{Places, Present};
use crate::rle;
use crate::texts::{Different, Texts, hasher, prefix};
use hashbrown::HashTable;
use parquet::basic::Encoding;
use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::ops::Range;

/// The least and the greatest of some values, as plain bytes.
pub(crate) struct Extremes {
    pub min: Vec<u8>,
    pub max: Vec<u8>,
}

/// What a column chunk holds: different values once and their numbers, or all of them plain.
pub(crate) trait PageValues {
    fn encoding(&self) -> Encoding;

    /// The different values in their order, plain, and how many; none without a dictionary.
    fn dictionary(&self) -> Option<(Vec<u8>, usize)>;

    /// How many bytes some of the values take at the most.
    fn bytes(&self, range: Range<usize>) -> usize {
        range.len() * 8
    }

    /// Appends some of the values.
    fn write(&self, range: Range<usize>, out: &mut Vec<u8>);

    /// The extremes of some of the values; there is at least one.
    fn extremes(&self, range: Range<usize>) -> Extremes;

    /// Compares two plain values.
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    /// Hands every different value at least once to `each`.
    fn each(&self, each: &mut dyn FnMut(&[u8]));
}

/// Puts a column's values in the order of their places and chooses their encoding.
pub(crate) fn arranged<'a>(
    column: &'a SparseColumn,
    present: &Present,
    places: &Places,
) -> Box<dyn PageValues + 'a> {
    let rows = &column.rows;
    match &column.values {
        Values::Text(texts) => text(texts, rows, present, places),
        Values::Number(numbers) => fixed(present.arrange(rows, places, numbers)),
        Values::Long(longs) => fixed(present.arrange(rows, places, longs)),
        Values::Boolean(all) => Box::new(Booleans(present.arrange(rows, places, all))),
    }
}

/// The extremes of all values from those of their parts.
pub(crate) fn of_all(values: &dyn PageValues, parts: Vec<Extremes>) -> Option<Extremes> {
    parts.into_iter().reduce(|all, part| Extremes {
        min: if values.compare(&part.min, &all.min).is_lt() { part.min } else { all.min },
        max: if values.compare(&part.max, &all.max).is_gt() { part.max } else { all.max },
    })
}

/// A value of eight bytes.
pub(crate) trait Fixed: Copy + 'static {
    fn plain(self) -> [u8; 8];
    fn from_plain(bytes: [u8; 8]) -> Self;
    fn order(&self, other: &Self) -> Ordering;
    /// The least and the greatest value that compare equal to these.
    fn widened(min: Self, max: Self) -> (Self, Self);
}

impl Fixed for f64 {
    fn plain(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn from_plain(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
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
    fn plain(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn from_plain(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
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
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering;
    fn plain(&self) -> Vec<u8>;
    fn extremes(&self, min: u32, max: u32) -> Extremes;
    fn each(&self, each: &mut dyn FnMut(&[u8]));
}

impl<D: Dictionary> PageValues for Numbered<D> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN_DICTIONARY
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        Some((self.values.plain(), self.values.len()))
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

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.values.compare(a, b)
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.values.each(each);
    }
}

/// Different values that there is room for from the start.
pub(crate) const TABLE: usize = 512;

/// The largest dictionary: its readers hold all of it.
const DICTIONARY_BYTES: usize = 4 << 20;

/// Whether a dictionary makes a chunk smaller, before compression.
fn pays(different: usize, dictionary: usize, values: usize, plain: usize) -> bool {
    let indices = values * usize::from(rle::width(different.saturating_sub(1))) / 8;
    different <= values / 2 + 1 && dictionary <= DICTIONARY_BYTES && dictionary + indices < plain
}

// ---- values of eight bytes ----

struct Plain<T>(Vec<T>);

struct FixedDictionary<T>(Vec<T>);

fn fixed<T: Fixed>(values: Vec<T>) -> Box<dyn PageValues> {
    let Some((mut different, mut numbers)) = numbered(&values) else {
        return Box::new(Plain(values));
    };
    if !pays(different.len(), different.len() * 8, values.len(), values.len() * 8) {
        return Box::new(Plain(values));
    }
    let mut order: Vec<u32> = (0..).take(different.len()).collect();
    order.sort_unstable_by(|&a, &b| different[a as usize].order(&different[b as usize]));
    renumber(&mut numbers, &order);
    different = order.iter().map(|&number| different[number as usize]).collect();
    let width = rle::width(different.len() - 1);
    Box::new(Numbered { values: FixedDictionary(different), numbers, width })
}

/// Each different value once, and the number of each value; none if too many are different.
fn numbered<T: Fixed>(values: &[T]) -> Option<(Vec<T>, Vec<u32>)> {
    let most = values.len() / 2 + 1;
    let hash = |value: T| hasher().hash_one(u64::from_le_bytes(value.plain()));
    let mut table: HashTable<u32> = HashTable::with_capacity(most.min(TABLE));
    let mut different: Vec<T> = Vec::new();
    let mut numbers = Vec::with_capacity(values.len());
    for &value in values {
        let same = |&number: &u32| different[number as usize].plain() == value.plain();
        let number = match table.find(hash(value), same) {
            Some(&number) => number,
            None if different.len() == most => return None,
            None => {
                let number = u32::try_from(different.len()).ok()?;
                different.push(value);
                table.insert_unique(hash(value), number, |&n| hash(different[n as usize]));
                number
            }
        };
        numbers.push(number);
    }
    Some((different, numbers))
}

/// Numbers things anew by their place in `order`.
fn renumber(numbers: &mut [u32], order: &[u32]) {
    let most = order.iter().max().map_or(0, |&most| most as usize + 1);
    let mut ranks = vec![0; most];
    for (rank, &number) in (0..).zip(order) {
        ranks[number as usize] = rank;
    }
    for number in numbers {
        *number = ranks[*number as usize];
    }
}

fn compare_fixed<T: Fixed>(a: &[u8], b: &[u8]) -> Ordering {
    let [a, b] = [a, b].map(|bytes| T::from_plain(bytes.try_into().unwrap_or_default()));
    a.order(&b)
}

fn fixed_extremes<T: Fixed>(min: T, max: T) -> Extremes {
    let (min, max) = T::widened(min, max);
    Extremes { min: min.plain().to_vec(), max: max.plain().to_vec() }
}

impl<T: Fixed> Dictionary for FixedDictionary<T> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        compare_fixed::<T>(a, b)
    }

    fn plain(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.plain()).collect()
    }

    fn extremes(&self, min: u32, max: u32) -> Extremes {
        fixed_extremes(self.0[min as usize], self.0[max as usize])
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().for_each(|value| each(&value.plain()));
    }
}

impl<T: Fixed> PageValues for Plain<T> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
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

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        compare_fixed::<T>(a, b)
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.0.iter().for_each(|value| each(&value.plain()));
    }
}

// ---- booleans ----

struct Booleans(Vec<bool>);

impl PageValues for Booleans {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
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
}

// ---- texts ----

/// All values as they are, where nearly all are different.
struct PlainTexts<'a> {
    texts: &'a Texts,
    /// Which text each value is.
    order: Vec<u32>,
}

/// Different texts in their order.
struct TextDictionary<'a> {
    texts: &'a Texts,
    order: Vec<u32>,
}

fn text<'a>(
    texts: &'a Texts,
    rows: &[u32],
    present: &Present,
    places: &Places,
) -> Box<dyn PageValues + 'a> {
    if let Some((order, numbers)) = text_dictionary(texts, rows, present, places) {
        let width = rle::width(order.len().saturating_sub(1));
        return Box::new(Numbered { values: TextDictionary { texts, order }, numbers, width });
    }
    let all: Vec<u32> = (0..).take(rows.len()).collect();
    let order = present.arrange(rows, places, &all);
    Box::new(PlainTexts { texts, order })
}

/// The different texts in their order, and the number of each value; none if it does not pay.
fn text_dictionary(
    texts: &Texts,
    rows: &[u32],
    present: &Present,
    places: &Places,
) -> Option<(Vec<u32>, Vec<u32>)> {
    let Different { first, numbers } = texts.different(rows.len() / 2 + 1)?;
    let mut numbers = present.arrange(rows, places, &numbers);
    // A text may be there for rows only that are left out.
    let mut uses = vec![0_usize; first.len()];
    for &number in &numbers {
        uses[number as usize] += 1;
    }
    let occurring = (0..).zip(&uses).filter_map(|(number, &uses)| (uses > 0).then_some(number));
    let mut order: Vec<u32> = occurring.collect();
    let get = |number: u32| texts.get(first[number as usize]);
    let size = |number: u32| 4 + get(number).len();
    let dictionary = order.iter().map(|&number| size(number)).sum();
    let plain = order.iter().map(|&number| uses[number as usize] * size(number)).sum();
    if !pays(order.len(), dictionary, numbers.len(), plain) {
        return None;
    }
    order.sort_by_cached_key(|&number| (prefix(get(number)), get(number)));
    renumber(&mut numbers, &order);
    Some((order.into_iter().map(|number| first[number as usize]).collect(), numbers))
}

fn append_text(text: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(text.len()).expect("a line is shorter than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text);
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

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn plain(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.each(&mut |text| append_text(text, &mut out));
        out
    }

    fn extremes(&self, min: u32, max: u32) -> Extremes {
        Extremes { min: self.get(min).to_vec(), max: self.get(max).to_vec() }
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.order.iter().for_each(|&number| each(self.texts.get(number)));
    }
}

impl PlainTexts<'_> {
    fn some(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        self.order[range].iter().map(|&number| self.texts.get(number))
    }
}

impl PageValues for PlainTexts<'_> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        None
    }

    fn bytes(&self, range: Range<usize>) -> usize {
        self.some(range).map(|text| 4 + text.len()).sum()
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        self.some(range).for_each(|text| append_text(text, out));
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
        self.order.iter().for_each(|&number| each(self.texts.get(number)));
    }
}
