//! A backfill without a stack.

use super::export::{Run, summary};
use super::words::{number, some};
use mixlake_app::backfill::Plan;
use mixlake_app::export::{ExportError, ExportReport};

/// So many failures are named.
const FAILURES: usize = 20;

/// What a backfill is about to do.
pub fn local_note(plan: &Plan) -> String {
    let days = some(plan.days as u64, "day");
    let slices = number(plan.slices.len() as u64);
    match (plan.slices.len(), plan.published()) {
        (0, _) => format!("{days}; all are published (--force fetches them again)."),
        (_, 0) => format!("{days}. {STOPPING}"),
        (_, published) => format!(
            "{days}: {} are published, {slices} are exported now. {STOPPING}",
            number(published as u64)
        ),
    }
}

const STOPPING: &str =
    "Ctrl-C stops the backfill; the same command goes on with the days that are not published.";

/// The outcome of a backfill: what failed, the sums, and what to do next.
pub fn local(
    report: &ExportReport,
    plan: &Plan,
    kept: Option<&Result<String, String>>,
    run: &Run<'_>,
) -> String {
    if plan.slices.is_empty() {
        let Run { root, next, .. } = run;
        return format!("Nothing was exported.\nFiles: {root}\nNext: {next}\n");
    }
    let mut lines = failures(report);
    if plan.published() > 0 {
        let (published, days) = (number(plan.published() as u64), some(plan.days as u64, "day"));
        lines.push(format!("{published} of {days} were published before."));
    }
    lines.extend(kept.map(|kept| match kept {
        Ok(location) => format!("Report: {location}"),
        Err(error) => format!("The report could not be kept in the lake: {error}"),
    }));
    lines.extend(summary(report, run));
    lines.join("\n") + "\n"
}

fn failures(report: &ExportReport) -> Vec<String> {
    let failed = report.slices.iter().filter_map(|slice| match &slice.outcome {
        Ok(_) | Err(ExportError::NotTried(_)) => None,
        Err(error) => {
            let (label, why) = (slice.slice.to_string(), mixlake_app::chain(error));
            Some(format!("{label:<14}FAILED: {why}"))
        }
    });
    let mut lines: Vec<String> = failed.collect();
    let others = lines.len().saturating_sub(FAILURES);
    lines.truncate(FAILURES);
    if others > 0 {
        lines.push(format!("and {} more (--json names them)", number(others as u64)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::export::SliceOutcome;
    use mixlake_app::ports::SourceError;
    use mixlake_domain::{Slice, Span, Zone};

    fn days(count: usize) -> Vec<Slice> {
        let first: mixlake_domain::Date = "2024-01-01".parse().unwrap();
        let dates = first.series(Span::new().days(1)).take(count);
        dates.map(|date| Slice::day(date, &Zone::UTC)).collect()
    }

    #[test]
    fn notes_and_outcomes() {
        let plan = |days_in_all, left| Plan { days: days_in_all, slices: days(left) };
        let outcome = |slice| {
            let error = SourceError::Refused("400: bad query".to_owned());
            let outcome = Err(ExportError::Source(error));
            SliceOutcome { slice, outcome, effort: None }
        };
        let report =
            |count| ExportReport { slices: days(count).into_iter().map(outcome).collect() };
        let run = Run {
            location: &str::to_owned,
            root: "lake/2195193/",
            input: None,
            next: "mixlake catalog --lake lake",
        };
        let kept = Ok("lake/2195193/_reports/2026/11/27/0123.json".to_owned());
        let not_kept = Err("the lake did not answer within 15 s".to_owned());
        let texts = [
            local_note(&plan(731, 0)),
            local_note(&plan(731, 731)),
            local_note(&plan(1_731, 703)),
            local(&report(2), &plan(731, 2), Some(&kept), &run),
            local(&report(22), &plan(22, 22), Some(&not_kept), &run),
            local(&report(0), &plan(731, 0), None, &run),
        ];
        insta::assert_snapshot!(texts.join("\n\n"));
    }
}
