//! Checks for what Glue, or an engine that reads the table, would refuse.

use super::Refusal;
use super::history::columns;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::HashSet;

const TYPES: &[&str] =
    &["string", "double", "boolean", "timestamp", "bigint", "int", "float", "date"];
/// In practice, `UpdateTable` has been refused at about 3,600 columns; a limit in bytes is more
/// precise.
const TABLE_BYTES: usize = 2 << 20;
/// The most characters of the texts of a view.
const VIEW_TEXT: usize = 409_600;
/// The most bytes of a query in Athena.
const QUERY: usize = 262_144;

pub(super) fn table(input: &Value) -> Result<(), Refusal> {
    name(input["Name"].as_str())?;
    let keys = input["PartitionKeys"].as_array().map_or(&[][..], Vec::as_slice);
    let mut taken = HashSet::new();
    for column in columns(input).iter().chain(keys) {
        let name = column_name(column)?;
        if !taken.insert(name.to_lowercase()) {
            return Err(Refusal::invalid(format!("Column {name} appears more than once")));
        }
    }
    parameters(input)?;
    if input["TableType"] == "VIRTUAL_VIEW" {
        view(input)?;
    } else if input["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"].as_str().is_none() {
        return Err(Refusal::invalid("SerializationLibrary: this stand-in demands one"));
    }
    let bytes = input.to_string().len();
    if bytes > TABLE_BYTES {
        let code = "ResourceNumberLimitExceededException";
        return Err(Refusal::new(code, format!("the table has {bytes} bytes")));
    }
    Ok(())
}

/// A view is what Athena and Trino take for one, and its text fits.
fn view(input: &Value) -> Result<(), Refusal> {
    let parameters = &input["Parameters"];
    // For Trino, a description comes before the parameter.
    let comment = input["Description"].as_str().or(parameters["comment"].as_str());
    if parameters["presto_view"] != "true" || comment != Some("Presto View") {
        return Err(Refusal::invalid("no engine takes this view for one"));
    }
    for field in ["ViewOriginalText", "ViewExpandedText"] {
        let text = input[field].as_str().unwrap_or_default();
        if text.is_empty() || text.len() > VIEW_TEXT {
            return Err(Refusal::invalid(format!("{field} has {} bytes", text.len())));
        }
    }
    let text = input["ViewOriginalText"].as_str().unwrap_or_default();
    let encoded = text.strip_prefix("/* Presto View: ").and_then(|text| text.strip_suffix(" */"));
    let json = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).unwrap_or_default();
    let definition: Value = serde_json::from_slice(&json).unwrap_or_default();
    let sql = definition["originalSql"].as_str().unwrap_or_default();
    if sql.is_empty() || sql.len() > QUERY {
        return Err(Refusal::invalid(format!("the query has {} bytes", sql.len())));
    }
    let shown = columns(input).iter().map(|column| &column["Name"]);
    let of_definition = definition["columns"].as_array().into_iter().flatten();
    if !shown.eq(of_definition.map(|column| &column["name"])) {
        return Err(Refusal::invalid("the definition has other columns than the view"));
    }
    Ok(())
}

fn name(name: Option<&str>) -> Result<(), Refusal> {
    let name = name.unwrap_or_default();
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(fine) {
        return Err(Refusal::invalid(format!("{name:?} is no name of a table")));
    }
    Ok(())
}

fn column_name(column: &Value) -> Result<&str, Refusal> {
    let name = column["Name"].as_str().unwrap_or_default();
    if name.is_empty() || name.chars().count() > 255 || name != name.to_lowercase() {
        return Err(Refusal::invalid(format!("{name:?} is no name of a column")));
    }
    let hive_type = column["Type"].as_str().unwrap_or_default();
    if !TYPES.contains(&hive_type) {
        return Err(Refusal::invalid(format!("column {name} has the type {hive_type:?}")));
    }
    let comment = column["Comment"].as_str().unwrap_or_default();
    if comment.encode_utf16().count() > 255 || comment.contains(char::is_control) {
        return Err(Refusal::invalid(format!("the comment of {name} is not allowed")));
    }
    Ok(name)
}

fn parameters(input: &Value) -> Result<(), Refusal> {
    for (name, value) in input["Parameters"].as_object().into_iter().flatten() {
        let length = value.as_str().map_or(usize::MAX, |text| text.chars().count());
        if name.chars().count() > 255 || length > 512_000 {
            return Err(Refusal::invalid(format!("the parameter {name} is not allowed")));
        }
    }
    Ok(())
}

/// A partition: as many values as keys, a location, and formats of its own.
pub(super) fn partition(input: &Value, keys: usize) -> Result<(), Refusal> {
    let values = input["Values"].as_array().map_or(0, Vec::len);
    if values != keys {
        return Err(Refusal::invalid(format!("{values} values for {keys} partition keys")));
    }
    let storage = &input["StorageDescriptor"];
    if storage["Location"].as_str().unwrap_or_default().is_empty()
        || storage["SerdeInfo"]["SerializationLibrary"].as_str().is_none()
        || storage["InputFormat"].as_str().is_none()
    {
        return Err(Refusal::invalid("a partition needs a location, a serde and a format"));
    }
    Ok(())
}

/// A list of a batch.
pub(super) fn batch<'a>(
    request: &'a Value,
    field: &str,
    most: usize,
) -> Result<&'a [Value], Refusal> {
    let items = request[field].as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() || items.len() > most {
        let message = format!("{field} has {} members; 1 to {most} are allowed", items.len());
        return Err(Refusal::new("ValidationException", message));
    }
    Ok(items)
}
