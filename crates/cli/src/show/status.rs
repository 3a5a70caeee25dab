//! The slices of a lake by their state, and its dates.

use super::words::some;
use mixlake_app::status::{Day, FailedSlice, LakeStatus, ProfilesStatus, Timeline, UnreadDocument};
use mixlake_domain::Timestamp;
use std::fmt::Display;

/// So many slices of a kind are named.
const NAMED: usize = 10;

/// The slices of a project by their state.
pub fn status(project: &str, status: &LakeStatus, doctor: &str) -> String {
    let dates = match (status.first_date, status.last_date) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        (Some(date), None) | (None, Some(date)) => date.to_string(),
        (None, None) => "no slices".to_owned(),
    };
    let mut lines = vec![format!("project {project}: {dates}")];
    let last = status.last_published.map(|last| format!(", the last is {last}"));
    let published = some(status.published, "slice") + &last.unwrap_or_default();
    lines.push(row("published", &published));
    lines.push(row("being written", &named(&status.writing)));
    lines.push(row("missing", &named(&status.missing)));
    let failed = status.failed.iter().map(|FailedSlice { slice, error, ended }| {
        format!("{slice} ({error}, {})", shown(Some(*ended)))
    });
    lines.push(row("failed", &named(&failed.collect::<Vec<_>>())));
    if let Some(oldest) = status.oldest_unpublished {
        lines.push(row("oldest open", &oldest.to_string()));
    }
    lines.extend(status.profiles.iter().map(profiles));
    let queries = match status.queries_last_hour {
        1 => "1 query in the last hour".to_owned(),
        queries => format!("{queries} queries in the last hour"),
    };
    lines.push(row("budget", &queries));
    lines.extend(unreadable(&status.unreadable, doctor));
    lines.join("\n") + "\n"
}

fn profiles(status: &ProfilesStatus) -> String {
    let ProfilesStatus { table, published, rows, writing } = status;
    let text = match published {
        Some(_) => format!("{table}: {} of {}", some(*rows, "profile"), shown(*published)),
        None => format!("{table}: never published"),
    };
    let writing = writing.map(|began| format!("; an export began at {}", shown(Some(began))));
    row("profiles", &(text + &writing.unwrap_or_default()))
}

/// The dates of a project.
pub fn timeline(project: &str, timeline: &Timeline, doctor: &str) -> String {
    let mut lines =
        vec![format!("project {project}: {}", some(timeline.days.len() as u64, "date"))];
    let head = ["date", "slices", "rows", "replaced", "first export", "last export", "last sync"];
    lines.push(date_row(head.map(str::to_owned)));
    lines.extend(timeline.days.iter().map(|day: &Day| {
        date_row([
            day.date.to_string(),
            day.slices.to_string(),
            day.rows.to_string(),
            day.replaced_generations.to_string(),
            shown(day.first_export),
            shown(day.last_export),
            shown(day.last_sync),
        ])
    }));
    lines.extend(unreadable(&timeline.unreadable, doctor));
    lines.join("\n") + "\n"
}

fn row(name: &str, text: &str) -> String {
    format!("  {name:<15}{text}")
}

fn date_row([date, slices, rows, replaced, first, last, sync]: [String; 7]) -> String {
    let row =
        format!("  {date:<12}{slices:>6}{rows:>12}{replaced:>10}  {first:<22}{last:<22}{sync}");
    row.trim_end().to_owned()
}

/// `2 slices: 2026-11-10T07, 2026-11-10T08`.
fn named(slices: &[impl Display]) -> String {
    if slices.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = slices.iter().take(NAMED).map(ToString::to_string).collect();
    let more = slices.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}: {}{more}", some(slices.len() as u64, "slice"), names.join(", "))
}

/// To the second.
fn shown(time: Option<Timestamp>) -> String {
    let second = time.and_then(|time| Timestamp::from_second(time.as_second()).ok());
    second.map_or_else(|| "-".to_owned(), |time| time.to_string())
}

fn unreadable(documents: &[UnreadDocument], doctor: &str) -> Vec<String> {
    let mut lines: Vec<String> = documents
        .iter()
        .map(|UnreadDocument { key, error }| format!("  PROBLEM: {key}: {error}"))
        .collect();
    if !lines.is_empty() {
        lines.push(format!("Next: {doctor}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_domain::SliceLabel;

    fn label(text: &str) -> SliceLabel {
        text.to_owned().try_into().unwrap()
    }

    fn unread() -> Vec<UnreadDocument> {
        let error = "memory://lake/1/_slices/2026/11/09.json cannot be read".to_owned();
        vec![UnreadDocument { key: "1/_slices/2026/11/09.json".to_owned(), error }]
    }

    #[test]
    fn slices_are_told_by_their_state() {
        let hours = |hours: std::ops::Range<usize>| {
            hours.map(|hour| label(&format!("2026-11-12T{hour:02}"))).collect()
        };
        let told = LakeStatus {
            first_date: "2026-11-10".parse().ok(),
            last_date: "2026-11-12".parse().ok(),
            published: 1_002,
            writing: vec![label("2026-11-11T05")],
            missing: hours(3..15),
            failed: vec![FailedSlice {
                slice: label("2026-11-12T03"),
                error: "rate_limited".to_owned(),
                ended: "2026-11-12T04:10:00.123Z".parse().unwrap(),
            }],
            last_published: Some(label("2026-11-12T02")),
            oldest_unpublished: Some(label("2026-11-11T05")),
            queries_last_hour: 1,
            profiles: vec![ProfilesStatus {
                table: "mp_people_data".parse().unwrap(),
                published: "2026-11-12T00:25:03.5Z".parse().ok(),
                rows: 2_410,
                writing: "2026-11-12T04:25:00Z".parse().ok(),
            }],
            unreadable: unread(),
        };
        let empty = status("2", &LakeStatus::default(), "mixlake doctor --lake l");
        insta::assert_snapshot!(status("1", &told, "mixlake doctor --lake l") + "\n" + &empty);
    }

    #[test]
    fn dates_are_told_with_their_times() {
        let day = |date: &str, sync: Option<&str>| Day {
            date: date.parse().unwrap(),
            slices: 24,
            rows: 1_234_567,
            first_export: "2026-11-10T01:10:00.5Z".parse().ok(),
            last_export: "2026-11-11T00:10:00Z".parse().ok(),
            last_sync: sync.and_then(|time| time.parse().ok()),
            replaced_generations: 2,
        };
        let days = vec![day("2026-11-10", Some("2026-11-11T03:10:00Z")), day("2026-11-11", None)];
        let told = Timeline { days, unreadable: unread() };
        insta::assert_snapshot!(timeline("1", &told, "mixlake doctor --lake l"));
    }
}
