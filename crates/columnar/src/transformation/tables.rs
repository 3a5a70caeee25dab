//! The tables of a slice: one of all events, or one for each.

use crate::error::TransformError;
use crate::options::contract::Fate;
use crate::options::{Options, SchemaType, TimeType};
use crate::reading::keys::Target;
use mixlake_domain::{DataFormat, Date};
use mixlake_schema::{
    ColumnId, ColumnType, MASTER_TABLE, Profile, Registry, Resolved, Table, ValueType,
};

/// The tables that the events of a slice go to, by number.
pub(crate) struct Tables {
    schema_type: SchemaType,
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
    pub time: ColumnId,
    pub distinct_id: ColumnId,
}

impl Tables {
    pub(crate) fn new(options: &Options) -> Self {
        let Options { schema_type, time_type, format, .. } = *options;
        Self { schema_type, time_type, format, names: Vec::new(), columns: Vec::new() }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns a table had before the slice.
    pub(crate) fn columns_before(&self, table: usize) -> usize {
        self.columns[table]
    }

    pub(crate) fn built_in(&self) -> BuiltIn {
        match self.schema_type {
            SchemaType::Monoschema => BuiltIn { event_name: Some(0), time: 1, distinct_id: 2 },
            SchemaType::Multischema => BuiltIn { event_name: None, time: 0, distinct_id: 1 },
        }
    }

    /// The number of the table of an event, which the registry has under this number.
    pub(crate) fn of_event(
        &mut self,
        registry: &mut Registry,
        event: usize,
    ) -> Result<usize, TransformError> {
        match self.schema_type {
            SchemaType::Monoschema => self.master(registry),
            SchemaType::Multischema => {
                let name = registry.events()[event].name.clone();
                self.open(registry, name)
            }
        }
    }

    /// The one table of all events.
    pub(crate) fn master(&mut self, registry: &mut Registry) -> Result<usize, TransformError> {
        match self.names.first() {
            Some(_) => Ok(0),
            None => self.open(registry, MASTER_TABLE.to_owned()),
        }
    }

    /// Makes a table, or makes sure that it is as it would be made.
    fn open(&mut self, registry: &mut Registry, name: String) -> Result<usize, TransformError> {
        let (built_in, wanted) = (self.built_in(), self.time_type.column_type());
        let event = ("event", "mp_event_name", ColumnType::String);
        let columns = [
            built_in.event_name.map(|_| event),
            Some(("time", "time", wanted)),
            Some(("distinct_id", "distinct_id", ColumnType::String)),
        ];
        let columns: Vec<_> = columns.into_iter().flatten().collect();
        let table = registry.table_or_new(&name, self.format, &columns);
        let has = table.columns()[built_in.time].column_type;
        if has != wanted {
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
