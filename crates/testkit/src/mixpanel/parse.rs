//! Parses a `where` expression: comparisons, casts, `defined`, `in`, `and`, `or`, `not`, parentheses.
//! Everything else is an error that quotes the whole expression, so that no filter is silently ignored.

use super::expression::{Cast, Comparison, Expression, Operand, Value};
use mixlake_domain::Timestamp;

/// Deep enough for users, and small enough for the stack.
const MAX_DEPTH: usize = 50;

/// Parses an expression; returns the text of the 400 response if that is not possible.
pub(super) fn expression(text: &str) -> Result<Expression, String> {
    let refuse = |why: &str| format!("where is not a valid expression: {text:?}: {why}");
    let mut parser =
        Parser { tokens: tokens(text).map_err(|e| refuse(&e))?.into_iter().peekable() };
    let expression = parser.disjunction(0).map_err(|e| refuse(&e))?;
    match parser.tokens.next() {
        None => Ok(expression),
        Some(token) => Err(refuse(&format!("unexpected {token:?}"))),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Literal(Value),
    Symbol(&'static str),
}

/// Longer symbols first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 11] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '"' {
            string(rest)?
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            word(rest)?
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn string(rest: &str) -> Result<(Token, usize), String> {
    let mut escaped = false;
    let end = rest.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    let length = end.ok_or("a string is not closed")? + 2;
    let text = serde_json::from_str(&rest[..length]).map_err(|_| "a string has a bad escape")?;
    Ok((Token::Literal(Value::Text(text)), length))
}

fn word(rest: &str) -> Result<(Token, usize), String> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+');
    let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
    let word = &rest[..length];
    let token = match (word, serde_json::from_str(word)) {
        ("", _) => return Err(format!("unexpected {:?}", rest.chars().next())),
        (_, Ok(number)) => Token::Literal(Value::Number(number)),
        ("true" | "false", _) => Token::Literal(Value::Boolean(word == "true")),
        _ => Token::Word(word.to_owned()),
    };
    Ok((token, length))
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser {
    fn disjunction(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.conjunction(depth)?;
        while self.takes_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.conjunction(depth)?));
        }
        Ok(left)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expression, String> {
        let mut left = self.term(depth)?;
        while self.takes_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.term(depth)?));
        }
        Ok(left)
    }

    fn term(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err("too many parentheses".to_owned());
        }
        match self.next()? {
            Token::Symbol("(") => {
                let inner = self.disjunction(depth + 1)?;
                self.symbol(")")?;
                Ok(inner)
            }
            Token::Word(word) if word == "event" => self.time_comparison(),
            Token::Word(word) if word == "properties" => self.property_condition(None),
            Token::Word(word) if word == "not" => {
                Ok(Expression::Not(Box::new(self.term(depth + 1)?)))
            }
            Token::Word(word) if word == "defined" => {
                self.symbol("(")?;
                let name = self.property()?;
                self.symbol(")")?;
                Ok(Expression::Defined(name))
            }
            Token::Word(word) => match cast(&word) {
                Some(cast) => self.property_condition(Some(cast)),
                None => Err(format!("unexpected {:?}", Token::Word(word))),
            },
            Token::Literal(value) if self.takes_word("in") => {
                Ok(Expression::Within(value, self.property()?))
            }
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn time_comparison(&mut self) -> Result<Expression, String> {
        if self.index()? != "$time" {
            return Err("of event only [\"$time\"] can be compared".to_owned());
        }
        let comparison = self.comparison()?;
        if !self.takes_word("datetime") {
            return Err("event[\"$time\"] is compared with datetime(\"...\")".to_owned());
        }
        self.symbol("(")?;
        let text = self.text()?;
        self.symbol(")")?;
        let at: Timestamp = format!("{text}Z")
            .parse()
            .map_err(|_| format!("datetime takes 2026-01-10T13:00:00; got {text:?}"))?;
        Ok(Expression::Time(comparison, at.as_millisecond()))
    }

    /// A condition on a property. If it is cast, the opening parenthesis comes first.
    fn property_condition(&mut self, cast: Option<Cast>) -> Result<Expression, String> {
        let name = if cast.is_some() {
            self.symbol("(")?;
            let name = self.property()?;
            self.symbol(")")?;
            name
        } else {
            self.index()?
        };
        let operand = Operand { name, cast };
        if self.takes_word("in") {
            return Ok(Expression::OneOf(operand, self.list()?));
        }
        let comparison = self.comparison()?;
        Ok(Expression::Property(operand, comparison, self.literal()?))
    }

    fn list(&mut self) -> Result<Vec<Value>, String> {
        self.symbol("[")?;
        let mut values = vec![self.literal()?];
        loop {
            match self.next()? {
                Token::Symbol(",") => values.push(self.literal()?),
                Token::Symbol("]") => return Ok(values),
                other => return Err(format!("unexpected {other:?}")),
            }
        }
    }

    /// `properties["name"]`.
    fn property(&mut self) -> Result<String, String> {
        if !self.takes_word("properties") {
            return Err("properties[\"...\"] is expected".to_owned());
        }
        self.index()
    }

    fn literal(&mut self) -> Result<Value, String> {
        match self.next()? {
            Token::Literal(value) => Ok(value),
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn index(&mut self) -> Result<String, String> {
        self.symbol("[")?;
        let name = self.text()?;
        self.symbol("]")?;
        Ok(name)
    }

    fn comparison(&mut self) -> Result<Comparison, String> {
        match self.next()? {
            Token::Symbol("==") => Ok(Comparison::Equal),
            Token::Symbol("!=") => Ok(Comparison::NotEqual),
            Token::Symbol("<") => Ok(Comparison::Less),
            Token::Symbol("<=") => Ok(Comparison::LessOrEqual),
            Token::Symbol(">") => Ok(Comparison::Greater),
            Token::Symbol(">=") => Ok(Comparison::GreaterOrEqual),
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Literal(Value::Text(text)) => Ok(text),
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn symbol(&mut self, symbol: &'static str) -> Result<(), String> {
        let token = self.next()?;
        if token == Token::Symbol(symbol) { Ok(()) } else { Err(format!("unexpected {token:?}")) }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(w) if w == word)).is_some()
    }

    fn next(&mut self) -> Result<Token, String> {
        self.tokens.next().ok_or_else(|| "it ends too early".to_owned())
    }
}

fn cast(word: &str) -> Option<Cast> {
    match word {
        "string" => Some(Cast::Text),
        "number" => Some(Cast::Number),
        "boolean" => Some(Cast::Boolean),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Line;
    use super::*;
    use bytes::Bytes;
    use rstest::rstest;

    /// At 2026-01-10T13:00:00.500 UTC.
    const LINE: &str = r#"{"event":"a","properties":{"time":1768050000.5,"x":"y","n":7,"b":true,"l":["a",2],"z":null}}"#;

    #[rstest]
    #[case::lower_bound(r#"event["$time"] >= datetime("2026-01-10T13:00:00")"#, true)]
    #[case::upper_bound(r#"event["$time"] < datetime("2026-01-10T13:00:00")"#, false)]
    #[case::inside_the_second(r#"event["$time"] < datetime("2026-01-10T13:00:01")"#, true)]
    #[case::text(r#"properties["x"] == "y""#, true)]
    #[case::number(r#"properties["n"]>=7 and properties["n"] < 7.5"#, true)]
    #[case::boolean(r#"properties["b"] == true"#, true)]
    #[case::another_type(r#"properties["n"] == "7""#, false)]
    #[case::missing(r#"properties["?"] == "y""#, false)]
    #[case::missing_is_different(r#"properties["?"] != "y""#, true)]
    #[case::and_binds_first(
        r#"properties["n"]==7 or properties["n"]==1 and properties["x"]=="?""#,
        true
    )]
    #[case::parentheses(
        r#"(properties["n"]==7 or properties["n"]==1) and properties["x"]=="?""#,
        false
    )]
    #[case::not(r#"not properties["n"] == 7"#, false)]
    #[case::not_of_all(r#"not (properties["n"] == 8 or properties["x"] == "z")"#, true)]
    #[case::not_binds_first(r#"not properties["n"] == 8 and properties["n"] == 8"#, false)]
    #[case::defined(r#"defined(properties["x"])"#, true)]
    #[case::not_defined(r#"not defined(properties["?"])"#, true)]
    #[case::null_is_not_defined(r#"defined(properties["z"])"#, false)]
    #[case::one_of(r#"properties["x"] in ["a", "y"]"#, true)]
    #[case::none_of(r#"properties["n"] in ["7", 8]"#, false)]
    #[case::item(r#""a" in properties["l"]"#, true)]
    #[case::number_item(r#"2 in properties["l"]"#, true)]
    #[case::no_item(r#""2" in properties["l"]"#, false)]
    #[case::part_of_a_text(r#""y" in properties["x"]"#, true)]
    #[case::as_text(r#"string(properties["n"]) == "7""#, true)]
    #[case::as_number(r#"number(properties["b"]) >= 1"#, true)]
    #[case::as_boolean(r#"boolean(properties["n"]) == true"#, true)]
    #[case::no_number(r#"number(properties["x"]) < 100"#, false)]
    fn conditions_hold_as_they_read(#[case] text: &str, #[case] holds: bool) {
        let line = Line::new(Bytes::from_static(LINE.as_bytes()));
        assert_eq!(expression(text).unwrap().holds(&line), holds);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::function(r#"nonsense(properties["x"])"#)]
    #[case::defined_value(r#"defined("x")"#)]
    #[case::open_list(r#"properties["x"] in ["a""#)]
    #[case::empty_list(r#"properties["x"] in []"#)]
    #[case::single_equals(r#"properties["x"] = "y""#)]
    #[case::half(r#"properties["x"] == "y" and"#)]
    #[case::open(r#"(properties["x"] == "y""#)]
    #[case::too_much(r#"properties["x"] == "y")"#)]
    #[case::open_string(r#"properties["x] == 1"#)]
    #[case::no_date(r#"event["$time"] >= datetime("noon")"#)]
    #[case::other_field(r#"event["name"] == "a""#)]
    fn what_is_not_understood_is_refused_and_quoted(#[case] text: &str) {
        let message = expression(text).unwrap_err();
        assert!(message.contains(&format!("{text:?}")), "{message}");
    }

    #[test]
    fn a_tower_of_parentheses_is_refused() {
        assert!(expression(&"(".repeat(100_000)).unwrap_err().contains("too many"));
    }
}
