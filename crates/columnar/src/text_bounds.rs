//! The bounds of text columns, which tell what their values begin with: from a footer of Parquet, or from the
//! first rows of JSON lines.

use crate::parquet::footer::{FooterError, metadata};
use flate2::bufread::MultiGzDecoder;
use parquet::data_type::ByteArray;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

/// The least and the greatest text of a column, or texts just outside of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBounds {
    /// No value is less.
    pub min: String,
    /// Whether `min` is a value. Otherwise it is the start of one.
    pub min_is_exact: bool,
    /// No value is greater.
    pub max: String,
}

impl TextBounds {
    /// The bounds of the values of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        // Of equal bounds one may be a value and the other the start of one.
        let first = |bounds: &Self| (bounds.min.clone(), !bounds.min_is_exact);
        let max = self.max.clone().max(other.max.clone());
        let least = if first(&other) < first(&self) { other } else { self };
        Self { max, ..least }
    }
}

/// The bounds of the text columns of a file, by column; none for a column whose values have no known
/// bounds, or that has no value. The tail must hold the whole footer.
pub fn text_bounds(tail: &[u8]) -> Result<BTreeMap<String, TextBounds>, FooterError> {
    let metadata = metadata(tail)?;
    let mut all: BTreeMap<String, Option<TextBounds>> = BTreeMap::new();
    for chunk in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        if is_all_null(chunk) {
            continue;
        }
        let bounds = chunk.statistics().and_then(of_chunk);
        let of_column = all.entry(chunk.column_descr().name().to_owned());
        of_column
            .and_modify(|before| {
                *before = before.take().zip(bounds.clone()).map(|(before, it)| before.and(it));
            })
            .or_insert(bounds);
    }
    Ok(all.into_iter().filter_map(|(column, bounds)| Some((column, bounds?))).collect())
}

/// The bounds of the texts in the first rows of a file of JSON lines in gzip. The file may be cut anywhere.
#[must_use]
pub fn text_bounds_of_first_rows(start: &[u8]) -> BTreeMap<String, TextBounds> {
    let mut all: BTreeMap<String, TextBounds> = BTreeMap::new();
    let lines = BufReader::new(MultiGzDecoder::new(start)).lines();
    // The cut ends the lines with an error, or with a line that is no JSON.
    let rows = lines.map_while(|line| serde_json::from_str::<Map<String, Value>>(&line.ok()?).ok());
    for (column, value) in rows.flatten() {
        let Value::String(value) = value else { continue };
        let bounds = TextBounds { min: value.clone(), min_is_exact: true, max: value };
        let joined = match all.remove(&column) {
            Some(before) => before.and(bounds),
            None => bounds,
        };
        all.insert(column, joined);
    }
    all
}

fn is_all_null(chunk: &ColumnChunkMetaData) -> bool {
    let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
    nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values()))
}

fn of_chunk(statistics: &Statistics) -> Option<TextBounds> {
    let Statistics::ByteArray(texts) = statistics else { return None };
    let text = |bytes: &ByteArray| bytes.as_utf8().ok().map(str::to_owned);
    Some(TextBounds {
        min: text(texts.min_opt()?)?,
        min_is_exact: texts.min_is_exact(),
        max: text(texts.max_opt()?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Options, Superseded, Transform};
    use bytes::Bytes;
    use mixlake_domain::{DataFormat, Slice, Zone};
    use mixlake_schema::Registry;

    /// Each value of `x` is in a row group of its own.
    fn file(values: &[&str], format: DataFormat) -> Bytes {
        let slice = Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC);
        let mut options = Options::of("1".parse().unwrap());
        options.format = format;
        options.bounds = Bounds { group_rows: 1, ..Bounds::default() };
        let (registry, superseded) = (Registry::default(), Superseded::default());
        let mut transform = Transform::new(options, slice, registry, superseded).unwrap();
        for value in values {
            let line = format!(
                "{{\"event\":\"e\",\"properties\":{{\"time\":1794300000,\"n\":2,\"x\":{value}}}}}\n"
            );
            transform.push(line.as_bytes()).unwrap();
        }
        transform.finish().unwrap().files.remove(0).bytes
    }

    fn bounds_of(values: &[&str]) -> BTreeMap<String, TextBounds> {
        text_bounds(&file(values, DataFormat::Parquet)).unwrap()
    }

    fn bounds(min: &str, min_is_exact: bool, max: &str) -> TextBounds {
        TextBounds { min: min.to_owned(), min_is_exact, max: max.to_owned() }
    }

    #[test]
    fn bounds_are_those_of_all_row_groups() {
        let found = bounds_of(&[r#"{"b":1}"#, "null", r#""a""#, r#""m""#]);
        assert_eq!(found["x"], bounds("a", true, r#"{"b":1}"#));
        assert_eq!(found["mp_event_name"], bounds("e", true, "e"));
    }

    #[test]
    fn only_columns_of_texts_have_them() {
        let found = bounds_of(&["7"]);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["mp_event_name"]);
    }

    #[test]
    fn a_long_text_is_known_by_its_start() {
        let found = bounds_of(&[&format!("\"{}\"", "a".repeat(200))]);
        assert_eq!((&*found["x"].min, found["x"].min_is_exact), (&*"a".repeat(64), false));
    }

    #[test]
    fn a_value_is_preferred_to_the_start_of_one() {
        let (value, start) = (bounds("a", true, "b"), bounds("a", false, "c"));
        assert_eq!(value.clone().and(start.clone()), bounds("a", true, "c"));
        assert_eq!(start.and(value), bounds("a", true, "c"));
    }

    #[test]
    fn rows_of_json_lines_have_the_same_bounds_until_the_file_is_cut() {
        let long = format!("\"{}\"", "z".repeat(200));
        let whole = file(&[r#"{"b":1}"#, "null", r#""m""#, "7", &long], DataFormat::Json);
        let found = text_bounds_of_first_rows(&whole);
        assert_eq!(found["x"], bounds("m", true, "{\"b\":1}"));
        for length in 0..whole.len() {
            let cut = text_bounds_of_first_rows(&whole[..length]);
            let within = |cut: &TextBounds| cut.min >= found["x"].min && cut.max <= found["x"].max;
            assert!(cut.get("x").is_none_or(within), "{length}: {cut:?}");
        }
        assert_eq!(text_bounds_of_first_rows(b"no gzip"), BTreeMap::new());
    }
}
