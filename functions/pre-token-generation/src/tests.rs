//! The function from event to reply. The claims have tables of their own.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

use directory::testing::{Calls, Database, TABLE};
use directory::{AddError, AddFailure, Directory, Error, Groups, Newcomer, Outcome, Person, Profile, Provisioned};
use serde_json::{Value, json};
use shared::names::{LegacyId, RoleName, TenantId};
use shared::provisioning::Arrival;
use shared::tenants::{Membership, Status};

use super::*;

const NOW: u64 = 1_800_000_000;

/// The groups of a pool, by hand.
#[derive(Debug, Default)]
struct Pool {
    /// What is said of a group instead of adding the user.
    failing: Mutex<Vec<(&'static str, AddFailure)>>,
    /// Every call that was made.
    calls: Mutex<Vec<String>>,
}

impl Groups for &Pool {
    async fn add(&self, user: PoolUser<'_>, group: &str) -> Result<(), AddError> {
        self.calls.lock().unwrap().push(format!("{}/{} in {group}", user.pool_id, user.name));
        match self.failing.lock().unwrap().iter().find(|(name, _)| *name == group) {
            None => Ok(()),
            Some((_, failure)) => Err(AddError::new(group, *failure, "by hand")),
        }
    }
}

impl Pool {
    /// A pool that says this of a group.
    fn failing(group: &'static str, failure: AddFailure) -> Self {
        Self { failing: Mutex::new(vec![(group, failure)]), ..Self::default() }
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

/// A directory by hand: answers in turn, and a note of every call.
#[derive(Debug, Default)]
struct Book {
    people: Mutex<VecDeque<Option<Person>>>,
    provisioned: Option<Provisioned>,
    calls: Mutex<Vec<&'static str>>,
}

impl People for &Book {
    async fn person(&self, subject: &Subject) -> Result<Person, Error> {
        assert_eq!(subject.as_str(), "ann");
        self.calls.lock().unwrap().push("person");
        self.people.lock().unwrap().pop_front().flatten().ok_or(Error::Unreachable("throttled".into()))
    }

    async fn provision(&self, _: &Rules, newcomer: Newcomer<'_>) -> Outcome {
        assert_eq!((newcomer.subject.as_str(), newcomer.now), ("ann", NOW));
        assert_eq!((newcomer.user.pool_id, newcomer.user.name), ("pool", "ann"));
        self.calls.lock().unwrap().push("provision");
        let profile = self.provisioned.clone().ok_or(Error::Unreachable("throttled".into()));
        Outcome { profile, joined: Vec::new(), failed: Vec::new() }
    }
}

impl Book {
    /// Answers with these people; `None` and the end are failures.
    fn of(people: impl IntoIterator<Item = Option<Person>>) -> Self {
        Self { people: Mutex::new(people.into_iter().collect()), ..Self::default() }
    }

    fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }
}

fn membership(tenant: &str, roles: &[&str], status: Status) -> Membership {
    let roles = roles.iter().map(|role| RoleName::parse(role).unwrap()).collect();
    Membership { tenant: TenantId::parse(tenant).unwrap(), roles, status }
}

fn person(chosen: Option<&str>, memberships: Vec<Membership>) -> Option<Person> {
    let active_tenant = chosen.map(|tenant| TenantId::parse(tenant).unwrap());
    Some(Person { profile: Some(Profile { active_tenant, email: None, created_at: 1, version: 1 }), memberships })
}

fn stranger() -> Option<Person> {
    Some(Person::default())
}

fn acme() -> Membership {
    membership("acme", &["admin", "member"], Status::Active)
}

fn beta() -> Membership {
    membership("beta", &[], Status::Active)
}

fn rules(source: &str, version: &str, rest: &str) -> Rules {
    let (token, format) = if version == "v1" { ("id", "format = \"text\"") } else { ("both", "") };
    let placement = r#"placements = [{ tenant = "acme", roles = ["member"], email_domains = ["acme.example"] }]"#;
    let placements = if source == "groups" { "" } else { placement };
    let text = format!(
        r#"
        version = 1
        [sign_up]
        mode = "open"
        [tenants]
        source = "{source}"
        {placements}
        [claims]
        token_version = "{version}"
        {rest}
        [[claims.map]]
        name = "tenant"
        token = "{token}"
        from = {{ membership = "tenant" }}
        [[claims.map]]
        name = "roles"
        token = "{token}"
        from = {{ membership = "roles" }}
        {format}
        "#
    );
    Rules::read(&text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn event(version: &str, source: &str) -> Value {
    let details = if version == "1" { "claimsOverrideDetails" } else { "claimsAndScopeOverrideDetails" };
    json!({
        "version": version, "region": "eu-west-1", "userPoolId": "pool", "userName": "ann",
        "callerContext": {"clientId": "client"}, "triggerSource": source,
        "request": {
            "userAttributes": {"sub": "ann", "email": "ann@acme.example", "email_verified": "true", "custom:tenant": "evil"},
            "groupConfiguration": {"groupsToOverride": ["users"], "iamRolesToOverride": [], "preferredRole": null},
            "scopes": ["openid"],
            "clientMetadata": {"tenant": "beta", "role": "admin"},
        },
        "response": {details: null},
    })
}

const SIGN_IN: &str = "TokenGeneration_Authentication";

async fn answer<P: People>(rules: Rules, people: Option<P>, event: &Value) -> Result<Answer, Failure> {
    let function = PreTokenGeneration::new(rules, people);
    let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
    function.handle(&event.to_string(), &invocation).await
}

/// The response alone, after a look that the rest is as it was.
fn response(answer: &Answer, event: &Value) -> Value {
    let mut reply: Value = serde_json::from_str(answer.body.as_str()).unwrap();
    let response = reply["response"].take();
    reply["response"] = event["response"].clone();
    assert_eq!(reply, *event, "only the response changes");
    response
}

#[tokio::test]
async fn each_version_is_answered_in_its_own_shape_and_without_empty_members() {
    let tokens = json!({"claimsToAddOrOverride": {"tenant": "acme", "roles": ["admin", "member"]}});
    let both = json!({"claimsAndScopeOverrideDetails":
        {"idTokenGeneration": tokens.clone(), "accessTokenGeneration": tokens.clone()}});
    let texts =
        json!({"claimsOverrideDetails": {"claimsToAddOrOverride": {"tenant": "acme", "roles": "admin member"}}});
    let suppressed = json!({"claimsAndScopeOverrideDetails": {
        "idTokenGeneration": {"claimsToAddOrOverride": tokens["claimsToAddOrOverride"], "claimsToSuppress": ["email"]},
        "accessTokenGeneration": tokens.clone(),
    }});
    let scoped = json!({"claimsAndScopeOverrideDetails": {
        "idTokenGeneration": tokens.clone(),
        "accessTokenGeneration": {
            "claimsToAddOrOverride": tokens["claimsToAddOrOverride"],
            "scopesToAdd": ["items/read"], "scopesToSuppress": ["openid"],
        },
    }});
    let scopes = "scopes = [{ add = [\"items/read\"], suppress = [\"openid\"], role = \"admin\" }]";
    let table = [
        ("v1", "0", "", texts.clone()),
        ("v1", "1", "", texts),
        ("v2", "2", "", both.clone()),
        ("v3", "3", "", both),
        ("v2", "2", "suppress = { id = [\"email\"] }", suppressed),
        ("v2", "2", scopes, scoped),
    ];
    for (configured, version, rest, expected) in table {
        let book = Book::of([person(None, vec![acme()])]);
        let event = event(version, SIGN_IN);
        let answer = answer(rules("directory", configured, rest), Some(&book), &event).await.unwrap();
        assert_eq!(response(&answer, &event), expected, "T17 {configured} {version} {rest}");
        assert_eq!((answer.code, answer.subject.as_deref()), ("OnlyMembership", Some("ann")), "{configured} {rest}");
        assert_eq!(book.calls(), ["person"], "{configured} {rest}");
    }
}

#[tokio::test]
async fn the_tenant_is_what_the_directory_says_and_nothing_else() {
    let suspended = || membership("acme", &["admin"], Status::Suspended);
    let table = [
        ("N05", person(None, vec![acme()]), Some("acme"), "OnlyMembership"),
        ("N06 none", person(None, vec![]), None, "NoMembership"),
        ("N06 suspended", person(None, vec![suspended()]), None, "Suspended"),
        ("N06 two", person(None, vec![acme(), beta()]), None, "ChoiceMissing"),
        ("N07 chosen", person(Some("beta"), vec![acme(), beta()]), Some("beta"), "Chosen"),
        ("N07 chosen, but no member", person(Some("beta"), vec![acme()]), Some("acme"), "OnlyMembership"),
        ("N06 chosen, but suspended", person(Some("acme"), vec![suspended(), beta()]), Some("beta"), "OnlyMembership"),
        ("N12", None, None, "DirectoryUnread"),
    ];
    for (name, person, expected, code) in table {
        for source in [SIGN_IN, "TokenGeneration_RefreshTokens", "TokenGeneration_Future"] {
            let book = Book::of([person.clone()]);
            let event = event("2", source);
            let answer = answer(rules("directory", "v2", ""), Some(&book), &event).await.unwrap();
            let response = response(&answer, &event);
            let claims = &response["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]["claimsToAddOrOverride"];
            assert_eq!(claims["tenant"].as_str(), expected, "{name} {source}");
            assert_eq!(
                claims.get("roles").is_some_and(|roles| !roles[0].is_null()),
                expected == Some("acme"),
                "{name}"
            );
            assert_eq!((answer.code, book.calls()), (code, vec!["person"]), "{name} {source}");
        }
    }
}

/// N12, where the rules want no token without the directory.
#[tokio::test]
async fn an_unread_directory_refuses_the_token_if_the_rules_say_so() {
    let refuse = r#"without_directory = "refuse""#;
    for (people, expected) in [(None, Some("DirectoryUnread")), (person(None, vec![acme()]), None)] {
        let book = Book::of([people]);
        let failure = answer(rules("directory", "v2", refuse), Some(&book), &event("2", SIGN_IN)).await.err();
        assert_eq!(failure.as_ref().map(Failure::code), expected);
        assert_eq!(failure.as_ref().map(Failure::public), expected.map(|_| PublicText::TryAgain));
        assert_eq!(failure.is_some_and(|failure| failure.cause().is_some()), expected.is_some());
    }
}

#[tokio::test]
async fn an_answer_that_changes_nothing_is_the_event_itself() {
    let event = event("2", SIGN_IN);
    let book = Book::of([None]);
    let answer = answer(rules("directory", "v2", ""), Some(&book), &event).await.unwrap();
    assert_eq!(response(&answer, &event), json!({"claimsAndScopeOverrideDetails": null}));
}

#[tokio::test]
async fn a_missing_profile_is_made_up_for_and_the_token_has_what_was_given() {
    let member = || membership("acme", &["member"], Status::Active);
    let lagging = |times: usize| {
        let mut people = vec![stranger(); times];
        people.push(person(None, vec![member()]));
        people
    };
    let now = || Some(Provisioned::Now(vec![member()]));
    let before = || Some(Provisioned::Before);
    let invited = Some(Person { profile: None, memberships: vec![beta()] });
    let table = [
        ("written by us", vec![stranger()], now(), Some("acme"), "Healed", 2),
        ("beside a membership that stood", vec![invited], now(), None, "Healed", 2),
        ("by another, seen at once", lagging(1), before(), Some("acme"), "OnlyMembership", 3),
        ("by another, seen late", lagging(3), before(), Some("acme"), "OnlyMembership", 5),
        ("by another, not seen", lagging(4), before(), None, "DirectoryUnread", 5),
        ("it cannot be written", vec![stranger()], None, None, "DirectoryUnread", 2),
        ("it cannot be read again", vec![stranger(), None], before(), None, "DirectoryUnread", 3),
    ];
    for (name, people, provisioned, expected, code, calls) in table {
        let book = Book { provisioned, ..Book::of(people) };
        let event = event("2", "TokenGeneration_NewPasswordChallenge");
        let answer = answer(rules("directory", "v2", ""), Some(&book), &event).await.unwrap();
        let response = response(&answer, &event);
        let claims = &response["claimsAndScopeOverrideDetails"]["idTokenGeneration"]["claimsToAddOrOverride"];
        assert_eq!((claims["tenant"].as_str(), answer.code), (expected, code), "{name}");
        assert_eq!(book.calls().len(), calls, "{name} {:?}", book.calls());
        assert_eq!(book.calls()[..2], ["person", "provision"], "{name}");
    }
}

#[tokio::test]
async fn groups_are_left_alone_unless_the_rules_say_otherwise() {
    let groups = json!(["users", "acme:admin", "beta:admin"]);
    let replaced = json!({"groupsToOverride": ["users", "acme:admin"], "iamRolesToOverride": []});
    let table = [
        ("keep", json!({"groupsToOverride": groups}), None),
        ("active-tenant", json!({"groupsToOverride": groups}), Some(replaced)),
        ("keep", json!(null), None),
        ("keep", json!({}), None),
        ("active-tenant", json!(null), None),
        ("active-tenant", json!({"groupsToOverride": null, "iamRolesToOverride": null}), None),
        ("active-tenant", json!({"groupsToOverride": []}), None),
    ];
    for (rule, configuration, expected) in table {
        let book = Book::of([person(None, vec![acme()])]);
        let mut event = event("2", SIGN_IN);
        event["request"]["groupConfiguration"] = configuration.clone();
        let rules = rules("directory", "v2", &format!("groups = \"{rule}\""));
        let answer = answer(rules, Some(&book), &event).await.unwrap();
        let response = response(&answer, &event);
        let details = response["claimsAndScopeOverrideDetails"].get("groupOverrideDetails");
        assert_eq!(details, expected.as_ref(), "N03 {rule} {configuration}");
    }
}

#[tokio::test]
async fn absent_null_and_empty_are_alike() {
    let names = ["groupConfiguration", "scopes", "clientMetadata"];
    for name in names {
        for value in [None, Some(Value::Null), Some(if name == "scopes" { json!([]) } else { json!({}) })] {
            let mut event = event("2", SIGN_IN);
            let request = event["request"].as_object_mut().unwrap();
            request.remove(name);
            request.extend(value.clone().map(|value| (name.to_owned(), value)));
            let book = Book::of([person(None, vec![acme()])]);
            let answer = answer(rules("directory", "v2", ""), Some(&book), &event).await.unwrap();
            assert_eq!(answer.code, "OnlyMembership", "T05 {name} {value:?}");
        }
    }
    for attributes in [None, Some(Value::Null), Some(json!({})), Some(json!({"sub": null}))] {
        let mut event = event("2", SIGN_IN);
        let request = event["request"].as_object_mut().unwrap();
        request.remove("userAttributes");
        request.extend(attributes.clone().map(|value| ("userAttributes".to_owned(), value)));
        let book = Book::default();
        let answer = answer(rules("directory", "v2", ""), Some(&book), &event).await.unwrap();
        assert_eq!((answer.code, book.calls().len()), ("DirectoryUnread", 0), "T05, T06 {attributes:?}");
    }
}

#[tokio::test]
async fn a_machine_is_asked_about_nowhere_and_gets_only_what_its_client_gets() {
    let mut event = event("3", "TokenGeneration_ClientCredentials");
    event["request"] = json!({"userAttributes": null, "groupConfiguration": {}, "scopes": ["items/read"]});
    let scopes = "scopes = [{ add = [\"items/write\"], client = \"client\" }, { add = [\"items/all\"] }]";
    let book = Book::default();
    let answer = answer(rules("directory", "v3", scopes), Some(&book), &event).await.unwrap();
    let expected =
        json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"scopesToAdd": ["items/write"]}}});
    assert_eq!(response(&answer, &event), expected, "N10");
    assert_eq!((answer.code, answer.subject, book.calls().len()), ("Machine", None, 0));
}

#[tokio::test]
async fn when_groups_say_it_all_the_directory_is_not_asked() {
    let mut event = event("2", SIGN_IN);
    event["request"]["groupConfiguration"]["groupsToOverride"] = json!(["acme:member"]);
    let answer = answer(rules("groups", "v2", ""), None::<&Book>, &event).await.unwrap();
    let claims =
        &response(&answer, &event)["claimsAndScopeOverrideDetails"]["idTokenGeneration"]["claimsToAddOrOverride"];
    assert_eq!(*claims, json!({"tenant": "acme", "roles": ["member"]}));
}

#[tokio::test]
async fn an_event_that_is_not_about_a_token_gets_none() {
    let mut twice = event("2", SIGN_IN).to_string();
    twice.insert_str(1, "\"userName\":\"bob\",");
    let mut odd = event("2", SIGN_IN);
    odd["triggerSource"] = json!(7);
    let mut attribute = event("2", SIGN_IN);
    attribute["request"]["userAttributes"]["name"] = json!({"a": 1});
    let table = [
        ("T01", event("2", "PreSignUp_SignUp").to_string(), "UnknownSource"),
        ("T01", event("2", "").to_string(), "UnknownSource"),
        ("T01", odd.to_string(), "UnknownSource"),
        ("T07", attribute.to_string(), "EventUnreadable"),
        ("T15", twice, "EventUnreadable"),
        ("version", event("4", SIGN_IN).to_string(), "UnknownEventVersion"),
    ];
    for (name, event, expected) in table {
        let book = Book::of([person(None, vec![acme()])]);
        let function = PreTokenGeneration::new(rules("directory", "v2", ""), Some(&book));
        let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
        let failure = function.handle(&event, &invocation).await.unwrap_err();
        assert_eq!((failure.code(), failure.public()), (expected, PublicText::RequestUnreadable), "{name}");
        assert_eq!(book.calls().len(), 0, "{name}");
    }
}

#[tokio::test]
async fn the_first_token_provisions_and_every_later_one_is_one_round_trip() {
    let database = Database::start().await.unwrap();
    let calls = Calls::default();
    let event = event("2", SIGN_IN);
    let mut bodies = BTreeSet::new();
    let transactions = ["Query", "Query", "TransactWriteItems"];
    for (code, expected) in
        [("Healed", &transactions[..]), ("OnlyMembership", &["Query"]), ("OnlyMembership", &["Query"])]
    {
        let pool = Pool::default();
        let register = Register::new(Directory::new(database.recorded(&calls), TABLE), &pool);
        let answer = answer(rules("directory", "v2", ""), Some(register), &event).await.unwrap();
        assert_eq!((answer.code, calls.take()), (code, expected.iter().map(|&call| call.to_owned()).collect()));
        bodies.insert(answer.body.as_str().to_owned());
    }
    assert_eq!(bodies.len(), 1, "the same facts give the same answer");
}

/// What ann brought along from the old system.
fn arrival(address: &str, groups: &[&str]) -> Arrival {
    let memberships = [(TenantId::parse("acme").unwrap(), [RoleName::parse("admin").unwrap()].into())].into();
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    Arrival::new(LegacyId::parse("7").unwrap(), address, memberships, groups).unwrap()
}

/// The event of a user who was moved in, with these groups in the pool.
fn moved_in(version: &str, groups: &[&str]) -> Value {
    let mut event = event(version, SIGN_IN);
    event["request"]["userAttributes"]["custom:legacy_id"] = json!("7");
    event["request"]["groupConfiguration"] =
        json!({"groupsToOverride": groups, "iamRolesToOverride": ["arn:r"], "preferredRole": "arn:r"});
    event
}

fn added<'a>(response: &'a Value, name: &str) -> &'a Value {
    &response["claimsAndScopeOverrideDetails"]["idTokenGeneration"]["claimsToAddOrOverride"][name]
}

#[tokio::test]
async fn the_first_token_of_a_user_who_was_moved_in_has_all_that_was_brought_along() {
    let groups = r#"[[claims.map]]
        name = "my_groups"
        token = "both"
        from = { groups = true }"#;
    for version in ["1", "2"] {
        let (database, calls, pool) = (Database::start().await.unwrap(), Calls::default(), Pool::default());
        database.directory().put_arrival(&arrival("ANN@acme.example", &["staff", "users"]), NOW).await.unwrap();
        let register = || Register::new(Directory::new(database.recorded(&calls), TABLE), &pool);
        let rules = || match version {
            "1" => rules("directory", "v1", ""),
            _ => rules("directory", "v2", groups),
        };
        let first = moved_in(version, &["users", "olders"]);
        let healed = answer(rules(), Some(register()), &first).await.unwrap();
        assert_eq!((healed.code, healed.cause.as_deref()), ("Healed", None), "v{version}");
        let mut made = calls.take();
        made[1..3].sort_unstable();
        assert_eq!(made, ["Query", "GetItem", "Query", "TransactWriteItems"], "v{version}");
        assert_eq!(pool.calls(), ["pool/ann in staff", "pool/ann in users"], "v{version}");
        let response = response(&healed, &first);
        let details = if version == "1" { "claimsOverrideDetails" } else { "claimsAndScopeOverrideDetails" };
        let expected = json!({
            "groupsToOverride": ["users", "olders", "staff"], "iamRolesToOverride": ["arn:r"], "preferredRole": "arn:r",
        });
        assert_eq!(response[details]["groupOverrideDetails"], expected, "v{version}");
        if version == "2" {
            assert_eq!(*added(&response, "tenant"), json!("acme"));
            assert_eq!(*added(&response, "roles"), json!(["admin", "member"]));
            assert_eq!(*added(&response, "my_groups"), json!(["users", "olders", "staff"]));
        }

        // From then on the pool says the groups itself, and one read is all.
        let second = moved_in(version, &["users", "olders", "staff"]);
        for _ in 0..2 {
            let warm = answer(rules(), Some(register()), &second).await.unwrap();
            assert_eq!((warm.code, calls.take()), ("OnlyMembership", vec!["Query".to_owned()]), "v{version}");
            assert!(pool.calls().is_empty() && !warm.body.as_str().contains("groupOverrideDetails"), "v{version}");
            let warm: Value = serde_json::from_str(warm.body.as_str()).unwrap();
            assert_eq!(added(&warm["response"], "my_groups"), added(&response, "my_groups"), "v{version}");
        }
    }
}

#[tokio::test]
async fn an_identifier_that_a_client_wrote_gives_nothing_without_the_address() {
    let (database, pool) = (Database::start().await.unwrap(), Pool::default());
    database.directory().put_arrival(&arrival("bob@acme.example", &["staff"]), NOW).await.unwrap();
    let event = moved_in("2", &["users"]);
    let register = Register::new(database.directory(), &pool);
    let answer = answer(rules("directory", "v2", ""), Some(register), &event).await.unwrap();
    let response = response(&answer, &event);
    assert_eq!(*added(&response, "roles"), json!(["member"]), "the placement, and not the other's role");
    assert!(pool.calls().is_empty() && !response.to_string().contains("groupOverrideDetails"));
}

#[tokio::test]
async fn what_the_pool_says_of_a_group_never_ends_a_sign_in() {
    let table = [
        (AddFailure::GroupMissing, "GroupMissing", Some("acme"), vec!["users"]),
        (AddFailure::Unreachable, "DirectoryUnread", None, vec![]),
        (AddFailure::UserMissing, "DirectoryUnread", None, vec![]),
    ];
    for (failure, code, tenant, joined) in table {
        let (database, pool) = (Database::start().await.unwrap(), Pool::failing("staff", failure));
        database.directory().put_arrival(&arrival("ann@acme.example", &["staff", "users"]), NOW).await.unwrap();
        let event = moved_in("2", &[]);
        let register = || Register::new(database.directory(), &pool);
        let first = answer(rules("directory", "v2", ""), Some(register()), &event).await.unwrap();
        assert_eq!(first.code, code, "{failure:?}");
        assert!(first.cause.as_ref().is_some_and(|cause| cause.contains("group staff")), "{:?}", first.cause);
        let details = response(&first, &event);
        assert_eq!(added(&details, "tenant").as_str(), tenant, "{failure:?}");
        let groups = &details["claimsAndScopeOverrideDetails"]["groupOverrideDetails"]["groupsToOverride"];
        assert_eq!(groups.as_array().cloned().unwrap_or_default(), joined, "{failure:?}");

        // As soon as the pool answers, the next token makes up for it.
        pool.failing.lock().unwrap().clear();
        let second = answer(rules("directory", "v2", ""), Some(register()), &event).await.unwrap();
        assert_eq!(*added(&response(&second, &event), "tenant"), json!("acme"), "{failure:?}");
        assert_eq!(second.code, if tenant.is_some() { "OnlyMembership" } else { "Healed" }, "{failure:?}");
    }
}

#[tokio::test]
async fn a_group_that_was_brought_along_gives_no_way_around_a_suspension() {
    let (database, pool) = (Database::start().await.unwrap(), Pool::default());
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let number = |digits: &str| aws_sdk_dynamodb::types::AttributeValue::N(digits.to_owned());
    let suspended = [
        ("pk", text("acme#members")),
        ("sk", text("ann")),
        ("subject", text("USER#ann")),
        ("tenant", text("acme")),
        ("status", text("suspended")),
        ("created_at", number("1")),
        ("version", number("1")),
    ];
    database.put(suspended.map(|(name, value)| (name.to_owned(), value)).into()).await.unwrap();
    database.directory().put_arrival(&arrival("ann@acme.example", &["acme:admin"]), NOW).await.unwrap();
    for (event, code) in [(moved_in("2", &[]), "Healed"), (moved_in("2", &["acme:admin"]), "Suspended")] {
        let register = Register::new(database.directory(), &pool);
        let answer = answer(rules("both", "v2", ""), Some(register), &event).await.unwrap();
        let response = response(&answer, &event);
        assert_eq!(answer.code, code);
        assert!(added(&response, "tenant").is_null() && added(&response, "roles").as_array().is_none_or(Vec::is_empty));
    }
}

#[tokio::test]
async fn where_groups_say_it_all_only_a_user_who_was_moved_in_is_looked_up() {
    let (database, calls, pool) = (Database::start().await.unwrap(), Calls::default(), Pool::default());
    database.directory().put_arrival(&arrival("ann@acme.example", &["acme:owner"]), NOW).await.unwrap();
    let directory = Directory::new(database.recorded(&calls), TABLE);
    let register = || Register::new(directory.clone(), &pool);
    let rules = || rules("groups", "v2", "");

    let mut other = event("2", SIGN_IN);
    other["request"]["groupConfiguration"]["groupsToOverride"] = json!(["acme:member"]);
    let told = answer(rules(), Some(register()), &other).await.unwrap();
    assert_eq!((told.code, calls.take().len()), ("OnlyMembership", 0));

    let first = moved_in("2", &["beta:member"]);
    for (code, event) in [("Healed", first.clone()), ("ChoiceMissing", moved_in("2", &["beta:member", "acme:owner"]))] {
        let told = answer(rules(), Some(register()), &event).await.unwrap();
        assert_eq!(told.code, code);
        let made = calls.take();
        assert_eq!(made.len(), if code == "Healed" { 4 } else { 1 }, "{made:?}");
    }
    let mine = moved_in("2", &["acme:owner"]);
    let told = answer(rules(), Some(register()), &mine).await.unwrap();
    assert_eq!(*added(&response(&told, &mine), "roles"), json!(["owner"]), "and never what the table says of roles");

    // What the pool says stands without the directory; what it may lack is said in the log.
    drop(database);
    tokio::task::yield_now().await;
    let told = answer(rules(), Some(register()), &mine).await.unwrap();
    assert_eq!(*added(&response(&told, &mine), "roles"), json!(["owner"]));
    assert_eq!(told.code, "DirectoryUnread");
    assert!(told.cause.unwrap().starts_with("issued without what the user may have brought along"));
}

/// A directory that never answers.
struct Silence;

impl People for Silence {
    async fn person(&self, _: &Subject) -> Result<Person, Error> {
        std::future::pending().await
    }

    async fn provision(&self, _: &Rules, _: Newcomer<'_>) -> Outcome {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_directory_that_never_answers_costs_rights_and_not_the_sign_in() {
    let event = event("2", SIGN_IN);
    let begun = std::time::Instant::now();
    let answer = answer(rules("directory", "v2", ""), Some(Silence), &event).await.unwrap();
    assert_eq!((answer.code, response(&answer, &event)), ("DirectoryUnread", event["response"].clone()), "N12");
    assert!(begun.elapsed().as_millis() < u128::from(PreTokenGeneration::<Silence>::LIMIT_MS), "T19");
}

#[tokio::test]
async fn without_a_database_a_token_goes_out_without_rights() {
    let database = Database::start().await.unwrap();
    let directory = database.directory();
    drop(database);
    tokio::task::yield_now().await;
    let event = event("2", SIGN_IN);
    let pool = Pool::default();
    let answer = answer(rules("both", "v2", ""), Some(Register::new(directory, &pool)), &event).await.unwrap();
    assert_eq!(answer.code, "DirectoryUnread", "N12");
    assert_eq!(response(&answer, &event), event["response"], "N12");
}

#[test]
fn the_table_must_be_named_unless_groups_say_it_all() {
    let folder = std::env::temp_dir().join(format!("pre-token-generation-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let table = [
        ("directory", Some("users"), Some(Some("users"))),
        ("directory", Some(""), None),
        ("both", None, None),
        ("both", Some("users"), Some(Some("users"))),
        ("groups", None, Some(None)),
        ("groups", Some("users"), Some(Some("users"))),
    ];
    for (source, name, expected) in table {
        let path = folder.join(format!("{source}.toml"));
        let text = format!(
            "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"{source}\"\n[claims]\ntoken_version = \"v2\"\n"
        );
        std::fs::write(&path, text).unwrap();
        let lookup = |key: &str| match key {
            "RULES_FILE" => path.to_str().map(str::to_owned),
            "DIRECTORY_TABLE" => name.map(str::to_owned),
            _ => None,
        };
        let settings = Settings::read(&lookup);
        let found = settings.as_ref().ok().map(|settings| settings.directory_table.as_deref());
        assert_eq!(found, expected, "{source} {name:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
