//! How each engine writes names, texts and times.

use crate::arguments::QueryEngine;
use mixlake_schema::ColumnType;

/// The SQL of an engine.
#[derive(Debug, Clone, Copy)]
pub struct Dialect(pub QueryEngine);

impl Dialect {
    /// A name in quotes, so that no word is reserved.
    pub fn name(self, name: &str) -> String {
        let quote = match self.0 {
            QueryEngine::Redshift | QueryEngine::Athena => '"',
            QueryEngine::Spark => '`',
        };
        let doubled = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{doubled}{quote}")
    }

    /// A text in quotes. For Redshift and Spark a backslash begins an escape.
    pub fn text(self, text: &str) -> String {
        match self.0 {
            QueryEngine::Athena => format!("'{}'", text.replace('\'', "''")),
            QueryEngine::Redshift => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
            }
            QueryEngine::Spark => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
            }
        }
    }

    /// The hour of `time` in a zone. Timestamps of the tables are in UTC.
    pub fn hour(self, time: ColumnType, zone: &str) -> String {
        let column = self.name("time");
        let is_number = time == ColumnType::Bigint;
        let zone = self.text(zone);
        match self.0 {
            QueryEngine::Redshift => {
                let instant = if is_number {
                    format!("timestamp 'epoch' + {column} / 1000 * interval '1 second'")
                } else {
                    column
                };
                format!("date_trunc('hour', convert_timezone('UTC', {zone}, {instant}))")
            }
            QueryEngine::Athena => {
                let instant = if is_number {
                    format!("from_unixtime({column} / 1000.0)")
                } else {
                    format!("with_timezone({column}, 'UTC')")
                };
                format!("date_trunc('hour', at_timezone({instant}, {zone}))")
            }
            QueryEngine::Spark => {
                let instant =
                    if is_number { format!("timestamp_millis({column})") } else { column };
                // Timestamps are shown in the session's zone, whatever it is.
                format!(
                    "date_trunc('HOUR', convert_timezone(current_timezone(), {zone}, {instant}))"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QueryEngine::{Athena, Redshift, Spark};
    use rstest::rstest;

    #[rstest]
    #[case(Redshift, "time", "\"time\"")]
    #[case(Athena, "a\"b", "\"a\"\"b\"")]
    #[case(Spark, "a`b\"", "`a``b\"`")]
    fn names_are_quoted(#[case] engine: QueryEngine, #[case] name: &str, #[case] sql: &str) {
        assert_eq!(Dialect(engine).name(name), sql);
    }

    #[rstest]
    #[case(Redshift, r"it's \ here", r"'it''s \\ here'")]
    #[case(Athena, r"it's \ here", r"'it''s \ here'")]
    #[case(Spark, r"it's \ here", r"'it\'s \\ here'")]
    fn texts_are_quoted(#[case] engine: QueryEngine, #[case] text: &str, #[case] sql: &str) {
        assert_eq!(Dialect(engine).text(text), sql);
    }
}
