//! A buffer: the rows of one day of one table that are not yet encoded.

use crate::deduplication::identity::RowIdentity;
use crate::rows::blocks::Size;
use crate::rows::column::SparseColumn;
use crate::rows::part::Part;
use crate::rows::row_order::{DROPPED, RowOrder};
use mixlake_schema::{ColumnId, ColumnType};
use std::sync::Arc;

/// Rows under construction: sparse columns, and for each row what it is ordered by.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    columns: Vec<Option<SparseColumn>>,
    order: Vec<RowKey>,
    /// The identities of rows, where somebody wants to know them.
    identities: Vec<(u32, RowIdentity)>,
    dropped: usize,
    /// What large lines count beyond the bytes of their values.
    surcharge: usize,
    /// The length of the longest line.
    longest: usize,
}

/// Longer lines are large. What is held while rows are encoded (pages, compressed pages, chunks that hardly
/// become smaller) is little beside rows of usual size, and more than the rows themselves where values
/// are large.
const LARGE_LINE: usize = 64 << 10;

/// What a line counts against the bound of rows: a large one two and a half times its length.
pub(crate) fn weight(line: usize) -> usize {
    if line > LARGE_LINE { line * 5 / 2 } else { line }
}

/// What rows are clustered by: a query for one event then reads a fraction of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    /// The event, as a number that orders like its name.
    pub event: u32,
    /// Milliseconds since 1970.
    pub time: i64,
    /// Sets rows of the same event and time in an order that does not depend on their arrival.
    pub tie: u64,
}

/// How the rows of a row group are sorted.
#[derive(Debug, Clone)]
pub(crate) enum Sorting {
    AsTheyCame,
    /// All rows are of one event.
    ByTime,
    /// By the number of an event: its rank in the order of names.
    ByEvent(Arc<[u32]>),
}

impl Buffer {
    pub(crate) fn rows(&self) -> usize {
        self.order.len() - self.dropped
    }

    /// Whether no row was begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The row that [`Self::begin`] will begin.
    pub(crate) fn next_row(&self) -> u32 {
        let row = u32::try_from(self.order.len()).ok().filter(|row| row >> 31 == 0);
        row.expect("a row group is cut long before 2^31 rows")
    }

    /// What the rows take.
    pub(crate) fn size(&self) -> Size {
        const HEAD: usize = size_of::<Option<SparseColumn>>();
        let (key, identity) = (size_of::<RowKey>(), size_of::<(u32, RowIdentity)>());
        let mut all = Size {
            holds: self.columns.capacity() * HEAD
                + self.order.capacity() * key
                + self.identities.capacity() * identity,
            needs: self.order.len() * key + self.identities.len() * identity + self.surcharge,
        };
        let mut heads = 0;
        for (id, column) in self.columns() {
            let Size { holds, needs } = column.size();
            all.holds += holds;
            all.needs += needs;
            // A column that has no value here comes from other rows.
            if needs > 0 {
                heads = (id + 1) * HEAD;
            }
        }
        all.needs += heads;
        all
    }

    /// Gives back room that no row is in.
    pub(crate) fn give_back(&mut self) {
        self.columns.iter_mut().flatten().for_each(SparseColumn::give_back);
    }

    /// Begins a row. Its values follow.
    #[inline]
    pub(crate) fn begin(&mut self, key: RowKey) -> u32 {
        let row = self.next_row();
        self.order.push(key);
        row
    }

    /// Counts the line of the row that was begun last.
    pub(crate) fn count_line(&mut self, line: usize) {
        self.surcharge += weight(line) - line;
        self.longest = self.longest.max(line);
    }

    /// The length of the longest line.
    pub(crate) fn longest_line(&self) -> usize {
        self.longest
    }

    /// Keeps the identity of a row.
    pub(crate) fn identify(&mut self, row: u32, identity: RowIdentity) {
        self.identities.push((row, identity));
    }

    /// The numbers of the events whose rows are written.
    pub(crate) fn events(&self) -> impl Iterator<Item = u32> {
        let mut before = DROPPED;
        self.order.iter().map(|key| key.event).filter(move |&event| {
            event != DROPPED && std::mem::replace(&mut before, event) != event
        })
    }

    /// The identities of the rows that are written.
    pub(crate) fn identities(&self) -> impl Iterator<Item = u128> {
        let kept = |(row, _): &&(u32, RowIdentity)| self.order[*row as usize].event != DROPPED;
        self.identities.iter().filter(kept).map(|(_, identity)| identity.number())
    }

    /// Takes a row back that another replaces.
    pub(crate) fn drop_row(&mut self, row: u32) {
        self.order[row as usize].event = DROPPED;
        self.dropped += 1;
    }

    #[inline]
    pub(crate) fn text(&mut self, row: u32, column: ColumnId, text: Part<'_>) {
        self.column(column, ColumnType::String).push_text(row, text);
    }

    #[inline]
    pub(crate) fn number(&mut self, row: u32, column: ColumnId, number: f64) {
        self.column(column, ColumnType::Number).push_number(row, number);
    }

    #[inline]
    pub(crate) fn boolean(&mut self, row: u32, column: ColumnId, boolean: bool) {
        self.column(column, ColumnType::Boolean).push_boolean(row, boolean);
    }

    #[inline]
    pub(crate) fn long(&mut self, row: u32, column: ColumnId, long: i64) {
        self.column(column, ColumnType::Bigint).push_long(row, long);
    }

    #[inline]
    fn column(&mut self, id: ColumnId, column_type: ColumnType) -> &mut SparseColumn {
        if id >= self.columns.len() {
            self.columns.resize_with(id + 1, || None);
        }
        self.columns[id].get_or_insert_with(|| SparseColumn::new(column_type))
    }

    /// The columns that have ever had a value here.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (ColumnId, &SparseColumn)> {
        let columns = self.columns.iter().enumerate();
        columns.filter_map(|(id, column)| Some((id, column.as_ref()?)))
    }

    /// A column that has had a value here.
    pub(crate) fn of_column(&self, id: ColumnId) -> &SparseColumn {
        self.columns[id].as_ref().expect("only columns that are here are asked for")
    }

    /// The position at which each row is written.
    pub(crate) fn row_order(&self, sorting: &Sorting) -> RowOrder {
        let kept = (0..).zip(&self.order).filter(|(_, key)| key.event != DROPPED);
        let mut order: Vec<(RowKey, u32)> = kept.map(|(row, key)| (*key, row)).collect();
        match sorting {
            Sorting::AsTheyCame => {}
            Sorting::ByTime => order.sort_unstable(),
            Sorting::ByEvent(ranks) => {
                for (key, _) in &mut order {
                    key.event = ranks[key.event as usize];
                }
                order.sort_unstable();
            }
        }
        let mut positions = vec![DROPPED; self.order.len()];
        for (position, &(_, row)) in (0..).zip(&order) {
            positions[row as usize] = position;
        }
        RowOrder { positions, rows: order.len() }
    }

    /// Forgets the rows and keeps the room: memory that is given back comes again page by page,
    /// and each has to be cleared.
    pub(crate) fn clear(&mut self) {
        self.columns.iter_mut().flatten().for_each(SparseColumn::clear);
        self.order.clear();
        self.identities.clear();
        self.dropped = 0;
        self.surcharge = 0;
        self.longest = 0;
    }
}
