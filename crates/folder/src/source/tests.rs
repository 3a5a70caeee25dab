use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use mixlake_columnar::Bounds;
use mixlake_domain::{Date, Zone};
use rstest::rstest;
use std::io::Write;
use tempfile::NamedTempFile;

const REPORTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/reported/");

pub(super) fn line(second: i64) -> String {
    let time = 1_794_268_800 + second;
    format!("{{\"event\":\"e\",\"properties\":{{\"time\":{time}}}}}\n")
}

/// Seconds from 2026-11-10 to 2026-11-11.
const NEXT_DAY: i64 = 86_400;

fn day(label: &str) -> Slice {
    Slice::parse(label, &Zone::UTC).unwrap()
}

fn selection(days: &[&str]) -> Selection {
    let days = days.iter().copied().map(day).collect();
    Selection { days, zone: Zone::UTC, events: vec![], wall_clock: None }
}

fn two_days() -> Selection {
    selection(&["2026-11-10", "2026-11-11"])
}

fn file(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

fn read(contents: &[&[u8]], selection: &Selection) -> Result<(FileSource, Accounts), InputError> {
    let files: Vec<_> = contents.iter().map(|content| file(content)).collect();
    let inputs: Vec<_> = files.iter().map(|file| Input::from(file.path().to_owned())).collect();
    FileSource::read(&inputs, selection, &std::env::temp_dir(), &mut |_| {})
}

fn read_one(content: impl Into<Vec<u8>>) -> Result<(FileSource, Accounts), InputError> {
    let content: Vec<u8> = content.into();
    read(&[&content], &two_days())
}

/// The message for a content, without the name of its file.
pub(super) fn refused(content: impl Into<Vec<u8>>) -> String {
    match read_one(content) {
        Err(InputError::Unsound(what)) => what.concat().split_once(' ').unwrap().1.to_owned(),
        Err(error @ InputError::Spill { .. }) => panic!("{error}"),
        Ok((_, accounts)) => panic!("it was read: {accounts:?}"),
    }
}

async fn all(source: &FileSource, label: &str) -> String {
    let mut chunks = source.fetch(&Window::whole(&day(label)), 0).await.unwrap();
    let mut text = String::new();
    while let Some(chunk) = chunks.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    text
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn each_day_gets_its_own_lines_and_the_odd_ones_behind_them() {
    let text = "odd\n".to_owned() + &line(0) + "\n" + &line(NEXT_DAY) + "oops\n" + &line(1);
    for content in [text.clone().into_bytes(), gzip(&text)] {
        let (source, accounts) = read(&[&content], &two_days()).unwrap();
        // A slice may be read again when it restarts.
        for _ in 0..2 {
            assert_eq!(all(&source, "2026-11-10").await, "odd\n".to_owned() + &line(0) + &line(1));
            assert_eq!(all(&source, "2026-11-11").await, line(NEXT_DAY) + "oops\n");
        }
        assert_eq!((accounts.lines, accounts.taken, accounts.outside_dates), (5, 5, 0));
    }
}

#[tokio::test]
async fn a_line_without_a_time_behind_another_date_goes_to_the_first_day() {
    let text = line(NEXT_DAY) + &line(3 * NEXT_DAY) + "not json\n" + "{\"event\":\"e\"}\n";
    let (source, accounts) = read(&[text.as_bytes()], &selection(&["2026-11-11"])).unwrap();
    assert_eq!(all(&source, "2026-11-11").await, line(NEXT_DAY) + "not json\n{\"event\":\"e\"}\n");
    assert_eq!((accounts.lines, accounts.taken, accounts.outside_dates), (4, 3, 1));
    let date: Date = "2026-11-13".parse().unwrap();
    assert_eq!(accounts.other_dates.ranges(9), [DateRange { from: date, to: date, events: 1 }]);
}

#[tokio::test]
async fn events_that_are_not_asked_for_are_counted() {
    let other = line(0).replace("\"e\"", "\"other\"");
    let text = line(0) + &other + &line(NEXT_DAY) + &other.replace("17942688", "17942999");
    let wanted = Selection { events: vec!["e".to_owned()], ..selection(&["2026-11-10"]) };
    let (source, accounts) = read(&[text.as_bytes()], &wanted).unwrap();
    assert_eq!(all(&source, "2026-11-10").await, line(0));
    let counts = (accounts.lines, accounts.taken, accounts.outside_dates, accounts.not_selected);
    assert_eq!(counts, (4, 1, 1, 2));
}

#[tokio::test]
async fn a_slice_that_was_not_read_for_is_refused() {
    let (source, _) = read(&[line(0).as_bytes()], &two_days()).unwrap();
    let hour = Window::whole(&day("2026-11-10T00"));
    assert!(matches!(source.fetch(&hour, 0).await, Err(SourceError::Refused(_))));
}

#[tokio::test]
async fn several_files_are_read_one_after_another() {
    let (first, second) = (line(0) + line(NEXT_DAY).trim_end(), "odd\n".to_owned() + &line(1));
    let (source, _) = read(&[first.as_bytes(), b"", second.as_bytes()], &two_days()).unwrap();
    assert_eq!(all(&source, "2026-11-10").await, line(0) + "odd\n" + &line(1));
    assert_eq!(all(&source, "2026-11-11").await, line(NEXT_DAY));
}

#[rstest]
#[case::plain(("\u{feff}".to_owned() + &line(0)).into_bytes())]
#[case::within(("\u{feff}".to_owned() + "\n\u{feff}" + &line(0)).into_bytes())]
#[case::gzip(gzip(&("\u{feff}".to_owned() + &line(0))))]
#[case::padded([gzip(&line(0)), vec![0; 512]].concat())]
#[case::members([gzip("\u{feff}"), gzip(&("\u{feff}".to_owned() + &line(0)))].concat())]
#[case::array(format!("[{}]", line(0)).into_bytes())]
#[case::array_with_mark(format!("\u{feff} [ {}]", line(0)).into_bytes())]
#[case::windows(line(0).replace('\n', "\r\n").into_bytes())]
#[tokio::test]
async fn the_line_is_read_however_it_is_wrapped(#[case] content: Vec<u8>) {
    let (source, _) = read_one(content).unwrap();
    assert_eq!(all(&source, "2026-11-10").await.trim_end(), line(0).trim_end());
}

#[tokio::test]
async fn records_over_several_lines_are_read() {
    let text = "{\n  \"event\": \"e\",\n  \"properties\": {\n    \"time\": 1794268800\n  }\n}\n";
    for text in [text.repeat(2), format!("[{text},{text}]")] {
        let (source, accounts) = read(&[text.as_bytes()], &two_days()).unwrap();
        assert_eq!((accounts.lines, accounts.taken), (2, 2));
        assert_eq!(all(&source, "2026-11-10").await.lines().count(), 2);
    }
}

#[rstest]
#[case("json_array.jsonl")]
#[case("json_array_lines.jsonl")]
fn an_array_of_events_is_read_whole(#[case] name: &str) {
    let inputs = [Input::from(PathBuf::from(REPORTED.to_owned() + name))];
    let days = selection(&["2024-03-05"]);
    let read = FileSource::read(&inputs, &days, &std::env::temp_dir(), &mut |_| {});
    let (_, accounts) = read.unwrap();
    assert_eq!((accounts.lines, accounts.dates.ranges(9)[0].events), (3, 3));
}

#[test]
fn a_gzip_file_cut_anywhere_is_refused() {
    let whole = gzip(&(line(0) + &line(NEXT_DAY)));
    for cut in 3..whole.len() {
        let what = refused(&whole[..cut]);
        assert!(what.starts_with("is truncated: its gzip data ends too early"), "at {cut}: {what}");
    }
}

/// The start of a line that is longer than allowed.
fn half_a_long_line() -> String {
    line(0) + "{\"event\":\"" + &"e".repeat(Bounds::default().line_bytes + 10)
}

#[rstest]
#[case::line((line(0) + &line(1)).trim_end_matches("}\n").to_owned(), "ends in the middle of a line")]
#[case::only_line(line(0).trim_end_matches("}\n").to_owned(), "ends in the middle of a line")]
#[case::long_line(half_a_long_line(), "ends in the middle of a line")]
#[case::array(format!("[{},", line(0)), "ends in the middle of a JSON array")]
#[case::early_end(line(0) + "export terminated early\n", "terminated early")]
#[case::early_end_of_a_long_line(half_a_long_line() + "export terminated early\n", "terminated early")]
#[case::last_error(line(0) + "{\"error\":\"timeout\"}\n\n", "its last line is an error (timeout)")]
#[case::last_text(line(0) + "upstream timed out\n", "its last line is an error (upstream timed out)")]
#[case::no_event("oops\n".repeat(3), "looks like text; expected JSON lines of the export API")]
#[case::no_event_for_long("oops\n".repeat(1_000) + &line(0), "looks like text")]
#[case::array_of_others("[{\"a\":1}]".to_owned(), "looks like JSON lines of something else")]
fn an_unsound_input_is_refused(#[case] content: String, #[case] words: &str) {
    let packed = refused(gzip(&content));
    assert!(packed.contains(words), "{packed}");
    assert_eq!(refused(content), packed);
}

#[rstest]
#[case::trailing([gzip(&line(0)), b"more".to_vec()].concat(), "neither gzip nor padding")]
#[case::zip(b"PK\x03\x04abc".to_vec(), "looks like a zip archive; expected JSON")]
#[case::utf16(line(0).encode_utf16().flat_map(u16::to_le_bytes).collect(), "looks like UTF-16 text")]
#[case::zip_in_gzip(gzip("PK\x03\x04abc"), "looks like a zip archive")]
#[case::gzip_in_gzip({
    let mut outer = GzEncoder::new(Vec::new(), Compression::default());
    outer.write_all(&gzip("a")).unwrap();
    outer.finish().unwrap()
}, "looks like gzip within gzip")]
fn an_input_of_another_format_is_refused(#[case] content: Vec<u8>, #[case] words: &str) {
    let what = refused(content);
    assert!(what.contains(words), "{what}");
}

#[rstest]
#[case("replace_error_body.jsonl", "looks like an error instead of events (Internal error)")]
#[case("replace_part_then_error.jsonl", "is incomplete: its last line is an error")]
fn an_answer_that_is_no_export_is_refused(#[case] name: &str, #[case] words: &str) {
    let what = refused(std::fs::read(REPORTED.to_owned() + name).unwrap());
    assert!(what.contains(words), "{what}");
}

#[test]
fn a_few_odd_lines_at_the_start_are_no_reason_to_refuse() {
    let text = "a,b\n<html>\n[1,2]\n{\n".to_owned() + &line(0);
    let (_, accounts) = read(&[text.as_bytes()], &two_days()).unwrap();
    assert_eq!((accounts.lines, accounts.taken), (5, 5));
}

#[test]
fn what_is_wrong_with_each_file_is_told_at_once() {
    let error = read(&[b"a,b\n1,2\n", line(0).as_bytes(), b"PK\x03\x04"], &two_days()).unwrap_err();
    let InputError::Unsound(what) = &error else { panic!("{error}") };
    assert!(what[0].contains("CSV") && what[1].contains("zip"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_read_once_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let text: String = (0..3).map(|day| line(day * NEXT_DAY)).collect();
    let content = gzip(&text);
    let writer = path.clone();
    let written = std::thread::spawn(move || std::fs::write(writer, content));
    let input = Input::from(path);
    input.check().unwrap();
    let read = FileSource::read(&[input], &two_days(), folder.path(), &mut |_| {});
    let (source, accounts) = read.unwrap();
    written.join().unwrap().unwrap();
    assert_eq!(all(&source, "2026-11-10").await, line(0));
    assert_eq!(all(&source, "2026-11-11").await, line(NEXT_DAY));
    assert_eq!((accounts.lines, accounts.outside_dates), (3, 1));
}

#[test]
fn lines_wait_in_the_lake_or_beside_the_one_that_is_still_to_come() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("a/lake");
    assert_eq!(FileSource::room(&lake), folder.path());
    std::fs::create_dir_all(&lake).unwrap();
    assert_eq!(FileSource::room(&lake), lake);
    std::fs::create_dir_all(lake.join(".mixlake/tmp")).unwrap();
    assert_eq!(FileSource::room(&lake), lake.join(".mixlake/tmp"));
    assert_eq!(FileSource::room(Path::new("no-such-lake")), Path::new("."));
}
