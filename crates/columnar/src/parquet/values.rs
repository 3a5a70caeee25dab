//! The values of a column chunk in the order in which they are written, dictionary-encoded or plain.

use crate::parquet::rle;
use crate::rows::blocks::Blocks;
use crate::rows::column::{self, SparseColumn};
use crate::rows::dictionary::{self, Dictionary, hasher, most_distinct, reindex};
use crate::rows::row_order::RowOrder;
use crate::rows::rows_hash::{ColumnHash, RowSums};
use crate::rows::string_column::{LocatedStrings, StringColumn, StringRef, Strings, prefix};
use crate::rows::validity::{InBlocks, Validity};
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

/// The values of a column chunk: dictionary-encoded, or plain.
pub(crate) trait PageValues {
    fn encoding(&self) -> Encoding;

    /// Appends the values of the dictionary in their order, plain, and answers how many. None without a
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

    /// Hands every distinct value at least once to `each`.
    fn each(&self, each: &mut dyn FnMut(&[u8]));

    /// Adds the hash of each value to the sum of its row.
    fn hash(&self, column: ColumnHash, validity: &Validity, sums: &mut RowSums);
}

/// The validity of a column chunk, and its values in the order of their positions.
pub(crate) type Arranged<'a> = (Validity, Box<dyn PageValues + 'a>);

/// Puts a column's values in the order of their positions and chooses their encoding. None if no row that
/// is written has a value.
pub(crate) fn arranged<'a>(column: &'a SparseColumn, order: &RowOrder) -> Option<Arranged<'a>> {
    match column {
        SparseColumn::String(all) => strings(all, order),
        SparseColumn::Number(all) => fixed(column::numbers(all), order),
        SparseColumn::Long(all) => fixed(column::longs(all), order),
        SparseColumn::Boolean(all) => booleans(all, order),
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

/// Values as indices into a dictionary. The dictionary is sorted, so indices compare like values.
struct DictionaryEncoded<D> {
    values: D,
    indices: Vec<u32>,
    width: u8,
}

/// The distinct values of a dictionary, in order.
trait DictionaryValues {
    fn len(&self) -> usize;
    fn append_plain(&self, out: &mut Vec<u8>);
    fn extremes(&self, min: u32, max: u32) -> Extremes;
    fn each(&self, each: &mut dyn FnMut(&[u8]));
    /// The hash that each has as a cell.
    fn cells(&self, column: ColumnHash) -> Vec<u64>;
}

impl<D: DictionaryValues> PageValues for DictionaryEncoded<D> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN_DICTIONARY
    }

    fn dictionary(&self, out: &mut Vec<u8>) -> Option<usize> {
        self.values.append_plain(out);
        Some(self.values.len())
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        out.push(self.width);
        rle::indices(&self.indices[range], self.width, out);
    }

    fn extremes(&self, range: Range<usize>) -> Extremes {
        let (min, max) = self.indices[range]
            .iter()
            .fold((u32::MAX, 0), |(min, max), &index| (min.min(index), max.max(index)));
        self.values.extremes(min, max)
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.values.each(each);
    }

    fn hash(&self, column: ColumnHash, validity: &Validity, sums: &mut RowSums) {
        let cells = self.values.cells(column);
        sums.add(validity, self.indices.iter().map(|&index| cells[index as usize]));
    }
}

/// The largest dictionary: its readers hold all of it.
const DICTIONARY_BYTES: usize = 4 << 20;

/// Whether a dictionary makes a chunk smaller, before compression.
fn pays(distinct: usize, dictionary: usize, values: usize, plain: usize) -> bool {
    let indices = values * usize::from(rle::width(distinct.saturating_sub(1))) / 8;
    distinct <= most_distinct(values)
        && dictionary <= DICTIONARY_BYTES
        && dictionary + indices < plain
}

// ---- values of eight bytes ----

struct Plain<T>(Vec<T>);

struct FixedDictionary<T>(Vec<T>);

fn fixed<'a, T: Fixed>(cells: impl InBlocks<T>, order: &RowOrder) -> Option<Arranged<'a>> {
    let (validity, values) = Validity::with(cells, order)?;
    let values: Box<dyn PageValues> = match fixed_dictionary(&values) {
        Some(numbered) => Box::new(numbered),
        None => Box::new(Plain(values)),
    };
    Some((validity, values))
}

/// The sorted dictionary, and the index of each value. None if it does not pay.
fn fixed_dictionary<T: Fixed>(values: &[T]) -> Option<DictionaryEncoded<FixedDictionary<T>>> {
    let hash = |value: T| hasher().hash_one(value.bits());
    let equal = |a: T, b: T| a.bits() == b.bits();
    let Dictionary { values: distinct, mut indices } =
        dictionary::build(values.iter().copied(), hash, equal)?;
    if !pays(distinct.len(), distinct.len() * 8, values.len(), values.len() * 8) {
        return None;
    }
    let mut order: Vec<u32> = (0..).take(distinct.len()).collect();
    order.sort_unstable_by(|&a, &b| distinct[a as usize].order(&distinct[b as usize]));
    reindex(&mut indices, &order);
    let width = rle::width(distinct.len() - 1);
    let sorted = order.iter().map(|&index| distinct[index as usize]).collect();
    Some(DictionaryEncoded { values: FixedDictionary(sorted), indices, width })
}

fn fixed_extremes<T: Fixed>(min: T, max: T) -> Extremes {
    let (min, max) = T::widened(min, max);
    Extremes { min: min.plain().to_vec(), max: max.plain().to_vec() }
}

impl<T: Fixed> DictionaryValues for FixedDictionary<T> {
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

    fn hash(&self, column: ColumnHash, validity: &Validity, sums: &mut RowSums) {
        sums.add(validity, self.0.iter().map(|value| column.fixed(value.bits())));
    }
}

// ---- booleans ----

struct Booleans(Vec<bool>);

fn booleans<'a>(bits: &Blocks<u32>, order: &RowOrder) -> Option<Arranged<'a>> {
    let (validity, values) = Validity::with(column::booleans(bits), order)?;
    Some((validity, Box::new(Booleans(values))))
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

    fn hash(&self, column: ColumnHash, validity: &Validity, sums: &mut RowSums) {
        let [no, yes] = [false, true].map(|value| column.boolean(value));
        sums.add(validity, self.0.iter().map(|&value| if value { yes } else { no }));
    }
}

// ---- strings ----

/// Plain strings, where nearly all are distinct.
struct PlainStrings<'a> {
    strings: Strings<'a>,
    refs: Vec<StringRef>,
}

/// The distinct strings, in order.
struct StringDictionary<'a> {
    strings: Strings<'a>,
    refs: Vec<StringRef>,
}

fn strings<'a>(column: &'a StringColumn, order: &RowOrder) -> Option<Arranged<'a>> {
    let located = column.locate();
    let validity = Validity::of(once(located.rows()), order)?;
    let Some((refs, indices)) = string_dictionary(&located, &validity) else {
        let refs = validity.arrange(once(located.refs()));
        return Some((validity, Box::new(PlainStrings { strings: located.strings, refs })));
    };
    let width = rle::width(refs.len() - 1);
    let values = StringDictionary { strings: located.strings, refs };
    Some((validity, Box::new(DictionaryEncoded { values, indices, width })))
}

/// The sorted dictionary, and the index of each value. None if it does not pay.
fn string_dictionary(
    located: &LocatedStrings<'_>,
    validity: &Validity,
) -> Option<(Vec<StringRef>, Vec<u32>)> {
    let Dictionary { values: distinct, indices } = located.dictionary()?;
    let mut indices = validity.arrange(once(indices.into_iter()));
    // All rows of a string may be dropped.
    let mut uses = vec![0_usize; distinct.len()];
    for &index in &indices {
        uses[index as usize] += 1;
    }
    let occurring = (0..).zip(&uses).filter_map(|(index, &uses)| (uses > 0).then_some(index));
    let mut order: Vec<u32> = occurring.collect();
    let size = |index: u32| distinct[index as usize].plain_bytes();
    let dictionary = order.iter().map(|&index| size(index)).sum();
    let plain = order.iter().map(|&index| uses[index as usize] * size(index)).sum();
    if !pays(order.len(), dictionary, indices.len(), plain) {
        return None;
    }
    let get = |index: u32| located.strings.get(distinct[index as usize]);
    order.sort_by_cached_key(|&index| (prefix(get(index)), get(index)));
    reindex(&mut indices, &order);
    Some((order.into_iter().map(|index| distinct[index as usize]).collect(), indices))
}

impl StringDictionary<'_> {
    fn get(&self, index: u32) -> &[u8] {
        self.strings.get(self.refs[index as usize])
    }
}

impl DictionaryValues for StringDictionary<'_> {
    fn len(&self) -> usize {
        self.refs.len()
    }

    fn append_plain(&self, out: &mut Vec<u8>) {
        self.refs.iter().for_each(|&at| self.strings.append_plain(at, out));
    }

    fn extremes(&self, min: u32, max: u32) -> Extremes {
        Extremes { min: self.get(min).to_vec(), max: self.get(max).to_vec() }
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.refs.iter().for_each(|&at| each(self.strings.get(at)));
    }

    fn cells(&self, column: ColumnHash) -> Vec<u64> {
        self.refs.iter().map(|&at| column.text(self.strings.get(at))).collect()
    }
}

impl PlainStrings<'_> {
    fn some(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        self.refs[range].iter().map(|&at| self.strings.get(at))
    }
}

impl PageValues for PlainStrings<'_> {
    fn encoding(&self) -> Encoding {
        Encoding::PLAIN
    }

    fn dictionary(&self, _: &mut Vec<u8>) -> Option<usize> {
        None
    }

    fn bytes(&self, range: Range<usize>) -> usize {
        self.refs[range].iter().map(|at| at.plain_bytes()).sum()
    }

    fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        self.refs[range].iter().for_each(|&at| self.strings.append_plain(at, out));
    }

    fn extremes(&self, range: Range<usize>) -> Extremes {
        let mut strings = self.some(range).map(|text| (prefix(text), text));
        let first = strings.next().unwrap_or_default();
        let (min, max) = strings.fold((first, first), |(min, max), text| {
            (if text < min { text } else { min }, if text > max { text } else { max })
        });
        Extremes { min: min.1.to_vec(), max: max.1.to_vec() }
    }

    fn each(&self, each: &mut dyn FnMut(&[u8])) {
        self.refs.iter().for_each(|&at| each(self.strings.get(at)));
    }

    fn hash(&self, column: ColumnHash, validity: &Validity, sums: &mut RowSums) {
        // In the order in which they came, the strings are one after another in memory.
        let mut positions = validity.positions();
        self.strings.each(|text| {
            let position = positions.next().expect("each string has a position");
            sums.add_to(position, || column.text(text));
        });
    }
}
