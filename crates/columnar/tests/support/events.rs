//! Any events, for laws that hold for all of them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The name of an event, and its properties.
pub type Event = (String, Map<String, Value>);

/// Any JSON value that a property can have.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1_000_i32..1_000).prop_map(|n| json!(f64::from(n) / 8.0)),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Into::into),
        "[a-zäß\"\\\\\n 0-9]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..3)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// The name of a property, of few.
pub fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-cA-C$ ]{1,2}",
        Just("time zone".to_owned()),
        Just("mp_properties".to_owned()),
        Just("mp_date".to_owned()),
        Just("select".to_owned()),
        Just("Ünïcode".to_owned()),
    ]
}

/// Events with a number of their own, of few names and keys, so that both collide and repeat.
pub fn events() -> impl Strategy<Value = Vec<Event>> {
    let properties = prop::collection::btree_map(key(), value(), 0..8);
    prop::collection::vec(("[AaBb !]{1,2}", properties), 1..25).prop_map(|events| {
        let with_number = |(number, (name, mut properties)): (usize, (String, BTreeMap<_, _>))| {
            properties.insert("number".to_owned(), json!(number));
            (name, properties.into_iter().collect())
        };
        events.into_iter().enumerate().map(with_number).collect()
    })
}

pub fn lines(events: &[Event]) -> String {
    events.iter().map(|(event, properties)| super::line(event, 1, &json!(properties))).collect()
}
