//! The memo on a table: its project, and the columns that Mixlake added, in their order.
//!
//! Columns are added in the order in which files are noticed, so only the table itself has this order. A
//! column is noted by its position in the registry, which never changes. Ranges keep the memo short,
//! because parameters of a Glue table have a maximum length.

use mixlake_domain::{DataFormat, ProjectId};
use mixlake_schema::Table;
use std::fmt;
use std::str::FromStr;

/// The memo, as `2195193:0-31,40,33-39`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memo {
    /// The project of the table.
    pub project: String,
    /// The positions of its columns in the registry, in the table's order.
    pub columns: Vec<usize>,
}

/// The text is not a memo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a note that Mixlake wrote: {0:?}")]
pub struct NoMemo(String);

impl Memo {
    /// The memo of a table with these columns. Columns that the registry does not have are left out.
    ///
    /// The registry that was read may be older than the one behind the memo `before`. Positions that it
    /// does not have yet stay behind the position that they followed.
    pub(super) fn of<'a>(
        project: &ProjectId,
        names: &Names<'_>,
        before: Option<&Self>,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut columns: Vec<usize> =
            columns.into_iter().filter_map(|name| names.place(name)).collect();
        let mut after = 0;
        for &place in before.iter().flat_map(|memo| &memo.columns) {
            if place < names.columns.len() {
                after = columns.iter().position(|c| *c == place).map_or(after, |at| at + 1);
            } else {
                columns.insert(after, place);
                after += 1;
            }
        }
        Self { project: project.to_string(), columns }
    }
}

/// The columns of a table in the registry, by name.
pub(super) struct Names<'a> {
    format: DataFormat,
    columns: &'a [mixlake_schema::Column],
    places: std::collections::HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new(table: Option<&'a Table>) -> Self {
        let columns = table.map_or(&[][..], Table::columns);
        let places = columns.iter().enumerate().map(|(i, c)| (c.name.as_str(), i)).collect();
        let format = table.map(Table::format).unwrap_or_default();
        Self { format, columns, places }
    }

    /// The format of the table's files. Unknown tables are read as Parquet.
    pub(super) fn format(&self) -> DataFormat {
        self.format
    }

    pub(super) fn columns(&self) -> &'a [mixlake_schema::Column] {
        self.columns
    }

    pub(super) fn find(&self, name: &str) -> Option<&'a mixlake_schema::Column> {
        self.place(name).map(|place| &self.columns[place])
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl fmt::Display for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.project)?;
        let mut rest = self.columns.as_slice();
        while let Some(&first) = rest.first() {
            let run = rest.iter().zip(first..).take_while(|(place, next)| **place == *next).count();
            let comma = if rest.len() == self.columns.len() { "" } else { "," };
            match run {
                1 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{}", first + run - 1)?,
            }
            rest = &rest[run..];
        }
        Ok(())
    }
}

/// No table has more columns. A memo that claims more would exhaust the memory.
const MOST: usize = 100_000;

impl FromStr for Memo {
    type Err = NoMemo;

    fn from_str(text: &str) -> Result<Self, NoMemo> {
        read(text).ok_or_else(|| NoMemo(text.chars().take(80).collect()))
    }
}

fn read(text: &str) -> Option<Memo> {
    let (project, ranges) = text.split_once(':')?;
    let mut columns = Vec::new();
    for range in ranges.split(',').filter(|_| !ranges.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if last >= MOST || columns.len() > MOST {
            return None;
        }
        columns.extend(first..=last);
    }
    Some(Memo { project: project.to_owned(), columns })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_keep_it_short() {
        let columns = (0..=31).chain([40]).chain(33..=39).collect();
        let memo = Memo { project: "42".to_owned(), columns };
        assert_eq!(memo.to_string(), "42:0-31,40,33-39");
    }

    #[test]
    fn places_that_an_older_reading_of_the_registry_does_not_know_stay_where_they_are() {
        use mixlake_schema::ColumnType::String as Text;
        let column = |n: usize| mixlake_schema::Column {
            name: format!("c{n}"),
            property: format!("c{n}"),
            column_type: Text,
            first_seen: None,
            built_in: false,
        };
        let known: Vec<_> = (0..4).map(column).collect();
        let places = known.iter().enumerate().map(|(n, c)| (c.name.as_str(), n)).collect();
        let names = Names { format: DataFormat::Parquet, columns: &known, places };
        let project = "42".parse().unwrap();
        for (before, columns, after) in [
            ("42:0,7,1", &["c0", "c1", "c2"][..], "42:0,7,1-2"),
            ("42:9,0,7-8,1", &["c0", "c1", "c3"][..], "42:9,0,7-8,1,3"),
            ("42:0-1,7", &["c1", "c0", "c2"][..], "42:1,7,0,2"),
            ("42:0-1", &["c0", "c1", "mine"][..], "42:0-1"),
            ("42:7", &[][..], "42:7"),
        ] {
            let before: Memo = before.parse().unwrap();
            let memo = Memo::of(&project, &names, Some(&before), columns.iter().copied());
            assert_eq!(memo.to_string(), after);
        }
    }

    #[test]
    fn what_somebody_else_wrote_is_no_memo() {
        for text in ["", "42", "42:a", "42:3-", "42:0-99999999999", "42:0--3", "42:,"] {
            assert!(text.parse::<Memo>().is_err(), "{text:?}");
        }
        assert_eq!("42:".parse::<Memo>().unwrap().columns, [0; 0]);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(columns in prop::collection::vec(0_usize..200, 0..60)) {
            let memo = Memo { project: "a-1".to_owned(), columns };
            prop_assert_eq!(memo.to_string().parse::<Memo>().unwrap(), memo);
        }
    }
}
