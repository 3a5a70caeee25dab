//! Contracts: what users decide about properties in advance.

use std::collections::{BTreeMap, BTreeSet};

/// The contract of each event, by its original name, and of all events together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contracts {
    /// Holds for every event, beside its own.
    pub all: Contract,
    /// By the event's original name.
    pub by_event: BTreeMap<String, Contract>,
}

/// Which properties of an event are kept, and whether new ones get columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract {
    /// If given, only these properties are kept.
    pub include: Option<BTreeSet<String>>,
    /// These properties are left out: neither column nor `mp_properties` has them.
    pub exclude: BTreeSet<String>,
    /// The event takes the columns that its table has when a slice first freezes it; the values of
    /// all others go into `mp_properties`.
    pub freeze: bool,
}

/// What becomes of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has a column, or gets one.
    Column,
    /// It has one of the columns of the freeze, or goes into `mp_properties`.
    KnownColumn,
    /// It is left out.
    LeftOut,
}

impl Contract {
    fn keeps(&self, property: &str) -> bool {
        let included = self.include.as_ref().is_none_or(|only| only.contains(property));
        included && !self.exclude.contains(property)
    }
}

impl Contracts {
    /// Whether the values of this event can go elsewhere than those of others.
    pub(crate) fn sets_apart(&self, event: &str) -> bool {
        self.by_event.contains_key(event) || self.all.freeze
    }

    /// Whether new properties of this event get no columns.
    pub(crate) fn freezes(&self, event: &str) -> bool {
        self.all.freeze || self.by_event.get(event).is_some_and(|own| own.freeze)
    }

    /// What becomes of a property of an event.
    pub(crate) fn fate(&self, event: &str, property: &str) -> Fate {
        let own = self.by_event.get(event);
        let mut both = own.into_iter().chain([&self.all]);
        if !both.all(|contract| contract.keeps(property)) {
            return Fate::LeftOut;
        }
        if self.freezes(event) { Fate::KnownColumn } else { Fate::Column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_contract_of_all_and_the_events_own_both_hold() {
        let all = Contract { exclude: names(&["$email"]), ..Contract::default() };
        let include = Some(names(&["plan", "$email"]));
        let own = Contract { include, freeze: true, ..Contract::default() };
        let by_event = BTreeMap::from([("Signup".to_owned(), own)]);
        let contracts = Contracts { all, by_event };
        let fates = ["plan", "$email", "other"].map(|p| contracts.fate("Signup", p));
        assert_eq!(fates, [Fate::KnownColumn, Fate::LeftOut, Fate::LeftOut]);
        assert_eq!(contracts.fate("Login", "other"), Fate::Column);
        assert_eq!(contracts.fate("Login", "$email"), Fate::LeftOut);
    }
}
