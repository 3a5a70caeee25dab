//! What a person sees.

use mixlake_app::SliceCounts;
use mixlake_app::export::ExportReport;
use mixlake_app::reconcile::TableView;
use serde_json::Value;
use std::io::{self, Write};

/// Prints a text on standard output.
pub fn text(text: &str) -> anyhow::Result<()> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// Prints a JSON document on standard output.
pub fn json(value: &Value) -> anyhow::Result<()> {
    text(&format!("{value:#}\n"))
}

/// Prints an error and its causes on standard error.
pub fn error(error: &anyhow::Error) {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    // Standard error may be closed; there is nowhere else to say so.
    writeln!(io::stderr().lock(), "mixlake: {}", chain.join(": ")).unwrap_or_default();
}

/// Prints the outcome of each slice and the sums.
pub fn export(report: &ExportReport, location: &dyn Fn(&str) -> String) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let head = ["slice", "received", "written", "duplicates", "quarantined", "bytes", ""];
    row(&mut out, &head.map(str::to_owned))?;
    for slice in &report.slices {
        match &slice.outcome {
            Ok(whole) => {
                let status = whole.status.to_string();
                row(&mut out, &cells(whole.slice.clone(), whole.counts, whole.bytes, status))?;
            }
            Err(error) => writeln!(
                out,
                "{:<14}FAILED: {}",
                slice.slice.to_string(),
                mixlake_app::chain(error)
            )?,
        }
    }
    if report.slices.len() > 1 {
        let totals = report.totals();
        row(&mut out, &cells("total".to_owned(), totals.counts, totals.bytes, String::new()))?;
    }
    for whole in report.whole() {
        for column in &whole.new_columns {
            let (name, kind, property) = (&column.column, column.r#type, &column.property);
            writeln!(out, "{}: new column {name} {kind} of {property:?}", whole.slice)?;
        }
        if let Some(key) = &whole.quarantine {
            writeln!(out, "{}: bad lines, with reasons: {}", whole.slice, location(key))?;
        }
    }
    Ok(())
}

/// The cells of a line: what it is of, its numbers, and what became of it.
fn cells(of: String, counts: SliceCounts, bytes: u64, status: String) -> [String; 7] {
    let numbers = [counts.received, counts.written, counts.duplicates, counts.quarantined, bytes];
    let [received, written, duplicates, quarantined, bytes] = numbers.map(|n| n.to_string());
    [of, received, written, duplicates, quarantined, bytes, status]
}

fn row(out: &mut impl Write, cells: &[String; 7]) -> io::Result<()> {
    let [of, received, written, duplicates, quarantined, bytes, status] = cells;
    let line = format!(
        "{of:<14}{received:>10}{written:>10}{duplicates:>12}{quarantined:>13}{bytes:>12}  {status}"
    );
    writeln!(out, "{}", line.trim_end())
}

/// Prints tables with their columns and partitions.
pub fn tables(tables: &[TableView]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for table in tables {
        writeln!(out, "table {}  {}", table.table, table.location)?;
        let width = table.columns.iter().map(|c| c.name.len()).max().unwrap_or(0).min(48);
        for column in &table.columns {
            let property = column.property.as_deref().unwrap_or_default();
            writeln!(out, "  {:<width$}  {:<9}  {property}", column.name, column.r#type)?;
        }
        for partition in &table.partitions {
            let rows: u64 = partition.files.iter().map(|file| file.rows).sum();
            let (date, files) = (&partition.mp_date, partition.files.len());
            writeln!(
                out,
                "  mp_date={date}  {rows} rows in {files} files  {}",
                partition.location
            )?;
        }
    }
    Ok(())
}
