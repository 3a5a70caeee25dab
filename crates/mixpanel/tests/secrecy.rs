//! Secrets appear only in the `Authorization` header. This is a separate program because it captures
//! the log of the whole process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "standin/support.rs"]
mod support;

use crate::support::{SMALL_HOUR, config, page, profiles, read, serve, source, storefront, utc};
use mixlake_app::ports::ProfileSource;
use mixlake_mixpanel::{Config, Credentials};
use mixlake_testkit::mixpanel::Fault;
use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use tracing_subscriber::fmt::MakeWriter;

/// The secret, and `robot:hunter2-hunter2` as the header has it.
const SECRETS: [&str; 2] = ["hunter2", "cm9ib3Q6aHVudGVyMi1odW50ZXIy"];

/// Everything that the process logs, from the first call on.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of_the_process() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(log.clone())
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            log
        })
        .clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn whole_chain(error: &dyn Error) -> String {
    let cause = error.source().map(whole_chain).unwrap_or_default();
    format!("{error} {error:?} {cause}")
}

#[tokio::test]
async fn no_log_error_or_debug_output_has_the_secret() {
    let log = Log::of_the_process();
    let standin = serve(storefront()).await;
    let credentials = Credentials::service_account("robot", "hunter2-hunter2").unwrap();
    let config = Config { credentials, ..config(&standin) };
    let source = source(config.clone());
    let mut said = format!("{config:?} {source:?}");
    let telltale = "robot:hunter2-hunter2 is not hunter2-hunter2";
    standin.script([
        Fault::status(401, telltale),
        Fault::status(500, &"x hunter2-hunter2 ".repeat(100_000)),
        Fault::status(429, telltale),
        Fault::CutConnection { after: 0 },
    ]);
    for _ in 0..5 {
        let error = read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
        said.push_str(&whole_chain(&error));
    }
    drop(standin);
    said.push_str(&log.text());

    assert!(said.contains("querying Mixpanel") && said.contains("***"), "{said}");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn no_error_or_debug_output_of_profiles_has_the_secret() {
    let log = Log::of_the_process();
    let standin = serve(storefront()).await;
    let credentials = Credentials::service_account("robot", "hunter2-hunter2").unwrap();
    let source = profiles(Config { credentials, ..config(&standin) });
    let mut said = format!("{source:?} {:?}", source.query());
    let telltale = "robot:hunter2-hunter2 is not hunter2-hunter2";
    standin.script([
        Fault::status(401, telltale),
        Fault::status(400, &format!("uncached query {telltale}")),
        Fault::status(200, &format!(r#"{{"error": "{telltale}"}}"#)),
        Fault::status(200, &format!(r#"{{"error": "uncached query {telltale}"}}"#)),
        Fault::status(200, &format!(r#"{{"status": "{telltale}"}}"#)),
    ]);
    for _ in 0..5 {
        let error = page(&source, None).await.unwrap_err();
        said.push_str(&whole_chain(&error));
    }
    said.push_str(&log.text());

    assert!(said.contains("***:*** is not ***"), "{said}");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn a_project_secret_is_announced_as_retired_and_not_shown() {
    let log = Log::of_the_process();
    let standin = serve(storefront()).await;
    let credentials = Credentials::project_secret("hunter2").unwrap();
    let source = source(Config { credentials, ..config(&standin) });
    let said = format!("{source:?} {}", log.text());
    assert!(said.contains("2027-03-03"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
