//! The function from event to reply, with an old system by hand. The rules have
//! tables of their own.

use std::sync::Mutex;

use serde_json::{Value, json};
use shared::migration::{Found, LegacyId, LegacyUser, Proof};
use shared::rules::Rules;

use super::*;

const NOW: u64 = 1_800_000_000;

/// What happened, in order.
type Notes = Mutex<Vec<String>>;

struct Old<'a> {
    notes: &'a Notes,
    answer: Result<OldAnswer, &'static str>,
    marks: bool,
}

impl LegacyDirectory for Old<'_> {
    async fn find(&self, question: Question<'_>) -> Result<OldAnswer, LookupError> {
        assert_eq!(question.now, NOW);
        let password = question.password.map_or("none", |password| password.as_str()).to_owned();
        self.notes.lock().unwrap().push(format!("find {} {} {password}", question.user_name, question.key));
        self.answer.clone().map_err(|code| LookupError::new(code, "the table users-eu is throttled"))
    }

    async fn pretend(&self, _: &Arc<Password>) {
        self.notes.lock().unwrap().push("pretend".to_owned());
    }

    async fn note_moved(&self, key: &str, id: &LegacyId, _: u64) -> Result<(), LookupError> {
        self.notes.lock().unwrap().push(format!("mark {key} {id}"));
        if self.marks { Ok(()) } else { Err(LookupError::new("X", "no mark")) }
    }
}

struct Counted<'a>(&'a Notes, Option<Allowed>);

impl Attempts for Counted<'_> {
    async fn charge(&self, key: &str, _: u64) -> Result<Allowed, AttemptsError> {
        self.0.lock().unwrap().push(format!("charge {key}"));
        self.1.ok_or(AttemptsError::Corrupt)
    }

    async fn forgive(&self, key: &str, _: u64) -> Result<(), AttemptsError> {
        self.0.lock().unwrap().push(format!("forgive {key}"));
        Ok(())
    }
}

struct Kept<'a>(&'a Notes, bool);

impl Arrivals for Kept<'_> {
    async fn keep(&self, arrival: &Arrival, _: u64) -> Result<(), directory::Error> {
        self.0.lock().unwrap().push(format!("keep {}", arrival.id()));
        if self.1 { Ok(()) } else { Err(directory::Error::Contended) }
    }
}

/// How the world around the function is.
struct World {
    answer: Result<OldAnswer, &'static str>,
    allowed: Option<Allowed>,
    keeps: bool,
    marks: bool,
}

fn world(found: Found, proof: Proof) -> World {
    World { answer: Ok(OldAnswer { found, proof }), allowed: Some(Allowed::Yes), keeps: true, marks: true }
}

fn ann() -> Found {
    let attributes = [("mail".to_owned(), "ann@acme.example".to_owned())].into();
    let id = LegacyId::parse("7").unwrap();
    let groups = vec!["acme:admin".to_owned()];
    Found::One(LegacyUser { attributes, groups, email_verified: true, ..LegacyUser::new(id) })
}

fn rules() -> MigrationRules {
    let text = "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n[claims]\ntoken_version = \"v2\"\n\
        [migration]\nstore = \"pool\"\nfinal_status = \"confirmed\"\ntenant_groups = true\nattributes = { email = \"mail\" }\n\
        [migration.lockout]\nfree_attempts = 5\nfirst_wait_s = 60\nlongest_wait_s = 900\noverall_per_minute = 300\n";
    Rules::read(text).unwrap().migration.unwrap()
}

fn event(source: &str, password: &Value) -> Value {
    json!({
        "version": "1", "userPoolId": "eu-west-1_pool", "userName": "Ann@acme.example", "triggerSource": source,
        "request": {"password": password}, "response": {"userAttributes": null},
    })
}

async fn answer(world: World, event: &Value) -> (Result<Answer, Failure>, String) {
    let notes = Notes::default();
    let World { answer, allowed, keeps, marks } = world;
    let old = Old { notes: &notes, answer, marks };
    let function = UserMigration::new(rules(), old, Counted(&notes, allowed), Kept(&notes, keeps));
    let event = event.to_string();
    let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
    let answer = function.handle(&event, &invocation).await;
    drop(function);
    (answer, notes.into_inner().unwrap().join(", "))
}

const SIGN_IN: &str = "UserMigration_Authentication";
const FORGOT: &str = "UserMigration_ForgotPassword";

#[tokio::test]
async fn an_attempt_is_counted_first_and_rights_are_kept_before_the_reply() {
    let (answered, notes) = answer(world(ann(), Proof::Right), &event(SIGN_IN, &json!("pass"))).await;
    let answered = answered.unwrap();
    let key = "ann@acme.example";
    let expected = format!("charge {key}, find Ann@acme.example {key} pass, keep 7, mark {key} 7, forgive {key}");
    assert_eq!((answered.code, answered.cause, notes), ("MovedIn", None, expected));
    let body: Value = serde_json::from_str(answered.body.as_str()).unwrap();
    assert_eq!(body["response"]["userAttributes"]["custom:legacy_id"], "7");
    assert_eq!(body["request"]["password"], "pass", "the event goes back whole");
    let (answered, notes) = answer(world(ann(), Proof::Unchecked), &event(FORGOT, &json!("pass"))).await;
    let expected = format!("find Ann@acme.example {key} none, keep 7, mark {key} 7");
    assert_eq!((answered.unwrap().code, notes), ("MovedInForReset", expected), "M04 no password is looked at");
}

#[tokio::test]
async fn whatever_refuses_a_sign_in_is_told_alike() {
    let good = || world(ann(), Proof::Right);
    let given = json!("pass");
    let nobody = || world(Found::Nobody, Proof::Unchecked);
    let table = [
        (world(ann(), Proof::Wrong), SIGN_IN, &given, "PasswordWrong", ""),
        (nobody(), SIGN_IN, &given, "UnknownUser", ""),
        (World { allowed: Some(Allowed::NameWaits), ..good() }, SIGN_IN, &given, "NameWaits", "pretend"),
        (World { allowed: Some(Allowed::EverybodyWaits), ..good() }, SIGN_IN, &given, "EverybodyWaits", "pretend"),
        (World { allowed: None, ..good() }, SIGN_IN, &given, "AttemptsCorrupt", "pretend"),
        (World { answer: Err("LegacyTableUnreachable"), ..good() }, SIGN_IN, &given, "LegacyTableUnreachable", ""),
        (World { answer: Err("LegacyTableUnreachable"), ..good() }, FORGOT, &given, "LegacyTableUnreachable", ""),
        (World { keeps: false, ..good() }, SIGN_IN, &given, "DirectoryContended", ""),
        (good(), SIGN_IN, &Value::Null, "PasswordMissing", ""),
        (good(), "UserMigration_Future", &given, "UnknownSource", ""),
    ];
    for (world, source, password, expected, then) in table {
        let (answered, notes) = answer(world, &event(source, password)).await;
        let failure = answered.unwrap_err();
        assert_eq!((failure.code(), failure.public()), (expected, PublicText::SignInRefused), "{expected}");
        assert!(notes.ends_with(then) && !notes.contains("forgive"), "{expected}: {notes}");
    }
    let whole = "[]";
    let notes = Notes::default();
    let old = Old { notes: &notes, answer: Ok(OldAnswer::NONE), marks: true };
    let function = UserMigration::new(rules(), old, Counted(&notes, None), Kept(&notes, true));
    let failure = function.handle(whole, &Invocation { request_id: "r".to_owned(), now: NOW }).await.unwrap_err();
    assert_eq!((failure.code(), failure.public()), ("EventUnreadable", PublicText::SignInRefused));
}

#[tokio::test]
async fn a_note_that_fails_is_for_the_log_alone() {
    let (answered, _) =
        answer(World { marks: false, ..world(ann(), Proof::Right) }, &event(SIGN_IN, &json!("x"))).await;
    let answered = answered.unwrap();
    assert_eq!(answered.code, "MovedIn");
    assert!(answered.cause.unwrap().contains("no mark"));
}

#[tokio::test]
async fn an_unknown_user_who_forgot_his_password_goes_back_unchanged() {
    let event = event(FORGOT, &Value::Null);
    for found in [Found::Nobody, Found::Several, Found::Unreadable] {
        let (answered, _) = answer(world(found, Proof::Unchecked), &event).await;
        assert_eq!(serde_json::from_str::<Value>(answered.unwrap().body.as_str()).unwrap(), event, "M04");
    }
}

#[test]
fn the_actions_are_those_of_all_needs() {
    let needs = [actions::ATTEMPTS, actions::LEGACY_USERS, actions::OLD_POOL, actions::SECRET, actions::ARRIVALS];
    let mut all: Vec<&str> = needs.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, ACTIONS);
}
