//! A client on answers by hand: what it sends, and how often.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cognitoidentity::operation::get_id::GetIdInput;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemInput};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::*;
use crate::https::{Builder, Bytes, HttpsError, Request, Response};

type Answer = Result<(u16, &'static str), HttpsError>;

/// Gives these answers, the last one from then on; keeps what was sent and waited.
#[derive(Clone)]
struct Script {
    answers: &'static [Answer],
    sent: Arc<Mutex<Vec<Request<Bytes>>>>,
    waited: Arc<Mutex<Vec<Duration>>>,
    /// What its clock says, in seconds since 1970.
    date: Option<u64>,
}

impl Script {
    fn new(answers: &'static [Answer]) -> Self {
        Self { answers, sent: Arc::default(), waited: Arc::default(), date: None }
    }

    fn client(&self) -> Client {
        Client::through(self.clone())
    }

    fn last(&self) -> Request<Bytes> {
        self.sent.lock().unwrap().pop().unwrap()
    }
}

impl Transport for Script {
    fn exchange(
        &self,
        limit: Duration,
        request: Builder,
        body: Bytes,
    ) -> Later<'_, Result<Response<Bytes>, HttpsError>> {
        let mut sent = self.sent.lock().unwrap();
        let answer = self.answers.get(sent.len()).or(self.answers.last());
        sent.push(request.body(body).unwrap());
        let Some(answer) = answer else {
            return Box::pin(async move {
                tokio::time::sleep(limit).await;
                Err(HttpsError::TimedOut)
            });
        };
        let answer = answer.map(|(status, body)| {
            let date = self.date.map(|date| DateTime::from_secs(date as i64).fmt(Format::HttpDate).unwrap());
            let response = Response::builder().status(status).header("date", date.unwrap_or_default());
            response.body(Bytes::from(body)).unwrap()
        });
        Box::pin(std::future::ready(answer))
    }

    fn wait(&self, time: Duration) -> Later<'_, ()> {
        self.waited.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }
}

fn get() -> Result<GetItemInput, BuildError> {
    GetItemInput::builder().table_name("t").key("pk", AttributeValue::S("x".to_owned())).build()
}

const FOUND: Answer = Ok((200, r#"{"Item":{"pk":{"S":"x"}}}"#));
const BUSY: Answer = Ok((400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#));
const THROTTLED: Answer =
    Ok((400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#));
const REFUSED: Answer = Ok((400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#));
const NO_TABLE: Answer = Ok((400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}"#));
const BROKEN: Answer = Ok((500, r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#));
const FRONT: Answer = Ok((503, "<html>busy</html>"));
const NOT_OURS: Answer = Ok((403, "<html>no</html>"));
const NONSENSE: Answer = Ok((200, "<html>"));
const LATE: Answer = Err(HttpsError::TimedOut);
const GONE: Answer = Err(HttpsError::Disconnected);
const CUT: Answer = Err(HttpsError::BodyRefused);

fn kind(error: &SdkError<GetItemError>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "unsent",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "no answer",
        SdkError::ResponseError(_) => "unreadable",
        SdkError::ServiceError(error) if error.err().is_resource_not_found_exception() => "no table",
        SdkError::ServiceError(_) => "refused",
        _ => "another",
    }
}

#[tokio::test]
async fn it_tries_again_only_where_that_may_help() {
    // The answers, how it ends, and after how many attempts.
    let table: [(&'static [Answer], Result<(), &str>, usize); 18] = [
        (&[FOUND], Ok(()), 1),
        (&[BUSY, FOUND], Ok(()), 2),
        (&[BROKEN, BUSY, FOUND], Ok(()), 3),
        (&[THROTTLED, FOUND], Ok(()), 2),
        (&[FRONT, FOUND], Ok(()), 2),
        (&[LATE, GONE, FOUND], Ok(()), 3),
        (&[CUT, FOUND], Ok(()), 2),
        (&[NONSENSE, FOUND], Err("refused"), 1),
        (&[BUSY], Err("refused"), 3),
        (&[BROKEN], Err("refused"), 3),
        (&[LATE], Err("timeout"), 3),
        (&[GONE], Err("no answer"), 3),
        (&[REFUSED, FOUND], Err("refused"), 1),
        (&[NO_TABLE, FOUND], Err("no table"), 1),
        (&[Err(HttpsError::Encoded), FOUND], Err("no answer"), 1),
        (&[Err(HttpsError::RootsUnusable), FOUND], Err("no answer"), 1),
        (&[Err(HttpsError::Unwritable), FOUND], Err("no answer"), 1),
        (&[NOT_OURS, FOUND], Err("refused"), 1),
    ];
    for (answers, expected, attempts) in table {
        let script = Script::new(answers);
        let ended = script.client().send(get()).await;
        let found = ended.as_ref().map(|output| assert!(output.item().is_some())).map_err(kind);
        assert_eq!((found, script.sent.lock().unwrap().len()), (expected, attempts), "{answers:?}");
        let waited = script.waited.lock().unwrap().clone();
        assert_eq!(waited.len(), attempts - 1, "{answers:?}");
        let longest = [Duration::from_millis(25), Duration::from_millis(50)];
        assert!(waited.iter().zip(longest).all(|(waited, longest)| *waited <= longest), "{waited:?}");
    }
}

/// The SDKs of Cognito read answers in another way than the others.
#[tokio::test]
async fn what_stands_before_a_service_may_be_busy_too() {
    let table: [(&'static [Answer], usize); 4] = [(&[FRONT], 3), (&[NOT_OURS], 1), (&[NONSENSE], 1), (&[BROKEN], 3)];
    for (answers, attempts) in table {
        let script = Script::new(answers);
        let ended = script.client().send(GetIdInput::builder().identity_pool_id("eu-west-1:p").build()).await;
        assert_eq!((ended.is_err(), script.sent.lock().unwrap().len()), (true, attempts), "{answers:?}");
    }
}

#[tokio::test]
async fn a_pace_is_kept() {
    let once = Pace { attempts: 1, ..Pace::TRIGGER };
    let script = Script::new(&[BUSY, FOUND]);
    assert_eq!(kind(&script.client().paced(once).send(get()).await.unwrap_err()), "refused");
    assert_eq!(script.sent.lock().unwrap().len(), 1);
    // All attempts together have less time than three of them would take.
    let silent = Script::new(&[]);
    let pace = Pace { attempt: Duration::from_millis(200), whole: Duration::from_millis(300), attempts: 3 };
    assert_eq!(kind(&silent.client().paced(pace).send(get()).await.unwrap_err()), "timeout");
    assert_eq!(silent.sent.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_built_is_not_sent() {
    let script = Script::new(&[FOUND]);
    let lacking = GetItemInput::builder().table_name("t").key("pk", AttributeValue::S("x".to_owned()));
    script.client().send(lacking.build()).await.unwrap();
    let unfinished = Err(BuildError::other("it lacks something"));
    assert_eq!(kind(&script.client().send::<GetItemInput>(unfinished).await.unwrap_err()), "unsent");
    assert_eq!(script.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_is_signed_for_its_service_and_region_where_it_takes_a_signature() {
    let script = Script::new(&[FOUND]);
    let credentials = Credentials::new("AKID", "canary", Some("token-canary".to_owned()), None, "test");
    let client = script.client().with_credentials(credentials).in_region("eu-west-1");
    assert!(!format!("{client:?}").contains("canary"), "{client:?}");
    client.send(get()).await.unwrap();
    let request = script.last();
    let header = |request: &Request<Bytes>, name: &str| {
        request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(request.uri(), "https://dynamodb.eu-west-1.amazonaws.com/");
    assert_eq!(header(&request, "x-amz-target"), "DynamoDB_20120810.GetItem");
    assert_eq!(header(&request, "content-type"), "application/x-amz-json-1.0");
    assert_eq!(header(&request, "x-amz-security-token"), "token-canary");
    assert!(header(&request, "user-agent").starts_with("poolhouse/"));
    let signature = header(&request, "authorization");
    assert!(signature.contains("/eu-west-1/dynamodb/aws4_request"), "{signature}");
    assert!(signature.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"));
    assert!(!format!("{:?}", request.headers()).contains("canary"), "the headers that are secret print as such");

    drop(client.send(GetIdInput::builder().identity_pool_id("eu-west-1:p").build()).await);
    let request = script.last();
    assert_eq!(request.uri(), "https://cognito-identity.eu-west-1.amazonaws.com/");
    assert_eq!(header(&request, "x-amz-target"), "AWSCognitoIdentityService.GetId");
    assert_eq!((header(&request, "authorization"), header(&request, "x-amz-security-token")), Default::default());
}

#[tokio::test]
async fn a_token_goes_with_every_attempt_of_a_call_and_with_no_other() {
    let script = Script::new(&[BROKEN]);
    for _ in 0..2 {
        let input = TransactWriteItemsInput::builder().set_transact_items(Some(Vec::new()));
        drop(script.client().send(input.client_request_token(token()).build()).await);
    }
    let bodies: Vec<_> = script.sent.lock().unwrap().iter().map(|request| request.body().clone()).collect();
    assert_eq!(bodies.len(), 6);
    assert!(bodies[0] == bodies[1] && bodies[1] == bodies[2] && bodies[3] == bodies[5], "{bodies:?}");
    assert_ne!(bodies[0], bodies[3]);
}

#[test]
fn services_are_where_the_environment_says() {
    let all = [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "canary")];
    let read = |more: &[(&str, &str)]| {
        let lookup = |key: &str| {
            let found = more.iter().chain(&all).find(|(name, _)| *name == key);
            found.map(|(_, value)| (*value).to_owned())
        };
        let client = Client::from_environment(&lookup);
        client.map(|client| [Service::DynamoDb, Service::Sts].map(|service| client.url(service)).join(" "))
    };
    const AWS: &str = "https://dynamodb.eu-west-1.amazonaws.com https://sts.eu-west-1.amazonaws.com";
    // Settings beside the usual ones, and the two addresses or the setting that is refused.
    type Row<'a> = (&'a [(&'a str, &'a str)], Result<&'a str, &'a str>);
    let table: [Row<'_>; 7] = [
        (&[], Ok(AWS)),
        (&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1/")], Ok("http://127.0.0.1:1 http://127.0.0.1:1")),
        (
            &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_STS", "https://b.example")],
            Ok("http://127.0.0.1:1 https://b.example"),
        ),
        (&[("AWS_ENDPOINT_URL_SQS", "http://sqs.example")], Err("AWS_ENDPOINT_URL_SQS")),
        (&[("AWS_USE_FIPS_ENDPOINT", "true")], Err("AWS_USE_FIPS_ENDPOINT")),
        (&[("AWS_REGION", "")], Err("AWS_REGION")),
        (&[("AWS_SECRET_ACCESS_KEY", "")], Err("AWS_SECRET_ACCESS_KEY")),
    ];
    for (settings, expected) in table {
        match (read(settings), expected) {
            (Ok(found), Ok(urls)) => assert_eq!(found, urls, "{settings:?}"),
            (Err(error), Err(key)) => assert!(error.to_string().starts_with(key), "{error}"),
            (found, _) => panic!("{settings:?}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_is_signed_by_the_services_clock_when_ours_is_refused() {
    const OUTDATED: Answer = Ok((400, r#"{"__type":"com.amazon.coral.service#InvalidSignatureException"}"#));
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signed = |request: &Request<Bytes>| request.headers()["x-amz-date"].to_str().unwrap().to_owned();
    let written = |time: u64| DateTime::from_secs(time as i64).fmt(Format::DateTime).unwrap().replace(['-', ':'], "");
    let now = seconds(SystemTime::now());
    // How far ahead the service is, in seconds, its answer, and the attempts.
    let table = [
        (3_600, OUTDATED, 2),
        (-3_600, OUTDATED, 2),
        (-93_600, REFUSED, 2),
        (60, OUTDATED, 1),
        (0, REFUSED, 1),
        (3_600, NO_TABLE, 1),
    ];
    for (ahead, answer, attempts) in table {
        let answers: &'static [Answer] = Box::leak(Box::new([answer, FOUND]));
        let script = Script { date: Some(now.saturating_add_signed(ahead)), ..Script::new(answers) };
        let client = script.client();
        assert_eq!(client.send(get()).await.is_ok(), attempts == 2, "{ahead} {answer:?}");
        assert_eq!(script.sent.lock().unwrap().len(), attempts, "{ahead} {answer:?}");
        // What is known of the clock stays with the client.
        client.clone().send(get()).await.unwrap();
        let expected = if attempts == 2 { now.saturating_add_signed(ahead) } else { now };
        let date = signed(&script.last());
        assert!(written(expected) <= date && date <= written(expected + 30), "{ahead} {answer:?}: {date}");
    }
}

/// The SDK knows every partition.
#[tokio::test]
async fn every_partition_has_its_domain() {
    let regions = [
        "us-east-1",
        "eu-central-1",
        "ap-southeast-7",
        "il-central-1",
        "mx-central-1",
        "us-gov-west-1",
        "cn-north-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "us-isof-south-1",
        "eu-isoe-west-1",
    ];
    for region in regions {
        let params = Params::builder().region(region).use_dual_stack(false).use_fips(false).build().unwrap();
        let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.unwrap();
        assert_eq!(crate::regional("dynamodb", region), endpoint.url(), "{region}");
    }
}
