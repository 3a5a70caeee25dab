//! A role is assumed with what the settings say, kept while it is valid, and its refusal is explained.

use crate::Clients;
use crate::config::LakeConfig;
use crate::settings::Settings;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_sts::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::http::StatusCode;
use mixlake_app::ports::{Catalog as _, ObjectStore as _};
use std::sync::{Arc, Mutex};

/// What STS answers.
#[derive(Debug, Clone)]
enum Sts {
    Assumed { expires: &'static str },
    Refused { status: u16, code: &'static str },
}

/// STS, and an S3 and a Glue that have nothing. It notes every request.
#[derive(Debug, Clone)]
struct Aws {
    sts: Sts,
    requests: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let header = |name| request.headers().get(name).unwrap_or_default();
        let text = format!(
            "{} {body} token={} owner={}",
            request.uri(),
            header("x-amz-security-token"),
            header("x-amz-expected-bucket-owner")
        );
        let (status, body) = match &self.sts {
            _ if text.contains("s3.") => (404, "<Error><Code>NoSuchKey</Code></Error>".to_owned()),
            _ if text.contains("glue.") => {
                (400, r#"{"__type":"EntityNotFoundException"}"#.to_owned())
            }
            Sts::Assumed { expires } => (200, assumed(expires)),
            Sts::Refused { status, code } => (*status, refused(code)),
        };
        self.requests.lock().unwrap().push(text);
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
    }
}

fn assumed(expires: &str) -> String {
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>of-the-role</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn refused(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>told by the test</Message></Error>\
         </ErrorResponse>"
    )
}

const LONG_VALID: Sts = Sts::Assumed { expires: "2999-01-01T00:00:00Z" };
const EXPIRED_AT_ONCE: Sts = Sts::Assumed { expires: "2001-01-01T00:00:00Z" };

impl Aws {
    fn new(sts: Sts) -> Self {
        Self { sts, requests: Arc::default() }
    }

    async fn clients(&self, pairs: &[&str], session: &str) -> Clients {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        let connector = SharedHttpConnector::new(self.clone());
        let own = Credentials::new("AKIA", "secret", Some("of-the-process".into()), None, "test");
        let shared = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(own)
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        let access = LakeConfig::check_lake(&settings).unwrap();
        Clients::over(access, session, shared.load().await)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|request| request.contains(part)).count()
    }
}

const S3_ROLE: &str = "s3_role=arn:aws:iam::123456789012:role/lake";
const GLUE_ROLE: &str = "glue_role=arn:aws:iam::210987654321:role/tables";

#[tokio::test]
async fn the_calls_of_the_lake_are_those_of_its_role() {
    let aws = Aws::new(LONG_VALID);
    let clients = aws.clients(&[S3_ROLE, "s3_external_id=own:id"], "mixlake-export-1").await;
    assert_eq!(clients.lake("lake".into()).await.unwrap().get("a").await.unwrap(), None);
    let [sts, s3] = aws.requests().try_into().unwrap();
    for part in [
        "https://sts.eu-central-1.amazonaws.com/",
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Flake",
        "RoleSessionName=mixlake-export-1",
        "ExternalId=own%3Aid",
        "token=of-the-process",
    ] {
        assert!(sts.contains(part), "{part} is missing in {sts}");
    }
    assert!(s3.ends_with("token=of-the-role owner=123456789012"), "{s3}");
}

#[tokio::test]
async fn a_session_name_has_at_most_64_characters() {
    let aws = Aws::new(LONG_VALID);
    let clients = aws.clients(&[S3_ROLE], &"x".repeat(70)).await;
    clients.lake("lake".into()).await.unwrap().get("a").await.unwrap();
    assert_eq!(
        aws.count(&format!("RoleSessionName={} ", "x".repeat(64))),
        1,
        "{:?}",
        aws.requests()
    );
}

#[tokio::test]
async fn glue_has_its_own_role_and_its_own_external_id() {
    let aws = Aws::new(LONG_VALID);
    let pairs = [S3_ROLE, GLUE_ROLE, "project_token=token", "glue_external_id=of-glue"];
    let clients = aws.clients(&pairs, "mixlake").await;
    clients.lake("lake".into()).await.unwrap().get("a").await.unwrap();
    assert_eq!(clients.catalog("db").await.unwrap().table("t").await.unwrap(), None);
    assert_eq!(aws.count("role%2Flake&RoleSessionName=mixlake&ExternalId=token "), 1);
    assert_eq!(aws.count("role%2Ftables&RoleSessionName=mixlake&ExternalId=of-glue "), 1);
    assert_eq!(aws.count("Action=AssumeRole"), 2);
}

#[tokio::test]
async fn a_pipelines_bucket_is_read_without_the_role() {
    let aws = Aws::new(LONG_VALID);
    let clients = aws.clients(&[S3_ROLE, GLUE_ROLE, "project_token=token"], "mixlake").await;
    clients.source("files".into()).await.unwrap().get("a").await.unwrap();
    let [s3] = aws.requests().try_into().unwrap();
    assert!(s3.ends_with("token=of-the-process owner="), "{s3}");
}

#[tokio::test]
async fn without_an_external_id_none_is_sent() {
    let aws = Aws::new(LONG_VALID);
    let clients = aws.clients(&[S3_ROLE], "mixlake").await;
    clients.lake("lake".into()).await.unwrap().get("a").await.unwrap();
    assert_eq!((aws.count("Action=AssumeRole"), aws.count("ExternalId")), (1, 0));
}

#[tokio::test]
async fn credentials_are_kept_while_they_are_valid_and_renewed_after() {
    for (sts, times) in [(LONG_VALID, 1), (EXPIRED_AT_ONCE, 3)] {
        let aws = Aws::new(sts);
        let clients = aws.clients(&[S3_ROLE], "mixlake").await;
        let lake = clients.lake("lake".into()).await.unwrap();
        for _ in 0..3 {
            lake.get("a").await.unwrap();
        }
        assert_eq!((aws.count("Action=AssumeRole"), aws.count("owner=1")), (times, 3));
    }
}

#[tokio::test]
async fn a_refusal_is_explained() {
    let mut messages = Vec::new();
    for (code, pairs) in [
        ("AccessDenied", &[S3_ROLE][..]),
        ("AccessDenied", &[S3_ROLE, "project_token=token"]),
        ("RegionDisabledException", &[S3_ROLE]),
        ("ExpiredTokenException", &[S3_ROLE]),
        ("InternalFailure", &[S3_ROLE]),
    ] {
        let aws = Aws::new(Sts::Refused { status: 403, code });
        let lake = aws.clients(pairs, "mixlake").await.lake("lake".into()).await.unwrap();
        let error = lake.get("a").await.unwrap_err();
        messages.push(format!("{code}: {}", mixlake_app::chain(&error)));
    }
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[tokio::test]
async fn a_refusal_is_explained_by_the_catalog_too() {
    let aws = Aws::new(Sts::Refused { status: 403, code: "AccessDenied" });
    let clients = aws.clients(&[GLUE_ROLE], "mixlake").await;
    let error = clients.catalog("db").await.unwrap().table("t").await.unwrap_err();
    insta::assert_snapshot!(mixlake_app::chain(&error));
}
