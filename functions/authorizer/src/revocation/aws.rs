//! The table of marks, read by one signed request.

use std::time::Duration;

use serde_json::{Value, json};
use shared::revocation::{Key, Mark, Question};
use shell::https::{Bytes, Https, HttpsError, Keep, Limits};
use shell::signed::{Service, ServiceError};
use shell::{Lookup, SettingError};

use super::{Marks, Unknown};

/// Connection, handshake, call and answer of one attempt together. DynamoDB answers
/// within some 10 ms; who waits longer than this waits in vain.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(150), total: Duration::from_millis(300), most_bytes: 64 * 1024 };

/// A new connection costs a handshake.
const KEEP: Keep = Keep { idle: Duration::from_secs(20), most: 1 };

/// The table of marks. Its one call needs `dynamodb:BatchGetItem`.
pub struct Table {
    name: String,
    service: Service,
    https: Https,
}

impl Table {
    pub(super) fn connect(name: &str, lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let service = Service::from_environment(lookup, "dynamodb", "AWS_ENDPOINT_URL_DYNAMODB")?;
        Ok(Self { name: name.to_owned(), service, https: Https::keeping(LIMITS, KEEP) })
    }
}

impl Table {
    /// Asks, and once more where nothing was said: a connection that was kept may
    /// have died while the process was frozen, and only using it shows that. The
    /// call reads, so it may be made twice.
    async fn ask(&self, body: String) -> Result<Bytes, ServiceError> {
        let ask = || self.service.call(&self.https, "DynamoDB_20120810.BatchGetItem", body.clone().into_bytes());
        match ask().await {
            Err(ServiceError::Silent(HttpsError::TimedOut | HttpsError::Disconnected)) => ask().await,
            answer => answer,
        }
    }
}

impl Marks for Table {
    /// Reads consistently: otherwise a mark could go unseen for a moment after
    /// whoever wrote it was told that it stands.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
    async fn find(&self, question: &Question, now: u64) -> Result<Vec<Mark>, Unknown> {
        let key = |key: &Key| json!({"pk": {"S": key.to_string()}});
        let keys: Vec<Value> = question.keys.iter().map(key).collect();
        let body = json!({"RequestItems": {&self.name: {"Keys": keys, "ConsistentRead": true}}}).to_string();
        let answer = self.ask(body).await.map_err(|error| Unknown(error.into()))?;
        read(&answer, &self.name, now).ok_or_else(|| Unknown("the answer is not whole".into()))
    }
}

/// The marks of an answer. `None` when it is another answer, or when the table
/// was too busy for a part of it: what is left out would look like no mark.
fn read(answer: &[u8], table: &str, now: u64) -> Option<Vec<Mark>> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let left_out = answer.get("UnprocessedKeys").is_some_and(|left| !left.as_object().is_some_and(|it| it.is_empty()));
    if left_out {
        return None;
    }
    let items = answer.get("Responses")?.get(table)?.as_array()?;
    Some(items.iter().filter_map(|item| mark(item, now)).collect())
}

/// What an item says; `None` when its time is up and DynamoDB has only not
/// deleted it yet. Whatever else cannot be read refuses.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
fn mark(item: &Value, now: u64) -> Option<Mark> {
    let number = |name: &str| item.get(name).map(|value| value.get("N")?.as_str()?.parse::<u64>().ok());
    if number("expires_at").flatten().is_some_and(|end| end <= now) {
        return None;
    }
    Some(match (number("authenticated_before"), number("issued_before")) {
        (None, None) | (Some(None), _) | (_, Some(None)) => Mark::Ended,
        (authenticated, issued) => Mark::Before { authenticated: authenticated.flatten(), issued: issued.flatten() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn an_item_says_what_it_says_and_refuses_when_it_cannot_be_read() {
        let number = |number: u64| json!({"N": number.to_string()});
        let before = |authenticated, issued| Some(Mark::Before { authenticated, issued });
        let table = [
            (json!({"pk": {"S": "SESSION#s"}, "expires_at": number(NOW + 1)}), Some(Mark::Ended)),
            (json!({"pk": {"S": "SESSION#s"}, "expires_at": number(NOW)}), None),
            (json!({"pk": {"S": "SESSION#s"}}), Some(Mark::Ended)),
            (json!({"pk": {"S": "SESSION#s"}, "expires_at": {"S": "0"}}), Some(Mark::Ended)),
            (json!({"authenticated_before": number(7), "expires_at": number(NOW + 1)}), before(Some(7), None)),
            (json!({"issued_before": number(7)}), before(None, Some(7))),
            (json!({"authenticated_before": number(7), "issued_before": number(9)}), before(Some(7), Some(9))),
            (json!({"authenticated_before": number(7), "expires_at": number(NOW - 1)}), None),
            (json!({"authenticated_before": {"S": "7"}}), Some(Mark::Ended)),
            (json!({"authenticated_before": number(7), "issued_before": {"N": "soon"}}), Some(Mark::Ended)),
            (json!({"issued_before": {"N": "-1"}}), Some(Mark::Ended)),
            (json!({}), Some(Mark::Ended)),
        ];
        for (item, expected) in table {
            assert_eq!(mark(&item, NOW), expected, "{item}");
        }
    }

    #[test]
    fn only_a_whole_answer_is_one() {
        let table = [
            (json!({"Responses": {"t": []}, "UnprocessedKeys": {}}), Some(0)),
            (json!({"Responses": {"t": []}}), Some(0)),
            (json!({"Responses": {"t": [{"pk": {"S": "SESSION#s"}}]}, "UnprocessedKeys": {}}), Some(1)),
            (json!({"Responses": {"t": []}, "UnprocessedKeys": {"t": {"Keys": []}}}), None),
            (json!({"Responses": {"t": []}, "UnprocessedKeys": null}), None),
            (json!({"Responses": {}}), None),
            (json!({"Responses": {"other": []}}), None),
            (json!({"Responses": {"t": {}}}), None),
            (json!({}), None),
            (json!([]), None),
        ];
        for (answer, expected) in table {
            let read = read(answer.to_string().as_bytes(), "t", NOW);
            assert_eq!(read.map(|marks| marks.len()), expected, "{answer}");
        }
        assert_eq!(read(b"", "t", NOW), None);
        assert_eq!(read(b"{", "t", NOW), None);
    }
}
