//! The setting `contracts`: JSON, checked as a whole.

use mixlake_columnar::{Contract, Contracts};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What stands for all events.
const ALL: &str = "*";

/// What no contract can leave out.
const ALWAYS: [&str; 2] = ["time", "distinct_id"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    include: Option<BTreeSet<String>>,
    #[serde(default)]
    exclude: BTreeSet<String>,
    #[serde(default)]
    freeze: bool,
}

/// By event. A second contract of an event would silently take the place of the first.
struct Documents(BTreeMap<String, Document>);

impl<'de> Deserialize<'de> for Documents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachEventOnce)
    }
}

struct EachEventOnce;

impl<'de> Visitor<'de> for EachEventOnce {
    type Value = Documents;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of contracts by event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Documents, A::Error> {
        let mut documents = BTreeMap::new();
        while let Some((event, document)) = entries.next_entry::<String, Document>()? {
            if documents.contains_key(&event) {
                return Err(A::Error::custom(format!("{event:?} is there twice; put both in one")));
            }
            documents.insert(event, document);
        }
        Ok(Documents(documents))
    }
}

/// Reads the setting.
pub(crate) fn contracts(text: &str) -> Result<Contracts, String> {
    let Documents(documents) = serde_json::from_str(text).map_err(|error| {
        format!(
            "must be a JSON object, such as \
             {{\"*\":{{\"exclude\":[\"$email\"]}},\"Sign up\":{{\"freeze\":true}}}}; {error}"
        )
    })?;
    let mut contracts = Contracts::default();
    for (event, Document { include, exclude, freeze }) in documents {
        if let Some(always) = ALWAYS.into_iter().find(|&name| exclude.contains(name)) {
            return Err(format!("{event}: every table has {always}; it cannot be excluded"));
        }
        let contract = Contract { include, exclude, freeze };
        if event == ALL {
            contracts.all = contract;
        } else {
            contracts.by_event.insert(event, contract);
        }
    }
    Ok(contracts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_star_means_all_events_and_a_name_its_own() {
        let text = r#"{"*":{"exclude":["$email"]},"Sign up":{"include":["plan"],"freeze":true}}"#;
        let Contracts { all, by_event } = contracts(text).unwrap();
        assert!(all.exclude.contains("$email") && !all.freeze && all.include.is_none());
        let own = &by_event["Sign up"];
        assert!(own.freeze && own.include.as_ref().is_some_and(|names| names.contains("plan")));
    }

    #[test]
    fn what_is_misspelt_or_impossible_is_refused() {
        let problem = |text| contracts(text).unwrap_err();
        assert!(problem(r#"{"*":{"excludes":[]}}"#).contains("unknown field `excludes`"));
        assert!(problem("[]").contains("must be a JSON object"));
        let twice = problem(r#"{"A":{"exclude":["$email"]},"B":{},"A":{"freeze":true}}"#);
        assert!(twice.contains(r#""A" is there twice"#), "{twice}");
        let twice = problem(r#"{"A":{"exclude":["$email"],"exclude":[]}}"#);
        assert!(twice.contains("duplicate field `exclude`"), "{twice}");
        assert!(problem(r#"{"A":{"exclude":["time"]}}"#).contains("A: every table has time"));
    }
}
