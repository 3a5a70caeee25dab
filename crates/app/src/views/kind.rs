//! The kinds of views, and their names.

use mixlake_domain::VIEW_PREFIX;
use mixlake_schema::MASTER_TABLE;

/// What a view shows of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The columns under the original names of the properties.
    Names,
    /// The columns, and the user that the event belongs to.
    Users,
    /// The columns, and the profile of the user.
    Profiles,
    /// The columns, with one column of text for a property that has several types.
    Text,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Names, Self::Users, Self::Profiles, Self::Text];

    fn word(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Users => "users",
            Self::Profiles => "profiles",
            Self::Text => "text",
        }
    }

    /// The name of a view, without the prefix of the tables. Parts count from 1, and the first has no number.
    /// The number is before the name of the event, because a name of an event can end in a number.
    pub(super) fn name(self, table: &str, part: usize) -> String {
        let number = if part > 1 { part.to_string() } else { String::new() };
        let table = if table == MASTER_TABLE { String::new() } else { format!("_{table}") };
        format!("{VIEW_PREFIX}{}{number}{table}", self.word())
    }

    /// The table that a view of this name shows; none for a name that [`Kind::name`] does not give.
    pub(super) fn table_of(view: &str) -> Option<&str> {
        let name = view.strip_prefix(VIEW_PREFIX)?;
        let of_kind = Self::ALL.into_iter().find_map(|kind| name.strip_prefix(kind.word()))?;
        let table = of_kind.trim_start_matches(|c: char| c.is_ascii_digit());
        if table.is_empty() { Some(MASTER_TABLE) } else { table.strip_prefix('_') }
    }
}
