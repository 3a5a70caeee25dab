//! The transformation of one slice: bytes in, files out.

use crate::buffer::RowKey;
use crate::completeness;
use crate::days::{Context, DataFile, Days};
use crate::dedup::{Age, RowIdentity, Seen, Superseded, Verdict};
use crate::event::{self, BadLine, Event, Property};
use crate::keys::Keys;
use crate::lines::{Line, LineSplitter};
use crate::names::EventNumbers;
use crate::options::{EventNameForm, Options};
use crate::peek::{early_end, is_blank};
use crate::quarantine::Quarantine;
use crate::scan;
use crate::value::Value;
use bytes::Bytes;
use mixlake_domain::{Date, Slice, Timestamp};
use mixlake_schema::{ColumnType, MASTER_TABLE, Registry, Resolved, ValueType};
use parquet::errors::ParquetError;

/// Why a stream gives no files. Nothing of it may be published.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The source said that it stopped in the middle.
    #[error("the export ends with {0:?}: the source stopped before all events were sent")]
    TerminatedEarly(String),
    /// The stream ends within a line.
    #[error("the export ends in the middle of a line, after {0} whole lines")]
    CutLine(u64),
    /// The table has its `time` in another type since its first slice.
    #[error(
        "time_type: the table has time as {has}, and a column's type never changes; the setting asks for {wanted}"
    )]
    TimeType {
        /// The type that it has.
        has: &'static str,
        /// The type that was asked for.
        wanted: &'static str,
    },
    /// The Parquet writer failed.
    #[error("cannot encode Parquet")]
    Parquet(#[from] ParquetError),
    /// The gzip writer failed.
    #[error("cannot write the quarantine file")]
    Quarantine(#[from] std::io::Error),
}

/// What became of the lines of a slice: `received = written + duplicates + quarantined`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that are not blank.
    pub received: u64,
    /// Rows in files.
    pub written: u64,
    /// Repeated rows that were left out.
    pub duplicates: u64,
    /// Lines that are no events.
    pub quarantined: u64,
    /// Rows among the written whose time lies outside of the slice.
    pub outside: u64,
}

/// The result of a slice.
#[derive(Debug)]
pub struct Transformed {
    /// The registry that was given, and the names that were added. They must be reserved before
    /// a file that uses them is written.
    pub registry: Registry,
    /// What became of the lines.
    pub counts: Counts,
    /// The files that were not taken before.
    pub files: Vec<DataFile>,
    /// The quarantine file, if any line is bad.
    pub quarantine: Option<Bytes>,
    /// Not empty: a repeated row was found after its older twin was encoded. The files are of no
    /// use; a further pass over the slice that knows these rows gives good ones.
    pub superseded: Superseded,
}

/// A transformation under way.
pub struct Transform {
    lines: LineSplitter,
    rows: Rows,
}

/// Everything behind the lines.
struct Rows {
    options: Options,
    slice: Slice,
    registry: Registry,
    keys: Keys,
    numbers: EventNumbers,
    /// The number that the registry gives to each event that has one here.
    events: Vec<Option<usize>>,
    days: Days,
    seen: Seen,
    superseded: Superseded,
    counts: Counts,
    quarantine: Quarantine,
}

/// The built-in columns of the table of all events, in their order.
const EVENT_NAME: usize = 0;
const TIME: usize = 1;
const DISTINCT_ID: usize = 2;

fn built_in(time: ColumnType) -> [(&'static str, &'static str, ColumnType); 3] {
    [
        ("event", "mp_event_name", ColumnType::String),
        ("time", "time", time),
        ("distinct_id", "distinct_id", ColumnType::String),
    ]
}

impl Transform {
    /// Begins a slice with the names given so far and, in a further pass, the rows that the last
    /// one found superseded.
    pub fn new(
        options: Options,
        slice: Slice,
        mut registry: Registry,
        superseded: Superseded,
    ) -> Result<Self, TransformError> {
        let wanted = options.time_type.column_type();
        let table = registry.table_or_new(MASTER_TABLE, &built_in(wanted));
        let has = table.columns()[TIME].column_type;
        if has != wanted {
            return Err(TransformError::TimeType { has: has.name(), wanted: wanted.name() });
        }
        Ok(Self {
            lines: LineSplitter::new(options.bounds.line_bytes),
            rows: Rows {
                options,
                slice,
                registry,
                keys: Keys::default(),
                numbers: EventNumbers::default(),
                events: Vec::new(),
                days: Days::default(),
                seen: Seen::new(superseded),
                superseded: Superseded::default(),
                counts: Counts::default(),
                quarantine: Quarantine::new(),
            },
        })
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), TransformError> {
        self.lines.push(piece, |line| self.rows.line(line))
    }

    /// Takes the files that are full already. They are good only if the slice ends well.
    pub fn take_files(&mut self) -> Vec<DataFile> {
        self.rows.days.take_files()
    }

    /// Ends the slice; the source has said that there is no more.
    pub fn finish(mut self) -> Result<Transformed, TransformError> {
        completeness::whole(self.lines.rest(), self.rows.counts.received)?;
        self.push(b"\n")?;
        self.rows.finish()
    }
}

impl Rows {
    fn line(&mut self, line: Line<'_>) -> Result<(), TransformError> {
        let (bytes, parsed) = match line {
            Line::Whole(bytes) if is_blank(bytes) => return Ok(()),
            Line::Whole(bytes) => (bytes, self.parse(bytes)),
            Line::TooLong(bytes) => (bytes, Err(BadLine::TooLong(self.options.bounds.line_bytes))),
        };
        self.counts.received += 1;
        match parsed {
            Ok((event, time)) => self.row(&event, time, bytes),
            Err(reason) => match early_end(bytes) {
                Some(text) => Err(TransformError::TerminatedEarly(text)),
                None => Ok(self.quarantine.add(bytes, &reason)?),
            },
        }
    }

    fn parse<'a>(&mut self, line: &'a [u8]) -> Result<(Event<'a>, Timestamp), BadLine> {
        let event = scan::read(line, &mut self.keys, &mut self.numbers)?;
        let time = event::instant(event.time, self.options.wall_clock.as_ref())?;
        Ok((event, time))
    }

    fn row(
        &mut self,
        event: &Event<'_>,
        time: Timestamp,
        line: &[u8],
    ) -> Result<(), TransformError> {
        let date = self.options.date_zone.date_of(time);
        let milliseconds = time.as_millisecond();
        let said = RowIdentity::of_line(line);
        let id = event.insert_id.as_deref().filter(|_| self.options.deduplicate);
        let person = event.distinct_id.as_deref();
        let identity = id.map(|id| RowIdentity::new(&event.name, person, milliseconds, id));
        let mut replaces = false;
        if let Some(identity) = identity {
            let place = self.days.next_place(date);
            let age = Age::new(event.processing_ms, said);
            match self.seen.judge(identity, age, place) {
                Verdict::First => {}
                Verdict::Repeat => {
                    self.counts.duplicates += 1;
                    return Ok(());
                }
                Verdict::Replaces(older) => {
                    self.counts.duplicates += 1;
                    replaces = true;
                    if !self.days.drop_row(date, older) {
                        self.superseded.insert(identity, age);
                    }
                }
            }
        }
        if !replaces {
            self.counts.written += 1;
            self.counts.outside += u64::from(!self.slice.contains(time));
        }
        let order = said.low();
        self.write(event, date, milliseconds, order);
        let context =
            Context { options: &self.options, registry: &self.registry, slice: self.slice.label() };
        self.days.settle(date, &context)
    }

    fn write(&mut self, event: &Event<'_>, date: Date, milliseconds: i64, order: u64) {
        let (profile, seen) = (self.options.profile, self.slice.date());
        if self.events.len() <= event.number {
            self.events.resize(event.number + 1, None);
        }
        let number = *self.events[event.number]
            .get_or_insert_with(|| self.registry.event(&event.name, profile, seen));
        let buffer = self.days.buffer(date);
        let key = u32::try_from(number).expect("far fewer events than 2^32");
        let row = buffer.begin(RowKey { event: key, time: milliseconds, tie: order });
        match self.options.event_name {
            EventNameForm::Cleaned => {
                buffer.text(row, EVENT_NAME, &self.registry.events()[number].name);
            }
            EventNameForm::Raw => buffer.text(row, EVENT_NAME, &event.name),
        }
        buffer.long(row, TIME, milliseconds);
        if let Some(id) = &event.distinct_id {
            buffer.text(row, DISTINCT_ID, id);
        }
        let table = self.registry.table_or_new(MASTER_TABLE, &[]);
        let mut overflow = Overflow::default();
        for Property { key, json, value } in &event.properties {
            let value_type = match value {
                Value::Text(_) => ValueType::String,
                Value::Number(_) => ValueType::Number,
                Value::Boolean(_) => ValueType::Boolean,
                Value::Null => continue,
            };
            match (self.keys.column(*key, value_type, (&mut *table, profile, seen)), value) {
                (Resolved::Overflow(id), _) => overflow.add(id, self.keys.name(*key), json),
                (Resolved::Column(id), Value::Text(text)) => buffer.text(row, id, text),
                (Resolved::Column(id), Value::Number(number)) => buffer.number(row, id, *number),
                (Resolved::Column(id), Value::Boolean(b)) => buffer.boolean(row, id, *b),
                (Resolved::Column(_), Value::Null) => {}
            }
        }
        if let Some((id, json)) = overflow.finish() {
            buffer.text(row, id, &json);
        }
    }

    fn finish(mut self) -> Result<Transformed, TransformError> {
        let context =
            Context { options: &self.options, registry: &self.registry, slice: self.slice.label() };
        self.days.end(&context)?;
        let (quarantined, quarantine) = self.quarantine.finish()?;
        self.counts.quarantined = quarantined;
        Ok(Transformed {
            counts: self.counts,
            files: self.days.take_files(),
            quarantine,
            superseded: self.superseded,
            registry: self.registry,
        })
    }
}

/// The JSON object of the properties for which the table has no column.
#[derive(Default)]
struct Overflow {
    column: Option<usize>,
    json: String,
}

impl Overflow {
    fn add(&mut self, column: usize, property: &str, json: &str) {
        self.json.push(if self.column.is_none() { '{' } else { ',' });
        self.column = Some(column);
        self.json.push_str(&serde_json::Value::from(property).to_string());
        self.json.push(':');
        self.json.push_str(json);
    }

    fn finish(mut self) -> Option<(usize, String)> {
        let column = self.column?;
        self.json.push('}');
        Some((column, self.json))
    }
}
