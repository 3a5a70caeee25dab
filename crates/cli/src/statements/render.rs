//! Statements as text that can be pasted or piped into a client.

use super::Statement;
use crate::arguments::QueryEngine;

/// The width of comments.
const WIDTH: usize = 110;

/// The statements, each with what it is for as a comment. `origin` says what they were filled in from.
pub fn render(engine: QueryEngine, origin: &str, statements: &[Statement]) -> String {
    let mut blocks = vec![comment(&heading(engine, origin, statements))];
    for Statement { about, sql } in statements {
        blocks.push(format!("{}{sql};\n", comment(about)));
    }
    blocks.join("\n")
}

fn heading(engine: QueryEngine, origin: &str, statements: &[Statement]) -> String {
    let engine = match engine {
        QueryEngine::Redshift => "Amazon Redshift Spectrum",
        QueryEngine::Athena => "Amazon Athena",
        QueryEngine::Spark => "Apache Spark, with Glue as its catalog",
    };
    let open = statements.iter().any(|statement| has_placeholder(&statement.sql));
    let replace = if open { " Replace the words in <angle brackets>." } else { "" };
    format!(
        "{engine}: {origin}{replace} The catalog function adds the partitions, so there is nothing like MSCK REPAIR \
         TABLE or ALTER TABLE ADD PARTITION to run."
    )
}

fn has_placeholder(sql: &str) -> bool {
    let mut quoted = sql.split(['\'', '"', '`']);
    quoted.any(|part| part.contains('<') && part.ends_with('>'))
}

/// Lines of a comment, broken between words.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("--")];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 2 && line + 1 + word.chars().count() > WIDTH {
            lines.push(String::from("--"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
