//! The stand-in for Mixpanel as a client sees it on the network, in the process and as a program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_testkit::mixpanel::{Data, Fault, Framing, StandIn, StandInConfig};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// `me:secret`.
const AUTHORIZATION: &str = "Authorization: Basic bWU6c2VjcmV0\r\n";

const DAY: &str = "project_id=7&from_date=2026-11-10&to_date=2026-11-10";

/// The complete response to a request, until the server closes the connection.
fn get(address: SocketAddr, path_and_query: &str, headers: &str) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "GET {path_and_query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has still delivered the earlier data.
    let _ = connection.read_to_end(&mut answer);
    answer
}

fn text(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).into_owned()
}

fn lines(count: u32) -> Data {
    let line = |n| format!("{{\"event\":\"e{n}\",\"properties\":{{\"time\":1794268800}}}}\n");
    Data::parse((0..count).map(line).collect::<String>().as_bytes())
}

async fn standin(config: StandInConfig) -> StandIn {
    let known = |text: &str| text.to_owned();
    StandIn::start(StandInConfig {
        project_id: known("7"),
        username: known("me"),
        secret: known("secret"),
        ..config
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cut_connection_delivers_exactly_the_bytes_before_the_cut() {
    let framing = Framing::Length;
    let server = standin(StandInConfig { framing, ..StandInConfig::new(lines(1000)) }).await;
    for after in [0, 1, 777, 40_000] {
        server.script([Fault::CutConnection { after }]);
        let answer = get(server.address(), &format!("/api/2.0/export?{DAY}"), AUTHORIZATION);
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        assert_eq!(body.map(|at| answer.len() - at).unwrap_or_default(), after);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn gzip_is_sent_to_those_who_accept_it() {
    let server = standin(StandInConfig::new(lines(100))).await;
    let path = format!("/api/2.0/export?{DAY}");
    let plain = get(server.address(), &path, AUTHORIZATION);
    assert!(text(&plain).contains("\"event\":\"e99\""));
    let accepts = format!("{AUTHORIZATION}Accept-Encoding: deflate, gzip;q=0.9\r\n");
    let packed = text(&get(server.address(), &path, &accepts));
    assert!(packed.contains("content-encoding: gzip") && !packed.contains("e99"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn times_are_whole_seconds_unless_milliseconds_are_asked_for() {
    let server = standin(StandInConfig::new(lines(1))).await;
    let path = format!("/api/2.0/export?{DAY}");
    assert!(text(&get(server.address(), &path, AUTHORIZATION)).contains(":1794268800}"));
    let path = format!("{path}&time_in_ms=true");
    assert!(text(&get(server.address(), &path, AUTHORIZATION)).contains(":1794268800000}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn refusals_are_plain_text() {
    let server = standin(StandInConfig::new(lines(1))).await;
    let ask = |path: &str, headers: &str| text(&get(server.address(), path, headers));
    let nobody = ask(&format!("/api/2.0/export?{DAY}"), "");
    assert!(nobody.starts_with("HTTP/1.1 401") && nobody.contains("text/plain"), "{nobody}");
    let no_dates = ask("/api/2.0/export?project_id=7", AUTHORIZATION);
    assert!(no_dates.starts_with("HTTP/1.1 400"), "{no_dates}");
    assert!(no_dates.ends_with("from_date is a required parameter"), "{no_dates}");
    assert!(ask("/api/2.0/jql", AUTHORIZATION).starts_with("HTTP/1.1 404"));
}

/// The program; it is stopped when the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(more: &[&str]) -> (Program, SocketAddr) {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/storefront-events.jsonl.gz");
    let child = Command::new(env!("CARGO_BIN_EXE_mixpanel-standin"))
        .args(["--data", data, "--port", "0", "--project-id", "7"])
        .args(["--username", "me", "--secret", "secret"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Program(child);
    let mut line = String::new();
    BufReader::new(program.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on http://").unwrap().trim_end().parse().unwrap();
    (program, address)
}

#[test]
fn the_program_says_where_it_listens_and_serves_its_files() {
    let (_program, address) = program(&[]);
    let answer = text(&get(address, &format!("/api/2.0/export?{DAY}"), AUTHORIZATION));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""time":1794268800,"#));
}

#[test]
fn the_program_keeps_the_budget_it_is_given() {
    let (_program, address) = program(&["--queries-per-hour", "1"]);
    let path = format!("/api/2.0/export?{DAY}&limit=1");
    assert!(text(&get(address, &path, AUTHORIZATION)).starts_with("HTTP/1.1 200"));
    let refused = text(&get(address, &path, AUTHORIZATION));
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: "), "{refused}");
}

#[test]
fn the_program_serves_profiles_of_users_and_groups_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, lines: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, lines).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let users = file("users", "{\"$distinct_id\":\"ada\"}\n{\"$distinct_id\":\"ben\"}\n");
    let group = format!("17={}", file("groups", "{\"$distinct_id\":\"acme\"}\n"));
    let (_program, address) =
        program(&["--profiles", &users, "--group", &group, "--page-size", "1"]);
    let ask = |form: &str| {
        let mut connection = TcpStream::connect(address).unwrap();
        let head = "POST /api/query/engage?project_id=7 HTTP/1.1\r\nHost: localhost\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
        write!(connection, "{head}{AUTHORIZATION}Content-Length: {}\r\n\r\n{form}", form.len())
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    };
    let users = ask("");
    assert!(users.contains("\"total\": 2") && users.contains("ada") && !users.contains("ben"));
    let groups = ask("data_group_id=17");
    assert!(groups.contains("\"total\": 1") && groups.contains("acme"), "{groups}");
}

#[test]
fn the_program_ends_with_its_standard_input() {
    let (mut program, _) = program(&["--exit-with-stdin"]);
    drop(program.0.stdin.take());
    assert!(program.0.wait().unwrap().success());
}
