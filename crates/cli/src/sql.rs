//! `mixlake sql`.

use crate::arguments::{Lake, QueryEngine, Sql};
use crate::statements::{Place, Role, Table, render, statements};
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::describe::Describer;
use mixlake_runtime::config::LakeConfig;
use mixlake_runtime::settings::table::{
    EVENT_NAME, GLUE_DATABASE, GLUE_REGION, GLUE_TABLE_PREFIX, S3_REGION,
};
use mixlake_runtime::settings::{Problems, Settings};

/// Prints the statements.
pub async fn run(arguments: Sql) -> Result<bool> {
    let (engine, json) = (arguments.engine, arguments.json);
    let (place, tables, origin) = match arguments.lake() {
        Some(lake) => of_lake(&arguments, &lake).await?,
        None => without_lake(&arguments)?,
    };
    let statements = statements(engine, &place, &tables);
    if json {
        show::json(&serde_json::json!({ "statements": statements }))?;
    } else {
        show::statements(&render(engine, &origin, &statements))?;
    }
    Ok(true)
}

impl Sql {
    fn lake(&self) -> Option<Lake> {
        let place = self.place.clone()?;
        Some(Lake { place, set: self.set.clone(), json: self.json })
    }

    /// The role, and what is wrong with the arguments of Redshift.
    fn checked_role(&self) -> (Option<Role>, Problems) {
        let mut problems = Problems::default();
        let given = [("--iam-role", &self.iam_role), ("--schema", &self.schema)];
        if self.engine != QueryEngine::Redshift {
            for (name, _) in given.iter().filter(|(_, value)| value.is_some()) {
                problems.add(name, "only redshift takes it; the others name the Glue database");
            }
        }
        if self.schema.as_deref().is_some_and(|name| name.is_empty() || name.len() > 127) {
            problems.add("--schema", "must be a name of 1 to 127 bytes");
        }
        let role = self.iam_role.as_deref().map(Role::parse).transpose();
        (role.map_err(|error| problems.add("--iam-role", error)).ok().flatten(), problems)
    }

    fn place(&self, settings: &Settings, role: Option<Role>) -> Place {
        let database = settings.get(&GLUE_DATABASE).unwrap_or_default();
        Place {
            region: settings.get(&GLUE_REGION).or_else(|| settings.get(&S3_REGION)),
            schema: self.schema.clone().unwrap_or_else(|| database.clone()),
            database,
            role,
        }
    }
}

type Known = (Place, Vec<Table>, String);

async fn of_lake(arguments: &Sql, lake: &Lake) -> Result<Known> {
    let (role, mut problems) = arguments.checked_role();
    let (settings, clients) = match lake::checked(lake) {
        Ok(checked) => problems.into_result(checked)?,
        Err(others) => {
            problems.extend(others);
            return Err(problems.into());
        }
    };
    let store = lake::store(lake, &settings, &clients).await?;
    let mut tables = Vec::new();
    for settings in lake::projects(&settings, &*store).await? {
        let config = lake::config(&settings)?;
        let (layout, project) = (&config.layout, &config.project);
        let found = Describer { store: &*store, layout, project }.describe().await?;
        let zone = found.zone.as_deref().unwrap_or("UTC");
        let form = settings.get(&EVENT_NAME);
        let named = found.tables.into_iter();
        tables.extend(named.map(|table| Table::of(table, &config.table_prefix, zone, form)));
    }
    if tables.is_empty() {
        let what = format!(
            "{} has no table with rows yet, so there is nothing to name; export days that have events first \
             (mixlake export --help), or leave --lake out",
            lake.place
        );
        return Err(Problems::one("--lake", what).into());
    }
    let origin = format!("filled in from {:?}.{}", lake.place, without_json(&tables));
    Ok((arguments.place(&settings, role), tables, origin))
}

fn without_lake(arguments: &Sql) -> Result<Known, Problems> {
    let (role, mut problems) = arguments.checked_role();
    let (settings, others) = Settings::read_pairs(arguments.set.iter().map(String::as_str));
    problems.extend(others);
    if let Err(others) = LakeConfig::check_lake(&settings) {
        problems.extend(others);
    }
    problems.into_result(())?;
    let prefix = settings.get(&GLUE_TABLE_PREFIX).unwrap_or_default();
    let tables = vec![Table::unknown_of_all(&prefix), Table::unknown_of_one(&prefix)];
    let origin = "no lake was named (--lake).".to_owned();
    Ok((arguments.place(&settings, role), tables, origin))
}

/// Why there is no JSON function for some tables.
fn without_json(tables: &[Table]) -> String {
    let names: Vec<&str> =
        tables.iter().filter(|table| table.json.is_empty()).map(|table| &*table.name).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        " No column of {} has only lists or only objects in its newest days, so no JSON function is shown for it.",
        names.join(", ")
    )
}
