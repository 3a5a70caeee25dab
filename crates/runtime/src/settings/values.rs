//! What the values of some settings become, and how they are read.

use mixlake_domain::Minutes;
use mixlake_mixpanel::EventNames;
use std::fmt::Display;
use std::str::FromStr;

/// The length of a scheduled slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// A day.
    Daily,
    /// An hour.
    Hourly,
    /// So many minutes.
    Minutes(Minutes),
}

impl Frequency {
    /// How many slices end in an hour, at the most: each costs a query.
    #[must_use]
    pub fn slices_an_hour(self) -> u32 {
        match self {
            Self::Daily | Self::Hourly => 1,
            Self::Minutes(length) => 60 / u32::from(length.count().unsigned_abs()),
        }
    }
}

/// Who describes the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogBy {
    /// The catalog function.
    Function,
    /// A Glue crawler; the tables are not ours to touch.
    Crawler,
}

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrigin {
    /// Mixpanel's Raw Event Export API.
    ExportApi,
    /// The files of a JSON pipeline.
    RawPipeline,
}

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSource {
    /// Events.
    Events,
    /// Profiles of users and groups.
    People,
}

/// How often profiles are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleFrequency {
    /// Never by a schedule.
    Off,
    /// Once an hour.
    Hourly,
    /// Once a day of the project.
    Daily,
    /// Once a week.
    Weekly,
}

/// Group keys, each with its ID in Mixpanel.
pub type Groups = Vec<Group>;

/// A group key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name of the property, such as `company_id`.
    pub key: String,
    /// What Mixpanel calls it in queries.
    pub id: String,
}

/// How late data is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateData {
    /// Not by slices: these are of the time of events.
    Sync,
    /// By slices of the time at which Mixpanel processed events.
    IngestionCursor,
}

/// The zone whose dates are the partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateZone {
    /// The project's.
    Project,
    /// UTC.
    Utc,
}

/// A bucket or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `s3://bucket/prefix`.
    Bucket {
        /// The bucket.
        bucket: String,
        /// Empty, or ending in `/`.
        prefix: String,
    },
    /// A folder; only the command line reads one.
    Folder(String),
}

/// What a type reads itself.
pub(super) fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Any text.
#[expect(clippy::unnecessary_wraps, reason = "a row takes a function that can fail")]
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

pub(super) fn place(text: &str) -> Result<Place, String> {
    let Some(place) = text.strip_prefix("s3://") else {
        if text.contains("://") {
            return Err(format!("must be s3://bucket/prefix, got {text:?}"));
        }
        return Ok(Place::Folder(text.to_owned()));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        return Err(format!("must be s3://bucket/prefix, got {text:?}"));
    }
    let prefix = prefix.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok(Place::Bucket { bucket: bucket.to_owned(), prefix })
}

/// What is no name of a secret may be the secret itself, and is never repeated.
pub(super) fn secret_id(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:".contains(c);
    if text.chars().all(fine) && (!text.contains(':') || text.starts_with("arn:")) {
        return Ok(text.to_owned());
    }
    let what = "must be the name or ARN of a Secrets Manager secret, never its content";
    Err(what.to_owned())
}

/// The characters that IAM accepts.
pub(super) fn external_id(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if text.len() >= 2 && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must have at least two characters, only letters, digits and `_+=,.@:/-`, got {text:?}"
    ))
}

/// The first parts of the names of regions.
const AREAS: [&str; 11] = ["af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us"];

/// A name as AWS makes them, such as `eu-central-1` or `us-gov-west-1`. Which regions exist changes.
pub(super) fn region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    if let [area, middle @ .., number] = parts.as_slice()
        && AREAS.contains(area)
        && (1..=2).contains(&middle.len())
        && middle
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Ok(text.to_owned());
    }
    Err(format!("must be an AWS region such as eu-central-1, got {text:?}"))
}

pub(super) fn glue_name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(format!("must consist of lower-case letters, digits and `_`, got {text:?}"))
}

/// Each text is `key:ID`, or a JSON array of such texts. A key can contain every character.
pub(super) fn groups(texts: &[String]) -> Result<Groups, String> {
    let mut problems = Vec::new();
    let mut groups = Groups::new();
    for text in listed(texts).map_err(|error| format!("not a JSON array of texts: {error}"))? {
        let (key, id) = text.rsplit_once(':').unwrap_or_default();
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if key.is_empty() || id.is_empty() || !id.chars().all(fine) {
            problems
                .push(format!("must be group_key:ID, such as company_id:8372645, got {text:?}"));
        } else if groups.iter().any(|group| group.key == key) {
            problems.push(format!("the group key {key:?} is there twice"));
        } else {
            groups.push(Group { key: key.to_owned(), id: id.to_owned() });
        }
    }
    if problems.is_empty() { Ok(groups) } else { Err(problems.join("; ")) }
}

/// Texts, and the elements of those that are JSON arrays.
fn listed(texts: &[String]) -> serde_json::Result<Vec<String>> {
    let mut all = Vec::new();
    for text in texts {
        if text.trim_start().starts_with('[') {
            all.extend(serde_json::from_str::<Vec<String>>(text)?);
        } else {
            all.push(text.clone());
        }
    }
    Ok(all)
}

/// Each text is a name, or a JSON array of names; a name can contain every character.
pub(super) fn events(texts: &[String]) -> Result<EventNames, String> {
    let names = listed(texts).map_err(|error| format!("not a JSON array of names: {error}"))?;
    EventNames::new(names).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{groups, region};

    #[test]
    fn groups_are_keys_with_their_ids() {
        let text = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
            groups(&texts).map(|groups| {
                let pairs = groups.iter().map(|group| format!("{}={}", group.key, group.id));
                pairs.collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(text(&["company_id:1", "a:b:-2"]).as_deref(), Ok("company_id=1 a:b=-2"));
        assert_eq!(text(&[r#"["a b:1", "c:2"]"#]).as_deref(), Ok("a b=1 c=2"));
        let expected = "must be group_key:ID, such as company_id:8372645, got \"company\"; \
                        the group key \"a\" is there twice";
        assert_eq!(text(&["company", "a:1", "a:2"]), Err(expected.to_owned()));
    }

    #[test]
    fn a_region_is_named_as_aws_names_regions() {
        for name in
            ["eu-central-1", "ap-southeast-7", "us-gov-west-1", "us-isob-east-1", "cn-north-1"]
        {
            assert_eq!(region(name).as_deref(), Ok(name));
        }
        for name in
            ["", "eu", "eu-central", "eu-1", "mars-north-1", "EU-central-1", "eu-central-1a"]
        {
            assert!(region(name).unwrap_err().contains(&format!("got {name:?}")), "{name}");
        }
    }
}
