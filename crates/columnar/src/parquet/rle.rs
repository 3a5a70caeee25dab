//! Parquet's hybrid of run lengths and bit packing: definition levels and dictionary indices.
//!
//! The `parquet` crate's own encoder is fed one level a row; here the levels of a sparse column are
//! a bitmap, and 64 rows without a value cost one comparison. `docs/PERFORMANCE.md` has the numbers.

use crate::rows::validity::Bitmap;

/// From so many groups of eight equal levels on, a run is shorter than their bits.
const RUN_GROUPS: usize = 4;

/// Appends the first `count` bits as levels of one bit. Those behind them must be zero.
pub(crate) fn levels(bits: Bitmap<'_>, count: usize, out: &mut Vec<u8>) {
    let groups = count.div_ceil(8);
    let group = |at: usize| bits.word(at / 8).to_le_bytes()[at % 8];
    let (mut literal, mut at) = (0, 0);
    while at < groups {
        let byte = group(at);
        let end = if byte == 0 || byte == 0xff { run_end(bits, at, groups) } else { at + 1 };
        if end - at >= RUN_GROUPS {
            packed_groups(literal, at, group, out);
            run((end * 8).min(count) - at * 8, &[byte & 1], out);
            literal = end;
        }
        at = end;
    }
    packed_groups(literal, groups, group, out);
}

/// Where the groups end that equal the one at `at`, which is all zeros or all ones.
fn run_end(bits: Bitmap<'_>, mut at: usize, groups: usize) -> usize {
    let byte = bits.word(at / 8).to_le_bytes()[at % 8];
    let word = u64::from_le_bytes([byte; 8]);
    let beyond = bits.first + bits.words.len();
    while at < groups {
        let number = at / 8;
        if byte == 0 && number < bits.first {
            at = bits.first * 8;
        } else if byte == 0 && number >= beyond {
            return groups;
        } else if at.is_multiple_of(8) && bits.word(number) == word {
            at += 8;
        } else if bits.word(number).to_le_bytes()[at % 8] == byte {
            at += 1;
        } else {
            return at;
        }
    }
    groups
}

fn packed_groups(from: usize, to: usize, group: impl Fn(usize) -> u8, out: &mut Vec<u8>) {
    if from < to {
        varint((to - from) << 1 | 1, out);
        out.extend((from..to).map(group));
    }
}

/// The bits that hold every number up to `most`; at least one, though none would do for zeros.
pub(crate) fn width(most: usize) -> u8 {
    u8::try_from(usize::BITS - most.leading_zeros()).unwrap_or(u8::MAX).max(1)
}

/// Appends numbers of `width` bits each.
pub(crate) fn indices(indices: &[u32], width: u8, out: &mut Vec<u8>) {
    let (mut literal, mut at) = (0, 0);
    while at < indices.len() {
        let value = indices[at];
        let length = indices[at..].iter().take_while(|&&other| other == value).count();
        let end = at + length;
        // Packed numbers come in eights: the run has to fill up what stands before it.
        let fill = (8 - (at - literal) % 8) % 8;
        if length >= fill + 8 {
            packed(&indices[literal..at + fill], width, out);
            let bytes = value.to_le_bytes();
            run(length - fill, &bytes[..usize::from(width).div_ceil(8)], out);
            literal = end;
        }
        at = end;
    }
    packed(&indices[literal..], width, out);
}

fn packed(indices: &[u32], width: u8, out: &mut Vec<u8>) {
    if indices.is_empty() {
        return;
    }
    let groups = indices.len().div_ceil(8);
    varint(groups << 1 | 1, out);
    let end = out.len() + groups * usize::from(width);
    let (mut bits, mut filled) = (0_u64, 0);
    for &index in indices {
        bits |= u64::from(index) << filled;
        filled += width;
        if filled >= 32 {
            let [a, b, c, d, ..] = bits.to_le_bytes();
            out.extend([a, b, c, d]);
            bits >>= 32;
            filled -= 32;
        }
    }
    out.extend(bits.to_le_bytes());
    out.resize(end, 0);
}

fn run(length: usize, value: &[u8], out: &mut Vec<u8>) {
    varint(length << 1, out);
    out.extend_from_slice(value);
}

#[expect(clippy::cast_possible_truncation, reason = "the lowest seven bits are meant")]
fn varint(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What any reader of the format makes of it.
    fn decoded(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while !bytes.is_empty() {
            let (mut header, mut shift) = (0, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let length = usize::from(width).div_ceil(8);
                let mut value = [0; 4];
                value[..length].copy_from_slice(&bytes[..length]);
                numbers.extend(std::iter::repeat_n(u32::from_le_bytes(value), header >> 1));
                bytes = &bytes[length..];
            } else {
                let length = (header >> 1) * usize::from(width);
                let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
                for number in 0..(header >> 1) * 8 {
                    let start = number * usize::from(width);
                    numbers.push((0..usize::from(width)).map(|b| bit(start + b) << b).sum());
                }
                bytes = &bytes[length..];
            }
        }
        assert!((count..count + 8).contains(&numbers.len()), "{} of {count}", numbers.len());
        numbers.truncate(count);
        numbers
    }

    /// Runs of any length, one behind the other.
    fn runs(most: u32) -> impl Strategy<Value = Vec<u32>> {
        let run = (0..=most, 1_usize..200).prop_map(|(value, length)| vec![value; length]);
        let mixed = prop::collection::vec(0..=most, 1..20);
        prop::collection::vec(prop_oneof![run, mixed], 0..8).prop_map(|runs| runs.concat())
    }

    proptest! {
        #[test]
        fn levels_read_back(bits in runs(1)) {
            let mut words = vec![0; bits.len().div_ceil(64)];
            for (at, &bit) in bits.iter().enumerate() {
                words[at / 64] |= u64::from(bit) << (at % 64);
            }
            let first = words.iter().take_while(|&&word| word == 0).count();
            let mut out = Vec::new();
            levels(Bitmap { first, words: &words[first..] }, bits.len(), &mut out);
            prop_assert_eq!(decoded(&out, 1, bits.len()), bits);
        }

        #[test]
        fn indices_read_back(
            (most, numbers) in (0_u32..100_000).prop_flat_map(|most| (Just(most), runs(most))),
        ) {
            let width = width(most as usize);
            let mut out = Vec::new();
            indices(&numbers, width, &mut out);
            prop_assert_eq!(decoded(&out, width, numbers.len()), numbers);
        }
    }

    #[test]
    fn long_runs_take_few_bytes() {
        let mut out = Vec::new();
        levels(Bitmap::NONE, 131_072, &mut out);
        assert!(out.len() <= 4, "{out:?}");
        out.clear();
        indices(&vec![7; 100_000], 3, &mut out);
        assert!(out.len() <= 4, "{out:?}");
    }
}
