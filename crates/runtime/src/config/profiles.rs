//! An export of profiles.

use super::lake::{LakeConfig, lake};
use super::source::endpoint;
use super::transformation::{Events, options};
use crate::settings::table::{
    ALLOW_EMPTY, CATCH_UP_DAYS, CONTRACTS, DATA_GROUP_ID, DATA_SOURCE, DEDUPLICATE, EVENT_NAME,
    EVENT_SOURCE, EVENTS, EXPORT_DELAY_MINUTES, FREQUENCY, INGESTION_START, LATE_DATA,
    MAX_QUARANTINE_SHARE, MIXPANEL_SECRET, MP_DATE_ZONE, PEOPLE_FREQUENCY,
    PROJECT_CREATED_BEFORE_2023, QUERIES_PER_HOUR, RAW_PIPELINE_LOCATION, SCHEMA_TYPE, SYNC,
    SYNC_DAYS, TIME_TYPE, TIMEZONE, WHERE,
};
use crate::settings::{DataSource, Group, PeopleFrequency, Problems, Reader, Row, Settings};
use mixlake_app::budget::Limits;
use mixlake_app::export::{OnEmpty, Safeguards};
use mixlake_columnar::Options;
use mixlake_domain::{Dataset, TableName, Timestamp, Zone};
use mixlake_mixpanel::Endpoint;
use mixlake_schema::{Profile, clean};

/// What an export of profiles needs.
#[derive(Debug, Clone)]
pub struct ProfilesConfig {
    /// What every use-case needs.
    pub lake: LakeConfig,
    /// The zone whose days decide when an export is due.
    pub zone: Zone,
    /// How profiles become rows.
    pub options: Options,
    /// How often they are exported.
    pub frequency: PeopleFrequency,
    /// The tables, that of the users first.
    pub tables: Vec<ProfileTable>,
    /// Where Mixpanel is.
    pub endpoint: Endpoint,
    /// The name of the secret with the credentials.
    pub secret: Option<String>,
    /// How many queries Mixpanel answers.
    pub limits: Limits,
    /// What an export may do to live rows.
    pub safeguards: Safeguards,
}

/// A table of profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileTable {
    /// Its name.
    pub name: TableName,
    /// The group key; none of users.
    pub group: Option<Group>,
}

impl ProfilesConfig {
    /// Checks what an export of profiles needs.
    pub fn check(settings: &Settings) -> Result<Self, Problems> {
        let mut reader = Reader::new(settings);
        let config = profiles(&mut reader);
        reader.finish(config)
    }

    /// The time since which an export must have begun, for a schedule that was due at a time. `None`: nothing is
    /// ever due.
    #[must_use]
    pub fn due_since(&self, at: Timestamp) -> Option<Timestamp> {
        let today = self.zone.date_of(at);
        match self.frequency {
            PeopleFrequency::Off => None,
            PeopleFrequency::Hourly => {
                let second = at.as_second();
                Timestamp::from_second(second - second.rem_euclid(3_600)).ok()
            }
            PeopleFrequency::Daily => Some(self.zone.start_of(today)),
            PeopleFrequency::Weekly => {
                let days = today.weekday().to_monday_zero_offset();
                let monday = today.checked_sub(mixlake_domain::Span::new().days(days)).ok()?;
                Some(self.zone.start_of(monday))
            }
        }
    }

    /// The table of the users.
    #[must_use]
    pub fn users() -> TableName {
        let name = Dataset::Profiles.main_table().parse();
        name.expect("the name of the table is the name of a folder")
    }

    /// The table of a group key, by the rules of names.
    pub fn table_of(&self, key: &str) -> Result<TableName, String> {
        group_table(key, self.options.profile)
    }
}

/// Whether settings are about profiles.
#[must_use]
pub fn is_of_profiles(settings: &Settings) -> bool {
    settings.get(&DATA_SOURCE) == Some(DataSource::People)
}

fn group_table(key: &str, profile: Profile) -> Result<TableName, String> {
    const AROUND: (&str, &str) = ("mp_group_", "_data");
    let limit = profile.name_bytes() - AROUND.0.len() - AROUND.1.len();
    let name = format!("{}{}{}", AROUND.0, clean(key, limit), AROUND.1);
    name.parse().map_err(|error: mixlake_domain::TableNameError| error.to_string())
}

/// Settings that say something about events only.
const OF_EVENTS: [&dyn Row; 18] = [
    &EVENTS,
    &WHERE,
    &EVENT_SOURCE,
    &RAW_PIPELINE_LOCATION,
    &FREQUENCY,
    &EXPORT_DELAY_MINUTES,
    &CATCH_UP_DAYS,
    &SYNC,
    &SYNC_DAYS,
    &LATE_DATA,
    &INGESTION_START,
    &PROJECT_CREATED_BEFORE_2023,
    &SCHEMA_TYPE,
    &EVENT_NAME,
    &TIME_TYPE,
    &MP_DATE_ZONE,
    &DEDUPLICATE,
    &CONTRACTS,
];

/// Reads every setting before it gives up on any, so that all problems are told.
fn profiles(reader: &mut Reader<'_>) -> Option<ProfilesConfig> {
    let lake = lake(reader);
    let zone = reader.get(&TIMEZONE);
    let source = reader.get(&DATA_SOURCE);
    for row in OF_EVENTS.into_iter().filter(|_| source == Some(DataSource::People)) {
        if reader.has(row) {
            reader.problem(row, "is of events; leave it out with data_source=people");
        }
    }
    let frequency = reader.get(&PEOPLE_FREQUENCY);
    let groups = reader.get(&DATA_GROUP_ID).unwrap_or_default();
    let allow_empty = reader.get(&ALLOW_EMPTY);
    let quarantine_share = reader.get(&MAX_QUARANTINE_SHARE);
    let queries_per_hour = reader.get(&QUERIES_PER_HOUR);
    let endpoint = endpoint(reader);
    let secret = reader.get(&MIXPANEL_SECRET);
    let known = lake.as_ref().zip(zone.as_ref()).map(|(lake, zone)| Events {
        project: &lake.project,
        zone,
        wall_clock: false,
        in_two_slices: false,
    });
    let options = options(reader, known);
    let tables = options.as_ref().map(|options| tables(reader, groups, options.profile));
    let safeguards = Safeguards {
        empty: if allow_empty? { OnEmpty::Allow } else { OnEmpty::Refuse },
        quarantine_share: quarantine_share?,
        ..Safeguards::default()
    };
    Some(ProfilesConfig {
        lake: lake?,
        zone: zone?,
        options: options?,
        frequency: frequency?,
        tables: tables?,
        endpoint: endpoint?,
        secret,
        limits: Limits::an_hour(queries_per_hour?),
        safeguards,
    })
}

/// The tables. Two group keys whose names come out the same are a problem.
fn tables(reader: &mut Reader<'_>, groups: Vec<Group>, profile: Profile) -> Vec<ProfileTable> {
    let mut tables = vec![ProfileTable { name: ProfilesConfig::users(), group: None }];
    for group in groups {
        match group_table(&group.key, profile) {
            Ok(name) if tables.iter().any(|table| table.name == name) => {
                let what =
                    format!("two group keys have the same table {name}; leave one of them out");
                reader.problem(&DATA_GROUP_ID, what);
            }
            Ok(name) => tables.push(ProfileTable { name, group: Some(group) }),
            Err(error) => reader.problem(&DATA_GROUP_ID, error),
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn check(pairs: &[&str]) -> Result<ProfilesConfig, String> {
        let all = ["project_id=42", "data_source=people"].into_iter().chain(pairs.iter().copied());
        let settings = Settings::from_pairs(all).map_err(|problems| problems.to_string())?;
        ProfilesConfig::check(&settings).map_err(|problems| problems.to_string())
    }

    #[rstest]
    #[case("hourly", Some("2026-11-10T23:00:00Z"))]
    #[case("daily", Some("2026-11-10T23:00:00Z"))]
    #[case("weekly", Some("2026-11-08T23:00:00Z"))]
    #[case("off", None)]
    fn an_export_is_due_once_in_its_time_of_the_project(
        #[case] frequency: &str,
        #[case] since: Option<&str>,
    ) {
        let frequency = format!("people_frequency={frequency}");
        let config = check(&[&frequency, "timezone=Europe/Berlin"]).unwrap();
        // A Wednesday in Berlin.
        let at = "2026-11-10T23:25:00Z".parse().unwrap();
        assert_eq!(config.due_since(at), since.map(|since| since.parse().unwrap()));
    }

    #[test]
    fn each_group_key_has_a_table() {
        let config = check(&["data_group_id=Company ID:1", "data_group_id=$team:2"]).unwrap();
        let names: Vec<String> = config.tables.iter().map(|table| table.name.to_string()).collect();
        assert_eq!(names, ["mp_people_data", "mp_group_company_id_data", "mp_group_mp_team_data"]);
        let long = format!("data_group_id={}:1", "k".repeat(300));
        let config = check(&[&long]).unwrap();
        assert_eq!(config.tables[1].name.as_str().len(), 127);
    }

    #[test]
    fn settings_of_events_and_groups_with_one_table_are_problems() {
        let problems =
            check(&["where=true", "sync=true", "data_group_id=A b:1", "data_group_id=a_b:2"]);
        let problems = problems.unwrap_err();
        for text in [
            "where: is of events; leave it out with data_source=people",
            "sync: is of events",
            "data_group_id: two group keys have the same table mp_group_a_b_data",
        ] {
            assert!(problems.contains(text), "{problems}");
        }
    }
}
