//! WebSocket connections, GraphQL fields, several issuers and the end of what is
//! kept, put to the built authorizer.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::gateway::Passage::{self, Allowed, Forbidden, Unauthorized};
use tests::gateway::{API, app_sync, arn, http_v1, http_v2, passage, rest_request, rest_token, web_socket};
use tests::http::{Response, Server};
use tests::{
    Audit, Function, Outcome, Reply, SigningKey, TokenIssuer, Verdict, compact, evaluate_at, now, other_signing_key,
    signing_key, workspace_root,
};

const POOL_A: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01";
const POOL_B: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE02";
const PARTNER: &str = "https://id.partner.example";
const CLIENT_A: &str = "1example23456789";
const CLIENT_B: &str = "2example23456789";

/// Two pools, two other issuers, and an authorizer that trusts them all. Every
/// issuer calls its key by the same name.
struct World {
    pool_a: &'static SigningKey,
    pool_b: &'static SigningKey,
    corp: SigningKey,
    partner: SigningKey,
    corp_issuer: String,
    asked: Arc<Mutex<Vec<String>>>,
    _server: Server,
    rules: PathBuf,
    function: Function,
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.rules));
    }
}

impl World {
    fn open(settings: &[(&str, &str)]) -> Result<Self> {
        let (pool_a, pool_b) = (signing_key()?, other_signing_key()?);
        let (corp, partner) = (SigningKey::generate()?, SigningKey::generate()?);
        let set = |key: &SigningKey| json!({"keys": [key.jwk("k1")]}).to_string();
        let sets = [
            ("/us-east-1_EXAMPLE01/jwks", set(pool_a)),
            ("/us-east-1_EXAMPLE02/jwks", set(pool_b)),
            ("/corp/keys", set(&corp)),
            ("/partner/keys", set(&partner)),
        ];
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&asked);
        let server = Server::start(move |request| {
            noting.lock().unwrap_or_else(PoisonError::into_inner).push(request.path.clone());
            let host = request.header("host").unwrap_or_default();
            let description =
                json!({"issuer": format!("http://{host}/corp"), "jwks_uri": format!("http://{host}/corp/keys")});
            let found = match request.path.as_str() {
                "/corp/.well-known/openid-configuration" => Some(description.to_string()),
                path => sets.iter().find(|(known, _)| *known == path).map(|(_, set)| set.clone()),
            };
            let status = if found.is_some() { 200 } else { 404 };
            Response::new(status, "application/json", found.unwrap_or_default())
        })?;
        let read = |file: &str| std::fs::read_to_string(workspace_root().join("tests").join(file));
        let text = format!("{}\n{}", read("attacks.rules.toml")?, read("attacks_fronts.rules.toml")?);
        let corp_issuer = format!("{}/corp", server.url());
        let text = text.replace("{corp}", &corp_issuer).replace("{partner}", &format!("{}/partner/keys", server.url()));
        let rules = std::env::temp_dir().join(format!("front-rules-{}-{:p}.toml", std::process::id(), &asked));
        std::fs::write(&rules, text)?;
        let mut all: Vec<(String, String)> = vec![
            ("ISSUERS".to_owned(), format!("{POOL_A},{POOL_B}")),
            ("CLIENT_IDS".to_owned(), format!("{CLIENT_A};{CLIENT_B}")),
            ("KEY_SET_URL".to_owned(), format!("{}/{{pool}}/jwks", server.url())),
            ("RULES_FILE".to_owned(), rules.display().to_string()),
            ("LOG_LEVEL".to_owned(), "trace".to_owned()),
        ];
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let function = Function::start("authorizer", all)?;
        Ok(Self { pool_a, pool_b, corp, partner, corp_issuer, asked, _server: server, rules, function })
    }

    /// A user of the pool A.
    fn of_a(&self) -> Value {
        json!({"iss": POOL_A, "sub": TokenIssuer::SUBJECT, "client_id": CLIENT_A, "token_use": "access", "username": "ann",
            "iat": now(), "exp": now() + 900, "tenant": "acme", "roles": ["member"], "scope": "openid"})
    }

    /// A user of the pool B.
    fn of_b(&self) -> Value {
        with(with(self.of_a(), "iss", json!(POOL_B)), "client_id", json!(CLIENT_B))
    }

    /// A user of the corporation, whose tokens name their rights in another way.
    fn of_corp(&self) -> Value {
        json!({"iss": self.corp_issuer, "sub": TokenIssuer::SUBJECT, "aud": ["api://poolhouse"], "azp": "corp-web",
            "iat": now(), "exp": now() + 900, "org": "acme", "permissions": ["member", "admin"]})
    }

    /// A user of the partner.
    fn of_partner(&self) -> Value {
        json!({"iss": PARTNER, "sub": "p-1", "aud": "partner-api", "iat": now(), "exp": now() + 900})
    }

    fn send(&mut self, event: &Value) -> Result<Outcome> {
        let outcome = self.function.invoke(event.to_string());
        let audit = Audit::default();
        audit.outcome(&self.function, &outcome)?;
        audit.printed(&self.function)?;
        Ok(outcome)
    }

    /// What the caller of `arn` gets, and the code.
    fn heard(&mut self, event: &Value, arn: &str) -> Result<(Passage, String)> {
        let outcome = self.send(event)?;
        let code = self.function.code_of(&outcome).context("no code")?;
        Ok((passage(&outcome, arn), code))
    }

    /// The code for `GET` of a path with a token.
    fn code(&mut self, token: &str, path: &str) -> Result<String> {
        Ok(self.heard(&http_v2(token, "GET", path), &arn("GET", path))?.1)
    }
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    if let Some(members) = claims.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    if let Some(members) = claims.as_object_mut() {
        members.remove(name);
    }
    claims
}

/// The event with one member of its context set.
fn in_context(mut event: Value, name: &str, value: Value) -> Value {
    event["requestContext"] = with(event["requestContext"].take(), name, value);
    event
}

/// A token of these claims. A pool writes no type.
fn mint(key: &SigningKey, typ: Option<&str>, claims: &Value) -> Result<String> {
    let header = json!({"alg": "RS256", "kid": "k1"});
    let header = typ.map_or(header.clone(), |typ| with(header, "typ", json!(typ)));
    compact(header.to_string(), claims.to_string(), key)
}

#[test]
fn keys_clients_and_claims_are_an_issuers_own() -> Result<()> {
    let mut world = World::open(&[])?;
    // Fetched at start, the description included; no call has been made yet.
    let asked = world.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for path in [
        "/us-east-1_EXAMPLE01/jwks",
        "/us-east-1_EXAMPLE02/jwks",
        "/corp/.well-known/openid-configuration",
        "/corp/keys",
        "/partner/keys",
    ] {
        ensure!(asked.iter().filter(|known| *known == path).count() == 1, "{path} at start: {asked:?}");
    }
    let (a, b, corp, partner) = (world.of_a(), world.of_b(), world.of_corp(), world.of_partner());
    let jwt = Some("JWT");
    let rows = vec![
        ("H16", "A for itself", mint(world.pool_a, None, &a)?, "Allowed"),
        ("H16", "B for itself", mint(world.pool_b, None, &b)?, "Allowed"),
        ("H16", "the corporation for itself", mint(&world.corp, jwt, &corp)?, "Allowed"),
        ("H16", "the partner for itself", mint(&world.partner, jwt, &of_tenant(&partner))?, "Allowed"),
        ("H16", "A by the key of B, of the same name", mint(world.pool_b, None, &a)?, "SignatureBad"),
        ("H16", "A by the corporation", mint(&world.corp, None, &a)?, "SignatureBad"),
        ("H16", "the corporation by A", mint(world.pool_a, jwt, &corp)?, "SignatureBad"),
        ("H16", "the partner by the corporation", mint(&world.corp, jwt, &partner)?, "SignatureBad"),
        (
            "C21",
            "a client of B in A",
            mint(world.pool_a, None, &with(a.clone(), "client_id", json!(CLIENT_B)))?,
            "ClientRefused",
        ),
        (
            "C21",
            "a client of A in B",
            mint(world.pool_b, None, &with(b.clone(), "client_id", json!(CLIENT_A)))?,
            "ClientRefused",
        ),
        (
            "C21",
            "a client of A at the corporation",
            mint(&world.corp, jwt, &with(corp.clone(), "azp", json!(CLIENT_A)))?,
            "ClientRefused",
        ),
        (
            "C23",
            "an audience of the partner",
            mint(&world.corp, jwt, &with(corp.clone(), "aud", json!("partner-api")))?,
            "AudienceRefused",
        ),
        (
            "C23",
            "a client of A as audience",
            mint(&world.corp, jwt, &with(corp.clone(), "aud", json!(CLIENT_A)))?,
            "AudienceRefused",
        ),
        (
            "C14",
            "the pool's claims under its name",
            mint(&world.corp, jwt, &with(a.clone(), "iss", corp["iss"].clone()))?,
            "AudienceRefused",
        ),
        (
            "C14",
            "its claims under the pool's name",
            mint(world.pool_a, None, &with(corp.clone(), "iss", json!(POOL_A)))?,
            "TokenUseRefused",
        ),
        ("H27", "the type that only others write, at a pool", mint(world.pool_a, Some("at+jwt"), &a)?, "HeaderRefused"),
        ("H27", "no type at the corporation", mint(&world.corp, None, &corp)?, "HeaderRefused"),
        ("H27", "a type that the partner has not", mint(&world.partner, Some("at+jwt"), &partner)?, "HeaderRefused"),
        (
            "C32",
            "a tenant that it may not name",
            mint(&world.corp, jwt, &with(corp.clone(), "org", json!("globex")))?,
            "TenantRefused",
        ),
        (
            "C32",
            "a tenant in the pool's claim",
            mint(&world.corp, jwt, &with(without(corp.clone(), "org"), "tenant", json!("acme")))?,
            "TenantMissing",
        ),
        (
            "C05",
            "an end that has come",
            mint(&world.corp, jwt, &with(with(corp.clone(), "iat", json!(now() - 900)), "exp", json!(now() - 30)))?,
            "TokenExpired",
        ),
    ];
    let mut failures = Vec::new();
    for (id, says, token, expected) in rows {
        let code = world.code(&token, "/shared")?;
        if code != expected {
            failures.push(format!("{id} {says}: {code} instead of {expected}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// The partner has a tenant, whatever is claimed; another one is not believed.
fn of_tenant(partner: &Value) -> Value {
    with(with(partner.clone(), "tenant", json!("acme")), "org", json!("acme"))
}

#[test]
fn an_issuer_opens_only_what_names_it_and_says_only_what_it_may() -> Result<()> {
    let mut world = World::open(&[])?;
    let jwt = Some("JWT");
    let (a, corp) = (mint(world.pool_a, None, &world.of_a())?, mint(&world.corp, jwt, &world.of_corp())?);
    let partner = mint(&world.partner, jwt, &world.of_partner())?;
    let rows = [
        (&a, "/shared", "Allowed"),
        (&a, "/items", "Allowed"),
        (&a, "/corp", "IssuerNotTaken"),
        (&corp, "/corp", "Allowed"),
        (&corp, "/items", "IssuerNotTaken"),
        (&corp, "/admin/members", "IssuerNotTaken"),
        (&corp, "/tenants/acme", "IssuerNotTaken"),
        (&partner, "/shared", "Allowed"),
        (&partner, "/corp", "IssuerNotTaken"),
    ];
    for (token, path, expected) in rows {
        let code = world.code(token, path)?;
        ensure!(code == expected, "{path}: {code} instead of {expected}");
    }
    // C27: the same `sub` at two issuers is two people. "admin" is not the corporation's to give.
    let context = |world: &mut World, token: &str| -> Result<Value> {
        Ok(world.send(&http_v2(token, "GET", "/shared"))?.json()?["context"].take())
    };
    let (ann, theirs) = (context(&mut world, &a)?, context(&mut world, &corp)?);
    ensure!(ann["subject"] == TokenIssuer::SUBJECT, "{ann}");
    ensure!(theirs["subject"] == format!("corp_{}", TokenIssuer::SUBJECT), "C27 {theirs}");
    ensure!(theirs["roles"] == "member" && theirs["tenant"] == "acme", "C34 {theirs}");
    let names: Vec<&String> = theirs.as_object().context("no context")?.keys().collect();
    ensure!(names == ["clientId", "roles", "subject", "tenant", "tokenUse"], "P11 the context has {names:?}");
    // A kept policy of one issuer's user says the same.
    let policy = world.send(&rest_token(&corp, "GET", "/corp"))?.json()?["policyDocument"].take();
    for (path, may) in [("/corp", true), ("/shared", true), ("/items", false), ("/me", false)] {
        ensure!((evaluate_at(&policy, &arn("GET", path), now()) == Verdict::Allow) == may, "P01 {path}");
    }
    Ok(())
}

#[test]
fn a_connection_is_opened_by_one_token_in_its_place() -> Result<()> {
    let mut world = World::open(&[])?;
    let connect = format!("{API}/$connect");
    let member = mint(world.pool_a, None, &world.of_a())?;
    let guest = mint(world.pool_a, None, &without(world.of_a(), "roles"))?;
    let corp = mint(&world.corp, Some("JWT"), &world.of_corp())?;
    let partner = mint(&world.partner, Some("JWT"), &world.of_partner())?;
    let bearer = format!("Bearer {member}");
    let good = || web_socket(&[], &[("token", &member)]);
    let all = |values: Value| with(good(), "multiValueQueryStringParameters", json!({"token": values}));
    let refused = (Unauthorized, "EventRefused");
    let inconsistent = (Unauthorized, "EventInconsistent");
    let missing = (Unauthorized, "TokenMissing");
    let twice = (Unauthorized, "TokenAmbiguous");
    let rows = vec![
        ("A16", "a token in the query", good(), (Allowed, "Allowed")),
        ("A16", "twice", all(json!([member, member])), twice),
        ("A16", "a good one and a bad one", all(json!([member, "a.b.c"])), twice),
        ("A16", "two places disagree", all(json!(["a.b.c"])), twice),
        ("A16", "only in the lists", without(good(), "queryStringParameters"), (Allowed, "Allowed")),
        ("A16", "under another name", web_socket(&[], &[("access_token", &member)]), missing),
        ("A16", "under a name in another case", web_socket(&[], &[("Token", &member)]), missing),
        ("A16", "with a scheme", web_socket(&[], &[("token", &bearer)]), (Unauthorized, "TokenMalformed")),
        ("A18", "in the header, which the rules do not name", web_socket(&[("Authorization", &bearer)], &[]), missing),
        (
            "A18",
            "among the subprotocols, likewise",
            web_socket(&[("Sec-WebSocket-Protocol", &format!("token, {member}"))], &[]),
            missing,
        ),
        ("A14", "a cookie", web_socket(&[("Cookie", &format!("token={member}"))], &[]), missing),
        (
            "A16",
            "a header beside the query says nothing",
            web_socket(&[("Authorization", "Bearer a.b.c")], &[("token", &member)]),
            (Allowed, "Allowed"),
        ),
        (
            "A17",
            "a message",
            in_context(in_context(good(), "eventType", json!("MESSAGE")), "routeKey", json!("$default")),
            inconsistent,
        ),
        (
            "A17",
            "the end",
            in_context(in_context(good(), "eventType", json!("DISCONNECT")), "routeKey", json!("$disconnect")),
            inconsistent,
        ),
        ("A17", "another route's key", in_context(good(), "routeKey", json!("$default")), inconsistent),
        ("A17", "no kind of event", in_context(good(), "eventType", json!(null)), inconsistent),
        ("A21", "another route's name", with(good(), "methodArn", json!(format!("{API}/$default"))), refused),
        ("A21", "a request's name", with(good(), "methodArn", json!(arn("GET", "/items"))), refused),
        ("A21", "more behind it", with(good(), "methodArn", json!(format!("{connect}/x"))), refused),
        ("A21", "no name", without(good(), "methodArn"), refused),
        ("A21", "every stage", with(good(), "methodArn", json!(connect.replace("/prod/", "/*/"))), refused),
        ("A24", "another stage", in_context(good(), "stage", json!("dev")), inconsistent),
        (
            "A24",
            "the console's stage",
            with(
                in_context(good(), "stage", json!("test-invoke-stage")),
                "methodArn",
                json!(connect.replace("/prod/", "/test-invoke-stage/")),
            ),
            refused,
        ),
        ("A25", "another API", in_context(good(), "apiId", json!("other456")), inconsistent),
        (
            "A25",
            "in the form of an HTTP API",
            with(with(good(), "version", json!("2.0")), "routeArn", json!(connect)),
            refused,
        ),
        ("P06", "without the role", web_socket(&[], &[("token", &guest)]), (Forbidden, "RoleMissing")),
        ("P06", "an issuer that is named", web_socket(&[], &[("token", &corp)]), (Allowed, "Allowed")),
        ("P06", "an issuer that is not", web_socket(&[], &[("token", &partner)]), (Forbidden, "IssuerNotTaken")),
    ];
    let mut failures = Vec::new();
    for (id, says, event, (heard, code)) in rows {
        let got = world.heard(&event, &connect)?;
        if got != (heard, code.to_owned()) {
            failures.push(format!("{id} {says}: {got:?} instead of {heard:?}, {code}"));
        }
        ensure!(world.heard(&good(), &connect)?.0 == Allowed, "{id} {says}: a good one afterwards");
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    // P08, P11: the policy opens the connection and nothing else, and the answer is small.
    let outcome = world.send(&good())?;
    let Reply::Answer(body) = &outcome.reply else { anyhow::bail!("{:?}", outcome.reply) };
    ensure!(body.len() < 8 * 1024, "{} bytes", body.len());
    let mut audit = Audit::default();
    audit.keep_token(&member);
    audit.text(&String::from_utf8_lossy(body))?;
    audit.printed(&world.function)?;
    let policy = outcome.json()?["policyDocument"].take();
    for other in [arn("GET", "/items"), format!("{API}/$default"), connect.replace("/prod/", "/dev/")] {
        ensure!(evaluate_at(&policy, &other, now()) != Verdict::Allow, "P08 {other}");
    }
    Ok(())
}

#[test]
fn a_browser_can_offer_the_token_as_a_subprotocol() -> Result<()> {
    let mut world = World::open(&[])?;
    let text = std::fs::read_to_string(&world.rules)?;
    let text =
        text.replace("token_from = \"query\"\nname = \"token\"", "token_from = \"subprotocol\"\nname = \"bearer\"");
    std::fs::write(&world.rules, text)?;
    let settings = [
        ("ISSUERS", POOL_A.to_owned()),
        ("CLIENT_IDS", CLIENT_A.to_owned()),
        ("KEY_SET_URL", format!("{}/{{pool}}/jwks", world.corp_issuer.trim_end_matches("/corp"))),
        ("RULES_FILE", world.rules.display().to_string()),
    ];
    world.function = Function::start("authorizer", settings)?;
    let member = mint(world.pool_a, None, &world.of_a())?;
    let offered = |value: &str| web_socket(&[("Sec-WebSocket-Protocol", value)], &[]);
    let lists = |values: Value| {
        with(offered(&format!("bearer, {member}")), "multiValueHeaders", json!({"Sec-WebSocket-Protocol": values}))
    };
    let rows = [
        ("as browsers write it", offered(&format!("bearer, {member}")), "Allowed"),
        ("among others", offered(&format!("graphql-ws, bearer, {member}")), "Allowed"),
        (
            "the name in lower case",
            web_socket(&[("sec-websocket-protocol", &format!("bearer,{member}"))], &[]),
            "Allowed",
        ),
        ("without its name", offered(&member), "TokenMissing"),
        ("the name alone", offered("bearer"), "TokenMissing"),
        ("twice", offered(&format!("bearer, {member}, bearer, {member}")), "TokenAmbiguous"),
        ("two headers", lists(json!([format!("bearer, {member}"), "bearer, a.b.c"])), "TokenAmbiguous"),
        ("in the query", web_socket(&[], &[("bearer", &member)]), "TokenMissing"),
    ];
    for (says, event, expected) in rows {
        let (_, code) = world.heard(&event, &format!("{API}/$connect"))?;
        ensure!(code == expected, "A16 {says}: {code} instead of {expected}");
    }
    Ok(())
}

#[test]
fn a_field_without_a_rule_is_closed() -> Result<()> {
    let mut world = World::open(&[])?;
    let member = mint(world.pool_a, None, &world.of_a())?;
    let corp = mint(&world.corp, Some("JWT"), &with(world.of_corp(), "permissions", json!(["auditor", "admin"])))?;
    let partner = mint(&world.partner, Some("JWT"), &world.of_partner())?;
    let items = "{ items { id } }";
    let good = || app_sync(&member, items);
    let deep = format!("{{ items {}x{} }}", "{ a ".repeat(5_000), "}".repeat(5_000));
    let rows = vec![
        ("A09", "a good one", good(), Some(true), "Allowed"),
        ("A09", "another issuer's user", app_sync(&corp, "{ audit { id } }"), Some(true), "Allowed"),
        ("A09", "nothing is asked yet", app_sync(&member, ""), Some(true), "Allowed"),
        ("A09", "no document at all", with_document(good(), None), Some(true), "Allowed"),
        (
            "P17",
            "a field without a rule",
            app_sync(&member, "{ items { id } secrets { id } }"),
            Some(false),
            "FieldUnknown",
        ),
        ("P17", "under another name", app_sync(&member, "{ items: secrets { id } }"), Some(false), "FieldUnknown"),
        (
            "P17",
            "in a fragment",
            app_sync(&member, "{ ...F } fragment F on Query { secrets }"),
            Some(false),
            "FieldUnknown",
        ),
        ("P17", "behind a comment", app_sync(&member, "{ items # }\n secrets }"), Some(false), "FieldUnknown"),
        (
            "P17",
            "in the operation that is not meant",
            app_sync(&member, "query A { items } query B { secrets }"),
            Some(false),
            "FieldUnknown",
        ),
        ("P17", "the schema", app_sync(&member, "{ __schema { types { name } } }"), Some(false), "FieldUnknown"),
        ("P17", "a broken document", app_sync(&member, "{ items"), Some(false), "DocumentRefused"),
        ("A33", "a deep document", app_sync(&member, &deep), Some(true), "Allowed"),
        ("A33", "deep fragments", app_sync(&member, &"{ ... ".repeat(5_000)), Some(false), "DocumentRefused"),
        ("P06", "nothing is open for him", app_sync(&partner, items), Some(false), "IssuerNotTaken"),
        ("A12", "with a scheme", app_sync(&format!("Bearer {member}"), items), Some(false), "TokenMalformed"),
        ("A02", "no token", without(good(), "authorizationToken"), Some(false), "TokenMissing"),
        ("A02", "null", with(good(), "authorizationToken", json!(null)), Some(false), "TokenMissing"),
        ("A02", "nothing in it", with(good(), "authorizationToken", json!("")), Some(false), "TokenMalformed"),
        ("A02", "a number", with(good(), "authorizationToken", json!(7)), Some(false), "TokenMissing"),
        ("A02", "a list", with(good(), "authorizationToken", json!([member])), Some(false), "TokenMissing"),
        ("A20", "no context", without(good(), "requestContext"), None, "EventRefused"),
        ("A20", "no API", in_context(good(), "apiId", json!(null)), None, "EventRefused"),
        ("A25", "a request's name", with(good(), "methodArn", json!(arn("GET", "/items"))), None, "EventInconsistent"),
        ("A25", "a stage", in_context(good(), "stage", json!("prod")), None, "EventInconsistent"),
        ("A25", "a connection", in_context(good(), "connectionId", json!("x=")), None, "EventInconsistent"),
        ("A25", "a type", with(good(), "type", json!("REQUEST")), None, "EventRefused"),
    ];
    let mut failures = Vec::new();
    for (id, says, event, expected, expected_code) in rows {
        let outcome = world.send(&event)?;
        let code = world.function.code_of(&outcome).context("no code")?;
        let authorized = outcome.json().ok().and_then(|answer| answer["isAuthorized"].as_bool());
        if (authorized, code.as_str()) != (expected, expected_code) {
            failures.push(format!("{id} {says}: {authorized:?}, {code} instead of {expected:?}, {expected_code}"));
        }
        if let (Some(false), Ok(answer)) = (authorized, outcome.json()) {
            // L05: every refusal is byte for byte the same, and never kept.
            ensure!(answer == json!({"isAuthorized": false, "ttlOverride": 0}), "L05 {says}: {answer}");
        }
        ensure!(world.send(&good())?.json()?["isAuthorized"] == true, "{id} {says}: a good one afterwards");
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    // P15, P11: the same again, byte for byte; texts only, and no token.
    let (first, second) = (world.send(&good())?.reply, world.send(&good())?.reply);
    let (Reply::Answer(first), Reply::Answer(second)) = (first, second) else { anyhow::bail!("no answers") };
    ensure!(without_ttl(&first)? == without_ttl(&second)?, "P15");
    let answer: Value = serde_json::from_slice(&first)?;
    ensure!(answer["deniedFields"] == json!(["Mutation.deleteTenant", "Query.audit"]), "{answer}");
    let context = answer["resolverContext"].as_object().context("no context")?;
    ensure!(context.values().all(Value::is_string), "P11 {context:?}");
    let mut audit = Audit::default();
    audit.keep_token(&member);
    audit.text(&String::from_utf8_lossy(&first))
}

fn with_document(event: Value, document: Option<&str>) -> Value {
    in_context(event, "queryString", json!(document))
}

fn without_ttl(answer: &[u8]) -> Result<Value> {
    Ok(without(serde_json::from_slice(answer)?, "ttlOverride"))
}

#[test]
fn nothing_that_is_kept_outlives_the_token() -> Result<()> {
    let ends = |seconds: u64| now() + seconds;
    for leeway in [0_u64, 30] {
        let leeway_text = leeway.to_string();
        let mut world = World::open(&[("CACHE_SECONDS", "300"), ("ANSWER", "iam"), ("LEEWAY_SECONDS", &leeway_text)])?;
        for life in [60, 299, 301, 900, 86_000] {
            let exp = ends(life);
            let token = mint(world.pool_a, None, &with(world.of_a(), "exp", json!(exp)))?;
            let connect = format!("{API}/$connect");
            let policies = [
                (rest_token(&token, "GET", "/items"), arn("GET", "/items")),
                (rest_request(&token, "GET", "/items"), arn("GET", "/items")),
                (http_v1(&token, "GET", "/items"), arn("GET", "/items")),
                (http_v2(&token, "GET", "/items"), arn("GET", "/items")),
                (web_socket(&[], &[("token", &token)]), connect),
            ];
            for (index, (event, asked)) in policies.into_iter().enumerate() {
                let policy = world.send(&event)?.json()?["policyDocument"].take();
                let verdict = |at: u64| evaluate_at(&policy, &asked, at);
                let end = exp + leeway;
                ensure!(verdict(now()) == Verdict::Allow && verdict(end - 1) == Verdict::Allow, "P01 {index} {policy}");
                for late in [0, 1, 300, 3_600, 1_000_000_000] {
                    ensure!(verdict(end + late) != Verdict::Allow, "C05 {index}, {late} s late: {policy}");
                }
            }
            let before = now();
            let answer = world.send(&app_sync(&token, "{ items }"))?.json()?;
            let kept = answer["ttlOverride"].as_u64().context("no time to live")?;
            ensure!(kept <= 600 && before + kept <= exp && (kept == 600 || before + kept + 10 > exp), "C05 {answer}");
        }
    }
    // A simple answer has no end, so a token that ends before the front forgets is not taken.
    for (cache, life, expected) in [("300", 60, false), ("300", 290, false), ("300", 400, true), ("0", 60, true)] {
        let mut world = World::open(&[("CACHE_SECONDS", cache)])?;
        let token = mint(world.pool_a, None, &with(world.of_a(), "exp", json!(ends(life))))?;
        let (heard, code) = world.heard(&http_v2(&token, "GET", "/items"), &arn("GET", "/items"))?;
        let expected = if expected { (Allowed, "Allowed") } else { (Forbidden, "TokenEndsTooSoon") };
        ensure!((heard, code.as_str()) == expected, "C05 kept for {cache} s, ends in {life}: {heard:?}, {code}");
        // A policy has its own end, so the same token passes there.
        let (heard, _) = world.heard(&rest_token(&token, "GET", "/items"), &arn("GET", "/items"))?;
        ensure!(heard == Allowed, "C05 {heard:?}");
    }
    Ok(())
}

#[test]
fn without_keys_no_front_lets_anybody_in() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    issuer.serve(Response::new(500, "text/plain", ""));
    let mut world = World::open(&[("KEY_SET_URL", &format!("{}/{{pool}}", issuer.url()))])?;
    let token = mint(world.pool_a, None, &world.of_a())?;
    for event in
        [web_socket(&[], &[("token", &token)]), app_sync(&token, "{ items }"), http_v2(&token, "GET", "/items")]
    {
        let (heard, code) = world.heard(&event, &arn("GET", "/items"))?;
        // P17: nothing could be checked, so nothing is answered that could be kept.
        ensure!(heard == Passage::Failed && code == "KeySetUnavailable", "P17 {heard:?}, {code}");
    }
    // The other issuers go on.
    let corp = mint(&world.corp, Some("JWT"), &world.of_corp())?;
    ensure!(world.code(&corp, "/corp")? == "Allowed", "P17 the corporation");
    Ok(())
}
