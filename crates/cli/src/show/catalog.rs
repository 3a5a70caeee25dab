//! The tables of a catalog.

use super::words::some;
use mixlake_app::reconcile::{FileView, TableView};
use std::fmt::{self, Write};

/// Tables with their columns and partitions, the names of views, the sums, and what to do next.
pub fn tables(tables: &[TableView], views: &[String], next: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    tables.iter().try_for_each(|view| table(&mut text, view)).unwrap_or_default();
    views.iter().try_for_each(|view| writeln!(text, "view {view}")).unwrap_or_default();
    text + &summary(tables, views, next)
}

fn table(out: &mut String, table: &TableView) -> fmt::Result {
    writeln!(out, "table {}  {}", table.table, table.location)?;
    let width = table.columns.iter().map(|c| c.name.len()).max().unwrap_or(0).min(48);
    for column in &table.columns {
        let property = column.property.as_deref().unwrap_or_default().replace('\n', "\\n");
        let line = format!("  {:<width$}  {:<9}  {property}", column.name, column.r#type);
        writeln!(out, "{}", line.trim_end())?;
    }
    for partition in &table.partitions {
        let (date, rows) = (&partition.mp_date, rows(&partition.files));
        writeln!(out, "  mp_date={date}  {rows}  {}", partition.location)?;
    }
    if let Some(files) = &table.files {
        writeln!(out, "  {}", rows(files))?;
    }
    Ok(())
}

fn rows(files: &[FileView]) -> String {
    let rows = files.iter().map(|file| file.rows).sum();
    format!("{} in {}", some(rows, "row"), some(files.len() as u64, "file"))
}

fn files(table: &TableView) -> impl Iterator<Item = &FileView> {
    let of_days = table.partitions.iter().flat_map(|partition| &partition.files);
    of_days.chain(table.files.iter().flatten())
}

fn summary(tables: &[TableView], views: &[String], next: &str) -> String {
    if tables.is_empty() {
        return "The lake has no tables, because no events are published. \
                Export days that have events: mixlake export --help\n"
            .to_owned();
    }
    let count = |of: &dyn Fn(&TableView) -> u64| tables.iter().map(of).sum::<u64>();
    let rows = count(&|table| files(table).map(|file| file.rows).sum());
    let mut parts = vec![
        some(tables.len() as u64, "table"),
        some(count(&|table| table.columns.len() as u64), "column"),
        some(rows, "row"),
        some(count(&|table| files(table).count() as u64), "file"),
    ];
    if !views.is_empty() {
        parts.push(some(views.len() as u64, "view"));
    }
    format!("\n{}.\nNext: {next}\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::reconcile::{ColumnView, PartitionView};

    #[test]
    fn tables_are_told_with_their_sums() {
        let column = |name: &str, property: Option<&str>| ColumnView {
            name: name.to_owned(),
            r#type: "string".to_owned(),
            property: property.map(str::to_owned),
        };
        let file = |rows| FileView {
            location: "/lake/f".to_owned(),
            slice: "2026-11-10".to_owned(),
            rows,
            bytes: 1,
        };
        let view = TableView {
            table: "mp_master_event".to_owned(),
            location: "/lake/1/mp_master_event/".to_owned(),
            columns: vec![column("mp_city", Some("$city")), column("two", Some("a\nb"))],
            partitions: vec![PartitionView {
                mp_date: "2026-11-10".to_owned(),
                location: "/lake/1/mp_master_event/2026/11/10/g1/".to_owned(),
                files: vec![file(1_000), file(1)],
            }],
            files: None,
        };
        let expected = "\
table mp_master_event  /lake/1/mp_master_event/
  mp_city  string     $city
  two      string     a\\nb
  mp_date=2026-11-10  1,001 rows in 2 files  /lake/1/mp_master_event/2026/11/10/g1/

1 table, 2 columns, 1,001 rows, 2 files.
Next: mixlake catalog --lake /lake --sql
";
        assert_eq!(tables(&[view], &[], "mixlake catalog --lake /lake --sql"), expected);
    }

    #[test]
    fn a_table_without_partitions_shows_its_rows_and_a_view_its_name() {
        let file = FileView {
            location: "/lake/f".to_owned(),
            slice: "snapshot 1".to_owned(),
            rows: 7,
            bytes: 1,
        };
        let view = TableView {
            table: "mp_people_data".to_owned(),
            location: "/lake/1/mp_people_data/g1/".to_owned(),
            columns: Vec::new(),
            partitions: Vec::new(),
            files: Some(vec![file]),
        };
        let expected = "\
table mp_people_data  /lake/1/mp_people_data/g1/
  7 rows in 1 file
view mp_view_names

1 table, 0 columns, 7 rows, 1 file, 1 view.
Next: q
";
        assert_eq!(tables(&[view], &["mp_view_names".to_owned()], "q"), expected);
    }

    #[test]
    fn a_lake_without_tables_says_so() {
        let text = tables(&[], &[], "");
        assert!(text.starts_with("The lake has no tables"), "{text}");
    }
}
