//! Tokens and calls that nobody thought of, put to two verifiers: ours, and one
//! in Python (`differential/verify.py`) that shares nothing with it.
//!
//! `POOLHOUSE_TOKENS` says how many are made (3,000 otherwise), `POOLHOUSE_SEED`
//! from which beginning.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "in a test, a failure to set the scene is a failure")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use local::places::Places;
use local::say::Say;
use local::supervise::Launcher;
use local::tools;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use shared::claims::TokenKind;
use shared::routes::RouteTable;
use shared::rules::Rules;
use shared::token::{Issuer, IssuerKind, KeySet, RightsClaims, Sessions, TokenRules, Unverified, UserPool, verify};
use tests::{SigningKey, encode, workspace_root};

const NOW: u64 = 1_800_000_000;
const POOL_A: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA";
const POOL_B: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_BBBBBBBBB";
const CLIENT: &str = "1example23456789";
/// The clients of both pools.
const CLIENTS: [&str; 2] = [CLIENT, "3example23456789"];
const OTHER_CLIENT: &str = "2example23456789";

/// To the standard error of the process itself: libtest would hold a print back.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "differential: {text}"));
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// The Python that has the other verifier's package, in an environment of its own.
fn python() -> PathBuf {
    let binary = tests::binary("local").unwrap();
    let made = binary.ancestors().nth(2).unwrap().join("local");
    let places = Places { root: workspace_root().to_owned(), binary, made };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let launcher = Launcher::new(&places.binary);
    let to_stdout = Say::to_stdout();
    let installed = runtime.block_on(tools::ready(&places, &launcher, &to_stdout, &[tools::JOSERFC])).unwrap();
    installed.first().unwrap().program("python")
}

/// Two pools, with a key each, and somebody's own key.
struct World {
    keys: [SigningKey; 3],
    sets: [KeySet; 2],
    trust: TokenRules,
    routes: RouteTable,
}

impl World {
    fn new() -> Self {
        let keys = [(); 3].map(|()| SigningKey::generate().unwrap());
        let set = |issuer: &str, key: &SigningKey, kid: &str| {
            KeySet::read(issuer, json!({"keys": [key.jwk(kid)]}).to_string().as_bytes()).unwrap()
        };
        let sets = [set(POOL_A, &keys[0], "kA1"), set(POOL_B, &keys[1], "kB1")];
        let names = || RightsClaims { tenant: Some("tenant".to_owned()), roles: Some("roles".to_owned()) };
        let pool = |address: &str| {
            let pool = UserPool { client_ids: CLIENTS.map(str::to_owned).into(), id: names(), access: names() };
            Issuer { address: address.to_owned(), kind: IssuerKind::UserPool(pool) }
        };
        let issuers = vec![pool(POOL_A), pool(POOL_B)];
        let trust = TokenRules { issuers, leeway_seconds: 0, sessions: Sessions::Ignored };
        let rules = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml")).unwrap();
        Self { keys, sets, trust, routes: Rules::read(&rules).unwrap().routes }
    }

    fn config(&self) -> String {
        let [a, b, _] = &self.keys;
        json!({"now": NOW, "clients": CLIENTS,
            "issuers": {POOL_A: [a.jwk("kA1")], POOL_B: [b.jwk("kB1")]}})
        .to_string()
    }

    /// Our answer, in the words of the other one.
    fn answer(&self, asked: &Asked) -> String {
        let verified = Unverified::parse(&asked.token).and_then(|token| {
            let issuer = self.trust.issuer(&token)?;
            let keys = self.sets.iter().find(|set| set.issuer() == issuer.address).unwrap();
            verify(&self.trust, &token, keys, NOW)
        });
        let Ok(verified) = verified else { return "-".to_owned() };
        let caller = verified.caller();
        let join = |set: Vec<&str>| set.join(" ");
        let kind = if caller.kind == TokenKind::Id { "id" } else { "access" };
        let passes = self.routes.decide(caller, asked.method, &asked.path).is_allowed();
        json!([
            kind,
            verified.client_id(),
            caller.subject,
            caller.machine,
            caller.tenant.as_ref().map_or("", |tenant| tenant.as_str()),
            join(caller.roles.iter().map(|role| role.as_str()).collect()),
            join(caller.groups.iter().map(String::as_str).collect()),
            join(caller.scopes.iter().map(String::as_str).filter(|scope| !scope.is_empty()).collect()),
            verified.expires_at(),
            passes
        ])
        .to_string()
    }
}

/// One question to both.
struct Asked {
    token: String,
    method: &'static str,
    path: String,
}

/// What is done to a token on the way.
#[derive(Clone, Debug)]
enum Change {
    /// A claim gets another value, or goes.
    Claim(&'static str, Option<Value>),
    /// The same of the header.
    Header(&'static str, Option<Value>),
    /// The payload's text gets this at its beginning.
    Text(&'static str),
    /// The same of the header's.
    HeaderText(&'static str),
    /// White space between all members.
    Space,
    /// Signed by another key.
    Signer(usize),
    /// A bit of the compact text turns.
    Bit(Index, u8),
    /// The text ends here.
    Cut(Index),
    /// A segment in the alphabet of mail, with its padding.
    Mail(usize),
    /// Something behind the text.
    Behind(&'static str),
}

/// Values that are near to what a claim may hold.
fn values() -> impl Strategy<Value = Value> {
    let names = select(vec![
        "",
        " ",
        "a",
        "A",
        "acme",
        "globex",
        "acme ",
        "acme\n",
        "*",
        "t1/../t2",
        "admin",
        "admin member",
        "admin  member",
        "member ",
        "Admin",
        "items/admin",
        "openid items/admin",
        "x items/admin\t",
        "staff",
        "access",
        "id",
        "Access",
        CLIENT,
        OTHER_CLIENT,
        "3example23456789",
        POOL_A,
        POOL_B,
        "\u{ff54}1",
        "\u{0}",
        "RS256",
        "none",
        "HS256",
        "kA1",
        "kB1",
        "JWT",
        "jwt",
        "JWS",
        "at+jwt",
        "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01",
    ]);
    let text = prop_oneof![4 => names.prop_map(Value::from), 1 => ".{0,8}".prop_map(Value::from)];
    let number = prop_oneof![
        (-70_i64..70).prop_map(|by| json!(NOW.checked_add_signed(by))),
        (-70_i64..70).prop_map(|by| json!(NOW.checked_add_signed(by + 86_400))),
        select(vec![json!(0), json!(-1), json!(1.5), json!(NOW as f64), json!(u64::MAX), json!(1e300), json!(true)]),
    ];
    let one = prop_oneof![3 => text, 2 => number, 1 => Just(Value::Null)];
    let list = prop::collection::vec(one.clone(), 0..3).prop_map(Value::from);
    prop_oneof![6 => one.clone(), 2 => list, 1 => one.prop_map(|value| json!({"a": value}))]
}

fn changes() -> impl Strategy<Value = Change> {
    let claims = select(vec![
        "iss",
        "exp",
        "iat",
        "nbf",
        "token_use",
        "client_id",
        "aud",
        "sub",
        "username",
        "cognito:username",
        "tenant",
        "roles",
        "cognito:groups",
        "scope",
        "x-unknown",
    ]);
    let headers =
        select(vec!["alg", "kid", "typ", "crit", "jwk", "jku", "x5c", "x5t#S256", "cty", "zip", "b64", "x-unknown"]);
    let texts = || {
        select(vec![
            "{\"tenant\":\"globex\",",
            "{\"x\":1,\"x\":2,",
            "{\"t\\u0065nant\":\"acme\",",
            "{\"x\":NaN,",
            "{\"x\":1e999,",
            "{\"x\":-0,",
            "{\"x\":\"\\ud800\",",
            "{\"x\":\"\\ud83d\\ude00\",",
            "{\"x\":01,",
            "{\"x\":\"\t\",",
            "{\"x\":{\"y\":1,\"y\":1},",
            "\u{feff}{\"x\":1,",
            "[{",
            "{,",
            "{ \"exp\" : 1800000600 ,",
            "{\"x\":123456789012345678901234567890,",
            "{\"x\":1E5,",
            "{'x':1,",
            "{/**/\"x\":1,",
            "{\"alg\":\"none\",",
            "{\"kid\":\"kA1\",",
        ])
    };
    let optional = || prop::option::weighted(0.85, values());
    prop_oneof![
        8 => (claims, optional()).prop_map(|(name, value)| Change::Claim(name, value)),
        2 => (headers, optional()).prop_map(|(name, value)| Change::Header(name, value)),
        1 => texts().prop_map(Change::Text),
        1 => texts().prop_map(Change::HeaderText),
        1 => Just(Change::Space),
        1 => (0..3_usize).prop_map(Change::Signer),
        1 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Bit(at, bit)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => (0..3_usize).prop_map(Change::Mail),
        1 => select(vec![".", "=", " ", "A", ".e30"]).prop_map(Change::Behind),
    ]
}

fn base(kind: usize) -> Map<String, Value> {
    let mut claims = json!({"iss": POOL_A, "iat": NOW - 10, "exp": NOW + 600,
        "sub": "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01", "tenant": "acme", "roles": ["member"]});
    let more = match kind {
        0 => json!({"token_use": "access", "client_id": CLIENT, "username": "ann", "scope": "openid items/admin"}),
        1 => json!({"token_use": "access", "client_id": CLIENT, "username": "ann", "roles": "admin member",
            "cognito:groups": ["staff", "users"]}),
        2 => json!({"token_use": "id", "aud": CLIENT, "cognito:username": "ann", "nbf": NOW}),
        _ => json!({"token_use": "access", "client_id": CLIENT, "sub": CLIENT, "scope": "items/admin"}),
    };
    let object = claims.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    if kind == 3 {
        object.remove("tenant");
        object.remove("roles");
    }
    object.clone()
}

/// A token and what was done to it.
type Draft = (usize, bool, Vec<Change>, &'static str, String);

fn drafts() -> impl Strategy<Value = Draft> {
    let count = prop_oneof![3 => 0..2_usize, 2 => 2..4_usize];
    let changes = count.prop_flat_map(|count| prop::collection::vec(changes(), count));
    let method = select(vec!["GET", "GET", "GET", "DELETE", "POST", "PUT", "get", "ANY", ""]);
    let known = select(vec![
        "/items",
        "/items/1",
        "/items/a.b:c",
        "/users/7",
        "/users/7/orders",
        "/me",
        "/profile",
        "/scoped",
        "/staff",
        "/admin/members",
        "/tenants/acme",
        "/tenants/globex",
        "/robots",
    ])
    .prop_map(str::to_owned);
    let part = select(vec!["items", "users", "orders", "1", "", ".", "..", "acme", "%2e", "*", "a b", "\u{e9}", "me"]);
    let odd = prop::collection::vec(part, 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let path = prop_oneof![4 => known, 1 => odd, 1 => Just("items".to_owned())];
    (0..4_usize, any::<bool>(), changes, method, path)
}

fn written(object: &Map<String, Value>, begin: Option<&str>, space: bool) -> String {
    let (mut text, between) = (String::from("{"), if space { " \n" } else { "" });
    for (index, (name, value)) in object.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}{between}{}:{between}{value}{between}", json!(name)).unwrap();
    }
    text.push('}');
    match begin {
        Some(begin) => text.replacen('{', begin, 1),
        None => text,
    }
}

fn make(world: &World, (kind, of_b, changes, method, path): Draft) -> Asked {
    let (mut claims, mut signer) = (base(kind), usize::from(of_b));
    let mut header = json!({"alg": "RS256", "kid": if of_b { "kB1" } else { "kA1" }}).as_object().unwrap().clone();
    if of_b {
        claims.insert("iss".to_owned(), json!(POOL_B));
    }
    let (mut begin, mut head, mut space) = (None, None, false);
    for change in &changes {
        let set = |object: &mut Map<String, Value>, name: &str, value: &Option<Value>| match value {
            Some(value) => drop(object.insert(name.to_owned(), value.clone())),
            None => drop(object.remove(name)),
        };
        match change {
            Change::Claim(name, value) => set(&mut claims, name, value),
            Change::Header(name, value) => set(&mut header, name, value),
            Change::Text(text) => begin = Some(*text),
            Change::HeaderText(text) => head = Some(*text),
            Change::Space => space = true,
            Change::Signer(other) => signer = *other,
            _ => {}
        }
    }
    let message = format!("{}.{}", encode(written(&header, head, space)), encode(written(&claims, begin, space)));
    let mut token = format!("{message}.{}", encode(world.keys[signer].sign(&message).unwrap()));
    for change in &changes {
        match change {
            Change::Bit(at, bit) => {
                let mut bytes = token.clone().into_bytes();
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
                // The same of a text that is none any more is not a question.
                token = String::from_utf8(bytes).unwrap_or(token);
            }
            Change::Cut(at) => token.truncate(at.index(token.len())),
            Change::Mail(index) => {
                let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
                if let Some(part) = parts.get_mut(*index)
                    && let Ok(bytes) = URL_SAFE_NO_PAD.decode(&*part)
                {
                    *part = STANDARD.encode(bytes);
                }
                token = parts.join(".");
            }
            Change::Behind(text) => token.push_str(text),
            _ => {}
        }
        if token.is_empty() {
            break;
        }
    }
    Asked { token, method, path }
}

fn other(world: &World) -> Child {
    let mut child = Command::new(python())
        .arg(workspace_root().join("tests/differential/verify.py"))
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{}", world.config()).unwrap();
    child
}

#[test]
fn two_verifiers_never_disagree() {
    let (count, seed) = (setting("POOLHOUSE_TOKENS", 3_000), setting("POOLHOUSE_SEED", 1));
    let world = World::new();
    let mut child = other(&world);
    let (mut input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut answers = output.lines();
    let bytes: Vec<u8> = seed.to_le_bytes().iter().copied().cycle().take(32).collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (strategy, begun) = (drafts(), std::time::Instant::now());
    let (mut done, mut believed, mut passed) = (0, 0, 0);
    let mut disagreements = Vec::new();
    while done < count {
        // Few enough that neither side waits for room in a pipe.
        let drafts: Vec<Draft> =
            (0..32.min(count - done)).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
        let asked: Vec<(Draft, Asked)> = drafts.into_iter().map(|draft| (draft.clone(), make(&world, draft))).collect();
        for (_, asked) in &asked {
            let line = json!({"token": asked.token, "method": asked.method, "path": asked.path});
            writeln!(input, "{line}").unwrap();
        }
        input.flush().unwrap();
        for (draft, asked) in &asked {
            let (ours, theirs) = (world.answer(asked), answers.next().unwrap().unwrap());
            let same = serde_json::from_str::<Value>(&ours).ok() == serde_json::from_str::<Value>(&theirs).ok();
            if !same {
                disagreements.push(format!("{draft:?}\n  ours:   {ours}\n  theirs: {theirs}"));
            }
            believed += u64::from(ours != "-");
            passed += u64::from(ours.ends_with("true]"));
            done += 1;
        }
        assert!(disagreements.len() < 20, "{}", disagreements.join("\n"));
        if done % 100_000 < 32 && done > 100 {
            say(&format!("{done} of {count} after {} s", begun.elapsed().as_secs()));
        }
    }
    drop(input);
    drop(child.wait());
    say(&format!(
        "{done} tokens in {} s: {believed} believed, {passed} let pass, {} disagreements",
        begun.elapsed().as_secs(),
        disagreements.len()
    ));
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    assert!(believed > count / 10 && passed > count / 50, "too few get through for the answers to differ");
}
