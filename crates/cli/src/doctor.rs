//! `mixlake doctor`.

use crate::arguments::{self, Doctor as Arguments};
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::doctor::{Doctor, Engine, Finding, Remedy, Severity};
use mixlake_app::ports::ObjectStore;
use mixlake_runtime::config::LakeConfig;
use mixlake_runtime::settings::Settings;
use serde_json::{Value, json};

/// How often what is wrong is looked for again after a repair, which may bring more to light.
const ROUNDS: usize = 4;

/// What became of a project's lake.
#[derive(Default)]
struct Seen {
    /// What was wrong, and is not any more.
    repaired: Vec<Finding>,
    /// What is wrong.
    findings: Vec<Finding>,
    /// What could not be put right, and why.
    failed: Vec<(Finding, String)>,
}

/// Looks for what is wrong. Answers whether nothing is.
pub async fn run(arguments: Arguments) -> Result<bool> {
    let (settings, mut problems) = lake::settings(&arguments.lake);
    if let Err(others) = LakeConfig::check_lake(&settings) {
        problems.extend(others);
    }
    let settings = problems.into_result(settings)?;
    let store = lake::store(&arguments.lake, &settings).await?;
    let mut seen = Seen::default();
    for settings in lake::projects(&settings, &*store).await? {
        project(&arguments, &settings, &*store, &mut seen).await?;
    }
    let healthy = seen.findings.iter().all(|finding| finding.severity == Severity::Note);
    if arguments.lake.json {
        show::json(&document(&seen))?;
    } else {
        show::text(&text(&seen, arguments.repair))?;
    }
    Ok(healthy && seen.failed.is_empty())
}

async fn project(
    arguments: &Arguments,
    settings: &Settings,
    store: &dyn ObjectStore,
    seen: &mut Seen,
) -> Result<()> {
    let config = lake::config(settings)?;
    let catalog = lake::catalog(&arguments.lake, settings, &config.database).await?;
    let engines: Vec<Engine> = arguments.engines.iter().copied().map(engine).collect();
    let reconciler = lake::reconciler(store, &*catalog, &config);
    let doctor = Doctor { lake: reconciler, engines: &engines, deep: arguments.deep };
    let mut findings = doctor.examine().await?;
    let mut failed = Vec::new();
    for _ in 0..if arguments.repair { ROUNDS } else { 0 } {
        failed = doctor.repair(&findings).await;
        let now = doctor.examine().await?;
        let (still, gone): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| now.contains(finding));
        seen.repaired.extend(gone);
        let settled = still.len() == now.len();
        findings = now;
        if settled {
            break;
        }
    }
    seen.findings.extend(findings);
    seen.failed.extend(failed);
    Ok(())
}

fn engine(engine: arguments::Engine) -> Engine {
    match engine {
        arguments::Engine::Athena => Engine::Athena,
        arguments::Engine::Spectrum => Engine::Spectrum,
    }
}

/// The report for programs, as documented in docs/REPORT.md.
fn document(seen: &Seen) -> Value {
    let failed = seen.failed.iter().map(|(finding, error)| {
        let mut failed = json!(finding);
        failed["error"] = json!(error);
        failed
    });
    json!({
        "repaired": seen.repaired,
        "findings": seen.findings,
        "failed": failed.collect::<Vec<_>>(),
    })
}

fn text(seen: &Seen, repair: bool) -> String {
    let mut text = String::new();
    let mut add = |line: String| text.push_str(&(line + "\n"));
    for finding in &seen.repaired {
        add(format!("{}: {}", place(finding), finding.text));
        add("    put right".to_owned());
    }
    for finding in &seen.findings {
        let note = if finding.severity == Severity::Note { "note: " } else { "" };
        add(format!("{}: {note}{}", place(finding), finding.text));
        let failed = seen.failed.iter().find(|(failed, _)| failed == finding);
        match failed {
            Some((_, error)) => add(format!("    could not be put right: {error}")),
            None if repair || matches!(finding.remedy, Remedy::ByHand { .. }) => {
                add(format!("    by hand: {}", finding.remedy.text()));
            }
            None => add(format!("    --repair would: {}", finding.remedy.text())),
        }
    }
    let count = |severity| seen.findings.iter().filter(|f| f.severity == severity).count();
    match (count(Severity::Problem), count(Severity::Note)) {
        (0, 0) => add("nothing is wrong".to_owned()),
        (problems, notes) => add(format!("{problems} problems, {notes} notes")),
    }
    text
}

fn place(finding: &Finding) -> String {
    format!("{} {}", finding.table, finding.subject).trim().to_owned()
}
