//! With `catalog=crawler` a Glue crawler reads the lake. The exclusions in `template.yaml` cover
//! exactly the objects that are not data files, and the level is that of the table folders.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use mixlake_domain::{DataFormat, Dataset, Generation, Layout, SliceLabel, Target};
use rstest::rstest;

fn template() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    std::fs::read_to_string(path).unwrap()
}

/// The exclusion patterns of the crawler, which are on one line.
fn exclusions() -> Vec<String> {
    let template = template();
    let line = template.lines().find_map(|line| line.trim().strip_prefix("Exclusions: ")).unwrap();
    let list = line.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    list.split(", ").map(|quoted| quoted.trim_matches('"').to_owned()).collect()
}

/// Glue's patterns: `*` stays within a folder, `**` does not.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(path) = path.strip_prefix(literal) else { return false };
    let (rest, crosses) = rest.strip_prefix('*').map_or((rest, false), |rest| (rest, true));
    let ends = path.char_indices().map(|(at, _)| at).chain([path.len()]);
    ends.take_while(|&at| crosses || !path[..at].contains('/')).any(|at| matches(rest, &path[at..]))
}

/// One key of everything that the layout names: data files, and everything else.
fn keys(layout: &Layout) -> (Vec<String>, Vec<String>) {
    let date = "2026-11-10".parse().unwrap();
    let label = SliceLabel::try_from("2026-11-10T03".to_owned()).unwrap();
    let day = Target::day("mp_master_event".parse().unwrap(), date);
    let folder = layout.generation(&day, &Generation::from_hash(0xabc));
    let files =
        DataFormat::ALL.map(|format| folder.clone() + &Layout::file_name(&label, 0, format));
    let hidden = vec![
        layout.registry(Dataset::Events),
        layout.ledger(date),
        layout.manifest(&day),
        layout.quarantine(&label, "0123"),
        layout.identities(&day, "0123"),
        layout.identity_facts(&day, "0123"),
        layout.staging(&label, "0123"),
        layout.staged_lines(&label, "0123"),
        layout.budget(),
        layout.profile_budget(),
        layout.report(date, "0123"),
    ];
    (files.to_vec(), hidden)
}

#[rstest]
#[case::at_the_top("", 3)]
#[case::in_folders("raw/mixpanel", 5)]
fn a_crawler_passes_over_all_but_data_files(#[case] prefix: &str, #[case] level: usize) {
    let layout = Layout::new(prefix, &"42".parse().unwrap()).unwrap();
    let exclusions = exclusions();
    let excluded = |key: &&String| {
        let path = key.strip_prefix(layout.root()).unwrap();
        exclusions.iter().any(|pattern| matches(pattern, path))
    };
    let (data, hidden) = keys(&layout);
    assert_eq!(data.iter().find(excluded), None, "data is read");
    assert_eq!(hidden.iter().find(|key| !excluded(key)), None, "all else is passed over");
    // The bucket is the first level; the description of CrawlerTableLevel says the same.
    assert_eq!(
        1 + layout.table(&"t".parse().unwrap()).trim_end_matches('/').split('/').count(),
        level
    );
}

#[test]
fn the_crawler_looks_at_the_projects_folder_and_at_the_level_that_is_set() {
    let template = template();
    let (_, crawler) = template.split_once("    Type: AWS::Glue::Crawler\n").unwrap();
    let (crawler, _) = crawler.split_once("\n  CrawlerRole:").unwrap();
    for part in [
        "- s3://${Bucket}/${Folder}${ProjectId}/\n",
        "Folder: !If [HasPrefix, !Sub \"${S3Prefix}/\", \"\"]",
        "\"TableLevelConfiguration\":${CrawlerTableLevel}",
    ] {
        assert!(crawler.contains(part), "{part}");
    }
    let (_, level) = template.split_once("\n  CrawlerTableLevel:\n").unwrap();
    let (level, _) = level.split_once("\n  OnDrift:").unwrap();
    assert!(level.contains("MinValue: 3") && level.contains("Default: 3"), "{level}");
    assert!(level.contains("1 more for each folder"), "{level}");
}
