//! An export.

use super::ingestion::{Cursor, cursor};
use super::lake::{LakeConfig, lake};
use super::source::{Pipeline, endpoint, pipeline};
use super::transformation::{Events, options};
use crate::request::{self, Terms};
use crate::settings::table::{
    CATCH_UP_DAYS, EVENT_SOURCE, EVENTS, EXPORT_DELAY_MINUTES, FREQUENCY, MAX_QUARANTINE_SHARE,
    MIXPANEL_SECRET, PROJECT_CREATED_BEFORE_2023, QUERIES_PER_HOUR, SYNC, SYNC_DAYS, TIMEZONE,
    WHERE,
};
use crate::settings::{EventOrigin, Frequency, Problems, Reader, Settings};
use mixlake_app::budget::Limits;
use mixlake_app::export::{Expected, Safeguards};
use mixlake_columnar::Options;
use mixlake_domain::{Basis, Date, Slice, Timestamp, Zone};
use mixlake_mixpanel::{Endpoint, EventNames, EventTime, WhereExpression};
use std::time::Duration;

/// What an export needs.
#[derive(Debug, Clone)]
pub struct ExportConfig {
    /// What every use-case needs.
    pub lake: LakeConfig,
    /// The zone whose days, hours and minutes are the slices.
    pub zone: Zone,
    /// How events become rows.
    pub options: Options,
    /// The length of a scheduled slice.
    pub frequency: Frequency,
    /// Where Mixpanel is.
    pub endpoint: Endpoint,
    /// The name of the secret with the credentials.
    pub secret: Option<String>,
    /// The events to fetch.
    pub events: EventNames,
    /// A further condition on them.
    pub where_expression: Option<WhereExpression>,
    /// What the times of the project's events mean.
    pub event_time: EventTime,
    /// How many queries Mixpanel answers.
    pub limits: Limits,
    /// The pipeline whose files are read in the place of Mixpanel's API.
    pub pipeline: Option<Pipeline>,
    /// From when on slices are of the time at which events were processed, if ever.
    pub cursor: Option<Cursor>,
    /// How long after its end a scheduled slice of Mixpanel's API is exported.
    pub export_delay: Duration,
    /// How many days back a scheduled run looks for slices that are not published.
    pub catch_up_days: u32,
    /// How many closed days are fetched again once a day; `None` if none are.
    pub sync_days: Option<u32>,
    /// The share of lines that may be bad.
    pub quarantine_share: f64,
}

impl ExportConfig {
    /// Checks what an export needs.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let config = export(&mut reader);
        reader.finish(config)
    }

    /// How long after its end a scheduled slice is exported.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let of_api = self.cursor.map_or(self.export_delay, |cursor| cursor.margin);
        self.pipeline.as_ref().map_or(of_api, |pipeline| pipeline.delay)
    }

    /// What an export that asks a source may do to live rows: the source says what is true.
    #[must_use]
    pub fn safeguards(&self) -> Safeguards {
        Safeguards { quarantine_share: self.quarantine_share, ..Safeguards::default() }
    }

    /// The slices that are expected of a date, as they are exported.
    pub(crate) fn expected_by_cursor(&self, expected: Expected) -> Expected {
        let Expected { date, slices, longer } = expected;
        Expected { date, slices: self.by_cursor(slices), longer: self.by_cursor(longer) }
    }

    /// The slices of the schedule from one date to another that should be published by now.
    #[must_use]
    pub fn expected_between(&self, first: Date, last: Date, now: Timestamp) -> Vec<Expected> {
        let end = last.tomorrow().map_or(now, |next| self.zone.start_of(next));
        let due = end.min(now.checked_sub(self.delay()).unwrap_or(now));
        let days = u32::try_from((last - first).get_days()).unwrap_or_default() + 1;
        let expected = request::expected(due, &self.zone, self.terms(), days).into_iter();
        let expected = expected.filter(|of| (first..=last).contains(&of.date));
        expected.map(|of| self.expected_by_cursor(of)).collect()
    }

    /// How long after its end any slice is exported, at the least.
    #[must_use]
    pub fn margin(&self) -> Duration {
        self.cursor.map_or(Duration::ZERO, |cursor| cursor.margin)
    }

    /// Which slices are there to be asked for.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            frequency: self.frequency,
            delay: self.delay(),
            margin: self.margin(),
            sync_days: self.sync_days,
        }
    }

    /// Slices as they are exported: those from the start of ingestion on are of ingestion.
    #[must_use]
    pub fn by_cursor(&self, slices: Vec<Slice>) -> Vec<Slice> {
        let basis = |slice: &Slice| match self.cursor {
            Some(cursor) if slice.date() >= cursor.start => Basis::Ingestion,
            _ => Basis::EventTime,
        };
        let by = |slice: Slice| {
            let basis = basis(&slice);
            slice.by(basis)
        };
        slices.into_iter().map(by).collect()
    }
}

/// Refuses slices that are shorter than their source allows.
fn check_frequency(reader: &mut Reader<'_>, frequency: Frequency, queries_per_hour: Option<u32>) {
    let Frequency::Minutes(length) = frequency else { return };
    let least = frequency.slices_an_hour();
    if queries_per_hour.is_some_and(|queries| queries < least) {
        let what = format!(
            "must be at least {least} with frequency={}min, because each slice costs a query",
            length.count()
        );
        reader.problem(&QUERIES_PER_HOUR, what);
    }
    if reader.peek(&EVENT_SOURCE) == Some(EventOrigin::RawPipeline) {
        let what = "a pipeline writes files of days or hours, and each slice reads all files of its date; \
                    use hourly or daily with event_source=raw_pipeline";
        reader.problem(&FREQUENCY, what);
    }
}

/// Reads every setting before it gives up on any, so that all problems are told.
fn export(reader: &mut Reader<'_>) -> Option<ExportConfig> {
    let lake = lake(reader);
    let queries_per_hour = reader.get(&QUERIES_PER_HOUR);
    let zone = reader.get(&TIMEZONE);
    let before_2023 = reader.get(&PROJECT_CREATED_BEFORE_2023);
    let frequency = reader.get(&FREQUENCY);
    let endpoint = endpoint(reader);
    let events = reader.get(&EVENTS);
    let where_expression = reader.get(&WHERE);
    let secret = reader.get(&MIXPANEL_SECRET);
    let pipeline = pipeline(reader);
    let cursor = cursor(reader);
    let export_delay = reader.get(&EXPORT_DELAY_MINUTES);
    let catch_up_days = reader.get(&CATCH_UP_DAYS);
    let (sync, sync_days) = (reader.get(&SYNC), reader.get(&SYNC_DAYS));
    let quarantine_share = reader.get(&MAX_QUARANTINE_SHARE);
    if let Some(frequency) = frequency {
        check_frequency(reader, frequency, queries_per_hour);
    }
    let known = lake.as_ref().zip(zone.as_ref()).zip(before_2023);
    let known = known.map(|((lake, zone), wall_clock)| Events {
        project: &lake.project,
        zone,
        wall_clock,
        // A pipeline may deliver an event again in the folder of any later date.
        in_two_slices: cursor.is_some() || pipeline.is_some(),
    });
    let options = options(reader, known);
    let (zone, before_2023) = (zone?, before_2023?);
    Some(ExportConfig {
        event_time: EventTime::of_project(before_2023, &zone),
        lake: lake?,
        zone,
        options: options?,
        frequency: frequency?,
        endpoint: endpoint?,
        secret,
        events: events.unwrap_or_default(),
        where_expression,
        limits: Limits::an_hour(queries_per_hour?),
        pipeline,
        cursor,
        sync_days: sync_days.filter(|_| sync == Some(true) && cursor.is_none()),
        export_delay: export_delay?,
        catch_up_days: catch_up_days?,
        quarantine_share: quarantine_share?,
    })
}
