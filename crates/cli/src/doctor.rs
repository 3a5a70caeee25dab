//! `mixlake doctor`.

use crate::arguments::{self, Doctor as Arguments};
use crate::{lake, show};
use anyhow::Result;
use mixlake_app::doctor::{Doctor, Engine, Finding, Outcome, Remedy, Severity};
use mixlake_app::ports::ObjectStore;
use mixlake_runtime::Clients;
use mixlake_runtime::settings::Settings;
use serde_json::{Value, json};
use std::time::Duration;

/// Looks for what is wrong. Answers whether nothing is.
pub async fn run(arguments: Arguments) -> Result<bool> {
    let (settings, clients) = lake::checked(&arguments.lake)?;
    let store = lake::store(&arguments.lake, &settings, &clients).await?;
    let mut seen = Outcome::default();
    for settings in lake::projects(&settings, &*store).await? {
        project(&arguments, &settings, &clients, &*store, &mut seen).await?;
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
    clients: &Clients,
    store: &dyn ObjectStore,
    seen: &mut Outcome,
) -> Result<()> {
    let config = lake::config(settings)?;
    let catalog = lake::catalog(&arguments.lake, clients, &config.database).await?;
    let engines: Vec<Engine> = arguments.engines.iter().copied().map(engine).collect();
    let doctor = Doctor {
        lake: lake::reconciler(store, &*catalog, &config),
        engines: &engines,
        deep: arguments.deep,
        now: mixlake_runtime::now().into(),
        grace: match arguments.keep_replaced {
            Some(hours) => Duration::from_hours(hours.into()),
            None => lake::grace(settings)?,
        },
    };
    let Outcome { repaired, findings, failed } = if arguments.repair {
        doctor.put_right().await?
    } else {
        Outcome { findings: doctor.examine().await?, ..Outcome::default() }
    };
    seen.repaired.extend(repaired);
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
fn document(seen: &Outcome) -> Value {
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

fn text(seen: &Outcome, repair: bool) -> String {
    let mut lines = Vec::new();
    for finding in &seen.repaired {
        lines.push(told(finding));
        lines.push(if matches!(finding.remedy, Remedy::ByHand { .. }) {
            "    is not so any more".to_owned()
        } else {
            format!("    done: {}", finding.remedy.text())
        });
    }
    for finding in &seen.findings {
        lines.push(told(finding));
        let failed = seen.failed.iter().find(|(failed, _)| failed == finding);
        lines.push(match failed {
            Some((_, error)) => could_not(error),
            None => to_do(finding, repair),
        });
    }
    for (finding, error) in seen.failed.iter().filter(|(f, _)| !seen.findings.contains(f)) {
        lines.extend([told(finding), could_not(error)]);
    }
    let count = |severity| seen.findings.iter().filter(|f| f.severity == severity).count();
    lines.push(match (count(Severity::Problem), count(Severity::Note)) {
        (0, 0) => "nothing is wrong".to_owned(),
        (problems, notes) => format!("{}, {}", some(problems, "problem"), some(notes, "note")),
    });
    lines.join("\n") + "\n"
}

fn told(finding: &Finding) -> String {
    let place = format!("{} {}", finding.table, finding.subject);
    let note = if finding.severity == Severity::Note { "note: " } else { "" };
    format!("{}: {note}{}", place.trim(), finding.text)
}

fn could_not(error: &str) -> String {
    format!("    could not be repaired: {error}")
}

fn to_do(finding: &Finding, repair: bool) -> String {
    let what = finding.remedy.text();
    match finding.remedy {
        Remedy::ByHand { .. } => format!("    by hand: {what}"),
        Remedy::Wait { .. } => format!("    --repair will, later: {what}"),
        Remedy::Reconcile
        | Remedy::RemovePartitions { .. }
        | Remedy::RepairPartition { .. }
        | Remedy::Delete { .. }
        | Remedy::Strike { .. }
        | Remedy::LeaveBehind { .. }
        | Remedy::GoBack { .. }
        | Remedy::CompleteRegistry
        | Remedy::Encrypt { .. }
        | Remedy::Rename { .. } => {
            let when = if repair { "run it again, and --repair would" } else { "--repair would" };
            format!("    {when}: {what}")
        }
    }
}

/// `1 problem`, `2 problems`.
fn some(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
