//! The function from event to reply. The rules have tables of their own.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use shared::linking::{Candidate, Found, Link, NewUser};

use super::*;

const NOW: u64 = 1_800_000_000;

/// Invitations by hand.
#[derive(Debug)]
enum Known {
    Only(&'static str),
    Unreachable,
}

#[derive(Debug)]
struct Counted {
    known: Known,
    asked: AtomicU32,
}

impl Invitations for &Counted {
    async fn is_invited(&self, address: &EmailAddress, now: u64) -> Result<bool, directory::Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert_eq!(now, NOW);
        match self.known {
            Known::Only(known) => Ok(address.as_str() == known),
            Known::Unreachable => Err(directory::Error::Unreachable("table users-eu is throttled".into())),
        }
    }
}

/// A pool that nobody may ask.
#[derive(Debug)]
struct Unasked;

impl Accounts for Unasked {
    async fn find(&self, _: PoolId<'_>, _: &EmailAddress) -> Result<Found, AccountsError> {
        unreachable!("the pool is asked for users")
    }
    async fn user(&self, _: PoolId<'_>, _: &str) -> Result<Candidate, AccountsError> {
        unreachable!("the pool is asked for a user")
    }
    async fn link(&self, _: PoolId<'_>, _: &Link) -> Result<LinkAnswer, AccountsError> {
        unreachable!("the pool is asked for a link")
    }
    async fn create(&self, _: PoolId<'_>, _: &NewUser) -> Result<String, AccountsError> {
        unreachable!("the pool is asked to make a user")
    }
    async fn confirm(&self, _: PoolId<'_>, _: &str) -> Result<(), AccountsError> {
        unreachable!("the pool is asked to confirm a user")
    }
}

fn rules(mode: &str) -> Rules {
    let text = format!(
        r#"
        version = 1
        [sign_up]
        mode = "{mode}"
        blocked_domains = ["blocked.example"]
        required_attributes = ["email"]
        forbidden_attributes = ["custom:tenant", "custom:role"]
        [[providers]]
        name = "Google"
        trusts_email = true
        [tenants]
        source = "directory"
        [claims]
        token_version = "v2"
        "#
    );
    Rules::read(&text).unwrap()
}

/// The reply and the number of questions asked.
async fn answer(mode: &str, known: Known, event: &Value) -> (Result<Answer, Failure>, u32) {
    let invitations = Counted { known, asked: AtomicU32::new(0) };
    let function = PreSignUp::new(rules(mode), &invitations, Unasked, ChallengeCheck::OFF);
    let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
    let event = event.to_string();
    let answer = function.handle(&event, &invocation).await;
    (answer, invitations.asked.load(Ordering::Relaxed))
}

fn event(source: &str, attributes: &Value) -> Value {
    json!({
        "version": "1", "region": "eu-west-1", "userPoolId": "eu-west-1_pool", "userName": "ann",
        "callerContext": {"awsSdkVersion": "x", "clientId": "client"}, "triggerSource": source,
        "request": {"userAttributes": attributes, "validationData": null, "clientMetadata": {"role": "admin"}},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    })
}

fn code(answer: &Result<Answer, Failure>) -> &'static str {
    match answer {
        Ok(answer) => answer.code,
        Err(failure) => failure.code(),
    }
}

#[tokio::test]
async fn an_accepted_sign_up_goes_back_unchanged_whatever_the_event_says() {
    let ann = json!({"email": "ann@acme.example"});
    let mut tempting = event("PreSignUp_SignUp", &ann);
    tempting["response"] = json!({"autoConfirmUser": true, "autoVerifyEmail": true, "autoVerifyPhone": true});
    let mut bare = event("PreSignUp_SignUp", &ann);
    bare.as_object_mut().unwrap().remove("response");
    let google = json!({
        "email": "ann@acme.example", "email_verified": true,
        "identities": r#"[{"providerName":"Google","providerType":"Google","userId":"123"}]"#,
    });
    let mut federated = event("PreSignUp_ExternalProvider", &google);
    federated["userName"] = json!("Google_123");
    let table = [
        ("U01", event("PreSignUp_SignUp", &ann)),
        ("U02", tempting),
        ("U04", bare),
        ("U23", event("PreSignUp_AdminCreateUser", &json!({"email": "ann@blocked.example"}))),
        ("U22", federated),
    ];
    for (name, event) in table {
        let (answer, asked) = answer("open", Known::Unreachable, &event).await;
        let answer = answer.unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        let mut expected = event;
        expected["response"] = json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false});
        assert_eq!(serde_json::from_str::<Value>(answer.body.as_str()).unwrap(), expected, "{name}");
        assert_eq!((answer.code, asked), ("Accepted", 0), "{name}");
    }
}

#[tokio::test]
async fn a_source_that_is_not_known_is_refused() {
    let ann = json!({"email": "ann@acme.example"});
    for source in ["PreSignUp_Future", "", "PreSignUp", "presignup_signup", "TokenGeneration_HostedAuth"] {
        let (answer, asked) = answer("invited", Known::Only("ann@acme.example"), &event(source, &ann)).await;
        assert_eq!((code(&answer), asked), ("UnknownSource", 0), "T01 {source:?}");
    }
    for source in [Value::Null, json!(7), json!({})] {
        let mut odd = event("", &ann);
        odd["triggerSource"] = source;
        assert_eq!(code(&answer("open", Known::Unreachable, &odd).await.0), "UnknownSource", "T01");
    }
}

#[tokio::test]
async fn only_sign_up_by_invitation_asks_and_it_asks_once() {
    let invited = || Known::Only("ann@acme.example");
    let ann = json!({"email": "Ann@acme.example"});
    let bob = json!({"email": "bob@acme.example"});
    let table = [
        ("open", "PreSignUp_SignUp", &bob, "Accepted", 0),
        ("invited", "PreSignUp_SignUp", &ann, "Accepted", 1),
        ("invited", "PreSignUp_SignUp", &bob, "NotInvited", 1),
        ("invited", "PreSignUp_AdminCreateUser", &bob, "Accepted", 0),
        ("closed", "PreSignUp_SignUp", &ann, "SignUpClosed", 0),
        ("closed", "PreSignUp_AdminCreateUser", &ann, "Accepted", 0),
    ];
    for (mode, source, attributes, expected, questions) in table {
        let (answer, asked) = answer(mode, invited(), &event(source, attributes)).await;
        assert_eq!((code(&answer), asked), (expected, questions), "{mode} {source} {attributes}");
    }
}

#[tokio::test]
async fn what_is_refused_is_told_in_a_fixed_sentence() {
    use PublicText::{AddressRefused, DetailsRefused, RequestUnreadable, SignUpRefused};
    let table = [
        ("U26", json!({"email": "a@acme.example", "custom:tenant": "t2"}), "AttributeForbidden", DetailsRefused),
        ("T05", json!(null), "AttributeMissing", DetailsRefused),
        ("U05", json!({"email": "a@acme.example,b@evil.example"}), "EmailMalformed", AddressRefused),
        ("U05", json!({"email": "a@blocked.example"}), "DomainBlocked", AddressRefused),
        ("T07", json!({"email": ["a@acme.example"]}), "EventUnreadable", RequestUnreadable),
        ("T08", json!({"email": "a@acme.example", "name": "x".repeat(2049)}), "EventUnreadable", RequestUnreadable),
        ("invitation", json!({"email": "a@acme.example"}), "NotInvited", SignUpRefused),
    ];
    for (name, attributes, expected, public) in table {
        let event = event("PreSignUp_SignUp", &attributes);
        let failure = answer("invited", Known::Only("b@acme.example"), &event).await.0.unwrap_err();
        assert_eq!((failure.code(), failure.public()), (expected, public), "{name} {attributes}");
    }
}

#[tokio::test]
async fn when_invitations_cannot_be_read_nobody_gets_in_and_nobody_learns_why() {
    let event = event("PreSignUp_SignUp", &json!({"email": "ann@acme.example"}));
    let failure = answer("invited", Known::Unreachable, &event).await.0.unwrap_err();
    assert_eq!((failure.code(), failure.public()), ("DirectoryUnreachable", PublicText::TryAgain));
    assert!(failure.cause().unwrap().contains("throttled"));
}

#[tokio::test]
async fn without_need_no_client_is_built_and_a_question_is_a_failure() {
    let settings = Settings { rules: rules("open"), directory_table: None, challenge_secret_arn: None };
    let (table, accounts, challenges) = connect(&settings).await.unwrap();
    let error = challenges.spend(&ChallengeToken::new("token".to_owned()), NOW).await.unwrap_err();
    assert_eq!(error.code(), "ChallengeNotConfigured");
    let address = EmailAddress::parse("ann@acme.example").unwrap();
    let error = table.is_invited(&address, NOW).await.unwrap_err();
    assert_eq!(error.code(), "DirectoryNotConfigured");
    let error = accounts.find(PoolId("eu-west-1_pool"), &address).await.unwrap_err();
    assert_eq!(error.code(), "PoolNotConfigured");
}

#[tokio::test]
async fn any_part_of_the_envelope_may_be_missing_without_a_panic() {
    let whole = event("PreSignUp_SignUp", &json!({"email": "ann@acme.example"}));
    let names: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
    for first in &names {
        for second in &names {
            let mut event = whole.clone();
            event.as_object_mut().unwrap().retain(|name, _| name != first && name != second);
            let accepted = answer("open", Known::Unreachable, &event).await.0.is_ok();
            let needed = ["triggerSource", "request"];
            let lacks = needed.contains(&first.as_str()) || needed.contains(&second.as_str());
            assert_eq!(accepted, !lacks, "T06 without {first} and {second}");
        }
    }
}

#[test]
fn each_setting_belongs_to_what_the_rules_ask() {
    let text = |mode: &str, challenge: bool| {
        let challenge = if challenge { CHALLENGE } else { "" };
        let rest = "[tenants]\nsource = \"directory\"\n[claims]\ntoken_version = \"v2\"\n";
        format!("version = 1\n[sign_up]\nmode = \"{mode}\"\n{challenge}{rest}")
    };
    let (users, arn) = (Some("users"), Some("arn"));
    let no_table = Err("DIRECTORY_TABLE is missing; sign-up ");
    let table = [
        ("open", false, None, None, Ok((None, None))),
        ("open", false, users, None, Ok((None, None))),
        ("closed", false, None, None, Ok((None, None))),
        ("invited", false, users, None, Ok((users, None))),
        ("invited", false, Some(""), None, no_table),
        ("invited", false, None, None, no_table),
        ("open", true, users, arn, Ok((users, arn))),
        ("invited", true, users, arn, Ok((users, arn))),
        ("closed", true, users, arn, Ok((users, arn))),
        ("open", true, None, arn, no_table),
        ("open", true, users, None, Err("CHALLENGE_SECRET_ARN is missing; sign_up.challenge")),
        ("open", true, users, Some(""), Err("CHALLENGE_SECRET_ARN is missing; sign_up.challenge")),
        ("open", false, users, arn, Err("CHALLENGE_SECRET_ARN is there, but the rules have no")),
    ];
    for (mode, challenge, table, secret, expected) in table {
        let lookup = |key: &str| match key {
            "DIRECTORY_TABLE" => table.map(str::to_owned),
            "CHALLENGE_SECRET_ARN" => secret.map(str::to_owned),
            _ => None,
        };
        let settings = Settings::with_rules(&lookup, Rules::read(&text(mode, challenge)).unwrap());
        let name = format!("{mode} {challenge} {table:?} {secret:?}: {settings:?}");
        match (&settings, expected) {
            (Ok(settings), Ok(expected)) => {
                let found = (settings.directory_table.as_deref(), settings.challenge_secret_arn.as_deref());
                assert_eq!(found, expected, "{name}");
            }
            (Err(error), Err(expected)) => assert!(error.to_string().starts_with(expected), "{name}"),
            (_, _) => panic!("{name}"),
        }
    }
}

const CHALLENGE: &str = "challenge = { parameter = \"captcha\", verify_url = \"https://verify.example/\" }\n";

/// A challenge whose tokens are worth what their name says.
#[derive(Debug, Default)]
struct ByName(AtomicU32);

impl Challenges for &ByName {
    async fn spend(&self, token: &ChallengeToken, now: u64) -> Result<ChallengeOutcome, ChallengeError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!(now, NOW);
        match token.as_str() {
            "good" => Ok(ChallengeOutcome::Solved { hostname: None }),
            "used" => Ok(ChallengeOutcome::Used),
            "bad" => Ok(ChallengeOutcome::Failed),
            "hanging" => Err(ChallengeError::Unanswered(shell::https::HttpsError::TimedOut)),
            "throttled" => Err(ChallengeError::Directory(directory::Error::Contended)),
            other => panic!("asked about {other}"),
        }
    }
}

#[tokio::test]
async fn a_token_is_taken_from_its_name_in_validation_data() {
    let table = [
        (json!({"captcha": "good"}), "Accepted", 1),
        (json!({"captcha": "good", "other": "bad", "more": {"x": [1e300]}}), "Accepted", 1),
        (json!({"captcha": "used"}), "ChallengeUsed", 1),
        (json!({"captcha": "bad"}), "ChallengeFailed", 1),
        (json!({"captcha": "hanging"}), "ChallengeTimedOut", 1),
        (json!({"captcha": "throttled"}), "DirectoryContended", 1),
        (json!({"captcha": ""}), "ChallengeMissing", 0),
        (json!({"captcha": null}), "ChallengeMissing", 0),
        (json!({"captcha": 7}), "ChallengeMissing", 0),
        (json!({"captcha": ["good"]}), "ChallengeMissing", 0),
        (json!({"Captcha": "good"}), "ChallengeMissing", 0),
        (json!([{"Name": "captcha", "Value": "good"}]), "ChallengeMissing", 0),
        (json!("good"), "ChallengeMissing", 0),
        (json!(null), "ChallengeMissing", 0),
        (json!({"captcha": "x".repeat(4097)}), "ChallengeFailed", 0),
    ];
    let text = format!(
        "version = 1\n[sign_up]\nmode = \"open\"\n{CHALLENGE}[tenants]\nsource = \"directory\"\n[claims]\ntoken_version = \"v2\"\n"
    );
    for (validation, expected, questions) in table {
        let invitations = Counted { known: Known::Unreachable, asked: AtomicU32::new(0) };
        let challenges = ByName::default();
        let function = PreSignUp::new(Rules::read(&text).unwrap(), &invitations, Unasked, &challenges);
        let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
        let mut sign_up = event("PreSignUp_SignUp", &json!({"email": "ann@acme.example"}));
        sign_up["request"]["validationData"] = validation.clone();
        let answer = function.handle(&sign_up.to_string(), &invocation).await;
        let asked = challenges.0.load(Ordering::Relaxed);
        assert_eq!((code(&answer), asked), (expected, questions), "U25 {validation:.60}");
        if let Err(failure) = answer {
            let unanswered = ["ChallengeTimedOut", "DirectoryContended"].contains(&expected);
            let public = if unanswered { PublicText::TryAgain } else { PublicText::DetailsRefused };
            assert_eq!(failure.public(), public, "U25 {validation:.60}");
        }
        // Who turns the challenge off is asked nothing, whatever is sent.
        let (without, _) = self::answer("open", Known::Unreachable, &sign_up).await;
        assert_eq!(code(&without), "Accepted", "{validation:.60}");
    }
}
