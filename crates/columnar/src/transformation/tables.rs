//! The tables that rows go to: one of all events, one for each event, or one of profiles.

use crate::error::TransformError;
use crate::options::contract::Fate;
use crate::options::{Options, TimeType};
use crate::reading::keys::Target;
use crate::transformation::subject::Subject;
use mixlake_domain::{DataFormat, Date};
use mixlake_schema::{ColumnId, ColumnType, Profile, Registry, Resolved, Table, ValueType};

/// The tables that the events of a slice go to, by number.
pub(crate) struct Tables {
    built_in: BuiltIn,
    time_type: TimeType,
    format: DataFormat,
    names: Vec<String>,
    /// How many columns each had before the slice.
    columns: Vec<usize>,
}

/// The places of the columns that every table has.
#[derive(Clone, Copy)]
pub(crate) struct BuiltIn {
    pub event_name: Option<ColumnId>,
    pub time: Option<ColumnId>,
    pub distinct_id: ColumnId,
}

impl BuiltIn {
    fn of(subject: &Subject) -> Self {
        let (event_name, time, distinct_id) = match subject {
            Subject::Events(_) => (Some(0), Some(1), 2),
            Subject::EachEvent(_) => (None, Some(0), 1),
            Subject::Profiles(..) => (None, None, 0),
        };
        Self { event_name, time, distinct_id }
    }
}

impl Tables {
    pub(crate) fn new(options: &Options, subject: &Subject) -> Self {
        let Options { time_type, format, .. } = *options;
        let built_in = BuiltIn::of(subject);
        Self { built_in, time_type, format, names: Vec::new(), columns: Vec::new() }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns a table had before the slice.
    pub(crate) fn columns_before(&self, table: usize) -> usize {
        self.columns[table]
    }

    pub(crate) fn built_in(&self) -> BuiltIn {
        self.built_in
    }

    /// The table of all rows.
    pub(crate) fn only(
        &mut self,
        registry: &mut Registry,
        name: &str,
    ) -> Result<usize, TransformError> {
        match self.names.first() {
            Some(_) => Ok(0),
            None => self.open(registry, name.to_owned()),
        }
    }

    /// Makes a table, or makes sure that it is as it would be made.
    pub(crate) fn open(
        &mut self,
        registry: &mut Registry,
        name: String,
    ) -> Result<usize, TransformError> {
        let (built_in, wanted) = (self.built_in(), self.time_type.column_type());
        let event = ("event", "mp_event_name", ColumnType::String);
        let columns = [
            built_in.event_name.map(|_| event),
            built_in.time.map(|_| ("time", "time", wanted)),
            Some(("distinct_id", "distinct_id", ColumnType::String)),
        ];
        let columns: Vec<_> = columns.into_iter().flatten().collect();
        let table = registry.table_or_new(&name, self.format, &columns);
        let has = built_in.time.map(|time| table.columns()[time].column_type);
        if let Some(has) = has.filter(|has| *has != wanted) {
            let (has, wanted) = (has.name(), wanted.name());
            return Err(TransformError::TimeType { table: name, has, wanted });
        }
        if table.format() != self.format {
            let (has, wanted) = (table.format().name(), self.format.name());
            return Err(TransformError::Format { table: name, has, wanted });
        }
        self.columns.push(table.columns().len());
        self.names.push(name);
        Ok(self.names.len() - 1)
    }
}

/// Asks a table where the values of a property go. A frozen event takes its first `frozen_at` columns.
pub(crate) fn target(
    table: &mut Table,
    (property, value_type, fate): (&str, ValueType, Fate),
    frozen_at: usize,
    (profile, seen): (Profile, Date),
) -> Target {
    let resolved = match fate {
        Fate::LeftOut => return Target::LeftOut,
        Fate::Column => table.resolve(property, value_type, profile, seen),
        Fate::KnownColumn => match table.find(property, value_type.into()) {
            Some(id) if id < frozen_at => Resolved::Column(id),
            Some(_) | None => Resolved::Overflow(table.overflow_column(seen)),
        },
    };
    let number = |id: ColumnId| u32::try_from(id).expect("far fewer columns than 2^32");
    match resolved {
        Resolved::Column(id) => Target::Column(number(id)),
        Resolved::Overflow(id) => Target::Overflow(number(id)),
    }
}
