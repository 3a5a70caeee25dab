use super::page::{PageFlaw, PageReader};
use mixlake_app::ports::PageEnd;
use proptest::prelude::*;
use rstest::rstest;
use std::fmt::Write;

const LIMIT: usize = 1000;

/// The lines of a page that arrives in these pieces, and its end.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Result<PageEnd, PageFlaw>) {
    let mut lines = Vec::new();
    let mut reader = PageReader::new(LIMIT);
    for piece in pieces {
        if let Err(flaw) = reader.read(piece, &mut lines) {
            return (lines, Err(flaw));
        }
    }
    (lines, reader.finish())
}

fn whole(page: &str) -> (String, Result<PageEnd, PageFlaw>) {
    let (lines, end) = read([page.as_bytes()]);
    (String::from_utf8(lines).unwrap(), end)
}

fn flaw(page: &str) -> PageFlaw {
    whole(page).1.unwrap_err()
}

/// A page with this text instead of the profiles.
fn page(results: &str) -> String {
    format!(
        r#"{{"page":0,"page_size":3,"session_id":"s-1","status":"ok","total":7,"results":{results}}}"#
    )
}

fn end(profiles: u64) -> PageEnd {
    PageEnd { page: 0, page_size: 3, session: "s-1".to_owned(), total: Some(7), profiles }
}

/// Everything that JSON has, in spellings that a parser would lose.
const STRANGE: &str = r#"[ {"$distinct_id":12345678901234567890.10,"$properties":{"a\"]}":"\\\"[{,\u2028","b":[1e400,-0.0,[]],"é":"名"}} ,
 {"x":{} }	,
"a text", null, 17 ,[],{}
]"#;

const STRANGE_LINES: &str = "{\"$distinct_id\":12345678901234567890.10,\"$properties\":{\"a\\\"]}\":\"\\\\\\\"[{,\\u2028\",\"b\":[1e400,-0.0,[]],\"é\":\"名\"}}\n{\"x\":{} }\n\"a text\"\nnull\n17\n[]\n{}\n";

#[test]
fn each_profile_becomes_a_line_byte_for_byte() {
    let (lines, found) = whole(&page(STRANGE));
    assert_eq!(lines, STRANGE_LINES);
    assert_eq!(found, Ok(end(7)));
}

#[test]
fn a_profile_on_many_lines_becomes_one_line() {
    let (lines, found) = whole(&page("[{\n \"a\":\n1\n},\r\n{}\n]"));
    assert_eq!(lines, "{  \"a\": 1 }\n{}\n");
    assert_eq!(found, Ok(end(2)));
}

#[test]
fn fields_come_in_any_order_and_unknown_ones_are_passed_over() {
    let text = r#" {"results":[{"a":1}],"computed_at":{"x":[1,"]}"]},"total":7,"status":"ok",
        "error":null,"session_id":"s-1","page_size":3,"page":0}
    "#;
    assert_eq!(whole(text), ("{\"a\":1}\n".to_owned(), Ok(end(1))));
}

#[test]
fn an_empty_page_is_a_page() {
    assert_eq!(whole(&page("[ ]")), (String::new(), Ok(end(0))));
}

#[rstest]
#[case::last(r#""page":4,"#, "", Some(4))]
#[case::null(r#""page":4,"#, r#""total":null,"#, Some(4))]
#[case::first(r#""page":0,"#, "", None)]
fn only_the_first_page_must_say_the_total(
    #[case] number: &str,
    #[case] total: &str,
    #[case] fine: Option<u64>,
) {
    let text = format!(
        r#"{{{number}{total}"page_size":3,"session_id":"s-1","status":"ok","results":[]}}"#
    );
    let expected =
        fine.map(|page| PageEnd { page, total: None, ..end(0) }).ok_or(PageFlaw::Missing("total"));
    assert_eq!(whole(&text).1, expected);
}

#[rstest]
#[case::nothing("", PageFlaw::Empty)]
#[case::white_space(" \n", PageFlaw::Empty)]
#[case::html("<html>", PageFlaw::NotAnObject('<'))]
#[case::list("[]", PageFlaw::NotAnObject('['))]
#[case::text("export terminated early", PageFlaw::NotAnObject('e'))]
#[case::empty_object("{}", PageFlaw::Missing("status"))]
#[case::name_without_quotes("{page:0}", PageFlaw::NotJson(1))]
#[case::no_colon(r#"{"page" 0}"#, PageFlaw::NotJson(8))]
#[case::no_value(r#"{"page":}"#, PageFlaw::NotJson(8))]
#[case::no_comma(r#"{"page":0 "total":1}"#, PageFlaw::NotJson(10))]
#[case::comma_at_the_end(r#"{"page":0,}"#, PageFlaw::NotJson(10))]
#[case::bad_name(r#"{"\x":0}"#, PageFlaw::NotJson(5))]
#[case::bad_value(r#"{"page":yes}"#, PageFlaw::NotJson(11))]
#[case::an_error(r#"{"request":"/x","error":"broke"}"#, PageFlaw::Error("broke".into()))]
#[case::a_structured_error(r#"{"error":{"a":1},"status":"ok"}"#, PageFlaw::Error(r#"{"a":1}"#.into()))]
#[case::status(r#"{"status":"error"}"#, PageFlaw::Status("\"error\"".into()))]
#[case::status_of_another_type(r#"{"status":1}"#, PageFlaw::Status("1".into()))]
#[case::no_results(r#"{"status":"ok"}"#, PageFlaw::Missing("results"))]
#[case::repeated(r#"{"page":0,"page":1}"#, PageFlaw::Repeated("page"))]
#[case::repeated_results(r#"{"results":[],"results":[]}"#, PageFlaw::Repeated("results"))]
#[case::results_of_another_type(r#"{"results":{}}"#, PageFlaw::Mistyped { name: "results", accepted: "a list" })]
#[case::no_results_at_all(r#"{"results":null}"#, PageFlaw::Mistyped { name: "results", accepted: "a list" })]
fn what_is_no_page_says_why(#[case] text: &str, #[case] expected: PageFlaw) {
    assert_eq!(flaw(text), expected);
}

#[rstest]
#[case::not_json("[{},nonsense]", PageFlaw::BadProfile(2))]
#[case::nothing_between("[{},,{}]", PageFlaw::BadProfile(2))]
#[case::comma_at_the_end("[{},]", PageFlaw::BadProfile(2))]
#[case::inner_comma(r#"[{"a":1,}]"#, PageFlaw::BadProfile(1))]
#[case::numbers_on_two_lines("[[1\n2]]", PageFlaw::BadProfile(1))]
#[case::a_line_end_in_a_text("[\"a\nb\"]", PageFlaw::BadProfile(1))]
#[case::wrong_bracket("[{]]", PageFlaw::BadProfile(1))]
#[case::no_comma("[{}{}]", PageFlaw::NotJson(80))]
fn profiles_that_are_not_json_are_counted_from_one(
    #[case] results: &str,
    #[case] expected: PageFlaw,
) {
    assert_eq!(flaw(&page(results)), expected);
}

#[rstest]
#[case::page(r#""page":0"#, r#""page":"0""#, "page", "a whole number")]
#[case::negative(r#""page":0"#, r#""page":-1"#, "page", "a whole number")]
#[case::total(r#""total":7"#, r#""total":7.5"#, "total", "a whole number")]
#[case::page_size(r#""page_size":3"#, r#""page_size":[]"#, "page_size", "a whole number")]
#[case::no_page_size(r#""page_size":3"#, r#""page_size":0"#, "page_size", "a whole number above 0")]
#[case::session(r#""s-1""#, "1", "session_id", "a text")]
#[case::empty_session(r#""s-1""#, r#""""#, "session_id", "a text")]
fn a_field_of_another_type_is_named(
    #[case] good: &str,
    #[case] bad: &str,
    #[case] name: &'static str,
    #[case] accepted: &'static str,
) {
    let text = page("[]").replace(good, bad);
    assert_eq!(flaw(&text), PageFlaw::Mistyped { name, accepted });
}

#[rstest]
#[case::page(r#""page":0,"#, "page")]
#[case::page_size(r#""page_size":3,"#, "page_size")]
#[case::session(r#""session_id":"s-1","#, "session_id")]
#[case::status(r#""status":"ok","#, "status")]
#[case::total(r#""total":7,"#, "total")]
#[case::results(r#","results":[]"#, "results")]
fn a_field_that_is_not_there_is_named(#[case] field: &str, #[case] name: &'static str) {
    let text = page("[]").replace(field, "");
    assert_eq!(flaw(&text), PageFlaw::Missing(name));
}

#[rstest]
#[case::longest(LIMIT, true)]
#[case::longer(LIMIT + 1, false)]
fn a_profile_may_have_this_length(#[case] length: usize, #[case] fine: bool) {
    let profile = format!("\"{}\"", "x".repeat(length - 2));
    let (_, found) = whole(&page(&format!("[{{}},{profile}]")));
    let too_long = PageFlaw::LongProfile { number: 2, limit: LIMIT };
    assert_eq!(found, if fine { Ok(end(2)) } else { Err(too_long) });
}

#[test]
fn a_field_has_a_bound_too() {
    let text = format!(r#"{{"error":"{}"#, "x".repeat(LIMIT));
    assert_eq!(flaw(&text), PageFlaw::LongField(LIMIT));
}

#[test]
fn nothing_but_white_space_may_follow() {
    assert_eq!(whole(&(page("[]") + " \n")).1, Ok(end(0)));
    assert_eq!(flaw(&(page("[]") + "x")), PageFlaw::Trailing);
    assert_eq!(flaw(&(page("[]") + &page("[]"))), PageFlaw::Trailing);
}

#[test]
fn a_page_that_is_cut_anywhere_has_no_end() {
    let text = page(STRANGE);
    for length in 1..text.len() {
        let (_, found) = read([&text.as_bytes()[..length]]);
        assert_eq!(found, Err(PageFlaw::Cut), "{length}");
    }
}

/// Any JSON value, in any layout.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(str::to_owned),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..6);
        let object = prop::collection::vec((any::<String>(), inner), 0..6);
        prop_oneof![
            (list, spaces()).prop_map(|(items, space)| {
                format!("[{space}{}{space}]", items.join(&format!(",{space}")))
            }),
            (object, spaces()).prop_map(|(fields, space)| {
                let mut text = "{".to_owned();
                for (at, (name, value)) in fields.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let name = serde_json::to_string(name).unwrap();
                    write!(text, "{comma}{space}{name}{space}:{value}").unwrap();
                }
                text + &space + "}"
            }),
        ]
    })
}

fn spaces() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

proptest! {
    #[test]
    fn any_chunking_of_any_profiles_gives_their_lines(
        profiles in prop::collection::vec(json(), 0..8),
        space in spaces(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let text = page(&format!("[{space}{}{space}]", profiles.join(&format!("{space},{space}"))));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &text.as_bytes()[cut[0]..cut[1]]);
        let (lines, found) = read(pieces);
        let expected: String =
            profiles.iter().map(|profile| profile.replace('\n', " ") + "\n").collect();
        if profiles.iter().all(|profile| profile.len() <= LIMIT) {
            prop_assert_eq!(String::from_utf8(lines).unwrap(), expected);
            prop_assert_eq!(found, Ok(end(profiles.len() as u64)));
        } else {
            let too_long = matches!(found, Err(PageFlaw::LongProfile { .. }));
            prop_assert!(too_long, "{:?}", found);
        }
    }

    /// Whatever a page turns into on its way: pieces of any size give what one piece gives.
    #[test]
    fn any_chunking_of_any_bytes_gives_the_same(
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\\n".to_vec())],
        size in 1..40_usize,
    ) {
        let mut bytes = page(STRANGE).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let (lines, found) = read([&bytes[..]]);
        let (pieces_lines, pieces_found) = read(bytes.chunks(size));
        prop_assert_eq!(found, pieces_found);
        prop_assert_eq!(lines, pieces_lines);
    }
}
