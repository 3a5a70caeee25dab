//! Reads inputs one after another, and assigns each line to its day.

use super::accounts::{Accounts, DateCounter, Dates};
use super::foreign_format;
use super::gunzip::{self, Gunzip};
use super::input::Input;
use super::problem::Problem;
use super::records::Records;
use super::selection::Selection;
use super::spill::SpillWriter;
use mixlake_columnar::{Line, LineKind, Peek};
use mixlake_domain::{Slice, Timestamp};
use std::io::{self, BufReader, Cursor, Read};

/// Bytes per read.
const PIECE: usize = 256 << 10;

/// How much of the start of an input is checked to recognize its format.
const START: u64 = 64 << 10;

/// Sample lines that help to recognize an input without events, and the stored size of each.
const SAMPLES: usize = 2;
const SAMPLE: usize = 64 << 10;

/// After this many lines without an event, the input is not an export.
const ODD_LINES: u64 = 1_000;

/// Reads inputs and counts what happened to their lines.
pub(super) struct Reader<'a> {
    selection: &'a Selection,
    peek: Peek,
    writer: SpillWriter,
    accounts: Accounts,
    dates: DateCounter,
    progress: &'a mut dyn FnMut(u64),
    /// The requested day of the last event; usually the next event has the same day.
    recent: Option<usize>,
}

/// What is known about one input so far.
#[derive(Default)]
struct File {
    lines: u64,
    events: u64,
    /// The day for lines without a time; none means the first day of the run.
    home: Option<usize>,
    /// Its first lines, until an event was found.
    odd: Vec<Vec<u8>>,
    /// The error in its last line.
    error_at_end: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        selection: &'a Selection,
        writer: SpillWriter,
        progress: &'a mut dyn FnMut(u64),
    ) -> Self {
        let dates = DateCounter::new(selection.zone.clone());
        let peek = Peek::new(selection.wall_clock.clone());
        Self {
            selection,
            peek,
            writer,
            accounts: Accounts::default(),
            dates,
            progress,
            recent: None,
        }
    }

    /// Reads an input to its end.
    pub(super) fn input(&mut self, input: &Input) -> Result<(), Problem> {
        let mut content = content(input.open()?)?;
        let mut file = File::default();
        let mut piece = beginning(&mut content, START)?;
        let mut records = Records::of(&piece);
        while !piece.is_empty() {
            records.push(&piece, |line| self.line(line, &mut file))?;
            (self.progress)(self.accounts.lines);
            piece.resize(PIECE, 0);
            let length = read(&mut content, &mut piece)?;
            piece.truncate(length);
        }
        self.end(records.rest()?, file)
    }

    /// The lines, and what happened to them.
    pub(super) fn finish(mut self) -> (SpillWriter, Accounts) {
        self.accounts.dates = self.dates.finish();
        self.accounts.other_dates = others(&self.accounts.dates, &self.selection.days);
        (self.writer, self.accounts)
    }

    /// The end of an input, which may be a line without a line end.
    fn end(&mut self, rest: Line<'_>, mut file: File) -> Result<(), Problem> {
        let cut = self.peek.line(rest) == LineKind::Broken;
        if cut && file.events > 0 {
            return Err(Problem::unsound(foreign_format::CUT));
        }
        self.line(rest, &mut file)?;
        if file.lines > 0 && file.events == 0 {
            return Err(Problem::Unsound(foreign_format::without_events(&file.odd, cut)));
        }
        match file.error_at_end {
            Some(error) => {
                let what =
                    format!("is incomplete: its last line is an error ({error}); export it again");
                Err(Problem::Unsound(what))
            }
            None => Ok(()),
        }
    }

    fn line(&mut self, line: Line<'_>, file: &mut File) -> Result<(), Problem> {
        let (Line::Whole(bytes) | Line::TooLong { start: bytes, .. }) = line;
        let (time, selected) = match self.peek.line(line) {
            LineKind::Blank => return Ok(()),
            LineKind::Event { name, time } => {
                let events = &self.selection.events;
                (Some(time), events.is_empty() || events.iter().any(|wanted| wanted == name))
            }
            LineKind::EarlyEnd => {
                let what = "is incomplete: it says that its export was terminated early; \
                            export it again";
                return Err(Problem::unsound(what));
            }
            LineKind::Odd | LineKind::Broken => (None, true),
        };
        file.lines += 1;
        self.accounts.lines += 1;
        match time {
            Some(time) => self.event(bytes, time, selected, file),
            None => self.odd(line, bytes, file),
        }
    }

    fn event(
        &mut self,
        bytes: &[u8],
        time: Timestamp,
        selected: bool,
        file: &mut File,
    ) -> Result<(), Problem> {
        file.events += 1;
        file.error_at_end = None;
        self.dates.event(time);
        file.home = self.day_of(time);
        match file.home {
            None => self.accounts.outside_dates += 1,
            Some(_) if !selected => self.accounts.not_selected += 1,
            Some(day) => self.keep(day, bytes)?,
        }
        Ok(())
    }

    /// A line without a time. It is never dropped.
    fn odd(&mut self, line: Line<'_>, bytes: &[u8], file: &mut File) -> Result<(), Problem> {
        if file.events == 0 && file.odd.len() < SAMPLES {
            file.odd.push(bytes[..bytes.len().min(SAMPLE)].to_vec());
        }
        file.error_at_end = foreign_format::error_at_end(line);
        if file.events == 0 && file.lines >= ODD_LINES {
            return Err(Problem::Unsound(foreign_format::without_events(&file.odd, false)));
        }
        self.keep(file.home.unwrap_or(0), bytes)
    }

    fn keep(&mut self, day: usize, bytes: &[u8]) -> Result<(), Problem> {
        self.accounts.taken += 1;
        self.writer.line(day, bytes).map_err(Problem::Spill)
    }

    /// The requested day that contains a time.
    fn day_of(&mut self, time: Timestamp) -> Option<usize> {
        let days = &self.selection.days;
        if let Some(recent) = self.recent.filter(|recent| days[*recent].contains(time)) {
            return Some(recent);
        }
        let found = days.partition_point(|day| day.end() <= time);
        let found = days.get(found).is_some_and(|day| day.contains(time)).then_some(found);
        self.recent = found.or(self.recent);
        found
    }
}

fn others(dates: &Dates, days: &[Slice]) -> Dates {
    let asked = |date| days.binary_search_by_key(&date, Slice::date).is_ok();
    let mut others = Dates::default();
    for (date, events) in dates.iter().filter(|(date, _)| !asked(*date)) {
        others.add(date, events);
    }
    others
}

/// The content of a file. Gzip is recognized by its first bytes, whatever the file name is, and
/// decompressed.
pub(super) fn content(mut file: Box<dyn Read>) -> Result<Box<dyn Read>, Problem> {
    let start = first_bytes(&mut file)?;
    let is_gzip = start.starts_with(&gunzip::MAGIC);
    let whole = Cursor::new(start).chain(file);
    if !is_gzip {
        return Ok(Box::new(whole));
    }
    let mut unpacked = Gunzip::new(BufReader::with_capacity(PIECE, whole));
    let start = first_bytes(&mut unpacked)?;
    if start.starts_with(&gunzip::MAGIC) {
        return Err(Problem::Unsound(foreign_format::looks_like("gzip within gzip")));
    }
    Ok(Box::new(Cursor::new(start).chain(unpacked)))
}

/// The first bytes, unless they belong to another format.
fn first_bytes(reader: &mut impl Read) -> Result<Vec<u8>, Problem> {
    let start = beginning(reader, 16)?;
    match foreign_format::by_first_bytes(&start) {
        Some(what) => Err(Problem::Unsound(foreign_format::looks_like(what))),
        None => Ok(start),
    }
}

/// Up to this many bytes.
pub(super) fn beginning(reader: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(length).read_to_end(&mut start)?;
    Ok(start)
}

pub(super) fn read(reader: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
