//! The values of a column for each new row group. When they take too much memory, they move to a temporary file.

use super::order::Cut;
use super::scratch::Scratch;
use crate::parquet::decode::Cells;
use crate::rows::column::SparseColumn;
use crate::rows::part::Part;
use mixlake_schema::ColumnType;
use std::io;
use std::ops::Range;

/// The values of a column, by row group.
pub(super) struct Drawers {
    column_type: ColumnType,
    by_group: Vec<Drawer>,
}

/// The values for a row group.
#[derive(Default)]
struct Drawer {
    values: Option<SparseColumn>,
    /// Where values that came before are stored.
    stored: Vec<Range<u64>>,
}

impl Drawers {
    pub(super) fn new(column_type: ColumnType, groups: usize) -> Self {
        let by_group = std::iter::repeat_with(Drawer::default).take(groups).collect();
        Self { column_type, by_group }
    }

    /// Takes the values of a run.
    pub(super) fn router<'a>(
        &'a mut self,
        cuts: &'a [Cut],
        places: Option<&'a [u32]>,
    ) -> Router<'a> {
        Router { drawers: self, cuts, places, group: 0, bytes: 0 }
    }

    /// Whether there are values for a row group.
    pub(super) fn has(&self, group: usize) -> bool {
        let Drawer { values, stored } = &self.by_group[group];
        values.is_some() || !stored.is_empty()
    }

    /// Moves all values to a file.
    pub(super) fn store(&mut self, scratch: &mut Scratch) -> io::Result<()> {
        let mut bytes = Vec::new();
        for drawer in &mut self.by_group {
            if let Some(values) = drawer.values.take() {
                bytes.clear();
                values.append_to(&mut bytes);
                drawer.stored.push(scratch.append(&bytes)?);
            }
        }
        Ok(())
    }

    /// The values for a row group.
    pub(super) fn take(
        &mut self,
        group: usize,
        scratch: &mut Scratch,
    ) -> io::Result<Option<SparseColumn>> {
        let Drawer { values, stored } = std::mem::take(&mut self.by_group[group]);
        if stored.is_empty() {
            return Ok(values);
        }
        let mut all = SparseColumn::new(self.column_type);
        let mut bytes = Vec::new();
        for range in stored {
            bytes.clear();
            scratch.read(range, &mut bytes)?;
            all.extend_from(&bytes);
        }
        if let Some(values) = values {
            bytes.clear();
            values.append_to(&mut bytes);
            all.extend_from(&bytes);
        }
        Ok(Some(all))
    }
}

/// Puts the values of a run into the drawers.
pub(super) struct Router<'a> {
    drawers: &'a mut Drawers,
    cuts: &'a [Cut],
    /// The place of each row in the order of the run; `None` if the rows are in order.
    places: Option<&'a [u32]>,
    /// The row group of the last value.
    group: usize,
    /// The bytes of all values so far.
    pub bytes: usize,
}

impl Router<'_> {
    /// The column of the row group that a row goes to, and the number that it has there.
    #[inline]
    fn column(&mut self, row: u32) -> (&mut SparseColumn, u32) {
        let place = self.places.map_or(row, |places| places[row as usize]);
        let mut start = self.start();
        if place < start || place >= self.cuts[self.group].end {
            self.group = self.cuts.partition_point(|cut| cut.end <= place);
            start = self.start();
        }
        let number = self.cuts[self.group].first + (place - start);
        let column_type = self.drawers.column_type;
        let values = &mut self.drawers.by_group[self.group].values;
        (values.get_or_insert_with(|| SparseColumn::new(column_type)), number)
    }

    fn start(&self) -> u32 {
        self.group.checked_sub(1).map_or(0, |before| self.cuts[before].end)
    }
}

impl Cells for Router<'_> {
    fn text(&mut self, row: u32, text: Part<'_>) {
        self.bytes += 8 + text.len();
        let (values, number) = self.column(row);
        values.push_text(number, text);
    }

    fn fixed(&mut self, row: u32, bits: u64) {
        self.bytes += 12;
        let (values, number) = self.column(row);
        values.push_bits(number, bits);
    }

    fn boolean(&mut self, row: u32, boolean: bool) {
        self.bytes += 4;
        let (values, number) = self.column(row);
        values.push_boolean(number, boolean);
    }
}
