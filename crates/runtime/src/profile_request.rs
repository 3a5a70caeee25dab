//! Which profiles an invocation asks for.

use crate::config::{ProfileTable, ProfilesConfig};
use crate::settings::Problems;
use mixlake_domain::Timestamp;
use serde_json::Value;

/// What a payload looks like, for whoever sent another one.
const FORMS: &str = "a payload is {} for the profiles of users and of all group keys, \
    {\"group\":\"company_id\"} for those of one group key, {\"users\":true} for those of users, or \
    {\"people_time\":\"2026-11-10T14:25:00Z\"}";

/// What an invocation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRequest {
    /// The tables. For a schedule, they are exported if they are due.
    pub tables: Vec<ProfileTable>,
    /// When the schedule was due.
    pub due: Option<Timestamp>,
}

/// Reads a payload.
pub fn read(payload: &Value, config: &ProfilesConfig) -> Result<ProfileRequest, Problems> {
    let Value::Object(fields) = payload else { return Err(Problems::one("payload", FORMS)) };
    let all = config.tables.clone();
    let fields: Vec<(&str, &Value)> = fields.iter().map(|(name, value)| (&**name, value)).collect();
    match *fields {
        [] => Ok(ProfileRequest { tables: all, due: None }),
        [("people_time", time)] => {
            let time = time.as_str().unwrap_or_default();
            let due = time.parse().map_err(|_| {
                let what = format!("must be a time such as 2026-11-10T14:25:00Z, got {time:?}");
                Problems::one("people_time", what)
            })?;
            Ok(ProfileRequest { tables: all, due: Some(due) })
        }
        [("users", Value::Bool(true))] => {
            let users = all.into_iter().filter(|table| table.group.is_none()).collect();
            Ok(ProfileRequest { tables: users, due: None })
        }
        [("group", Value::String(key))] => {
            let table = of_group(key, config).map_err(|what| Problems::one("group", what))?;
            Ok(ProfileRequest { tables: vec![table], due: None })
        }
        _ => Err(unknown(&fields)),
    }
}

fn unknown(fields: &[(&str, &Value)]) -> Problems {
    let of_events = ["from_date", "to_date", "date", "hour", "sync", "force"];
    let named = fields.iter().find(|(name, _)| of_events.contains(name));
    match named {
        Some((name, _)) => Problems::one(
            name,
            format!("profiles have no dates: each export takes all of them; {FORMS}"),
        ),
        None => Problems::one("payload", FORMS),
    }
}

/// The table of a group key that the settings have.
pub fn of_group(key: &str, config: &ProfilesConfig) -> Result<ProfileTable, String> {
    let groups = || config.tables.iter().filter_map(|table| Some((table, table.group.as_ref()?)));
    if let Some((table, _)) = groups().find(|(_, group)| group.key == key) {
        return Ok(table.clone());
    }
    let known: Vec<&str> = groups().map(|(_, group)| &*group.key).collect();
    let known = if known.is_empty() {
        "has no group keys".to_owned()
    } else {
        format!("has {}", known.join(", "))
    };
    Err(format!("{key:?} is no group key of the setting data_group_id, which {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use rstest::rstest;
    use serde_json::json;

    fn config() -> ProfilesConfig {
        let pairs = [
            "project_id=42",
            "data_source=people",
            "data_group_id=company:1",
            "data_group_id=team:2",
        ];
        ProfilesConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap()
    }

    #[rstest]
    #[case::all(json!({}), &["mp_people_data", "mp_group_company_data", "mp_group_team_data"])]
    #[case::users(json!({"users": true}), &["mp_people_data"])]
    #[case::group(json!({"group": "team"}), &["mp_group_team_data"])]
    #[case::schedule(
        json!({"people_time": "2026-11-10T14:25:00Z"}),
        &["mp_people_data", "mp_group_company_data", "mp_group_team_data"]
    )]
    fn a_payload_names_tables(#[case] payload: Value, #[case] tables: &[&str]) {
        let request = read(&payload, &config()).unwrap();
        let names: Vec<String> =
            request.tables.iter().map(|table| table.name.to_string()).collect();
        assert_eq!(names, tables);
        assert_eq!(request.due.is_some(), payload.get("people_time").is_some());
    }

    #[rstest]
    #[case(json!([]), "payload: a payload is {}")]
    #[case(json!({"grupe": "team"}), "payload: a payload is {}")]
    #[case(json!({"from_date": "2026-11-10"}), "from_date: profiles have no dates")]
    #[case(json!({"group": "x"}), "group: \"x\" is no group key of the setting data_group_id, which has company, team")]
    #[case(json!({"people_time": "noon"}), "people_time: must be a time such as")]
    fn another_payload_is_refused(#[case] payload: Value, #[case] problem: &str) {
        let problems = read(&payload, &config()).unwrap_err().to_string();
        assert!(problems.contains(problem), "{problems}");
    }
}
