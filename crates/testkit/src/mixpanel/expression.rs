//! The part of Mixpanel's segmentation expressions that the stand-in evaluates.

use super::line::Line;
use serde_json::value::RawValue;
use std::cmp::Ordering;

/// A condition on an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Both conditions are true.
    And(Box<Expression>, Box<Expression>),
    /// At least one condition is true.
    Or(Box<Expression>, Box<Expression>),
    /// `event["$time"] < datetime("...")`, in milliseconds.
    Time(Comparison, i64),
    /// The condition is false.
    Not(Box<Expression>),
    /// `defined(properties["name"])`: it exists and is not null.
    Defined(String),
    /// `properties["name"] == value`.
    Property(Operand, Comparison, Value),
    /// `properties["name"] in ["a", "b"]`.
    OneOf(Operand, Vec<Value>),
    /// `"a" in properties["name"]`: an item of a list, or a part of a text.
    Within(Value, String),
}

/// A property, perhaps cast to another type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) name: String,
    pub(super) cast: Option<Cast>,
}

/// The type to which a property is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    Text,
    Number,
    Boolean,
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

/// A literal, or the value of a property.
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
            Self::Not(inner) => !inner.holds(line),
            Self::Defined(name) => line.property(name).is_some_and(|json| json != "null"),
            Self::Property(operand, comparison, literal) => {
                comparison.accepts(operand.of(line).and_then(|value| value.order(literal)))
            }
            Self::OneOf(operand, literals) => {
                operand.of(line).is_some_and(|value| literals.contains(&value))
            }
            Self::Within(literal, name) => {
                line.property(name).is_some_and(|json| literal.is_within(&json))
            }
        }
    }
}

impl Operand {
    fn of(&self, line: &Line) -> Option<Value> {
        let value = Value::of_json(&line.property(&self.name)?)?;
        match self.cast {
            None => Some(value),
            Some(cast) => value.cast(cast),
        }
    }
}

impl Comparison {
    /// Values that cannot be compared (a missing property, another type) are only ever "not equal".
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

    /// Cast to another type; none if that is not possible.
    fn cast(self, cast: Cast) -> Option<Self> {
        match (cast, self) {
            (Cast::Text, Self::Text(text)) => Some(Self::Text(text)),
            (Cast::Text, Self::Number(number)) => Some(Self::Text(number.to_string())),
            (Cast::Text, Self::Boolean(boolean)) => Some(Self::Text(boolean.to_string())),
            (Cast::Number, Self::Text(text)) => text.trim().parse().ok().map(Self::Number),
            (Cast::Number, Self::Number(number)) => Some(Self::Number(number)),
            (Cast::Number, Self::Boolean(boolean)) => Some(Self::Number(f64::from(boolean))),
            (Cast::Boolean, Self::Text(text)) => Some(Self::Boolean(!text.is_empty())),
            (Cast::Boolean, Self::Number(number)) => Some(Self::Boolean(number != 0.0)),
            (Cast::Boolean, Self::Boolean(boolean)) => Some(Self::Boolean(boolean)),
        }
    }

    /// Whether a list or a text contains it.
    fn is_within(&self, json: &str) -> bool {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) {
            return items.iter().any(|item| Self::of_json(item.get()).as_ref() == Some(self));
        }
        match (self, serde_json::from_str::<String>(json)) {
            (Self::Text(part), Ok(text)) => text.contains(part),
            (Self::Text(_) | Self::Number(_) | Self::Boolean(_), _) => false,
        }
    }

    /// The order of two values of one type.
    fn order(&self, other: &Self) -> Option<Ordering> {
        if std::mem::discriminant(self) != std::mem::discriminant(other) {
            return None;
        }
        self.partial_cmp(other)
    }
}
