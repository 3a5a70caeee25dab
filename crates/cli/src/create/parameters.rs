//! Settings as parameters of template.yaml.

use crate::arguments::Create;
use mixlake_runtime::config::ExportConfig;
use mixlake_runtime::settings::table::{
    EVENT_SOURCE, EVENTS, MIXPANEL_SECRET, PROJECT_ID, RAW_PIPELINE_LOCATION, S3_BUCKET,
    S3_KMS_KEY_ID, rows,
};
use mixlake_runtime::settings::{Kind, Place, Problems, Row, Scope, Settings};
use serde_json::json;

/// Parameters with their values.
pub type Parameters = Vec<(String, String)>;

const SECRET: &str =
    "must be the complete ARN of a secret, as `aws secretsmanager create-secret` prints it";

/// The parameters of a deployment, and what is wrong with what was given. The settings are checked as the functions
/// check them.
pub fn of(arguments: &Create) -> (Parameters, Problems) {
    let (settings, mut problems) = Settings::read_pairs(arguments.set.iter().map(String::as_str));
    if let Err(others) = ExportConfig::check(&settings) {
        problems.extend(others);
    }
    if settings.get(&MIXPANEL_SECRET).is_none_or(|secret| !is_arn(&secret)) {
        problems.add(MIXPANEL_SECRET.name, SECRET);
    }
    if settings.get(&PROJECT_ID).is_some_and(|id| !id.as_str().bytes().all(|b| b.is_ascii_digit()))
    {
        problems.add(PROJECT_ID.name, "must be the project's number, as in 2195193");
    }
    let mut parameters = Parameters::new();
    for (row, texts) in settings.given() {
        if row.scope() == Scope::Profiles
            && let Err(error) = row.check(texts)
        {
            problems.add(row.name(), error);
        }
        match row.scope() {
            Scope::CommandLine { why } => {
                problems.add(row.name(), format!("a deployment does not take it: {why}"));
            }
            Scope::All
            | Scope::Writers
            | Scope::Askers
            | Scope::Profiles
            | Scope::Tables
            | Scope::Export
            | Scope::Catalog
            | Scope::Maintenance => {
                parameters.extend(of_row(row, texts, &settings, &mut problems));
            }
        }
    }
    parameters.extend(others(&arguments.parameter, &mut problems));
    (parameters, problems)
}

fn of_row(
    row: &dyn Row,
    texts: &[String],
    settings: &Settings,
    problems: &mut Problems,
) -> Parameters {
    let Some(name) = name(row) else { return Parameters::new() };
    if row.name() == RAW_PIPELINE_LOCATION.name {
        return of_pipeline(settings, problems);
    }
    let value = match settings.get(&EVENTS).filter(|_| row.name() == EVENTS.name) {
        Some(events) => json!(events.names()).to_string(),
        None => texts.concat(),
    };
    vec![(name, value)]
}

/// A deployment reads a bucket; only the command line reads a folder.
fn of_pipeline(settings: &Settings, problems: &mut Problems) -> Parameters {
    match settings.get(&RAW_PIPELINE_LOCATION) {
        Some(Place::Bucket { bucket, prefix }) => vec![
            ("RawPipelineBucket".to_owned(), bucket),
            ("RawPipelinePrefix".to_owned(), prefix.trim_matches('/').to_owned()),
        ],
        Some(Place::Folder(folder)) => {
            let what = format!("must be s3://bucket/prefix, got {folder:?}");
            problems.add(RAW_PIPELINE_LOCATION.name, what);
            Parameters::new()
        }
        None => Parameters::new(),
    }
}

/// The name of the parameter of a setting. `None`: it has one value, or follows from another parameter.
fn name(row: &dyn Row) -> Option<String> {
    if matches!(row.kind(), Kind::Only(_)) || row.name() == EVENT_SOURCE.name {
        return None;
    }
    let own = [
        (MIXPANEL_SECRET.name, "MixpanelSecretArn"),
        (S3_BUCKET.name, "BucketName"),
        (S3_KMS_KEY_ID.name, "S3KmsKeyArn"),
    ];
    let known = own.iter().find(|(setting, _)| *setting == row.name());
    Some(known.map_or_else(|| camel_case(row.name()), |(_, parameter)| (*parameter).to_owned()))
}

fn camel_case(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    name.split('_').map(capital).collect()
}

/// Parameters that are no settings, as they were given.
fn others(pairs: &[String], problems: &mut Problems) -> Parameters {
    let mut parameters = Parameters::new();
    for pair in pairs {
        let Some((given, value)) = pair.split_once('=').filter(|(name, _)| is_name(name)) else {
            problems.add("--parameter", format!("must be NAME=VALUE, got {pair:?}"));
            continue;
        };
        if let Some(row) = rows().find(|row| name(*row).as_deref() == Some(given)) {
            let what = format!("{given} is the setting {}: use --set", row.name());
            problems.add("--parameter", what);
        } else if parameters.iter().any(|(known, _)| known == given) {
            problems.add("--parameter", format!("{given} is given twice"));
        } else {
            parameters.push((given.to_owned(), value.to_owned()));
        }
    }
    parameters
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf`.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", _, "secretsmanager", _, account, "secret", name] = parts.as_slice() else {
        return false;
    };
    let whole = name.rsplit_once('-').is_some_and(|(_, end)| end.len() == 6);
    account.len() == 12 && whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    const TEMPLATE: &str = include_str!("../../../../template.yaml");
    const ARN: &str =
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mixlake/mixpanel-AbCdEf";

    fn create(set: &[&str], parameter: &[&str]) -> Create {
        let owned = |texts: &[&str]| texts.iter().copied().map(str::to_owned).collect();
        Create {
            stack: "mixlake".to_owned(),
            set: owned(set),
            parameter: owned(parameter),
            out: PathBuf::new(),
            force: false,
            json: false,
        }
    }

    fn parameters(set: &[&str], parameter: &[&str]) -> Result<Parameters, Problems> {
        let secret = format!("mixpanel_secret={ARN}");
        let set: Vec<&str> = [&["project_id=1", &secret][..], set].concat();
        let (parameters, problems) = of(&create(&set, parameter));
        problems.into_result(parameters)
    }

    fn problems(set: &[&str], parameter: &[&str]) -> String {
        of(&create(set, parameter)).1.to_string()
    }

    #[test]
    fn each_setting_that_a_deployment_takes_is_a_parameter_of_the_template() {
        let taken = |row: &&dyn Row| !matches!(row.scope(), Scope::CommandLine { .. });
        for name in rows().filter(taken).filter_map(name) {
            let names = match name.as_str() {
                "RawPipelineLocation" => vec!["RawPipelineBucket", "RawPipelinePrefix"],
                name => vec![name],
            };
            for name in names {
                assert!(TEMPLATE.contains(&format!("\n  {name}:\n    Type: ")), "{name}");
            }
        }
    }

    #[rstest]
    #[case::plain(&["timezone=Europe/Berlin"], &[("Timezone", "Europe/Berlin")])]
    #[case::renamed(&["s3_bucket=lake"], &[("BucketName", "lake")])]
    #[case::events(&["events=Sign Up", "events=[\"Buy\"]"], &[("Events", r#"["Sign Up","Buy"]"#)])]
    #[case::pipeline(
        &["event_source=raw_pipeline", "raw_pipeline_location=s3://raw/a/b/"],
        &[("RawPipelineBucket", "raw"), ("RawPipelinePrefix", "a/b")]
    )]
    #[case::one_value(&["use_glue=true"], &[])]
    fn a_setting_becomes_its_parameter(#[case] set: &[&str], #[case] expected: &[(&str, &str)]) {
        let always = [("ProjectId", "1"), ("MixpanelSecretArn", ARN)];
        let expected = always.iter().chain(expected);
        let expected: BTreeMap<String, String> =
            expected.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = parameters(set, &[]).unwrap();
        assert_eq!(found.len(), expected.len());
        assert_eq!(BTreeMap::from_iter(found), expected);
    }

    #[test]
    fn a_parameter_that_is_no_setting_is_taken_as_it_is() {
        let found = parameters(&[], &["AlarmEmail=data@example.com", "CreateDatabase=false"]);
        let found = found.unwrap();
        assert_eq!(
            found[2..],
            [("AlarmEmail", "data@example.com"), ("CreateDatabase", "false")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let set = ["timezone=Mars", "s3_region=eu-west-1", "mixpanel_secret=mixlake/mixpanel"];
        let parameter = ["ProjectId=1", "Alarm Email=x", "AlarmEmail=a", "AlarmEmail=b"];
        let folder = ["event_source=raw_pipeline", "raw_pipeline_location=folder"];
        insta::assert_snapshot!(problems(&[&set[..], &folder].concat(), &parameter));
    }
}
