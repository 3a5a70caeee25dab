//! The days of tables that a slice writes to: the buffer and the files of each.

use crate::deduplication::identities::Identities;
use crate::deduplication::identity::RowIdentity;
use crate::deduplication::seen::RowPlace;
use crate::error::TransformError;
use crate::files::context::Context;
use crate::files::data_file::{DataFile, metadata, pair};
use crate::files::encode::{Encoding, Ranks};
use crate::files::groups::Groups;
use crate::files::largest::Largest;
use crate::parquet::page::ChunkEncoder;
use crate::rows::blocks::Size;
use crate::rows::buffer::{Buffer, weight};
use crate::rows::rows_hash::RowsHash;
use foldhash::{HashMap, HashSet};
use mixlake_domain::Date;
use std::collections::{BTreeMap, BTreeSet};

/// A day of a table.
pub(crate) type DayId = usize;

/// All days of a slice. Nearly always a table has one; late and early events add others.
///
/// There may be many thousands, with a table for each event. So what all of them take is kept as sums that
/// change with each, and never counted over all.
#[derive(Default)]
pub(crate) struct Days {
    ids: HashMap<(usize, Date), DayId>,
    all: Vec<Day>,
    buffers: u32,
    /// What the rows need, by day.
    needs: Largest,
    /// What their buffers hold, all together.
    holds: usize,
    /// The days that got rows since they were counted.
    touched: Vec<DayId>,
    /// Empty buffers, for the rows after those that are in the buffer of a day.
    spare: BTreeMap<DayId, Buffer>,
    /// The days whose buffers were used before and may have room that no row is in.
    roomy: BTreeSet<DayId>,
    /// Encoded rows that are in no file yet, in bytes by day.
    encoded: Largest,
    ranks: Ranks,
    encoder: Option<ChunkEncoder>,
    /// Rows on their way into a file.
    under_way: Option<UnderWay>,
    /// Bytes that came since the memory of the rows was last counted.
    uncounted: usize,
    /// How many may come until it is counted again.
    count_after: usize,
    ready: Vec<DataFile>,
}

struct UnderWay {
    day: DayId,
    encoding: Encoding,
    /// Whether the next rows of the day need the same room.
    keep_room: bool,
}

struct Day {
    table: usize,
    date: Date,
    buffer: Buffer,
    buffer_id: u32,
    /// What the buffer took when it was last counted.
    counted: Size,
    /// Whether it got rows since.
    touched: bool,
    /// Encoded rows that are in no file yet.
    groups: Option<Groups>,
    /// Which rows these are.
    rows_hash: RowsHash,
    /// The identities of those rows, if they are asked for.
    identities: Vec<u128>,
    /// The numbers of the events of those rows.
    events: HashSet<u32>,
    parts: usize,
}

impl Days {
    /// A day of the table with this number.
    pub(crate) fn id(&mut self, table: usize, date: Date) -> DayId {
        let next = self.all.len();
        let id = *self.ids.entry((table, date)).or_insert(next);
        if id == next {
            self.buffers += 1;
            self.all.push(Day {
                table,
                date,
                buffer: Buffer::default(),
                buffer_id: self.buffers,
                counted: Size::default(),
                touched: false,
                groups: None,
                rows_hash: RowsHash::default(),
                identities: Vec::new(),
                events: HashSet::default(),
                parts: 0,
            });
        }
        id
    }

    /// The rows being collected for a day.
    pub(crate) fn buffer(&mut self, day: DayId) -> &mut Buffer {
        &mut self.all[day].buffer
    }

    /// Keeps the identity of the row that was added last to a day.
    pub(crate) fn identify_last(&mut self, day: DayId, identity: RowIdentity) {
        let buffer = self.buffer(day);
        let last = buffer.next_row() - 1;
        buffer.identify(last, identity);
    }

    /// Where the next row of a day will be.
    pub(crate) fn next_place(&self, day: DayId) -> RowPlace {
        let day = &self.all[day];
        RowPlace { buffer: day.buffer_id, row: day.buffer.next_row() }
    }

    /// Takes a row back. Answers whether it could: not if it is encoded already.
    pub(crate) fn drop_row(&mut self, day: DayId, place: RowPlace) -> bool {
        let day = &mut self.all[day];
        let here = day.buffer_id == place.buffer;
        if here {
            day.buffer.drop_row(place.row);
        }
        here
    }

    /// Encodes what is full after a row was added to a day. `line` is the length of its line.
    pub(crate) fn settle(
        &mut self,
        id: DayId,
        line: usize,
        context: &Context<'_>,
    ) -> Result<(), TransformError> {
        let bounds = context.options.bounds;
        let day = &mut self.all[id];
        day.buffer.count_line(line);
        if !day.touched {
            day.touched = true;
            self.touched.push(id);
        }
        if day.buffer.rows() >= bounds.group_rows {
            self.encode(id, true, context)?;
        }
        // Counting looks at every column, so it is done the less often the more room there is. A row
        // takes no more than a few times its line.
        self.uncounted += weight(line);
        if self.uncounted > self.count_after {
            self.uncounted = 0;
            let taken = self.make_room(context)?;
            let left = bounds.buffer_bytes.saturating_sub(taken);
            self.count_after = (left / 4).max(bounds.buffer_bytes / 32);
        }
        Ok(())
    }

    /// Encodes the largest buffers until all of them are within the bound. Answers what they need then.
    fn make_room(&mut self, context: &Context<'_>) -> Result<usize, TransformError> {
        let bound = context.options.bounds.buffer_bytes;
        for day in std::mem::take(&mut self.touched) {
            self.all[day].touched = false;
            self.count(day);
        }
        // What is held is another thing with more threads, and must not tell.
        while self.needs.total() > bound
            && let Some(day) = self.needs.largest()
        {
            self.encode(day, false, context)?;
        }
        let spare = self.spare.values().map(|spare| spare.size().holds).sum::<usize>();
        let under_way = self.under_way.as_ref().map_or(0, |it| it.encoding.memory());
        if self.holds + spare + under_way > bound {
            self.end_encoding(context)?;
            self.spare.clear();
            for day in std::mem::take(&mut self.roomy) {
                self.all[day].buffer.give_back();
                self.count(day);
            }
        }
        Ok(self.needs.total())
    }

    /// Counts what the rows of a day take now.
    fn count(&mut self, id: DayId) {
        let day = &mut self.all[id];
        let before = std::mem::replace(&mut day.counted, day.buffer.size());
        self.holds = self.holds - before.holds + day.counted.holds;
        self.needs.set(id, before.needs, day.counted.needs);
    }

    /// Encodes and ends everything.
    pub(crate) fn end(&mut self, context: &Context<'_>) -> Result<(), TransformError> {
        for day in 0..self.all.len() {
            self.encode(day, false, context)?;
            self.end_encoding(context)?;
            self.end_file(day, context)?;
        }
        Ok(())
    }

    /// The files that are complete.
    pub(crate) fn take_files(&mut self) -> Vec<DataFile> {
        std::mem::take(&mut self.ready)
    }

    /// Begins to encode the rows of a day, and ends it if no other thread works on it.
    fn encode(
        &mut self,
        id: DayId,
        keep_room: bool,
        context: &Context<'_>,
    ) -> Result<(), TransformError> {
        self.end_encoding(context)?;
        self.buffers += 1;
        let day = &mut self.all[id];
        day.buffer_id = self.buffers;
        let next = self.spare.remove(&id).unwrap_or_default();
        let buffer = std::mem::replace(&mut day.buffer, next);
        self.count(id);
        if buffer.rows() == 0 {
            return Ok(());
        }
        let columns = context.registry.tables()[&context.tables[self.all[id].table]].columns();
        let sorting = self.ranks.sorting(context);
        let encoding = Encoding::begin(buffer, columns, sorting, context.options);
        let alone = encoding.is_alone();
        self.under_way = Some(UnderWay { day: id, encoding, keep_room });
        if alone {
            self.end_encoding(context)?;
        }
        Ok(())
    }

    /// Ends the encoding that is under way.
    fn end_encoding(&mut self, context: &Context<'_>) -> Result<(), TransformError> {
        let Some(UnderWay { day: id, encoding, keep_room }) = self.under_way.take() else {
            return Ok(());
        };
        let (encoded, mut buffer) = encoding.end(&mut self.encoder)?;
        let rows = buffer.rows();
        let identities: Vec<u128> = buffer.identities().collect();
        let events: Vec<u32> = buffer.events().collect();
        if keep_room {
            buffer.clear();
            self.roomy.insert(id);
            if self.all[id].buffer.is_empty() {
                self.all[id].buffer = buffer;
                self.count(id);
            } else {
                self.spare.insert(id, buffer);
            }
        } else {
            // A file may be put together next, and needs the room.
            drop(buffer);
        }
        // What is encoded and not in a file yet has a bound of its own, however many tables.
        let bound = context.options.bounds.file_bytes;
        let added = encoded.memory() + identities.len() * size_of::<u128>();
        while self.needed_for_files() + added > bound
            && let Some(largest) = self.encoded.largest()
        {
            self.end_file(largest, context)?;
        }
        let day = &mut self.all[id];
        let before = day.encoded();
        let groups = day.groups.get_or_insert_with(|| Groups::new(context.options.format));
        day.rows_hash += encoded.rows_hash;
        groups.add(rows, encoded);
        day.identities.extend(identities);
        day.events.extend(events);
        self.encoded.set(id, before, day.encoded());
        Ok(())
    }

    /// What encoded rows take, and what is needed beside when the file of the largest day is put together.
    fn needed_for_files(&self) -> usize {
        let groups = self.encoded.largest().and_then(|day| self.all[day].groups.as_ref());
        self.encoded.total() + groups.map_or(0, Groups::described)
    }

    fn end_file(&mut self, id: DayId, context: &Context<'_>) -> Result<(), TransformError> {
        let day = &mut self.all[id];
        self.encoded.set(id, day.encoded(), 0);
        let Some(groups) = day.groups.take() else { return Ok(()) };
        let (part, date) = (day.parts, day.date);
        day.parts += 1;
        let rows = groups.rows() as u64;
        let table = context.tables[day.table].clone();
        let columns = context.registry.tables()[&table].columns();
        let rows_hash = std::mem::take(&mut day.rows_hash);
        let events = std::mem::take(&mut day.events);
        let identities = std::mem::take(&mut day.identities);
        let told = context.options.across_slices || !identities.is_empty();
        let identities = told.then(|| Identities::of(identities));
        let mut metadata = metadata(context, &table, (rows, rows_hash), events);
        metadata.extend(identities.as_ref().map(|rows| pair("identities", rows.hash())));
        let (bytes, columns) = groups.into_file(columns, context.options, metadata)?;
        let format = context.options.format;
        self.ready.push(DataFile {
            table,
            date,
            format,
            part,
            rows,
            rows_hash,
            columns,
            bytes,
            identities,
        });
        Ok(())
    }
}

impl Day {
    fn encoded(&self) -> usize {
        let identities = self.identities.len() * size_of::<u128>();
        self.groups.as_ref().map_or(0, Groups::memory) + identities
    }
}
