//! First sign-ins through a provider that try to become somebody else, put to
//! the built function before a pool.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Audit, Function, Outcome, Pages, Pool, PoolUser, Services, workspace_root};

const ANN: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
const OTHER: &str = "7c6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a02";
const ADDRESS: &str = "ann@allowed.example";
const LINKED: &str = "These accounts are now linked, please sign in again (AccountLinked)";
const REFUSED: &str = "This sign-up is not allowed";
const TRY_AGAIN: &str = "This is not possible right now, please try again";

/// The function and the pool that it asks.
struct Bench {
    services: Services,
    function: Function,
    audit: Audit,
}

impl Bench {
    fn start() -> Result<Self> {
        let services = Services::start()?;
        let function = Function::start("pre-sign-up", settings(&services))?;
        let mut audit = Audit::default();
        // L01: an address may leave in no line, and what a stranger sent in no answer.
        [ADDRESS, "canary-metadata-77aa"].iter().for_each(|secret| audit.keep_secret(secret));
        Ok(Self { services, function, audit })
    }

    fn pool(&self) -> &Pool {
        self.services.pool()
    }

    /// Sends an event and checks what holds always, passwords included.
    fn send(&mut self, event: &Value) -> Result<Outcome> {
        let outcome = self.function.invoke_json(event);
        for password in self.pool().users().into_iter().filter_map(|user| user.password) {
            self.audit.keep_secret(&password);
        }
        self.audit.outcome(&self.function, &outcome)?;
        self.audit.printed(&self.function)?;
        Ok(outcome)
    }

    /// The code of an event, its text being the one that belongs to the code.
    fn code(&mut self, event: &Value) -> Result<String> {
        let outcome = self.send(event)?;
        let code = self.function.code_of(&outcome).context("no code")?;
        let expected = match code.as_str() {
            "Accepted" => None,
            "AccountLinked" => Some(LINKED),
            "LinkLookupsDisagree" | "PoolUnreachable" | "PoolListTooLong" | "PoolUserMadeMeanwhile" => Some(TRY_AGAIN),
            code if code.starts_with("Link") => Some(REFUSED),
            _ => outcome.error(),
        };
        ensure!(outcome.error() == expected, "{code} is told as {:?}", outcome.reply);
        Ok(code)
    }

    /// How often an operation was called.
    fn calls(&self, operation: &str) -> usize {
        let target = format!("AWSCognitoIdentityProviderService.{operation} ");
        self.services.calls().iter().filter(|call| call.starts_with(&target)).count()
    }

    fn identities(&self, name: &str) -> Vec<(String, String)> {
        self.pool().users().into_iter().find(|user| user.name == name).map_or_else(Vec::new, |user| user.identities)
    }
}

fn settings(services: &Services) -> Vec<(String, String)> {
    let rules = workspace_root().join("tests/attacks_linking.rules.toml");
    let mut settings = services.settings();
    settings.push(("RULES_FILE".to_owned(), rules.display().to_string()));
    settings.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
    settings
}

/// A first sign-in of this name, with these attributes beside the address.
fn sign_in(name: &str, email: &str, more: &[(&str, Value)]) -> Value {
    let mut attributes = json!({"email": email, "email_verified": "true", "cognito:email_alias": ""});
    if let Some(members) = attributes.as_object_mut() {
        members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    json!({
        "version": "1",
        "region": "us-east-1",
        "userPoolId": "us-east-1_EXAMPLE01",
        "userName": name,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
        "triggerSource": "PreSignUp_ExternalProvider",
        "request": {"userAttributes": attributes, "validationData": {}, "clientMetadata": {"x": "canary-metadata-77aa"}},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    })
}

fn google() -> Value {
    sign_in("google_123", ADDRESS, &[])
}

fn with_subject(name: &str, subject: &str) -> Value {
    sign_in(name, ADDRESS, &[("custom:provider_subject", json!(subject))])
}

fn ann() -> PoolUser {
    PoolUser::new(ANN, ADDRESS)
}

fn identity(provider: &str, subject: &str) -> (String, String) {
    (provider.to_owned(), subject.to_owned())
}

#[test]
fn a_proved_address_is_linked_once_and_the_sign_in_begins_again() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.pool().add(ann());
    bench.pool().add(PoolUser::new(OTHER, "bob@allowed.example"));
    // U13: one link, and the marker; Cognito repeats the call after an error,
    // which must be told the same, never let through.
    for _ in 0..3 {
        let outcome = bench.send(&google())?;
        ensure!(outcome.error() == Some(LINKED), "U13 {:?}", outcome.reply);
    }
    ensure!(bench.calls("AdminLinkProviderForUser") == 1, "U13 {:?}", bench.services.calls());
    ensure!(bench.identities(ANN) == [identity("Google", "123")], "U13 {:?}", bench.identities(ANN));
    ensure!(bench.identities(OTHER).is_empty(), "U13 somebody else was linked");
    // A second account of the same person.
    ensure!(bench.code(&with_subject("corp_oidc_abc-def", "Abc-DEF"))? == "AccountLinked", "U13");
    ensure!(bench.identities(ANN).len() == 2, "U13 {:?}", bench.identities(ANN));
    ensure!(bench.pool().users().len() == 2 && bench.calls("AdminCreateUser") == 0, "U13 a user was made");
    Ok(())
}

#[test]
fn the_name_of_a_provider_and_the_subject_keep_their_case() -> Result<()> {
    let mut bench = Bench::start()?;
    // U22: whatever the pool made of the name, the link has the table's
    // spelling and the mapped subject's.
    let table = [
        ("Google_123", None, Ok(("Google", "123"))),
        ("google_123", None, Ok(("Google", "123"))),
        ("GOOGLE_123", None, Ok(("Google", "123"))),
        ("corp_oidc_abc", Some("aBc"), Ok(("Corp_OIDC", "aBc"))),
        ("Corp_OIDC_a_b_c", Some("A_b_C"), Ok(("Corp_OIDC", "A_b_C"))),
        ("corp_oidc_google_123", Some("google_123"), Ok(("Corp_OIDC", "google_123"))),
        ("maker_of_users_x", Some("X"), Ok(("Maker_Of_Users", "X"))),
        // The case is lost, or the words contradict each other.
        ("google_abc", None, Err("LinkSubjectUnknown")),
        ("google_abc", Some("Abc"), Err("LinkSubjectUnknown")),
        ("corp_oidc_abc", None, Err("LinkSubjectUnknown")),
        ("corp_oidc_123", None, Err("LinkSubjectUnknown")),
        ("corp_oidc_abc", Some("abd"), Err("LinkSubjectInconsistent")),
        ("corp_oidc_abc", Some("oidc_abc"), Err("LinkSubjectInconsistent")),
        // Split at the first underscore, these would be somebody else's.
        ("corp_123", Some("123"), Err("UnknownProvider")),
        ("oidc_123", Some("123"), Err("UnknownProvider")),
        ("googlex_123", None, Err("UnknownProvider")),
    ];
    for (name, subject, expected) in table {
        bench.pool().reset();
        bench.pool().add(ann());
        let event = subject.map_or_else(|| sign_in(name, ADDRESS, &[]), |subject| with_subject(name, subject));
        let before = bench.services.calls().len();
        let code = bench.code(&event)?;
        match expected {
            Ok((provider, subject)) => {
                ensure!(code == "AccountLinked", "U22 {name}: {code}");
                ensure!(
                    bench.identities(ANN) == [identity(provider, subject)],
                    "U22 {name}: {:?}",
                    bench.identities(ANN)
                );
            }
            Err(expected) => {
                ensure!(code == expected, "U22 {name} {subject:?}: {code} instead of {expected}");
                ensure!(bench.identities(ANN).is_empty(), "U22 {name} was linked");
                ensure!(bench.services.calls().len() == before, "U22 {name}: the pool was asked in vain");
            }
        }
    }
    Ok(())
}

#[test]
fn only_a_trusted_provider_s_word_for_an_address_counts() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.pool().add(ann());
    // U12: an account of its own, without a question to the pool.
    for (name, verified) in
        [("Loose_IdP_123", json!("true")), ("loose_idp_123", json!(true)), ("Separate_123", json!("true"))]
    {
        let code = bench.code(&sign_in(name, ADDRESS, &[("email_verified", verified)]))?;
        ensure!(code == "Accepted", "U12 {name}: {code}");
    }
    // U12: what an unmapped claim looks like, and other ways of not saying yes.
    for verified in ["false", "False", "", "1", "yes", " true", "truetrue"] {
        let code = bench.code(&sign_in("google_123", ADDRESS, &[("email_verified", json!(verified))]))?;
        ensure!(code == "LinkEmailUnverified", "U12 {verified:?}: {code}");
    }
    for verified in [json!(null), json!(false), json!(1)] {
        let code = bench.code(&sign_in("google_123", ADDRESS, &[("email_verified", verified.clone())]))?;
        ensure!(code == "LinkEmailUnverified", "U12 {verified}: {code}");
    }
    ensure!(bench.services.calls().is_empty(), "U12 the pool was asked: {:?}", bench.services.calls());
    // Ways of saying it.
    for (id, verified) in [("1", json!("true")), ("2", json!("True")), ("3", json!(true))] {
        let code = bench.code(&sign_in(&format!("google_{id}"), ADDRESS, &[("email_verified", verified.clone())]))?;
        ensure!(code == "AccountLinked", "U13 {verified}: {code}");
    }
    // Who may not sign up is not linked either; other sources link nobody.
    let before = bench.services.calls().len();
    ensure!(bench.code(&sign_in("google_4", "ann@blocked.example", &[]))? == "DomainBlocked", "U05");
    for source in ["PreSignUp_SignUp", "PreSignUp_AdminCreateUser"] {
        let mut event = sign_in(OTHER, ADDRESS, &[("email_verified", json!("false"))]);
        if let Some(place) = event.pointer_mut("/triggerSource") {
            *place = json!(source);
        }
        ensure!(bench.code(&event)? == "Accepted", "U23 {source}");
    }
    ensure!(bench.services.calls().len() == before, "U13 the pool was asked in vain");
    Ok(())
}

#[test]
fn a_user_who_waits_for_somebody_s_address_is_not_linked() -> Result<()> {
    let mut bench = Bench::start()?;
    let disabled = PoolUser { enabled: false, ..ann() };
    let table = [
        // U14: whoever signed up first with a stranger's address gets nothing.
        ("unconfirmed", ann().status("UNCONFIRMED").attribute("email_verified", "false"), "LinkTargetUnverified"),
        ("unconfirmed, verified", ann().status("UNCONFIRMED"), "LinkTargetUnconfirmed"),
        ("confirmed, unverified", ann().attribute("email_verified", "false"), "LinkTargetUnverified"),
        ("verified is unset", ann().attribute("email_verified", ""), "LinkTargetUnverified"),
        ("an administrator's", ann().status("FORCE_CHANGE_PASSWORD"), "LinkTargetUnconfirmed"),
        ("reset", ann().status("RESET_REQUIRED"), "LinkTargetUnconfirmed"),
        ("archived", ann().status("ARCHIVED"), "LinkTargetUnconfirmed"),
        ("of the future", ann().status("SOMETHING_NEW"), "LinkTargetUnconfirmed"),
        ("disabled", disabled, "LinkTargetDisabled"),
    ];
    for (says, user, expected) in table {
        for event in [google(), with_subject("corp_oidc_abc", "Abc"), with_subject("maker_of_users_abc", "Abc")] {
            bench.pool().reset();
            bench.pool().add(user.clone());
            let code = bench.code(&event)?;
            ensure!(code == expected, "U14 {says}: {code} instead of {expected}");
            ensure!(bench.identities(ANN).is_empty() && bench.pool().users().len() == 1, "U14 {says}");
            let now = bench.pool().users().pop().context("the user")?;
            ensure!(now.status == user.status && now.password.is_none(), "U14 {says}: {now:?}");
        }
    }
    Ok(())
}

#[test]
fn several_users_with_the_address_are_an_alarm() -> Result<()> {
    let mut bench = Bench::start()?;
    let other = || PoolUser::new(OTHER, ADDRESS);
    // U16
    let table = [
        ("two", other(), "LinkAmbiguous"),
        ("one in other case", PoolUser::new(OTHER, "ANN@Allowed.Example"), "AccountLinked"),
        ("one unconfirmed", other().status("UNCONFIRMED"), "LinkAmbiguous"),
        ("one unverified", other().attribute("email_verified", "false"), "LinkAmbiguous"),
        ("one disabled", PoolUser { enabled: false, ..other() }, "LinkAmbiguous"),
        // An account of its own at another provider is nobody that could be meant,
        // and claiming an address there must not lock its owner out.
        ("one external", PoolUser::new("Facebook_9", ADDRESS).status("EXTERNAL_PROVIDER"), "AccountLinked"),
    ];
    for (says, second, expected) in table {
        bench.pool().reset();
        bench.pool().add(ann());
        bench.pool().add(second.clone());
        let code = bench.code(&google())?;
        ensure!(code == expected, "U16 {says}: {code}");
        let other = bench.identities(&second.name);
        ensure!(other.is_empty(), "U16 {says}: {other:?}");
        ensure!(bench.identities(ANN).is_empty() == (code != "AccountLinked"), "U16 {says}");
    }
    // A filter that finds too much.
    bench.pool().reset();
    bench.pool().match_prefixes();
    bench.pool().add(ann());
    bench.pool().add(PoolUser::new(OTHER, "ann@allowed.example.evil.example"));
    ensure!(bench.code(&google())? == "AccountLinked", "U16 a prefix");
    ensure!(bench.identities(OTHER).is_empty(), "U16 a prefix");
    Ok(())
}

#[test]
fn a_spelling_of_the_address_makes_no_second_user() -> Result<()> {
    let mut bench = Bench::start()?;
    // U06, U16: the pool keeps what was typed, and its list tells case apart.
    for (kept, sent) in [
        ("Ann@Allowed.Example", ADDRESS),
        (ADDRESS, "ANN@ALLOWED.EXAMPLE"),
        ("aNN@allowed.example", "Ann@allowed.example"),
    ] {
        for event in [
            sign_in("google_123", sent, &[]),
            sign_in("maker_of_users_7", sent, &[("custom:provider_subject", json!("7"))]),
        ] {
            bench.pool().reset();
            bench.pool().add(PoolUser::new(ANN, kept));
            let code = bench.code(&event)?;
            ensure!(code == "AccountLinked", "U06 {kept} {sent}: {code}");
            ensure!(bench.pool().users().len() == 1 && bench.identities(ANN).len() == 1, "U06 {kept} {sent}");
        }
    }
    // What would end the value of a filter is no address, and is never asked about.
    let before = bench.services.calls().len();
    for sent in ["ann\"@allowed.example", "ann\\@allowed.example", "\" or email ^= \"", "\"ann\"@allowed.example"] {
        ensure!(bench.code(&sign_in("google_123", sent, &[]))? == "EmailMalformed", "U20 {sent}");
    }
    // Longer than a filter may be.
    let long = format!("{}@{}.example", "a".repeat(64), ["d".repeat(60), "d".repeat(60), "d".repeat(55)].join("."));
    ensure!(
        long.len() > 240 && bench.code(&sign_in("google_123", &long, &[]))? == "LinkEmailTooLong",
        "U20 {}",
        long.len()
    );
    ensure!(bench.services.calls().len() == before, "U20 the pool was asked");
    // What may stand in an address may stand in a filter.
    let odd = "o'neil+{a}|b*=$!#%&?^_`~/-@allowed.example";
    bench.pool().reset();
    bench.pool().add(PoolUser::new(ANN, odd));
    ensure!(bench.code(&sign_in("google_123", odd, &[]))? == "AccountLinked", "U20 {odd}");
    Ok(())
}

#[test]
fn a_user_has_five_links_and_no_more() -> Result<()> {
    let mut bench = Bench::start()?;
    // U17
    let full = (0..5).fold(ann(), |user, id| user.identity("Google", &id.to_string()));
    bench.pool().add(full);
    ensure!(bench.code(&google())? == "LinkTargetFull", "U17");
    ensure!(bench.calls("AdminLinkProviderForUser") == 0, "U17 the pool was asked for a sixth");
    // One of the five.
    ensure!(bench.code(&sign_in("google_4", ADDRESS, &[]))? == "AccountLinked", "U17");
    ensure!(bench.identities(ANN).len() == 5, "U17");
    Ok(())
}

#[test]
fn what_the_pool_refuses_is_believed_only_when_the_user_shows_it() -> Result<()> {
    let mut bench = Bench::start()?;
    let google_of_other = PoolUser::new(OTHER, "bob@allowed.example").identity("Google", "123");
    let of_its_own = PoolUser::new("Google_123", "ann@elsewhere.example").status("EXTERNAL_PROVIDER");
    // U13: linked to another user, or signed in before as a user of its own.
    for (says, user) in [("another's", google_of_other), ("a user of its own", of_its_own)] {
        bench.pool().reset();
        bench.pool().add(ann());
        bench.pool().add(user);
        let code = bench.code(&google())?;
        ensure!(code == "LinkRefused", "U13 {says}: {code}");
        ensure!(bench.identities(ANN).is_empty(), "U13 {says}");
    }
    // A link that is made and refused.
    bench.pool().reset();
    bench.pool().refuse_what_is_linked();
    bench.pool().add(ann());
    ensure!(bench.code(&google())? == "AccountLinked", "U13 made and refused");
    // A subject that the pool does not take: 128 characters with both names.
    bench.pool().reset();
    bench.pool().add(ann());
    let long = "9".repeat(110);
    ensure!(bench.code(&sign_in(&format!("google_{long}"), ADDRESS, &[]))? == "LinkRefused", "U13 a long subject");
    Ok(())
}

#[test]
fn the_list_is_followed_to_its_end_and_never_alone_believed() -> Result<()> {
    let mut bench = Bench::start()?;
    // U20: nothing on the first page, and the second user on the last but one.
    bench.pool().page(Pages::EmptyFirst);
    bench.pool().add(ann());
    ensure!(bench.code(&google())? == "AccountLinked", "U20");
    ensure!(bench.calls("ListUsers") == 3, "U20 {:?}", bench.services.calls());
    bench.pool().add(PoolUser::new(OTHER, ADDRESS));
    ensure!(bench.code(&sign_in("google_124", ADDRESS, &[]))? == "LinkAmbiguous", "U20");
    // A list without an end.
    bench.pool().page(Pages::Endless);
    let before = bench.calls("ListUsers");
    ensure!(bench.code(&sign_in("google_125", ADDRESS, &[]))? == "PoolListTooLong", "U20");
    ensure!(bench.calls("ListUsers") - before <= 20, "U20 {}", bench.calls("ListUsers") - before);
    // U21: made a moment ago and not listed yet: no second user, no account of
    // its own, and the next attempt goes through.
    for event in [google(), with_subject("corp_oidc_abc", "Abc"), with_subject("maker_of_users_abc", "Abc")] {
        bench.pool().reset();
        bench.pool().add(PoolUser { listed: false, ..ann() });
        ensure!(bench.code(&event)? == "LinkLookupsDisagree", "U21");
        ensure!(bench.pool().users().len() == 1 && bench.identities(ANN).is_empty(), "U21");
        bench.pool().catch_up();
        ensure!(bench.code(&event)? == "AccountLinked", "U21");
        ensure!(bench.pool().users().len() == 1 && bench.identities(ANN).len() == 1, "U21");
    }
    Ok(())
}

#[test]
fn without_the_pool_nobody_gets_in_or_anything_else() -> Result<()> {
    let mut bench = Bench::start()?;
    for operation in ["ListUsers", "AdminGetUser", "AdminLinkProviderForUser"] {
        bench.pool().reset();
        bench.pool().add(ann());
        bench.pool().fail(operation);
        ensure!(bench.code(&google())? == "PoolUnreachable", "U21 {operation}");
        ensure!(bench.identities(ANN).is_empty(), "U21 {operation}");
        bench.pool().plug_in();
        ensure!(bench.code(&google())? == "AccountLinked", "U21 {operation}");
    }
    // Where nothing is linked nothing is asked.
    bench.pool().fail("ListUsers");
    ensure!(bench.code(&sign_in("Separate_123", ADDRESS, &[]))? == "Accepted", "U12");
    Ok(())
}

#[test]
fn a_user_is_made_where_the_rules_say_so_and_only_then() -> Result<()> {
    let mut bench = Bench::start()?;
    // U13: nobody has the address.
    for event in [google(), with_subject("corp_oidc_abc", "Abc")] {
        ensure!(bench.code(&event)? == "Accepted", "U13");
    }
    ensure!(bench.pool().users().is_empty(), "U13 a user was made");
    let event = with_subject("maker_of_users_abc", "Abc");
    ensure!(bench.code(&event)? == "AccountLinked", "U13");
    let users = bench.pool().users();
    let [user] = users.as_slice() else { anyhow::bail!("U13 {users:?}") };
    ensure!(user.status == "CONFIRMED" && user.identities == [identity("Maker_Of_Users", "Abc")], "U13 {user:?}");
    let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
    ensure!(attribute("email") == Some(ADDRESS) && attribute("email_verified") == Some("true"), "U13 {user:?}");
    // Nothing is sent, and no alias is taken from anyone.
    let made: Vec<String> =
        bench.services.calls().into_iter().filter(|call| call.contains(".AdminCreateUser ")).collect();
    ensure!(made.len() == 1, "U13 {made:?}");
    ensure!(made.iter().all(|call| call.contains("\"MessageAction\":\"SUPPRESS\"")), "U13 {made:?}");
    ensure!(!made.iter().any(|call| call.contains("ForceAliasCreation")), "U03 {made:?}");
    Ok(())
}

#[test]
fn a_user_half_made_is_finished_by_the_next_attempt() -> Result<()> {
    let mut bench = Bench::start()?;
    let event = with_subject("maker_of_users_abc", "Abc");
    let stranger = with_subject("maker_of_users_xyz", "Xyz");
    for operation in ["AdminCreateUser", "AdminSetUserPassword", "AdminLinkProviderForUser"] {
        bench.pool().reset();
        bench.pool().hide_new_users();
        bench.pool().unplug_after(operation);
        ensure!(bench.code(&event)? == "PoolUnreachable", "U21 {operation}");
        bench.pool().plug_in();
        ensure!(bench.pool().users().len() == 1, "U21 {operation}");
        // Not listed yet: no second user.
        ensure!(bench.code(&event)? == "LinkLookupsDisagree", "U21 {operation}");
        bench.pool().catch_up();
        if operation == "AdminCreateUser" {
            // U14: half-made, it is nobody else's.
            ensure!(bench.code(&stranger)? == "LinkTargetUnconfirmed", "U14 {operation}");
        }
        ensure!(bench.code(&event)? == "AccountLinked", "U21 {operation}");
        let users = bench.pool().users();
        let [user] = users.as_slice() else { anyhow::bail!("U21 {operation}: {users:?}") };
        ensure!(user.identities == [identity("Maker_Of_Users", "Abc")], "U21 {operation}: {user:?}");
        ensure!(user.status == "CONFIRMED" && user.password.is_some(), "U21 {operation}: {user:?}");
    }
    Ok(())
}

#[test]
fn ten_at_once_make_one_link_and_one_user() -> Result<()> {
    let services = Services::start()?;
    // As Lambda would start them.
    let functions = (0..10).map(|_| Function::start("pre-sign-up", settings(&services))).collect::<Result<Vec<_>>>()?;
    let all_at_once = |functions: Vec<Function>, event: &(dyn Fn(usize) -> Value + Sync)| -> Vec<(Function, String)> {
        std::thread::scope(|scope| {
            let invoke = |(index, mut function): (usize, Function)| {
                scope.spawn(move || {
                    let outcome = function.invoke_json(&event(index));
                    let code = function.code_of(&outcome).unwrap_or_default();
                    (function, code)
                })
            };
            let threads: Vec<_> = functions.into_iter().enumerate().map(invoke).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        })
    };
    let codes = |answered: &[(Function, String)]| answered.iter().map(|(_, code)| code.clone()).collect::<Vec<_>>();
    let again = |answered: Vec<(Function, String)>| answered.into_iter().map(|(function, _)| function).collect();

    // The same account ten times: one link, and each is told of it.
    services.pool().add(ann());
    let answered = all_at_once(functions, &|_| google());
    ensure!(codes(&answered) == ["AccountLinked"; 10], "U13 {:?}", codes(&answered));
    let identities = |services: &Services| services.pool().users().into_iter().flat_map(|user| user.identities).count();
    ensure!(identities(&services) == 1, "U13 {:?}", services.pool().users());

    // Ten accounts: five links, and the others are told no.
    services.pool().reset();
    services.pool().add(ann());
    let answered = all_at_once(again(answered), &|index| sign_in(&format!("google_{index}"), ADDRESS, &[]));
    let linked = codes(&answered).iter().filter(|code| *code == "AccountLinked").count();
    let full = codes(&answered).iter().filter(|code| *code == "LinkTargetFull").count();
    ensure!((linked, full, identities(&services)) == (5, 5, 5), "U17 {:?}", codes(&answered));

    // The same newcomer ten times, whom nobody knows yet: one user, one link.
    services.pool().reset();
    let event = with_subject("maker_of_users_abc", "Abc");
    let answered = all_at_once(again(answered), &|_| event.clone());
    ensure!(services.pool().users().len() == 1, "U21 {:?}", services.pool().users());
    let known = ["AccountLinked", "PoolUserMadeMeanwhile", "LinkLookupsDisagree"];
    ensure!(codes(&answered).iter().all(|code| known.contains(&code.as_str())), "U21 {:?}", codes(&answered));
    let answered = all_at_once(again(answered), &|_| event.clone());
    ensure!(codes(&answered) == ["AccountLinked"; 10], "U21 {:?}", codes(&answered));
    ensure!(identities(&services) == 1, "U21 {:?}", services.pool().users());
    Ok(())
}
