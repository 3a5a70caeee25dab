//! Notifications of objects, in each of the wrappings in which they come.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::S3Event;
use aws_lambda_events::event::sqs::SqsEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an invocation of the catalog function brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Notification {
    /// One by one answerable messages of a queue.
    Queue(Vec<Message>),
    /// Objects that S3 or EventBridge names directly.
    Direct(Vec<ObjectName>),
}

/// A message of a queue, and the objects it names or why it cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// What a partial batch response calls it.
    pub id: String,
    /// The objects.
    pub objects: Result<Vec<ObjectName>, Unreadable>,
}

/// An object that was created or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
}

/// The text is no notification that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a notification of S3, directly, in SQS or by EventBridge: {0}")]
pub struct Unreadable(String);

/// The `detail` of EventBridge's "Object Created" and "Object Deleted".
#[derive(Deserialize, Serialize)]
struct Detail {
    bucket: Named,
    object: Keyed,
}

#[derive(Deserialize, Serialize)]
struct Named {
    name: String,
}

#[derive(Deserialize, Serialize)]
struct Keyed {
    key: String,
}

impl Notification {
    /// Reads the payload of an invocation.
    pub fn read(payload: Value) -> Result<Self, Unreadable> {
        let from_queue = payload["Records"][0]["eventSource"] == "aws:sqs";
        if !from_queue {
            return objects(payload).map(Self::Direct);
        }
        let event: SqsEvent = parse(payload)?;
        let message = |record: aws_lambda_events::event::sqs::SqsMessage| Message {
            id: record.message_id.unwrap_or_default(),
            objects: body(record.body.as_deref().unwrap_or_default()),
        };
        Ok(Self::Queue(event.records.into_iter().map(message).collect()))
    }
}

fn body(text: &str) -> Result<Vec<ObjectName>, Unreadable> {
    let value = serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
    objects(value)
}

fn objects(value: Value) -> Result<Vec<ObjectName>, Unreadable> {
    // What S3 sends once when a notification is set up; it has no records.
    if value["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    if value["source"] == "aws.s3" {
        let event: EventBridgeEvent<Detail> = parse(value)?;
        let (bucket, key) = (event.detail.bucket.name, event.detail.object.key);
        // Plain here, while S3's own notifications encode keys.
        return Ok(vec![ObjectName { bucket, key }]);
    }
    if !value["Records"].is_array() {
        return Err(Unreadable("it has neither Records nor a source".to_owned()));
    }
    let event: S3Event = parse(value)?;
    event.records.into_iter().map(|record| object(record.s3)).collect()
}

fn object(entity: aws_lambda_events::event::s3::S3Entity) -> Result<ObjectName, Unreadable> {
    let missing = || Unreadable("a record names no bucket or no key".to_owned());
    let bucket = entity.bucket.name.ok_or_else(missing)?;
    let key = decode(&entity.object.key.ok_or_else(missing)?)?;
    Ok(ObjectName { bucket, key })
}

/// Keys are form-encoded: a `+` is a space, `%3D` an `=`.
fn decode(key: &str) -> Result<String, Unreadable> {
    let spaced = key.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| Unreadable(format!("the key {key:?} is not UTF-8")))
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Unreadable> {
    serde_json::from_value(value).map_err(|error| Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// A payload that is also there for people to send by hand.
    fn event(name: &str) -> Value {
        let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/{}.json"), name);
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn keys(notification: Notification) -> Vec<String> {
        let objects = match notification {
            Notification::Direct(objects) => objects,
            Notification::Queue(messages) => {
                messages.into_iter().flat_map(|m| m.objects.unwrap()).collect()
            }
        };
        objects.into_iter().map(|object| object.key).collect()
    }

    #[rstest]
    #[case::direct("s3-object-created", 1)]
    #[case::eventbridge("s3-eventbridge", 1)]
    #[case::queue("sqs-batch", 2)]
    #[case::test_event("s3-test-event", 0)]
    fn each_wrapping_gives_decoded_keys(#[case] name: &str, #[case] count: usize) {
        let keys = keys(Notification::read(event(name)).unwrap());
        assert_eq!(keys.len(), count);
        assert!(keys.iter().all(|key| key.starts_with("my lake=1/2195193/")), "{keys:?}");
    }

    #[test]
    fn a_message_that_cannot_be_read_is_told_apart_from_its_neighbours() {
        let mut batch = event("sqs-batch");
        batch["Records"][0]["body"] = json!("not json");
        let Notification::Queue(messages) = Notification::read(batch).unwrap() else {
            panic!("not a queue");
        };
        assert!(messages[0].objects.is_err());
        assert!(messages[1].objects.is_ok());
    }

    #[rstest]
    #[case::schedule(json!({"scheduled_time": "2026-11-10T14:10:00Z"}))]
    #[case::empty(json!({}))]
    #[case::text(json!("hello"))]
    fn another_event_is_refused(#[case] payload: Value) {
        assert!(Notification::read(payload).is_err());
    }

    #[test]
    fn form_encoding_is_undone_once() {
        assert_eq!(decode("a+b%2Bc%25%3D").unwrap(), "a b+c%=");
        assert!(decode("%ff").is_err());
    }
}
