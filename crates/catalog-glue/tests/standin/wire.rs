//! The connection between the SDK and the stand-in, and its faults.

use super::{Dice, Life};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use mixlake_testkit::glue::{Answer, Glue, Refusal};
use serde_json::Value;
use std::sync::Arc;
use std::sync::Mutex;
use tokio::time::Instant;

/// How often, in a thousand calls, each fault happens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    /// The call is throttled.
    pub throttled: u64,
    /// An update conflicts although nothing has changed.
    pub conflicts: u64,
    /// The connection breaks, before or after the call takes effect.
    pub breaks: u64,
    /// The call takes time.
    pub slow: bool,
    /// The largest number of calls per second for all functions together; further calls are throttled.
    pub rate: Option<u32>,
}

/// One function's connection to a Glue that all functions share.
#[derive(Debug, Clone)]
pub struct Wire {
    pub glue: Glue,
    pub life: Life,
    pub dice: Arc<Dice>,
    pub trouble: Trouble,
    pub limit: Arc<Limit>,
}

/// The calls of an account in the current second.
#[derive(Debug)]
pub struct Limit {
    start: Instant,
    taken: Mutex<(u64, u32)>,
    throttled: Mutex<usize>,
}

impl Default for Limit {
    fn default() -> Self {
        Self { start: Instant::now(), taken: Mutex::default(), throttled: Mutex::default() }
    }
}

impl Limit {
    fn allows(&self, rate: u32) -> bool {
        let second = self.start.elapsed().as_secs();
        let mut taken = self.taken.lock().unwrap();
        if taken.0 != second {
            *taken = (second, 0);
        }
        taken.1 += 1;
        let allowed = taken.1 <= rate;
        *self.throttled.lock().unwrap() += usize::from(!allowed);
        allowed
    }

    /// How many calls were above the limit.
    pub fn throttled(&self) -> usize {
        *self.throttled.lock().unwrap()
    }
}

impl Wire {
    /// A connection without faults.
    pub fn quiet(glue: &Glue) -> Self {
        Self::new(glue, Life::long(), Arc::new(Dice::new(0)), Trouble::default())
    }

    pub fn new(glue: &Glue, life: Life, dice: Arc<Dice>, trouble: Trouble) -> Self {
        Self { glue: glue.clone(), life, dice, trouble, limit: Arc::default() }
    }

    fn happens(&self, of_a_thousand: u64) -> bool {
        of_a_thousand > 0 && self.dice.below(1_000) < of_a_thousand
    }

    async fn answer(&self, operation: &str, request: &Value) -> Result<Answer, ConnectorError> {
        self.life.step().await;
        if self.trouble.slow {
            self.dice.pause().await;
        }
        let answer = self.fate(operation, request);
        self.life.step().await;
        if self.trouble.slow {
            self.dice.pause().await;
        }
        answer
    }

    fn fate(&self, operation: &str, request: &Value) -> Result<Answer, ConnectorError> {
        let refusal = |code, message: &str| Err(Refusal { code, message: message.to_owned() });
        let Trouble { throttled, conflicts, breaks, slow: _, rate } = self.trouble;
        let too_many = rate.is_some_and(|rate| !self.limit.allows(rate));
        if too_many || self.happens(throttled) {
            return Ok(refusal("ThrottlingException", "Rate exceeded"));
        }
        if operation == "UpdateTable" && self.happens(conflicts) {
            return Ok(refusal("ConcurrentModificationException", "told by the test"));
        }
        if self.happens(breaks) {
            if self.dice.below(2) == 0 {
                let _ = self.glue.call(operation, request);
            }
            return Err(ConnectorError::io("the connection broke".into()));
        }
        Ok(self.glue.call(operation, request))
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.strip_prefix("AWSGlue.").unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        HttpConnectorFuture::new(async move {
            let (status, body) = match wire.answer(&operation, &body).await? {
                Ok(body) => (200_u16, body),
                Err(refusal) => (400, refusal.body()),
            };
            Ok(HttpResponse::new(status.try_into().unwrap(), body.to_string().into()))
        })
    }
}
