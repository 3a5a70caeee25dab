//! The outcome of `mixlake identities`.

use super::words::{number, some};
use mixlake_app::identities::IdentitiesReport;

/// What was read, what became of the table, and what to do next.
pub fn identities(report: &IdentitiesReport, next: &str) -> String {
    let mut first =
        vec![format!("{}, {} read.", some(report.days, "day"), number(report.days_read))];
    first.extend(report.facts.map(|facts| some(facts, "fact") + "."));
    first.extend(report.identities.map(|rows| {
        format!("mp_identity_mappings_data: {}, {}.", some(rows, "row"), report.status())
    }));
    let failed = report.failed.iter();
    let failed = failed.map(|failed| format!("{}: FAILED: {}", failed.day, failed.error));
    let lines: Vec<String> = std::iter::once(first.join(" ")).chain(failed).collect();
    let text = lines.join("\n") + "\n";
    let then = match report.status() {
        "failed" => {
            "Next: fix what failed, and run the same command again. The table stays as it was."
        }
        "replaced" => return format!("{text}Next: {next}\n"),
        _ => return text,
    };
    text + then + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::Outcome;
    use mixlake_app::identities::FailedDay;
    use mixlake_domain::Generation;

    const NEXT: &str = "mixlake catalog --lake lake";

    #[test]
    fn the_outcome_is_told_with_what_to_do_next() {
        let to = Generation::from_hash(1);
        let replaced = IdentitiesReport {
            days: 31,
            days_read: 1,
            facts: Some(12_345),
            identities: Some(1),
            outcome: Some(Outcome::Replaced { from: None, to }),
            ..IdentitiesReport::default()
        };
        assert_eq!(
            identities(&replaced, NEXT),
            "31 days, 1 read. 12,345 facts. mp_identity_mappings_data: 1 row, replaced.\n\
             Next: mixlake catalog --lake lake\n"
        );
        let unchanged = IdentitiesReport {
            days_read: 0,
            facts: None,
            outcome: Some(Outcome::Unchanged),
            ..replaced.clone()
        };
        assert_eq!(
            identities(&unchanged, NEXT),
            "31 days, 0 read. mp_identity_mappings_data: 1 row, unchanged.\n"
        );
        let day = "mp_master_event on 2026-11-10".to_owned();
        let failed = IdentitiesReport {
            facts: None,
            identities: None,
            outcome: None,
            failed: vec![FailedDay { day, error: "the file is damaged".to_owned() }],
            ..replaced
        };
        assert_eq!(
            identities(&failed, NEXT),
            "31 days, 1 read.\n\
             mp_master_event on 2026-11-10: FAILED: the file is damaged\n\
             Next: fix what failed, and run the same command again. The table stays as it was.\n"
        );
    }
}
