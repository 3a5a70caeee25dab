//! The tables as statements for `DuckDB`: one view a table, over its live files only.

use mixlake_app::reconcile::{ColumnView, FileView, TableView};

/// The key of the partitions, which no file holds.
const DATE: &str = "mp_date";

/// A view for each table.
pub fn views(tables: &[TableView]) -> String {
    tables.iter().map(view).collect()
}

/// The first part has the columns and no rows: so every column of the table is there, in its order,
/// whichever files are live, and a table without files is empty.
fn view(table: &TableView) -> String {
    let mut parts = vec![format!("SELECT {} WHERE false", columns(table))];
    let of_days = table.partitions.iter().map(|day| (Some(&*day.mp_date), &day.files));
    for (date, files) in of_days.chain(table.files.iter().map(|files| (None, files))) {
        let (json, parquet): (Vec<_>, Vec<_>) = files.iter().partition(|file| is_json(file));
        parts.extend(part(date, &parquet, |files| {
            format!("read_parquet([{files}], union_by_name = true, hive_partitioning = false)")
        }));
        parts.extend(part(date, &json, |files| {
            // It does not see that a file is gzip where `?` is in its path.
            format!(
                "read_json([{files}], format = 'newline_delimited', compression = 'gzip', \
                 hive_partitioning = false, columns = {{{}}})",
                types(table)
            )
        }));
    }
    let (name, body) = (identifier(&table.table), parts.join("\nUNION ALL BY NAME\n"));
    format!("CREATE OR REPLACE VIEW {name} AS\n{body};\n")
}

fn part(
    date: Option<&str>,
    files: &[&FileView],
    read: impl Fn(String) -> String,
) -> Option<String> {
    let names: Vec<String> = files.iter().map(|file| text(&no_pattern(&file.location))).collect();
    let date = date.map(|date| format!(", DATE {} AS {DATE}", text(date))).unwrap_or_default();
    let select = |files| format!("SELECT *{date} FROM {}", read(files));
    (!names.is_empty()).then(|| select(names.join(", ")))
}

fn is_json(file: &FileView) -> bool {
    file.location.ends_with(".json.gz")
}

fn columns(table: &TableView) -> String {
    let known = table.columns.iter().filter_map(|column| {
        Some(format!("NULL::{} AS {}", duck_type(column)?, identifier(&column.name)))
    });
    let date = table.files.is_none().then(|| format!("NULL::DATE AS {DATE}"));
    known.chain(date).collect::<Vec<_>>().join(", ")
}

/// The columns of a JSON file, as `read_json` takes them.
fn types(table: &TableView) -> String {
    let known = table
        .columns
        .iter()
        .filter_map(|column| Some(format!("{}: {}", text(&column.name), text(duck_type(column)?))));
    known.collect::<Vec<_>>().join(", ")
}

/// None for a column of a type that no file has: somebody else has added it to the table.
fn duck_type(column: &ColumnView) -> Option<&'static str> {
    match &*column.r#type {
        "string" => Some("VARCHAR"),
        "double" => Some("DOUBLE"),
        "boolean" => Some("BOOLEAN"),
        "timestamp" => Some("TIMESTAMP"),
        "bigint" => Some("BIGINT"),
        _ => None,
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The path of one file, for a reader that takes paths as patterns.
fn no_pattern(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '*' | '?' | '[' => escaped.extend(['[', c, ']']),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::reconcile::PartitionView;

    fn table(files: &[&str]) -> TableView {
        let column = |name: &str, kind: &str| ColumnView {
            name: name.to_owned(),
            r#type: kind.to_owned(),
            property: None,
        };
        let file = |location: &&str| FileView {
            location: (*location).to_owned(),
            slice: "2026-11-10".to_owned(),
            rows: 1,
            bytes: 1,
        };
        TableView {
            table: "od\"d".to_owned(),
            location: "/lake/1/odd/".to_owned(),
            columns: vec![
                column("time", "timestamp"),
                column("mine", "int"),
                column("n", "double"),
            ],
            partitions: vec![PartitionView {
                mp_date: "2026-11-10".to_owned(),
                location: "/lake/1/odd/2026/11/10/g/".to_owned(),
                files: files.iter().map(file).collect(),
            }],
            files: None,
        }
    }

    #[test]
    fn a_view_has_the_live_files_of_each_day() {
        let expected = "\
CREATE OR REPLACE VIEW \"od\"\"d\" AS
SELECT NULL::TIMESTAMP AS \"time\", NULL::DOUBLE AS \"n\", NULL::DATE AS mp_date WHERE false
UNION ALL BY NAME
SELECT *, DATE '2026-11-10' AS mp_date FROM read_parquet(['/it''s/a[[]1].parquet', '/b.parquet'], \
union_by_name = true, hive_partitioning = false)
UNION ALL BY NAME
SELECT *, DATE '2026-11-10' AS mp_date FROM read_json(['/c.json.gz'], format = 'newline_delimited', \
compression = 'gzip', hive_partitioning = false, columns = {'time': 'TIMESTAMP', 'n': 'DOUBLE'});
";
        let files = ["/it's/a[1].parquet", "/c.json.gz", "/b.parquet"];
        assert_eq!(views(&[table(&files)]), expected);
    }

    #[test]
    fn a_table_without_partitions_has_no_date() {
        let mut whole = table(&["/a.parquet"]);
        whole.files = Some(std::mem::take(&mut whole.partitions[0].files));
        whole.partitions.clear();
        let sql = views(&[whole]);
        assert!(!sql.contains(DATE), "{sql}");
        assert!(sql.contains("SELECT * FROM read_parquet(['/a.parquet']"), "{sql}");
    }

    #[test]
    fn a_table_without_files_is_empty() {
        let sql = views(&[table(&[])]);
        assert!(sql.ends_with("NULL::DATE AS mp_date WHERE false;\n"), "{sql}");
    }
}
