//! The manifest of a target: which files are live, and in which generation.

use crate::document::{self, DocumentError, Read};
use crate::hash;
use crate::ports::ObjectStore;
use mixlake_columnar::RowsHash;
use mixlake_domain::{Generation, Layout, Origin, Target};
use serde::{Deserialize, Serialize};

/// What a reader of the target sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the document's format.
    pub format: Format,
    /// The day of a table, or the table.
    #[serde(flatten)]
    pub target: Target,
    /// The folder with the live files.
    pub generation: Generation,
    /// The live files, by origin and part.
    pub files: Vec<LiveFile>,
    /// A hash of the files that were deleted from earlier generations. It is part of the next
    /// generation's name, so no run writes into a folder whose files are being deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept: Option<String>,
}

impl Manifest {
    /// Reads the manifest of a target. A manifest of another target is refused.
    pub(crate) async fn read(
        store: &dyn ObjectStore,
        layout: &Layout,
        target: &Target,
    ) -> Result<Read<Self>, DocumentError> {
        let key = layout.manifest(target);
        let read = document::read::<Self>(store, &key).await?;
        read.of_its_place(
            || store.location(&key),
            |is| (is.target != *target).then(|| format!("it is the manifest of {}", is.target)),
        )
    }

    /// The manifest after objects of earlier generations are deleted. It is written before they are
    /// deleted. After that, no run can publish a generation with one of them.
    pub(crate) fn swept(&self, keys: &[String]) -> Self {
        let before = self.swept.as_deref().unwrap_or_default();
        let parts = [before].into_iter().chain(keys.iter().map(String::as_str));
        Self { swept: Some(hash::of_parts(parts)), ..self.clone() }
    }
}

/// A live file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveFile {
    /// Its name within the generation.
    pub name: String,
    /// The origin of its rows.
    #[serde(flatten)]
    pub origin: Origin,
    /// The number of rows.
    pub rows: u64,
    /// The size in bytes.
    pub bytes: u64,
    /// The hash of its bytes.
    pub hash: String,
    /// The hash of its logical rows. Version 0.1 did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub rows_hash: Option<RowsHash>,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// The hash of the identities of its rows, if other slices may have the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<String>,
    /// Whether compaction made it from all files of its slices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compacted: bool,
}

/// An optional value that is written as text.
mod optional_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::fmt::Display;
    use std::str::FromStr;

    #[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// The only format of the documents so far. Other numbers are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Format;

impl From<Format> for u32 {
    fn from(_: Format) -> Self {
        1
    }
}

impl TryFrom<u32> for Format {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number == 1 { Ok(Self) } else { Err(format!("format {number}; this version reads 1")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = r#"{"format":1,"table":"t","date":"2026-11-10","generation":"g0000000000000001","files":[
        {"name":"2026-11-10T01-000.parquet","slice":"2026-11-10T01","rows":1,"bytes":1,"hash":"a","columns":[]}]}"#;

    #[test]
    fn a_document_of_a_later_form_is_refused() {
        assert!(serde_json::from_str::<Manifest>(DAY).is_ok());
        let later = DAY.replace("\"format\":1", "\"format\":2");
        let error = serde_json::from_str::<Manifest>(&later).unwrap_err().to_string();
        assert!(error.contains("this version reads 1"), "{error}");
    }

    #[test]
    fn a_day_is_written_as_earlier_versions_read_it() {
        let manifest: Manifest = serde_json::from_str(DAY).unwrap();
        let before: serde_json::Value = serde_json::from_str(DAY).unwrap();
        assert_eq!(serde_json::to_value(&manifest).unwrap(), before);
    }

    #[test]
    fn the_hash_of_rows_is_read_back() {
        let mut manifest: Manifest = serde_json::from_str(DAY).unwrap();
        manifest.files[0].rows_hash = Some("00ff00ff00ff00ff00ff00ff00ff00ff".parse().unwrap());
        let json = serde_json::to_string(&manifest).unwrap();
        assert!(json.contains(r#""rows_hash":"00ff00ff00ff00ff00ff00ff00ff00ff""#), "{json}");
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
        assert!(serde_json::from_str::<Manifest>(&json.replace("00ff", "xyz")).is_err());
    }

    #[test]
    fn every_origin_is_read_back() {
        let manifest: Manifest = serde_json::from_str(DAY).unwrap();
        let hour = |hour: &str| hour.to_owned().try_into().unwrap();
        let run = |digit: &str| mixlake_domain::RunId::of_hash(&digit.repeat(16)).unwrap();
        for origin in [
            Origin::Slices(vec![hour("2026-11-10T01"), hour("2026-11-10T02")]),
            Origin::Snapshot("2026-11-10".to_owned()),
            Origin::Derived("abc".to_owned()),
            Origin::from(run("a")),
            Origin::Runs(vec![run("a"), run("b")]),
        ] {
            let mut manifest = manifest.clone();
            manifest.files[0].origin = origin;
            manifest.target.date = None;
            let json = serde_json::to_string(&manifest).unwrap();
            assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
        }
    }
}
