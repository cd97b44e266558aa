//! Guests who are promoted, and those who try to take what is not theirs, put to
//! the built function before a database and an identity pool.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::http::{Response, Server};
use tests::{
    Audit, Function, GIVEN_SECRET, Identity, IdentityPool, Outcome, RECORDS_TABLE, Services, SigningKey, encode, now,
    other_signing_key, signing_key, workspace_root,
};

const ANN: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
const BOB: &str = "7c6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a02";
const GUEST: &str = "us-east-1:0a1b2c3d-1111-4222-8333-444455556666";
const OTHER_GUEST: &str = "us-east-1:0a1b2c3e-1111-4222-8333-444455556666";
/// Ann's identity where she has one already.
const ANNS: &str = "us-east-1:99999999-1111-4222-8333-444455556666";
const SECRET: &str = "Q2FuYXJ5LXNlY3JldC1vZi10aGUtZ3Vlc3QtMDAwMDE";
const WRONG_SECRET: &str = "Q2FuYXJ5LXNlY3JldC1vZi10aGUtZ3Vlc3QtMDAwMDI";

/// What an end takes of a record: its name, and a number of one digit that counts.
const EXPIRES: usize = "expires_at".len() + 2;

/// The function with what it asks.
struct Bench {
    services: Services,
    _keys: Server,
    settings: Vec<(String, String)>,
    function: Function,
    audit: Audit,
}

impl Bench {
    fn start() -> Result<Self> {
        Self::with_rules(|text| text)
    }

    /// With the shipped rules, changed in this way.
    fn with_rules(change: impl Fn(String) -> String) -> Result<Self> {
        let services = Services::start()?;
        let keys = json!({"keys": [jwk(signing_key()?, "us-east-12")]}).to_string();
        let keys = Server::start(move |_| Response::new(200, "application/json", keys.clone()))?;
        let rules = std::env::temp_dir().join(format!("guest-rules-{}-{:p}.toml", std::process::id(), &services));
        std::fs::write(&rules, change(std::fs::read_to_string(workspace_root().join("rules/rules.toml"))?))?;
        let mut settings = services.settings();
        settings.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        settings.push(("GUEST_KEY_SET_URL".to_owned(), format!("{}/keys", keys.url())));
        settings.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        let function = Function::start("guest-promotion", settings.clone())?;
        std::fs::remove_file(rules)?;
        let mut audit = Audit::default();
        [GIVEN_SECRET, SECRET, WRONG_SECRET].iter().for_each(|secret| audit.keep_secret(secret));
        services.identity_pool().put(GUEST, Identity::Guest);
        Ok(Self { services, _keys: keys, settings, function, audit })
    }

    /// Writes records of a guest.
    fn guest_has(&self, guest: &str, names: impl IntoIterator<Item = String>) -> Result<()> {
        names.into_iter().try_for_each(|name| {
            let data = json!({"M": {"of": {"S": name}, "n": {"N": "123456789012345678901234567890.12345678"}}});
            self.put(&format!("GUEST#{guest}"), &name, &[("data", data), ("updated_at", json!({"N": "1"}))])
        })
    }

    fn put(&self, pk: &str, sk: &str, more: &[(&str, Value)]) -> Result<()> {
        let mut item = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        more.iter().for_each(|(name, value)| item[*name] = value.clone());
        self.services.put(RECORDS_TABLE, &item)
    }

    /// The guest's own mark that names a user.
    fn grant(&self, guest: &str, user: &str) -> Result<()> {
        self.put(&format!("GUEST#{guest}"), "#grant", &[("data", json!({"S": user}))])
    }

    /// The items of a partition.
    fn items(&self, pk: &str) -> Result<Vec<Value>> {
        let all = self.services.items(RECORDS_TABLE)?;
        Ok(all.into_iter().filter(|item| item["pk"]["S"] == pk).collect())
    }

    fn names(&self, pk: &str) -> Result<Vec<String>> {
        Ok(self.items(pk)?.iter().filter_map(|item| item["sk"]["S"].as_str().map(str::to_owned)).collect())
    }

    /// Sends a request, and checks what holds always.
    fn send(&mut self, request: &Value) -> Result<(Outcome, u64, Value)> {
        let outcome = self.function.invoke_within(request.to_string(), std::time::Duration::from_secs(29));
        self.audit.outcome(&self.function, &outcome)?;
        self.audit.printed(&self.function)?;
        let reply = outcome.json()?;
        self.audit.text(&reply.to_string())?;
        let status = reply["statusCode"].as_u64().context("no status")?;
        let body = reply["body"].as_str().map(serde_json::from_str).transpose()?.unwrap_or_default();
        Ok((outcome, status, body))
    }

    /// A promotion: status, body without its instance, and the code in the log.
    fn promote(&mut self, call: &Call) -> Result<(u64, Value, String)> {
        self.audit.keep_token(&call.token());
        call.body["guestToken"].as_str().into_iter().for_each(|token| self.audit.keep_token(token));
        let (outcome, status, mut body) = self.send(&call.event()?)?;
        if let Some(members) = body.as_object_mut() {
            members.remove("instance");
        }
        let code = self.function.code_of(&outcome).context("no code")?;
        Ok((status, body, code))
    }

    /// A note of the queue about a guest.
    fn queue(&mut self, guest: &str) -> Result<Value> {
        let body = json!({"identityId": guest}).to_string();
        let event = json!({"Records": [{"messageId": "m-1", "eventSource": "aws:sqs", "body": body}]});
        let outcome = self.function.invoke_within(event.to_string(), std::time::Duration::from_secs(29));
        self.audit.outcome(&self.function, &outcome)?;
        outcome.json()
    }
}

fn jwk(key: &SigningKey, kid: &str) -> Value {
    let mut jwk = key.jwk(kid);
    jwk["alg"] = json!("RS512");
    jwk
}

/// A request to promote a guest.
#[derive(Clone)]
struct Call {
    user: String,
    tenant: Option<String>,
    body: Value,
    key: Option<String>,
}

impl Call {
    fn by_mark(guest: &str, user: &str) -> Self {
        Self { user: user.to_owned(), tenant: Some("acme".to_owned()), body: json!({"identityId": guest}), key: None }
    }

    fn by_token(token: &str, user: &str) -> Self {
        Self { body: json!({"guestToken": token}), ..Self::by_mark(GUEST, user) }
    }

    fn secret(mut self, secret: &str) -> Self {
        self.body["claimSecret"] = json!(secret);
        self
    }

    fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// His ID token; the authorizer has looked at it, so nobody does again.
    fn token(&self) -> String {
        let claims = json!({"sub": self.user, "cognito:username": self.user, "token_use": "id"});
        format!("{}.{}.{}", encode("{}"), encode(claims.to_string()), encode("signature-of-the-user-pool"))
    }

    fn event(&self) -> Result<Value> {
        let token = self.token();
        let mut headers = json!({"content-type": "application/json", "authorization": format!("Bearer {token}")});
        if let Some(key) = &self.key {
            headers["idempotency-key"] = json!(key);
        }
        let context = json!({"subject": self.user, "tenant": self.tenant, "clientId": "c"});
        Ok(json!({"version": "2.0", "routeKey": "POST /guest/promotion", "headers": headers,
            "body": self.body.to_string(), "requestContext": {"authorizer": {"lambda": context}}}))
    }
}

/// A request to register a claim secret.
fn register(body: &Value) -> Value {
    json!({"version": "2.0", "routeKey": "PUT /guest/claim", "headers": {"content-type": "application/json"},
        "body": body.to_string(), "requestContext": {}})
}

/// A guest's OpenID token as the identity pool makes it, changed in this way.
fn token(change: impl FnOnce(&mut Value)) -> Result<String> {
    let mut claims = json!({"sub": GUEST, "aud": IdentityPool::ID, "amr": ["unauthenticated"],
        "iss": "https://cognito-identity.amazonaws.com", "iat": now(), "exp": now() + 600});
    change(&mut claims);
    signed(&json!({"kid": "us-east-12", "typ": "JWS", "alg": "RS512"}), &claims, signing_key()?)
}

fn signed(header: &Value, claims: &Value, key: &SigningKey) -> Result<String> {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = encode(key.sign_512(&message)?);
    Ok(format!("{message}.{signature}"))
}

/// What the caller hears of every refusal alike.
fn is_refused(status: u64, body: &Value) -> bool {
    let expected = json!({"type": "about:blank", "title": "Forbidden", "status": 403, "code": "GuestRefused",
        "detail": "This guest cannot be taken with this proof."});
    status == 403 && *body == expected
}

/// R01.
#[test]
fn r01_everything_a_guest_keeps_becomes_the_users_bit_by_bit() -> Result<()> {
    for count in [0, 1, 25, 49, 50, 99, 100, 101, 1_000] {
        let mut bench = Bench::start()?;
        bench.guest_has(GUEST, (0..count).map(|index| format!("score-{index:05}")))?;
        let before = bench.items(&format!("GUEST#{GUEST}"))?;
        bench.grant(GUEST, ANN)?;
        let (status, body, code) = bench.promote(&Call::by_mark(GUEST, ANN))?;
        let expected = json!({"identityId": GUEST, "state": "done", "moved": count, "renamed": 0, "replaced": 0,
            "setAside": 0});
        ensure!((status, &body, code.as_str()) == (200, &expected, "GuestPromoted"), "{count}: {status} {body} {code}");
        ensure!(bench.items(&format!("GUEST#{GUEST}"))?.is_empty(), "{count}: something is left");
        let mut after = bench.items(&format!("USER#{ANN}"))?;
        after.iter_mut().for_each(|item| item["pk"]["S"] = json!(format!("GUEST#{GUEST}")));
        ensure!(before == after, "{count}: not what it was");
        ensure!(bench.names(&format!("LEDGER#{GUEST}"))? == ["PROMOTION"], "{count}: one entry");
        ensure!(bench.services.identity_pool().get(GUEST) == Some(Identity::Of(ANN.to_owned())), "not linked");
        let events = bench.services.identity_pool().events();
        ensure!(
            events.len() == 1 && events[0]["type"] == "guest.promoted" && events[0]["moved"] == count,
            "{events:?}"
        );
    }
    Ok(())
}

/// R03, R04, R05, R08.
#[test]
fn r03_r04_r05_r08_only_a_fresh_token_of_a_guest_of_this_pool_proves_anything() -> Result<()> {
    let other_pool = "us-east-1:22222222-2222-4333-8444-555555555555";
    let foreign = "eu-west-1:0a1b2c3d-1111-4222-8333-444455556666";
    let good = token(|_| {})?;
    let (start, signature) = good.rsplit_once('.').context("no signature")?;
    let header = json!({"kid": "us-east-12", "typ": "JWS", "alg": "RS512"});
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({"sub": GUEST, "aud": IdentityPool::ID, "amr": ["unauthenticated"],
            "iss": "https://cognito-identity.amazonaws.com", "iat": now(), "exp": now() + 600});
        change(&mut claims);
        claims
    };
    let rows: Vec<(&str, String, bool)> = vec![
        ("as the pool makes it", good.clone(), true),
        ("R03 of another region", token(|claims| claims["sub"] = json!(foreign))?, false),
        ("R04 of another pool", token(|claims| claims["aud"] = json!(other_pool))?, false),
        (
            "R04 of this pool among others",
            token(|claims| claims["aud"] = json!([IdentityPool::ID, other_pool]))?,
            false,
        ),
        ("R05 the pool itself", token(|claims| claims["sub"] = json!(IdentityPool::ID))?, false),
        ("no identity", token(|claims| claims["sub"] = json!(ANN))?, false),
        ("of another issuer", token(|claims| claims["iss"] = json!("https://cognito-identity.example"))?, false),
        ("too old", token(|claims| claims["iat"] = json!(now() - 601))?, false),
        ("over", token(|claims| claims["exp"] = json!(now() - 1))?, false),
        (
            "of tomorrow",
            token(|claims| (claims["iat"], claims["exp"]) = (json!(now() + 900), json!(now() + 1_500)))?,
            false,
        ),
        ("without a time", token(|claims| claims["iat"] = Value::Null)?, false),
        ("without amr", token(|claims| claims["amr"] = json!([]))?, false),
        ("bent", format!("{start}.{}", signature.chars().rev().collect::<String>()), false),
        ("signed by somebody else", signed(&header, &claims(&|_| {}), other_signing_key()?)?, false),
        (
            "under another key's name",
            signed(&json!({"kid": "x", "typ": "JWS", "alg": "RS512"}), &claims(&|_| {}), signing_key()?)?,
            false,
        ),
        (
            "without an algorithm",
            signed(&json!({"kid": "us-east-12", "alg": "none"}), &claims(&|_| {}), signing_key()?)?,
            false,
        ),
        (
            "with a key of its own",
            signed(
                &json!({"kid": "us-east-12", "alg": "RS512", "jwk": jwk(other_signing_key()?, "us-east-12")}),
                &claims(&|_| {}),
                signing_key()?,
            )?,
            false,
        ),
        ("no token at all", "guest".to_owned(), false),
        ("empty", String::new(), false),
    ];
    for (name, token, accepted) in rows {
        let mut bench = Bench::start()?;
        bench.guest_has(GUEST, ["score".to_owned()])?;
        let (status, body, code) = bench.promote(&Call::by_token(&token, ANN))?;
        if accepted {
            ensure!((status, &body["state"]) == (200, &json!("done")), "{name}: {status} {body} {code}");
            continue;
        }
        ensure!(is_refused(status, &body), "{name}: {status} {body} {code}");
        ensure!(code != "GuestRefused" && !code.is_empty(), "{name}: the log does not say why");
        ensure!(bench.names(&format!("GUEST#{GUEST}"))? == ["score"], "{name}: touched");
        ensure!(bench.names(&format!("LEDGER#{GUEST}"))?.is_empty(), "{name}: claimed");
        ensure!(bench.services.identity_pool().get(GUEST) == Some(Identity::Guest), "{name}: linked");
    }
    let mut bench = Bench::start()?;
    let registered = token(|claims| claims["amr"] = json!(["authenticated", IdentityPool::PROVIDER]))?;
    let (status, body, _) = bench.promote(&Call::by_token(&registered, ANN))?;
    ensure!((status, &body["code"]) == (409, &json!("GuestRegistered")), "R08: {status} {body}");
    Ok(())
}

#[test]
fn a_mark_gives_a_guest_to_the_user_whom_it_names_and_to_nobody_else() -> Result<()> {
    let table: [(&str, Option<Value>, &str); 5] = [
        ("no mark", None, "ProofNotWritten"),
        ("somebody else's", Some(json!({"S": BOB})), "GrantOfAnotherUser"),
        ("empty", Some(json!({"S": ""})), "GrantOfAnotherUser"),
        ("a longer name", Some(json!({"S": format!("{ANN}0")})), "GrantOfAnotherUser"),
        ("no text", Some(json!({"L": [{"S": ANN}]})), "ProofNotWritten"),
    ];
    let mut bench = Bench::start()?;
    bench.guest_has(GUEST, ["score".to_owned()])?;
    for (name, mark, expected) in table {
        if let Some(mark) = mark {
            bench.put(&format!("GUEST#{GUEST}"), "#grant", &[("data", mark)])?;
        }
        let (status, body, code) = bench.promote(&Call::by_mark(GUEST, ANN))?;
        ensure!(is_refused(status, &body) && code == expected, "{name}: {status} {body} {code}");
    }
    // The same words for a guest that there is not, and for one of another region.
    for guest in [OTHER_GUEST, "eu-west-1:0a1b2c3d-1111-4222-8333-444455556666", IdentityPool::ID] {
        let (status, body, _) = bench.promote(&Call::by_mark(guest, ANN))?;
        ensure!(is_refused(status, &body), "{guest}: {status} {body}");
    }
    Ok(())
}

/// R10, R38.
#[test]
fn r10_r38_a_guest_who_is_linked_to_the_user_already_keeps_everything() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.services.identity_pool().put(GUEST, Identity::Of(ANN.to_owned()));
    bench.guest_has(GUEST, ["score".to_owned()])?;
    bench.grant(GUEST, ANN)?;
    let (status, body, _) = bench.promote(&Call::by_mark(GUEST, ANN))?;
    ensure!((status, &body["moved"], &body["identityId"]) == (200, &json!(1), &json!(GUEST)), "{status} {body}");
    // R38: another device still writes with the guest's credentials: it follows.
    bench.guest_has(GUEST, ["late".to_owned()])?;
    bench.queue(GUEST)?;
    ensure!(bench.names(&format!("USER#{ANN}"))? == ["late", "score"], "the late one is not there");
    ensure!(bench.names(&format!("GUEST#{GUEST}"))?.is_empty(), "something is left");
    let again = bench.promote(&Call::by_mark(GUEST, ANN))?;
    ensure!(again.1 == body, "another answer: {} {body}", again.1);
    Ok(())
}

/// R12, R13.
#[test]
fn r12_r13_a_promoted_guest_stays_one_users_and_the_answer_stays_the_same() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.guest_has(GUEST, ["score".to_owned()])?;
    let fresh = token(|_| {})?;
    let (status, first, _) = bench.promote(&Call::by_token(&fresh, ANN))?;
    ensure!(status == 200, "{first}");
    let table = bench.services.items(RECORDS_TABLE)?;
    // Eleven minutes and a day later the token proves nothing any more, and need not.
    let old = token(|claims| (claims["iat"], claims["exp"]) = (json!(now() - 90_000), json!(now() - 86_400)))?;
    for call in [Call::by_token(&fresh, ANN), Call::by_token(&old, ANN), Call::by_mark(GUEST, ANN)] {
        let (status, again, _) = bench.promote(&call)?;
        ensure!((status, &again) == (200, &first), "{status} {again}");
    }
    bench.grant(OTHER_GUEST, ANN)?;
    for call in [Call::by_token(&fresh, BOB), Call::by_mark(GUEST, BOB), Call::by_mark(OTHER_GUEST, BOB)] {
        let (status, body, _) = bench.promote(&call)?;
        ensure!(is_refused(status, &body), "R12: {status} {body}");
    }
    let mut after = bench.services.items(RECORDS_TABLE)?;
    after.retain(|item| item["pk"]["S"] != format!("GUEST#{OTHER_GUEST}"));
    ensure!(table == after, "something changed");
    ensure!(bench.services.identity_pool().events().len() == 1, "another event");
    Ok(())
}

/// R14.
#[test]
fn r14_an_idempotency_key_stands_for_one_guest() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.services.identity_pool().put(OTHER_GUEST, Identity::Guest);
    for guest in [GUEST, OTHER_GUEST] {
        bench.grant(guest, ANN)?;
        bench.guest_has(guest, ["score".to_owned()])?;
    }
    let first = bench.promote(&Call::by_mark(GUEST, ANN).key("k-1"))?;
    ensure!(first.0 == 200, "{first:?}");
    ensure!(bench.promote(&Call::by_mark(GUEST, ANN).key("k-1"))?.1 == first.1, "the same again");
    let (status, body, _) = bench.promote(&Call::by_mark(OTHER_GUEST, ANN).key("k-1"))?;
    ensure!((status, &body["code"]) == (422, &json!("IdempotencyKeyReused")), "{status} {body}");
    ensure!(bench.names(&format!("GUEST#{OTHER_GUEST}"))? == ["#grant", "score"], "touched");
    ensure!(bench.promote(&Call::by_mark(OTHER_GUEST, ANN).key("k-2"))?.0 == 200, "another key");
    Ok(())
}

/// R15, R16.
#[test]
fn r15_r16_of_many_at_once_one_moves_and_one_user_wins() -> Result<()> {
    let bench = Bench::start()?;
    bench.guest_has(GUEST, (0..300).map(|index| format!("score-{index:03}")))?;
    // Each has a process of its own, as Lambda gives each call an instance of its own.
    let calls: Vec<(&str, String)> =
        [ANN, BOB, ANN, BOB, ANN, ANN].map(|user| (user, token(|_| {}).unwrap_or_default())).into();
    let answers = std::thread::scope(|scope| {
        let one = |(user, token): (&'static str, String)| {
            let settings = bench.settings.clone();
            let rules = workspace_root().join("rules/rules.toml").display().to_string();
            scope.spawn(move || -> Result<(&str, u64, Value)> {
                let settings = settings.into_iter().filter(|(key, _)| key != "RULES_FILE");
                let settings = settings.chain([("RULES_FILE".to_owned(), rules)]);
                let mut function = Function::start("guest-promotion", settings)?;
                let event = Call::by_token(&token, user).event()?.to_string();
                let reply = function.invoke_within(event, std::time::Duration::from_secs(29)).json()?;
                let body = reply["body"].as_str().map(serde_json::from_str).transpose()?.unwrap_or_default();
                Ok((user, reply["statusCode"].as_u64().unwrap_or_default(), body))
            })
        };
        let running: Vec<_> = calls.into_iter().map(one).collect();
        running.into_iter().map(|one| one.join().expect("the thread ends")).collect::<Result<Vec<_>>>()
    })?;
    let winners: std::collections::BTreeSet<&str> =
        answers.iter().filter(|(_, status, _)| *status != 403).map(|(user, _, _)| *user).collect();
    ensure!(winners.len() == 1, "{answers:?}");
    let winner = winners.into_iter().next().context("nobody won")?;
    let finals: Vec<&Value> = answers.iter().filter(|(_, status, _)| *status == 200).map(|(_, _, body)| body).collect();
    ensure!(!finals.is_empty() && finals.iter().all(|body| *body == finals[0]), "{answers:?}");
    ensure!(finals[0]["moved"] == 300, "{}", finals[0]);
    ensure!(bench.names(&format!("USER#{winner}"))?.len() == 300, "not all");
    let loser = if winner == ANN { BOB } else { ANN };
    ensure!(bench.names(&format!("USER#{loser}"))?.is_empty(), "the loser has something");
    Ok(())
}

/// R17, R19.
#[test]
fn r17_r19_what_the_user_has_already_is_never_overwritten_silently() -> Result<()> {
    let rules: [(&str, &str, &[&str], &str); 4] = [
        // The rule, the guest's age, the names that the user has then, what is counted.
        ("keep-both", "5", &["score", "score~0a1b2c3d"], "renamed"),
        ("keep-user", "5", &["score"], "setAside"),
        ("keep-newer", "5", &["score"], "replaced"),
        ("keep-newer", "1", &["score"], "setAside"),
    ];
    for (rule, age, names, counted) in rules {
        let newer = if rule == "keep-newer" { "\nnewer_by = \"updated_at\"" } else { "" };
        let change =
            |text: String| text.replace("on_conflict = \"keep-both\"", &format!("on_conflict = \"{rule}\"{newer}"));
        let mut bench = Bench::with_rules(change)?;
        let of = |who: &str, at: &str| [("data", json!({"S": who})), ("updated_at", json!({"N": at}))];
        bench.put(&format!("GUEST#{GUEST}"), "score", &of("guest", age))?;
        bench.put(&format!("USER#{ANN}"), "score", &of("user", "3"))?;
        bench.grant(GUEST, ANN)?;
        let (status, body, _) = bench.promote(&Call::by_mark(GUEST, ANN))?;
        ensure!((status, &body[counted]) == (200, &json!(1)), "{rule} {age}: {status} {body}");
        ensure!(bench.names(&format!("USER#{ANN}"))? == names, "{rule} {age}");
        let holders = |text: &str| -> Result<usize> {
            Ok(bench.services.items(RECORDS_TABLE)?.iter().filter(|item| item.to_string().contains(text)).count())
        };
        ensure!(holders("\"S\":\"guest\"")? == 1 && holders("\"S\":\"user\"")? == 1, "{rule} {age}: lost or doubled");
        let kept = &bench.items(&format!("USER#{ANN}"))?[0]["data"]["S"];
        ensure!(*kept == if counted == "replaced" { "guest" } else { "user" }, "{rule} {age}: {kept}");
    }
    Ok(())
}

/// R20, R21, R23, R24, R34.
#[test]
fn r20_r21_r23_r24_r34_records_of_every_size_and_name_go_where_they_belong() -> Result<()> {
    let mut bench = Bench::start()?;
    let guest = format!("GUEST#{GUEST}");
    let text = |bytes: usize| json!({"S": "d".repeat(bytes)});
    // R21, R24: 6 MB in all, so several pages and several transactions.
    for index in 0..100 {
        bench.put(&guest, &format!("big-{index:03}"), &[("data", text(60_000))])?;
    }
    // R20: it fits under the guest's key and not under the user's, which is longer.
    let user = "u".repeat(64);
    let most = 400 * 1024 - guest.len() - ["pk", "sk", "data", "full"].map(str::len).iter().sum::<usize>();
    bench.put(&guest, "full", &[("data", text(most - EXPIRES)), ("expires_at", json!({"N": "4000000000"}))])?;
    // R34, R23, and another tenant's.
    bench.put(&guest, "USER#bob", &[("data", text(1))])?;
    bench.put(&guest, "LEDGER#x", &[("data", text(1))])?;
    bench.put(&guest, "gone", &[("data", text(1)), ("expires_at", json!({"N": "1000"}))])?;
    bench.put(&guest, "globex", &[("data", text(1)), ("tenant", json!({"S": "globex"}))])?;
    bench.put(&guest, "acme", &[("data", text(1)), ("tenant", json!({"S": "acme"}))])?;
    bench.grant(GUEST, &user)?;
    let (status, body, code) = bench.promote(&Call::by_mark(GUEST, &user))?;
    ensure!((status, &body["state"]) == (200, &json!("incomplete")), "{status} {body} {code}");
    ensure!(body["stuck"] == json!(["full"]), "{body}");
    ensure!((&body["moved"], &body["setAside"]) == (&json!(101), &json!(4)), "{body}");
    ensure!(bench.names(&guest)? == ["full"], "only what is stuck stays");
    ensure!(bench.items(&guest)?[0].get("expires_at").is_none(), "what is stuck may not end");
    let reasons: std::collections::BTreeSet<String> = bench
        .items(&format!("ASIDE#{GUEST}"))?
        .iter()
        .filter_map(|item| {
            Some(format!("{} {}", item["reason"]["S"].as_str()?, item["record"]["M"]["sk"]["S"].as_str()?))
        })
        .collect();
    let expected = ["expired gone", "other-tenant globex", "reserved-name LEDGER#x", "reserved-name USER#bob"];
    ensure!(reasons.iter().eq(expected), "{reasons:?}");
    ensure!(bench.services.identity_pool().events().is_empty(), "it is not finished");
    // Once somebody has made room, asking again finishes it.
    bench.put(&guest, "full", &[("data", text(10))])?;
    let (status, body, _) = bench.promote(&Call::by_mark(GUEST, &user))?;
    ensure!((status, &body["state"], &body["moved"]) == (200, &json!("done"), &json!(102)), "{status} {body}");
    ensure!(bench.services.identity_pool().events().len() == 1, "no event");
    Ok(())
}

/// R31.
#[test]
fn r31_an_entry_that_is_not_understood_is_left_alone_and_told_to_the_operator() -> Result<()> {
    let entry = |change: &dyn Fn(&mut Value)| {
        let number = |number: u64| json!({"N": number.to_string()});
        let text = |text: &str| json!({"S": text});
        let mut item = json!({"pk": text(&format!("LEDGER#{GUEST}")), "sk": text("PROMOTION"), "format": number(1),
            "owner": text(ANN), "state": text("moving"), "identity": text(GUEST), "claimed_at": number(1_000),
            "mover": text("m"), "lease_until": number(0), "revision": number(1), "moved": number(0),
            "renamed": number(0), "replaced": number(0), "same": number(0), "set_aside": number(0),
            "late": number(0), "announced": {"BOOL": false}, "deletes_identity": {"BOOL": false}});
        change(&mut item);
        item
    };
    let rows: [(&str, Value); 4] = [
        ("of a later build", entry(&|item| item["format"] = json!({"N": "2"}))),
        ("in an unknown state", entry(&|item| item["state"] = json!({"S": "paused"}))),
        ("without its owner", entry(&|item| drop(item.as_object_mut().map(|item| item.remove("owner"))))),
        ("of another type", entry(&|item| item["moved"] = json!({"S": "0"}))),
    ];
    for (name, item) in rows {
        let mut bench = Bench::start()?;
        bench.guest_has(GUEST, ["score".to_owned()])?;
        bench.grant(GUEST, ANN)?;
        bench.services.put(RECORDS_TABLE, &item)?;
        let before = bench.services.items(RECORDS_TABLE)?;
        let (status, _, code) = bench.promote(&Call::by_mark(GUEST, ANN))?;
        ensure!((status, code.as_str()) == (503, "LedgerCorrupt"), "{name}: {status} {code}");
        let answer = bench.queue(GUEST)?;
        ensure!(answer["batchItemFailures"][0]["itemIdentifier"] == "m-1", "{name}: {answer}");
        ensure!(bench.services.items(RECORDS_TABLE)? == before, "{name}: touched");
    }
    let mut bench = Bench::start()?;
    bench.guest_has(GUEST, ["score".to_owned()])?;
    bench.services.put(RECORDS_TABLE, &entry(&|_| {}))?;
    bench.queue(GUEST)?;
    ensure!(bench.names(&format!("USER#{ANN}"))? == ["score"], "a good entry goes on");
    Ok(())
}

/// R37.
#[test]
fn r37_a_merged_identity_is_deleted_sooner_or_later_and_never_in_the_way() -> Result<()> {
    let mut bench =
        Bench::with_rules(|text| text.replace("delete_merged_identities = false", "delete_merged_identities = true"))?;
    bench.services.identity_pool().put(ANNS, Identity::Of(ANN.to_owned()));
    bench.services.identity_pool().leave_next_deletions(1);
    bench.guest_has(GUEST, ["score".to_owned()])?;
    bench.grant(GUEST, ANN)?;
    let (status, body, _) = bench.promote(&Call::by_mark(GUEST, ANN))?;
    ensure!((status, &body["identityId"], &body["state"]) == (200, &json!(ANNS), &json!("done")), "{status} {body}");
    ensure!(bench.services.identity_pool().get(GUEST) == Some(Identity::Disabled), "left for later");
    bench.queue(GUEST)?;
    ensure!(bench.services.identity_pool().get(GUEST).is_none(), "deleted by the queue");
    ensure!(bench.promote(&Call::by_mark(GUEST, ANN))?.1 == body, "the same answer afterwards");
    Ok(())
}

#[test]
fn an_identity_that_has_another_users_login_is_not_taken_and_the_claim_is_given_back() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.services.identity_pool().put(GUEST, Identity::Of(BOB.to_owned()));
    bench.guest_has(GUEST, ["score".to_owned()])?;
    bench.grant(GUEST, ANN)?;
    let (status, body, code) = bench.promote(&Call::by_mark(GUEST, ANN))?;
    ensure!(is_refused(status, &body) && code == "IdentityTaken", "{status} {body} {code}");
    ensure!(bench.names(&format!("LEDGER#{GUEST}"))?.is_empty(), "the claim stands");
    bench.grant(GUEST, BOB)?;
    ensure!(bench.promote(&Call::by_mark(GUEST, BOB))?.0 == 200, "whose it is can have it");
    Ok(())
}

#[test]
fn a_pool_that_fails_or_loses_its_answer_costs_nothing_but_time() -> Result<()> {
    for (name, fails, loses) in [("fails", 9, 0), ("loses its answer", 0, 9)] {
        let mut bench = Bench::start()?;
        bench.guest_has(GUEST, ["score".to_owned()])?;
        bench.grant(GUEST, ANN)?;
        bench.services.identity_pool().fail_next(fails);
        bench.services.identity_pool().lose_next_answers(loses);
        let (status, _, code) = bench.promote(&Call::by_mark(GUEST, ANN))?;
        ensure!((status, code.as_str()) == (503, "IdentityPoolUnreachable"), "{name}: {status} {code}");
        ensure!(bench.names(&format!("GUEST#{GUEST}"))? == ["#grant", "score"], "{name}: moved");
        bench.services.identity_pool().fail_next(0);
        bench.services.identity_pool().lose_next_answers(0);
        let (status, body, _) = bench.promote(&Call::by_mark(GUEST, ANN))?;
        ensure!((status, &body["moved"]) == (200, &json!(1)), "{name}: {status} {body}");
    }
    Ok(())
}

#[test]
fn a_registered_secret_has_to_be_there_and_cannot_be_guessed() -> Result<()> {
    let mut bench = Bench::start()?;
    bench.guest_has(GUEST, ["score".to_owned()])?;
    let proof = token(|_| {})?;
    let body = json!({"guestToken": proof, "claimSecret": SECRET});
    for (name, body, expected) in [
        ("no proof", json!({"claimSecret": SECRET}), 400),
        ("a short secret", json!({"guestToken": proof, "claimSecret": "secret"}), 400),
        ("a bent proof", json!({"guestToken": format!("{proof}x"), "claimSecret": SECRET}), 403),
        ("the id alone", json!({"identityId": GUEST, "claimSecret": SECRET}), 403),
        ("the first time", body.clone(), 204),
        ("the same again", body.clone(), 204),
        ("another one", json!({"guestToken": proof, "claimSecret": WRONG_SECRET}), 403),
    ] {
        let (_, status, answer) = bench.send(&register(&body))?;
        ensure!(status == expected, "{name}: {status} {answer}");
    }
    let kept = bench.items(&format!("LEDGER#{GUEST}"))?;
    ensure!(kept.len() == 1 && !kept[0].to_string().contains(SECRET), "the secret itself is kept");
    let (status, answer, code) = bench.promote(&Call::by_token(&proof, BOB))?;
    ensure!(is_refused(status, &answer) && code == "ClaimSecretMissing", "{status} {answer} {code}");
    let mut codes = Vec::new();
    for _ in 0..7 {
        let (status, answer, code) = bench.promote(&Call::by_token(&proof, BOB).secret(WRONG_SECRET))?;
        ensure!(is_refused(status, &answer), "{status} {answer}");
        codes.push(code);
    }
    ensure!(codes.iter().any(|code| code == "ClaimSecretWrong"), "{codes:?}");
    ensure!(codes.last().is_some_and(|code| code == "ClaimSecretLocked"), "{codes:?}");
    // Nobody is locked out for good, but for now not even the right one helps.
    let (status, answer, code) = bench.promote(&Call::by_token(&proof, ANN).secret(SECRET))?;
    ensure!(is_refused(status, &answer) && code == "ClaimSecretLocked", "{status} {answer} {code}");
    let mut waited = bench.items(&format!("LEDGER#{GUEST}"))?.remove(0);
    waited["open_at"] = json!({"N": (now() - 1).to_string()});
    bench.services.put(RECORDS_TABLE, &waited)?;
    let (status, answer, code) = bench.promote(&Call::by_token(&proof, ANN).secret(SECRET))?;
    ensure!((status, &answer["moved"]) == (200, &json!(1)), "{status} {answer} {code}");
    Ok(())
}

#[test]
fn groups_of_the_rules_come_with_the_promotion() -> Result<()> {
    let mut bench = Bench::with_rules(|text| {
        let (before, after) = text.split_once("groups = []").unwrap_or_default();
        format!("{before}groups = [\"players\"]{after}")
    })?;
    bench.grant(GUEST, ANN)?;
    let (status, body, code) = bench.promote(&Call::by_mark(GUEST, ANN))?;
    ensure!(status == 200, "{status} {body} {code}");
    let calls = bench.services.calls();
    let joined = calls.iter().filter(|call| call.contains("AdminAddUserToGroup") && call.contains("players")).count();
    ensure!(joined == 1, "{calls:?}");
    Ok(())
}
