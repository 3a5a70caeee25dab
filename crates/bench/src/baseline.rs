//! What plain arrow-json and `ArrowWriter` do: the readable baseline.
//!
//! A property that has values of two types fails arrow-json unless it is told to null them, so it
//! is told; the type of a property is that of its first value in a sample.

use anyhow::Context;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::json::ReaderBuilder;
use arrow::json::reader::infer_json_schema_from_iterator;
use flate2::read::MultiGzDecoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::mem::{Discriminant, discriminant};
use std::path::Path;
use std::sync::Arc;

/// Lines that are looked at for the types of properties.
const SAMPLE: usize = 20_000;

/// Turns events into a Parquet file with a column for each property.
pub(crate) fn run(file: &Path, out: &Path) -> anyhow::Result<()> {
    let properties = properties(file)?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("event", DataType::Utf8, true),
        Field::new("properties", DataType::Struct(properties.clone()), true),
    ]));
    let mut fields = vec![Arc::new(Field::new("event", DataType::Utf8, true))];
    fields.extend(properties.iter().cloned());
    let flat = Arc::new(Schema::new(fields));
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let options = WriterProperties::builder().set_compression(zstd).build();
    let mut writer = ArrowWriter::try_new(File::create(out)?, flat.clone(), Some(options))?;
    let reader = ReaderBuilder::new(schema)
        .with_batch_size(8_192)
        .with_ignore_type_conflicts(true)
        .build(lines(file)?)?;
    for batch in reader {
        let batch = batch?;
        let mut columns = vec![batch.column(0).clone()];
        columns.extend(batch.column(1).as_struct().columns().iter().cloned());
        debug_assert!(columns.iter().all(|column| column.len() == batch.num_rows()));
        writer.write(&RecordBatch::try_new(flat.clone(), columns)?)?;
    }
    writer.close()?;
    Ok(())
}

fn lines(file: &Path) -> anyhow::Result<impl BufRead> {
    let file = File::open(file).with_context(|| file.display().to_string())?;
    Ok(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(file)))
}

/// The properties of a sample, each with the type of its first value.
fn properties(file: &Path) -> anyhow::Result<Fields> {
    let mut kinds: HashMap<String, Discriminant<Value>> = HashMap::new();
    let mut objects = Vec::new();
    for line in lines(file)?.lines().take(SAMPLE) {
        let mut event: Map<String, Value> = serde_json::from_str(&line?)?;
        let Some(Value::Object(mut object)) = event.remove("properties") else { continue };
        object.retain(|key, value| {
            *kinds.entry(key.clone()).or_insert_with(|| discriminant(value)) == discriminant(value)
        });
        objects.push(Ok(Value::Object(object)));
    }
    Ok(infer_json_schema_from_iterator(objects.into_iter())?.fields)
}
