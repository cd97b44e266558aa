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
    let function = PreSignUp::new(rules(mode), &invitations, Unasked);
    let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
    let event = RawValue::from_string(event.to_string()).unwrap();
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
        assert_eq!(serde_json::from_str::<Value>(answer.body.get()).unwrap(), expected, "{name}");
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
    let settings = Settings { rules: rules("open"), invitation_table: None };
    let (table, accounts) = connect(&settings).await;
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
fn the_table_must_be_named_only_for_sign_up_by_invitation() {
    let folder = std::env::temp_dir().join(format!("pre-sign-up-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = |mode: &str| {
        format!(
            "version = 1\n[sign_up]\nmode = \"{mode}\"\n[tenants]\nsource = \"directory\"\n[claims]\ntoken_version = \"v2\"\n"
        )
    };
    let table = [
        ("open", None, Some(None)),
        ("open", Some("users"), Some(None)),
        ("closed", None, Some(None)),
        ("invited", Some("users"), Some(Some("users"))),
        ("invited", Some(""), None),
        ("invited", None, None),
    ];
    for (mode, name, expected) in table {
        let path = folder.join(format!("{mode}.toml"));
        std::fs::write(&path, text(mode)).unwrap();
        let lookup = |key: &str| match key {
            "RULES_FILE" => path.to_str().map(str::to_owned),
            "DIRECTORY_TABLE" => name.map(str::to_owned),
            _ => None,
        };
        let settings = Settings::read(&lookup);
        let found = settings.as_ref().ok().map(|settings| settings.invitation_table.as_deref());
        assert_eq!(found, expected, "{mode} {name:?}");
        if let Err(error) = settings {
            assert!(error.to_string().starts_with("DIRECTORY_TABLE is missing"), "{error}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
