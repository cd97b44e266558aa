//! The function from event to database and groups.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use directory::testing::{Calls, Database, TABLE};
use directory::{AddError, AddFailure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::names::{LegacyId, TenantId};
use shared::provisioning::Arrival;
use tokio::sync::Barrier;

use super::*;

const NOW: u64 = 1_800_000_000;

/// The groups of a pool, by hand.
#[derive(Debug, Default)]
struct Pool {
    failing: Option<(&'static str, AddFailure)>,
    /// Adds that must be under way together before any of them ends.
    together: Option<Barrier>,
    /// Every call that was made.
    calls: Mutex<Vec<String>>,
    /// Every user's groups.
    groups: Mutex<BTreeSet<String>>,
}

impl Groups for &Pool {
    async fn add(&self, user: PoolUser<'_>, group: &str) -> Result<(), AddError> {
        let entry = format!("{}/{} in {group}", user.pool_id, user.name);
        self.calls.lock().unwrap().push(entry.clone());
        if let Some(barrier) = &self.together {
            barrier.wait().await;
        }
        if let Some((_, failure)) = self.failing.filter(|(name, _)| *name == group) {
            return Err(AddError::new(group, failure, "by hand"));
        }
        self.groups.lock().unwrap().insert(entry);
        Ok(())
    }
}

impl Pool {
    fn groups(&self) -> Vec<String> {
        self.groups.lock().unwrap().iter().cloned().collect()
    }
}

fn rules() -> Rules {
    let text = r#"
        version = 1
        [sign_up]
        mode = "open"
        [tenants]
        source = "directory"
        [[tenants.placements]]
        tenant = "acme"
        roles = ["member"]
        email_domains = ["acme.example"]
        [[groups]]
        name = "users"
        [[groups]]
        name = "staff"
        email_domains = ["acme.example"]
        [claims]
        token_version = "v2"
    "#;
    Rules::read(text).unwrap()
}

fn event(source: &str) -> Value {
    json!({
        "version": "1", "region": "eu-west-1", "userPoolId": "pool", "userName": "ann-name",
        "callerContext": {"clientId": "client"}, "triggerSource": source,
        "request": {
            "userAttributes": {"sub": "ann", "email": "ann@acme.example", "email_verified": "true"},
            "clientMetadata": {"role": "admin", "tenant": "beta"},
        },
        "response": {},
    })
}

const CONFIRMED: &str = "PostConfirmation_ConfirmSignUp";

async fn answer(directory: Directory, pool: &Pool, event: &Value) -> Result<Answer, Failure> {
    let function = PostConfirmation::new(rules(), directory, pool);
    let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
    function.handle(&event.to_string(), &invocation).await
}

async fn keys(database: &Database) -> BTreeSet<String> {
    let items = database.items().await.unwrap();
    items.iter().map(|item| format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap())).collect()
}

fn acme_keys() -> BTreeSet<String> {
    ["USER#ann PROFILE", "acme#members ann"].map(str::to_owned).into()
}

const IN_BOTH: [&str; 2] = ["pool/ann-name in staff", "pool/ann-name in users"];

#[tokio::test]
async fn a_confirmed_user_is_provisioned_once_however_often_the_event_comes() {
    let database = Database::start().await.unwrap();
    let pool = Pool::default();
    for expected in ["Provisioned", "ProvisionedBefore", "ProvisionedBefore"] {
        let answer = answer(database.directory(), &pool, &event(CONFIRMED)).await.unwrap();
        assert_eq!((answer.code, answer.subject.as_deref()), (expected, Some("ann")), "O01, O03");
        assert_eq!(serde_json::from_str::<Value>(answer.body.as_str()).unwrap(), event(CONFIRMED), "T17");
    }
    assert_eq!(keys(&database).await, acme_keys());
    assert_eq!(pool.groups(), IN_BOTH);
}

#[tokio::test]
async fn ten_events_at_once_leave_one_of_each() {
    let database = Database::start().await.unwrap();
    let pool = Pool::default();
    let event = event(CONFIRMED);
    let answers = join_all((0..10).map(|_| answer(database.directory(), &pool, &event))).await;
    let codes: Vec<&str> = answers.into_iter().map(|answer| answer.unwrap().code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "Provisioned").count(), 1, "O03 {codes:?}");
    assert_eq!(keys(&database).await, acme_keys());
    assert_eq!(pool.groups(), IN_BOTH);
}

#[tokio::test]
async fn nothing_is_done_for_any_other_source() {
    let database = Database::start().await.unwrap();
    let table = [
        ("PostConfirmation_ConfirmForgotPassword", "NothingToProvision"),
        ("PostConfirmation_Future", "UnknownSource"),
        ("PreSignUp_SignUp", "UnknownSource"),
        ("", "UnknownSource"),
    ];
    for (source, expected) in table {
        let calls = Calls::default();
        let directory = Directory::new(database.recorded(&calls), TABLE);
        let pool = Pool::default();
        let mut event = event(source);
        event["request"]["userAttributes"]["new"] = json!({"of": ["any", "shape"]});
        event["response"] = json!({"kept": 1.5});
        let answer = answer(directory, &pool, &event).await.unwrap();
        assert_eq!(answer.code, expected, "O02, T01 {source}");
        assert_eq!(serde_json::from_str::<Value>(answer.body.as_str()).unwrap(), event, "{source}");
        assert_eq!((calls.take(), pool.groups()), (Vec::new(), Vec::new()), "{source}");
    }
}

#[tokio::test]
async fn what_one_step_lacks_a_retry_completes() {
    // A group that the pool lacks costs nothing else. One that may come later comes
    // first: while the profile is missing, the next token makes up for both.
    let table = [
        (AddFailure::GroupMissing, "GroupMissing", acme_keys(), "ProvisionedBefore"),
        (AddFailure::Unreachable, "PoolUnreachable", BTreeSet::new(), "Provisioned"),
        (AddFailure::UserMissing, "UserMissing", BTreeSet::new(), "Provisioned"),
    ];
    for (reason, code, written, then) in table {
        let database = Database::start().await.unwrap();
        let mut pool = Pool { failing: Some(("staff", reason)), ..Pool::default() };
        let failure = answer(database.directory(), &pool, &event(CONFIRMED)).await.unwrap_err();
        assert_eq!((failure.code(), failure.public()), (code, PublicText::TryAgain), "O04, O05");
        assert!(failure.cause().unwrap().contains("staff"), "{reason:?}");
        assert_eq!(keys(&database).await, written, "{reason:?}");
        assert_eq!(pool.groups(), ["pool/ann-name in users"], "{reason:?}: one group costs no other");

        pool.failing = None;
        let answer = answer(database.directory(), &pool, &event(CONFIRMED)).await.unwrap();
        assert_eq!(answer.code, then, "{reason:?}");
        assert_eq!(keys(&database).await, acme_keys(), "{reason:?}");
        assert_eq!(pool.groups(), IN_BOTH, "{reason:?}");
    }
}

#[tokio::test]
async fn what_a_user_brought_along_is_given_with_the_rest() {
    let database = Database::start().await.unwrap();
    let pool = Pool::default();
    let memberships = [(TenantId::parse("beta").unwrap(), BTreeSet::new())].into();
    let groups = ["beta:admin", "staff"].map(str::to_owned).into();
    let arrival = Arrival::new(LegacyId::parse("7").unwrap(), "ann@acme.example", memberships, groups).unwrap();
    database.directory().put_arrival(&arrival, NOW).await.unwrap();
    let mut event = event(CONFIRMED);
    event["request"]["userAttributes"]["custom:legacy_id"] = json!("7");
    for expected in ["Provisioned", "ProvisionedBefore"] {
        assert_eq!(answer(database.directory(), &pool, &event).await.unwrap().code, expected);
        let written = ["USER#ann PROFILE", "acme#members ann", "beta#members ann"].map(str::to_owned).into();
        assert_eq!(keys(&database).await, written, "{expected}");
        let groups = ["beta:admin", "staff", "users"].map(|group| format!("pool/ann-name in {group}"));
        assert_eq!(pool.groups(), groups, "{expected}");
    }
    let calls = pool.calls.lock().unwrap().len();
    assert_eq!(calls, 3 + 2, "no group is asked for twice in one go, and none that was used up");
}

#[tokio::test]
async fn the_groups_are_added_side_by_side() {
    let database = Database::start().await.unwrap();
    let pool = Pool { together: Some(Barrier::new(2)), ..Pool::default() };
    let event = event(CONFIRMED);
    let call = answer(database.directory(), &pool, &event);
    tokio::time::timeout(Duration::from_secs(20), call).await.expect("one add waited for the other").unwrap();
    assert_eq!(pool.groups(), IN_BOTH);
}

#[tokio::test]
async fn without_a_database_the_groups_are_still_given_and_the_answer_is_safe() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    drop(database);
    tokio::task::yield_now().await;
    let pool = Pool { failing: Some(("users", AddFailure::GroupMissing)), ..Pool::default() };
    let failure = answer(directory, &pool, &event(CONFIRMED)).await.unwrap_err();
    assert_eq!((failure.code(), failure.public()), ("DirectoryUnreachable", PublicText::TryAgain), "O08");
    assert!(failure.cause().unwrap().contains("group users"), "both failures are in the log");
    assert_eq!(pool.groups(), ["pool/ann-name in staff"]);
}

#[tokio::test]
async fn an_event_that_does_not_say_who_is_refused_before_anything_is_done() {
    let without = |path: &str| {
        let mut event = event(CONFIRMED);
        let (parent, name) = path.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        event
    };
    let with = |path: &str, value: Value| {
        let mut event = event(CONFIRMED);
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let sub = "/request/userAttributes/sub";
    let table = [
        ("T06", without(sub), "SubjectMissing"),
        ("T06", without("/request/userAttributes"), "SubjectMissing"),
        ("T06", without("/request"), "SubjectMissing"),
        ("T05", with("/request/userAttributes", Value::Null), "SubjectMissing"),
        ("T09", with(sub, json!("acme#members")), "SubjectMissing"),
        ("T07", with(sub, json!(["ann"])), "EventUnreadable"),
        ("T06", without("/userName"), "UserNameMissing"),
        ("T06", with("/userName", json!("")), "UserNameMissing"),
        ("T06", without("/userPoolId"), "UserPoolMissing"),
    ];
    let database = Database::start().await.unwrap();
    for (name, event, expected) in table {
        let calls = Calls::default();
        let directory = Directory::new(database.recorded(&calls), TABLE);
        let pool = Pool::default();
        let failure = answer(directory, &pool, &event).await.unwrap_err();
        assert_eq!((failure.code(), failure.public()), (expected, PublicText::RequestUnreadable), "{name} {event}");
        assert_eq!((calls.take(), pool.calls.lock().unwrap().len()), (Vec::new(), 0), "{name} {event}");
    }
}

#[tokio::test]
async fn what_the_client_says_of_itself_places_nobody() {
    let database = Database::start().await.unwrap();
    let pool = Pool::default();
    let mut event = event(CONFIRMED);
    event["request"]["userAttributes"] =
        json!({"sub": "ann", "email": "ann@acme.example", "email_verified": "false", "custom:tenant": "acme"});
    answer(database.directory(), &pool, &event).await.unwrap();
    assert_eq!(keys(&database).await, ["USER#ann PROFILE".to_owned()].into(), "T13");
    assert_eq!(pool.groups(), ["pool/ann-name in users"]);
}

#[test]
fn the_table_must_be_named() {
    let path = std::env::temp_dir().join(format!("post-confirmation-{}.toml", std::process::id()));
    std::fs::write(&path, "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n[claims]\ntoken_version = \"v2\"\n").unwrap();
    for (name, accepted) in [(Some("users"), true), (Some(""), false), (None, false)] {
        let lookup = |key: &str| match key {
            "RULES_FILE" => path.to_str().map(str::to_owned),
            "DIRECTORY_TABLE" => name.map(str::to_owned),
            _ => None,
        };
        match Settings::read(&lookup) {
            Ok(settings) => assert_eq!((accepted, settings.directory_table.as_str()), (true, "users")),
            Err(error) => assert!(!accepted && error.to_string().starts_with("DIRECTORY_TABLE"), "{error}"),
        }
    }
    std::fs::remove_file(&path).unwrap();
}
