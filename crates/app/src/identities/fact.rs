//! What an event says about who is who.

use super::sorter::{Record, read_text, text_size, write_text};
use mixlake_columnar::IdentityRow;
use std::io::{self, ErrorKind, Read, Write};

/// How a project merges identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdMerge {
    /// Devices belong to users.
    #[default]
    Simplified,
    /// Clusters of identifiers, made by `$identify`, `$create_alias` and `$merge`.
    Original,
}

impl IdMerge {
    /// The value of the setting.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simplified => "simplified",
            Self::Original => "original",
        }
    }
}

/// What kind of fact it is. The order is that of their weight with simplified ID merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// Mixpanel resolved `$distinct_id_before_identity` to `distinct_id`.
    Resolved,
    /// A user had a device.
    Device,
    /// `$identify`: `$anon_id` became `$identified_id`.
    Identify,
    /// `$create_alias`: `alias` stands for `distinct_id`.
    Alias,
    /// `$merge`: two identifiers are one. It has no direction; `from` is the smaller one.
    Merge,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Resolved, Self::Device, Self::Identify, Self::Alias, Self::Merge];

    /// The name in the state of a day.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Device => "device",
            Self::Identify => "identify",
            Self::Alias => "alias",
            Self::Merge => "merge",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the fact counts.
    pub(super) fn counts(self, merge: IdMerge) -> bool {
        match (self, merge) {
            (Self::Resolved, _)
            | (Self::Device, IdMerge::Simplified)
            | (Self::Identify | Self::Alias | Self::Merge, IdMerge::Original) => true,
            (Self::Device, IdMerge::Original)
            | (Self::Identify | Self::Alias | Self::Merge, IdMerge::Simplified) => false,
        }
    }
}

/// The events that say who is who by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MergeEvent {
    Identify,
    CreateAlias,
    Merge,
}

impl MergeEvent {
    pub(super) const ALL: [Self; 3] = [Self::Identify, Self::CreateAlias, Self::Merge];

    /// The name of the event in Mixpanel.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Identify => "$identify",
            Self::CreateAlias => "$create_alias",
            Self::Merge => "$merge",
        }
    }
}

/// A fact. The same fact is often told by many events; the earliest time counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fact {
    pub from: String,
    pub kind: Kind,
    pub to: String,
    /// In milliseconds since 1970; the end of time if the event has none.
    pub time: i64,
}

impl Fact {
    /// None if it says nothing.
    pub(super) fn new(kind: Kind, from: &str, to: &str, time: i64) -> Option<Self> {
        if from.is_empty() || to.is_empty() || from == to {
            return None;
        }
        let (from, to) = match kind {
            Kind::Merge if to < from => (to, from),
            Kind::Resolved | Kind::Device | Kind::Identify | Kind::Alias | Kind::Merge => {
                (from, to)
            }
        };
        Some(Self { from: from.to_owned(), kind, to: to.to_owned(), time })
    }

    /// Whether two facts say the same, at whatever time.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.to == other.to && self.from == other.from
    }
}

/// The form of a device in `distinct_id`.
const DEVICE: &str = "$device:";

/// Calls `each` with the facts of a row. `event` is what the event of the row is, if it is one that merges.
pub(super) fn facts_of(
    row: &IdentityRow<'_>,
    event: Option<MergeEvent>,
    each: &mut dyn FnMut(Fact) -> io::Result<()>,
) -> io::Result<()> {
    let time = row.time.unwrap_or(i64::MAX);
    let mut pairs = |kind: Kind, from: &str, to: &str| {
        row.values(from).try_for_each(|from| {
            row.values(to)
                .try_for_each(|to| Fact::new(kind, from, to, time).map_or(Ok(()), &mut *each))
        })
    };
    pairs(Kind::Resolved, "$distinct_id_before_identity", "distinct_id")?;
    match event {
        Some(MergeEvent::Identify) => pairs(Kind::Identify, "$anon_id", "$identified_id")?,
        Some(MergeEvent::CreateAlias) => pairs(Kind::Alias, "alias", "distinct_id")?,
        Some(MergeEvent::Merge) => merged(row, time, each)?,
        None => {}
    }
    for device in row.values("$device_id").filter(|device| !device.is_empty()) {
        let device = if device.starts_with(DEVICE) {
            device.to_owned()
        } else {
            format!("{DEVICE}{device}")
        };
        for user in row.values("$user_id") {
            Fact::new(Kind::Device, &device, user, time).map_or(Ok(()), &mut *each)?;
        }
    }
    Ok(())
}

/// All elements of `$distinct_ids` are one; Mixpanel sends two.
fn merged(
    row: &IdentityRow<'_>,
    time: i64,
    each: &mut dyn FnMut(Fact) -> io::Result<()>,
) -> io::Result<()> {
    for text in row.values("$distinct_ids") {
        let elements = mixlake_columnar::elements(text);
        for two in elements.windows(2) {
            Fact::new(Kind::Merge, &two[0], &two[1], time).map_or(Ok(()), &mut *each)?;
        }
    }
    Ok(())
}

/// Whether an identifier is one of a device.
pub(super) fn is_device(identifier: &str) -> bool {
    identifier.starts_with(DEVICE)
}

impl Record for Fact {
    fn size(&self) -> usize {
        text_size(&self.from) + text_size(&self.to) + 16
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        write_text(to, &self.from)?;
        to.write_all(&[self.kind as u8])?;
        write_text(to, &self.to)?;
        to.write_all(&self.time.to_le_bytes())
    }

    fn read(from: &mut dyn Read) -> io::Result<Self> {
        let first = read_text(from)?;
        let mut kind = [0];
        from.read_exact(&mut kind)?;
        let kind = Kind::ALL.get(usize::from(kind[0])).copied();
        let kind = kind.ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?;
        let to = read_text(from)?;
        let mut time = [0; 8];
        from.read_exact(&mut time)?;
        Ok(Self { from: first, kind, to, time: i64::from_le_bytes(time) })
    }
}
