//! The part of Mixpanel's segmentation expressions that the stand-in evaluates.

use super::line::Line;
use std::cmp::Ordering;

/// A condition on an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Both hold.
    And(Box<Expression>, Box<Expression>),
    /// One of them holds.
    Or(Box<Expression>, Box<Expression>),
    /// `event["$time"] < datetime("...")`, in milliseconds.
    Time(Comparison, i64),
    /// `properties["name"] == value`.
    Property(String, Comparison, Value),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A literal, or what a property holds.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Value {
    Number(f64),
    Text(String),
    Boolean(bool),
}

impl Expression {
    /// Whether an event meets the condition.
    pub(super) fn holds(&self, line: &Line) -> bool {
        match self {
            Self::And(left, right) => left.holds(line) && right.holds(line),
            Self::Or(left, right) => left.holds(line) || right.holds(line),
            Self::Time(comparison, ms) => comparison.accepts(line.time_ms().map(|t| t.cmp(ms))),
            Self::Property(name, comparison, literal) => {
                let value = line.property(name).and_then(|json| Value::of_json(&json));
                comparison.accepts(value.and_then(|value| value.order(literal)))
            }
        }
    }
}

impl Comparison {
    /// What cannot be compared (a missing property, another type) is only ever "not equal".
    fn accepts(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order.is_some_and(Ordering::is_eq),
            Self::NotEqual => order.is_none_or(Ordering::is_ne),
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Value {
    fn of_json(json: &str) -> Option<Self> {
        if let Ok(number) = serde_json::from_str(json) {
            return Some(Self::Number(number));
        }
        if let Ok(text) = serde_json::from_str(json) {
            return Some(Self::Text(text));
        }
        serde_json::from_str(json).map(Self::Boolean).ok()
    }

    /// The order of two values of one type.
    fn order(&self, other: &Self) -> Option<Ordering> {
        if std::mem::discriminant(self) != std::mem::discriminant(other) {
            return None;
        }
        self.partial_cmp(other)
    }
}
