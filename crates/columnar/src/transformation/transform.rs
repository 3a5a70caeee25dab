//! The transformation of one slice, or of all profiles: bytes in, files out.

use crate::deduplication::identity::{Age, RowIdentity};
use crate::deduplication::seen::{Seen, Verdict};
use crate::deduplication::superseded::Superseded;
use crate::error::TransformError;
use crate::files::context::Context;
use crate::files::data_file::DataFile;
use crate::files::days::{DayId, Days};
use crate::options::contract::Contracts;
use crate::options::{EventNameForm, Options};
use crate::people::identifier::{is_identity, of_number};
use crate::reading::bad_line::BadLine;
use crate::reading::event::{self, Event, Scalar, Text};
use crate::reading::keys::Target;
use crate::reading::lines::{Line, LineSplitter};
use crate::reading::peek::{early_end, error_end, is_blank};
use crate::reading::quarantine::Quarantine;
use crate::reading::vocabulary::{Apart, Vocabulary};
use crate::reading::{profile, scan};
use crate::rows::buffer::RowKey;
use crate::rows::part::Part;
use crate::transformation::completeness;
use crate::transformation::outcome::{Counts, Transformed};
use crate::transformation::subject::Subject;
use crate::transformation::tables::{Tables, target};
use mixlake_domain::{Date, Slice, TableName, Timestamp};
use mixlake_schema::{ColumnId, MASTER_TABLE, Registry, ValueType};
use std::borrow::Cow;

/// A transformation under way.
pub struct Transform {
    lines: LineSplitter,
    rows: Rows,
}

/// Everything behind the lines.
struct Rows {
    options: Options,
    subject: Subject,
    registry: Registry,
    vocabulary: Vocabulary,
    /// By the numbers that the vocabulary gives to events.
    events: Vec<Option<EventRoute>>,
    tables: Tables,
    days: Days,
    seen: Seen,
    counts: Counts,
    quarantine: Quarantine,
    /// The last line so far, if it is an error.
    error_at_end: Option<String>,
    /// The event being read.
    event: Event,
}

/// Where the rows of an event go.
#[derive(Clone, Copy)]
struct EventRoute {
    /// The number that the registry gives it.
    number: usize,
    /// The number of its table.
    table: usize,
    /// How many of the table's columns it takes.
    frozen_at: usize,
}

impl Transform {
    /// Begins a slice with the names given so far and, in a further pass, the rows that the last
    /// one found superseded.
    pub fn new(
        options: Options,
        slice: Slice,
        registry: Registry,
        superseded: Superseded,
    ) -> Result<Self, TransformError> {
        let subject = Subject::of_slice(slice, options.schema_type);
        Self::of(subject, options, registry, superseded)
    }

    /// Begins the profiles of a table: lines of the engage API's `results`. The contracts are of events,
    /// and do not count. The first column that a property gets was first seen on `date`.
    pub fn profiles(
        options: Options,
        (table, date): (&TableName, Date),
        registry: Registry,
        superseded: Superseded,
    ) -> Result<Self, TransformError> {
        let subject = Subject::Profiles(table.to_string(), date);
        let (contracts, across_slices) = (Contracts::default(), false);
        let options = Options { across_slices, contracts, ..options };
        Self::of(subject, options, registry, superseded)
    }

    fn of(
        subject: Subject,
        options: Options,
        mut registry: Registry,
        superseded: Superseded,
    ) -> Result<Self, TransformError> {
        let mut tables = Tables::new(&options, &subject);
        let apart = match &subject {
            // The table is there from the first rows on, whether there are any or not.
            Subject::Events(_) => {
                tables.only(&mut registry, MASTER_TABLE)?;
                Apart::Those(options.contracts.clone())
            }
            Subject::EachEvent(_) => Apart::Everybody,
            Subject::Profiles(table, _) => {
                tables.only(&mut registry, table)?;
                Apart::Nobody
            }
        };
        let seen = Seen::new(superseded, &options.bounds);
        Ok(Self {
            lines: LineSplitter::new(options.bounds.line_bytes),
            rows: Rows {
                options,
                subject,
                registry,
                vocabulary: Vocabulary::new(apart),
                events: Vec::new(),
                tables,
                days: Days::default(),
                seen,
                counts: Counts::default(),
                quarantine: Quarantine::new(),
                error_at_end: None,
                event: Event::default(),
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
        let (bytes, end) = match line {
            Line::Whole(bytes) if is_blank(bytes) => return Ok(()),
            Line::Whole(bytes) => (bytes, bytes),
            Line::TooLong { start, end } => (start, end),
        };
        self.counts.received += 1;
        // It is filled anew by every line; taken out, it can be read while rows are written.
        let mut event = std::mem::take(&mut self.event);
        let read = match line {
            Line::Whole(bytes) => self.read(bytes, &mut event),
            Line::TooLong { .. } => Err(BadLine::TooLong(self.options.bounds.line_bytes)),
        };
        self.check_names(&event)?;
        let result = match read {
            Ok((line, time)) => {
                self.error_at_end = None;
                self.counts.mended += u64::from(matches!(line, Cow::Owned(_)));
                if self.is_suppressed(&event, &line) {
                    self.counts.suppressed += 1;
                    Ok(())
                } else {
                    self.row(&event, time, &line)
                }
            }
            Err(reason) => {
                if let Some(text) = early_end(end) {
                    Err(TransformError::TerminatedEarly(text))
                } else {
                    let whole = matches!(line, Line::Whole(_));
                    self.error_at_end = whole.then(|| error_end(bytes)).flatten();
                    self.quarantine(bytes, &reason)
                }
            }
        };
        self.event = event;
        result
    }

    /// Names that were read stay in memory, those of bad lines too.
    #[inline]
    fn check_names(&mut self, event: &Event) -> Result<(), TransformError> {
        let bound = self.options.bounds.name_bytes;
        if self.vocabulary.memory(event.number) <= bound {
            return Ok(());
        }
        let example = self.vocabulary.last(event.number);
        let (events, properties) = (self.vocabulary.events(), self.vocabulary.properties());
        Err(TransformError::TooManyNames { events, properties, bound, example })
    }

    /// Whether an event is of a person whose events are not written any more.
    fn is_suppressed(&self, event: &Event, line: &str) -> bool {
        let Some(suppression) = &self.options.suppression else { return false };
        let keys = self.vocabulary.keys_of(event.number);
        let names = |text| suppression.is_named_in(event.text(text, line));
        event.distinct_id.is_some_and(names)
            || event.properties.iter().any(|property| {
                is_identity(keys.name(property.key))
                    && match property.value.scalar() {
                        Scalar::Text(text) => names(text),
                        Scalar::Number(number) => suppression.has(&of_number(number)),
                        Scalar::Null | Scalar::Boolean(_) => false,
                    }
            })
    }

    fn quarantine(&mut self, line: &[u8], reason: &BadLine) -> Result<(), TransformError> {
        if self.options.suppression.as_ref().is_some_and(|people| people.is_in_bad_line(line)) {
            self.counts.suppressed += 1;
            return Ok(());
        }
        self.quarantine.add(line, reason)?;
        if self.quarantine.memory() > self.options.bounds.quarantine_bytes {
            return Err(TransformError::TooManyBadLines { reason: reason.to_string() });
        }
        Ok(())
    }

    fn read<'a>(
        &mut self,
        line: &'a [u8],
        event: &mut Event,
    ) -> Result<(Cow<'a, str>, Timestamp), BadLine> {
        if let Subject::Profiles(..) = self.subject {
            let line = profile::read(line, &mut self.vocabulary, event)?;
            return Ok((line, Timestamp::UNIX_EPOCH));
        }
        let line = scan::read(line, &mut self.vocabulary, event)?;
        let time = event::instant(event.time.get(&line), self.options.wall_clock.as_ref())?;
        Ok((line, time))
    }

    /// What tells repeated rows of the same event, person and time apart; none if they are not removed. A
    /// person has one profile.
    fn unique(&self, event: &Event) -> Option<Text> {
        match &self.subject {
            Subject::Events(_) | Subject::EachEvent(_) => {
                event.insert_id.filter(|_| self.options.deduplicate)
            }
            Subject::Profiles(..) => event.distinct_id,
        }
    }

    fn row(&mut self, event: &Event, time: Timestamp, line: &str) -> Result<(), TransformError> {
        let route = self.route(event.number)?;
        let date = match &self.subject {
            Subject::Events(_) | Subject::EachEvent(_) => self.options.date_zone.date_of(time),
            Subject::Profiles(_, date) => *date,
        };
        let day = self.days.id(route.table, date);
        let milliseconds = time.as_millisecond();
        let said = RowIdentity::of_line(line.as_bytes());
        let id = self.unique(event);
        let mut replaces = false;
        let mut known_as = None;
        if let Some(id) = id {
            let name = self.vocabulary.name(event.number);
            let person = event.distinct_id.map(|id| event.text(id, line));
            let identity = self.seen.identity(name, person, milliseconds, event.text(id, line));
            known_as = Some(identity);
            let place = self.days.next_place(day);
            let age = Age::new(event.processing_ms, said);
            match self.seen.judge(identity, age, place)? {
                Verdict::First => {}
                Verdict::Repeat => {
                    self.counts.duplicates += 1;
                    return Ok(());
                }
                Verdict::Replaces(older) => {
                    self.counts.duplicates += 1;
                    replaces = true;
                    if !self.days.drop_row(day, older) {
                        self.seen.came_late(identity, age)?;
                    }
                }
            }
        }
        if !replaces {
            self.counts.written += 1;
            self.counts.outside += u64::from(self.subject.is_outside(time));
        }
        let number = u32::try_from(route.number).expect("far fewer events than 2^32");
        let sorted_by = match &self.subject {
            Subject::Events(_) | Subject::EachEvent(_) => milliseconds,
            Subject::Profiles(..) => beginning(event.distinct_id.map(|id| event.text(id, line))),
        };
        let key = RowKey { event: number, time: sorted_by, tie: said.low() };
        self.write(event, line, route, day, key);
        if let Some(identity) = known_as.filter(|_| self.is_told_of(time)) {
            self.days.identify_last(day, identity);
        }
        let context = Context {
            options: &self.options,
            registry: &self.registry,
            subject: &self.subject,
            tables: self.tables.names(),
        };
        self.days.settle(day, line.len(), &context)
    }

    /// Whether the identity of a row of this time is kept beside its file, for other slices may have it.
    fn is_told_of(&self, time: Timestamp) -> bool {
        self.options.across_slices || self.subject.is_near_another(time)
    }

    /// Where the rows of an event go; its name and table are made if they are new.
    fn route(&mut self, event: usize) -> Result<EventRoute, TransformError> {
        if self.events.len() <= event {
            self.events.resize(event + 1, None);
        }
        if let Some(route) = self.events[event] {
            return Ok(route);
        }
        if let Subject::Profiles(table, _) = &self.subject {
            let table = self.tables.only(&mut self.registry, table)?;
            let route = EventRoute { number: 0, table, frozen_at: usize::MAX };
            self.events[event] = Some(route);
            return Ok(route);
        }
        let name = self.vocabulary.name(event);
        let number = self.registry.event(name, self.options.profile, self.subject.date());
        let table = match &self.subject {
            Subject::Events(_) => self.tables.only(&mut self.registry, MASTER_TABLE)?,
            Subject::EachEvent(_) | Subject::Profiles(..) => {
                let name = self.registry.events()[number].name.clone();
                self.tables.open(&mut self.registry, name)?
            }
        };
        let frozen_at = if self.options.contracts.freezes(name) {
            self.registry.freeze(number, self.tables.columns_before(table))
        } else {
            self.registry.thaw(number);
            usize::MAX
        };
        let route = EventRoute { number, table, frozen_at };
        self.events[event] = Some(route);
        Ok(route)
    }

    fn write(&mut self, event: &Event, line: &str, route: EventRoute, day: DayId, key: RowKey) {
        let Self { options, registry, vocabulary, tables, days, subject, .. } = self;
        let built_in = tables.built_in();
        let buffer = days.buffer(day);
        let row = buffer.begin(key);
        if let Some(column) = built_in.event_name {
            let name = &registry.events()[route.number];
            let name = match options.event_name {
                EventNameForm::Cleaned => &name.name,
                EventNameForm::Raw => &name.event,
            };
            buffer.text(row, column, Part::whole(name.as_bytes()));
        }
        if let Some(column) = built_in.time {
            buffer.long(row, column, key.time);
        }
        if let Some(id) = event.distinct_id {
            buffer.text(row, built_in.distinct_id, event.part(id, line));
        }
        let keys = vocabulary.keys(event.number);
        let mut overflow = Overflow::default();
        for property in &event.properties {
            let key = property.key;
            let value = property.value;
            let Some(value_type) = value.value_type() else { continue };
            let mut to = keys.target(key, value_type);
            if to == Target::Undecided {
                let name = registry.events().get(route.number).map_or("", |event| &event.event);
                let fate = options.contracts.fate(name, keys.name(key));
                let table = &tables.names()[route.table];
                let table = registry.table_mut(table).expect("it was made with its first event");
                let asked = (keys.name(key), value_type, fate);
                to = target(table, asked, route.frozen_at, (options.profile, subject.date()));
                keys.decide(key, value_type, to);
            }
            if let Target::Column(id) = to {
                let id = id as ColumnId;
                match value_type {
                    ValueType::String => buffer.text(row, id, event.part(value.as_text(), line)),
                    ValueType::Number => buffer.number(row, id, value.as_number()),
                    ValueType::Boolean => buffer.boolean(row, id, value.as_boolean()),
                }
            } else if let Target::Overflow(id) = to {
                overflow.add(id as ColumnId, keys.name(key), property.json.get(line));
            }
        }
        if let Some((id, json)) = overflow.finish() {
            buffer.text(row, id, Part::whole(json.as_bytes()));
        }
    }

    fn finish(mut self) -> Result<Transformed, TransformError> {
        let context = Context {
            options: &self.options,
            registry: &self.registry,
            subject: &self.subject,
            tables: self.tables.names(),
        };
        // First: it gives the room back that the rows seen take.
        let superseded = self.seen.superseded()?;
        self.days.end(&context)?;
        let reasons = self.quarantine.reasons().to_vec();
        let (quarantined, quarantine) = self.quarantine.finish()?;
        self.counts.quarantined = quarantined;
        Ok(Transformed {
            reasons,
            error_at_end: self.error_at_end,
            counts: self.counts,
            files: self.days.take_files(),
            quarantine,
            superseded,
            registry: self.registry,
        })
    }
}

/// The first eight bytes of an identifier, as a number of the same order.
fn beginning(identifier: Option<&str>) -> i64 {
    let mut first = [0; 8];
    for (byte, of_identifier) in first.iter_mut().zip(identifier.unwrap_or_default().bytes()) {
        *byte = of_identifier;
    }
    (u64::from_be_bytes(first) ^ (1 << 63)).cast_signed()
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
