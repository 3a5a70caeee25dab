//! The days of tables that a slice writes to: the rows being collected for each, and its files.

use crate::blocks::Size;
use crate::buffer::Buffer;
use crate::dedup::{Place, RowIdentity};
use crate::encode::Encoding;
use crate::group::Groups;
use crate::identities::Identities;
use crate::options::{Options, SchemaType};
use crate::transform::TransformError;
use bytes::Bytes;
use foldhash::{HashMap, HashSet};
use mixlake_domain::{DataFormat, Date, SliceLabel};
use mixlake_schema::Registry;
use parquet::file::metadata::KeyValue;

/// A file of one day of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The table.
    pub table: String,
    /// The value of the partition.
    pub date: Date,
    /// How its rows lie in it.
    pub format: DataFormat,
    /// Counts from 0 within slice, table and date.
    pub part: usize,
    /// The number of rows.
    pub rows: u64,
    /// The names of the columns, in order.
    pub columns: Vec<String>,
    /// The file.
    pub bytes: Bytes,
    /// The identities of those of its rows that other slices may have too.
    pub identities: Option<Identities>,
}

/// What is needed to encode rows and to name where they come from.
pub(crate) struct Context<'a> {
    pub options: &'a Options,
    pub registry: &'a Registry,
    pub slice: SliceLabel,
    /// The names of the tables by their numbers.
    pub tables: &'a [String],
}

/// A day of a table.
pub(crate) type DayId = usize;

/// All days of a slice. Nearly always a table has one; late and early events add others.
#[derive(Default)]
pub(crate) struct Days {
    ids: HashMap<(usize, Date), DayId>,
    all: Vec<Day>,
    buffers: u32,
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
    /// An empty one, for the rows after those in the buffer.
    spare: Option<Buffer>,
    /// Encoded rows that are in no file yet.
    groups: Option<Groups>,
    /// The identities of those rows, if they are asked for.
    identities: Vec<u128>,
    /// The numbers of the events of those rows.
    events: HashSet<u32>,
    parts: usize,
}

impl Day {
    fn encoded(&self) -> usize {
        let identities = self.identities.len() * size_of::<u128>();
        self.groups.as_ref().map_or(0, Groups::memory) + identities
    }
}

impl Days {
    /// A day of the table with this number.
    pub(crate) fn id(&mut self, table: usize, date: Date) -> DayId {
        let next = self.all.len();
        let id = *self.ids.entry((table, date)).or_insert(next);
        if id == next {
            self.buffers += 1;
            let (buffer, buffer_id, identities) = (Buffer::default(), self.buffers, Vec::new());
            let (spare, groups, events) = (None, None, HashSet::default());
            self.all.push(Day {
                table,
                date,
                buffer,
                buffer_id,
                spare,
                groups,
                identities,
                events,
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
    pub(crate) fn next_place(&self, day: DayId) -> Place {
        let day = &self.all[day];
        Place { buffer: day.buffer_id, row: day.buffer.next_row() }
    }

    /// Takes a row back. Answers whether it could: not if it is encoded already.
    pub(crate) fn drop_row(&mut self, day: DayId, place: Place) -> bool {
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
        day: DayId,
        line: usize,
        context: &Context<'_>,
    ) -> Result<(), TransformError> {
        let bounds = context.options.bounds;
        if self.all[day].buffer.rows() >= bounds.group_rows {
            self.encode(day, true, context)?;
        }
        // Counting looks at every column, so it is done the less often the more room there is. A row
        // takes no more than a few times its line.
        self.uncounted += line;
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
        let mut all: Vec<Size> = self.all.iter().map(|day| day.buffer.size()).collect();
        // What is held is another thing with more threads, and must not tell.
        let mut sizes: Vec<(usize, DayId)> = all.iter().map(|size| size.needs).zip(0..).collect();
        let mut total: usize = sizes.iter().map(|(size, _)| size).sum();
        sizes.sort_unstable();
        while total > bound
            && let Some((size, day)) = sizes.pop()
        {
            self.encode(day, false, context)?;
            all[day] = Size::default();
            total -= size;
        }
        let others = self.all.iter().filter_map(|day| day.spare.as_ref());
        let others = others.map(|spare| spare.size().holds).sum::<usize>()
            + self.under_way.iter().map(|it| it.encoding.memory()).sum::<usize>();
        if others + all.iter().map(|size| size.holds).sum::<usize>() > bound {
            self.end_encoding(context)?;
            for day in &mut self.all {
                day.spare = None;
                day.buffer.give_back();
            }
        }
        Ok(total)
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

    /// Begins to encode the rows of a day, and with one thread ends it.
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
        let buffer = std::mem::replace(&mut day.buffer, day.spare.take().unwrap_or_default());
        if buffer.rows() == 0 {
            return Ok(());
        }
        let columns = context.registry.tables()[&context.tables[day.table]].columns();
        let encoding = Encoding::begin(buffer, columns, context);
        self.under_way = Some(UnderWay { day: id, encoding, keep_room });
        if context.options.bounds.threads.get() == 1 {
            self.end_encoding(context)?;
        }
        Ok(())
    }

    /// Ends the encoding that is under way.
    fn end_encoding(&mut self, context: &Context<'_>) -> Result<(), TransformError> {
        let Some(UnderWay { day: id, encoding, keep_room }) = self.under_way.take() else {
            return Ok(());
        };
        let (encoded, mut buffer) = encoding.end()?;
        let day = &mut self.all[id];
        let groups = day.groups.get_or_insert_with(|| Groups::new(context.options.format));
        groups.add(buffer.rows(), encoded);
        day.identities.extend(buffer.identities());
        day.events.extend(buffer.events());
        if keep_room {
            buffer.clear();
            if day.buffer.is_empty() {
                day.buffer = buffer;
            } else {
                day.spare = Some(buffer);
            }
        }
        // What is encoded and not in a file yet has a bound of its own, however many tables.
        let sizes: Vec<usize> = self.all.iter().map(Day::encoded).collect();
        let largest = (0..sizes.len()).max_by_key(|&day| sizes[day]).unwrap_or(id);
        if sizes.iter().sum::<usize>() >= context.options.bounds.file_bytes {
            self.end_file(largest, context)?;
        }
        Ok(())
    }

    fn end_file(&mut self, day: DayId, context: &Context<'_>) -> Result<(), TransformError> {
        let day = &mut self.all[day];
        let Some(groups) = day.groups.take() else { return Ok(()) };
        let (part, date) = (day.parts, day.date);
        day.parts += 1;
        let rows = groups.rows() as u64;
        let table = context.tables[day.table].clone();
        let columns = context.registry.tables()[&table].columns();
        let events = std::mem::take(&mut day.events);
        let metadata = metadata(context, &table, rows, events);
        let clustered = context.options.clustered;
        let (bytes, columns) = groups.into_file(columns, clustered, metadata)?;
        let format = context.options.format;
        let identities = std::mem::take(&mut day.identities);
        let told = context.options.across_slices || !identities.is_empty();
        let identities = told.then(|| Identities::of(identities));
        self.ready.push(DataFile { table, date, format, part, rows, columns, bytes, identities });
        Ok(())
    }
}

/// What a file says of itself; `file.rs` adds its columns.
fn metadata(context: &Context<'_>, table: &str, rows: u64, events: HashSet<u32>) -> Vec<KeyValue> {
    let pair = |key: &str, value: String| KeyValue::new(format!("mixlake.{key}"), value);
    let mut pairs = vec![
        pair("project", context.options.project.to_string()),
        pair("table", table.to_owned()),
        pair("slice", context.slice.to_string()),
        pair("rows", rows.to_string()),
        pair("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut events: Vec<u32> = events.into_iter().collect();
    events.sort_unstable();
    let mut names = events.into_iter().map(|event| &context.registry.events()[event as usize]);
    match context.options.schema_type {
        SchemaType::Monoschema => {
            // In the order of the registry, which is a part of what files say.
            let names: Vec<String> = names.map(|n| member(&n.event, &n.name)).collect();
            pairs.push(pair("events", format!("{{{}}}", names.join(","))));
        }
        // Each event has a table of its own.
        SchemaType::Multischema => {
            pairs.extend(names.next().map(|n| pair("event", n.event.clone())));
        }
    }
    pairs
}

/// A member of a JSON object.
fn member(key: &str, value: &str) -> String {
    format!("{}:{}", serde_json::Value::from(key), serde_json::Value::from(value))
}
