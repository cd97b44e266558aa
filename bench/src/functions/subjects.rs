//! What is measured, on which events, and against what stands in for AWS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{PoolUser, REVOCATION_TABLE, Services, TokenIssuer, cases, workspace_root};

use super::cloud::{Front, Identity, Traffic};
use super::process::Program;
use super::rule_files;

/// A function on a recorded event: its name in the tables, and the two.
const ROWS: [(&str, &str, &str); 9] = [
    ("pre-sign-up", "pre-sign-up", "sign-up"),
    ("pre-sign-up, federated", "pre-sign-up", "external-provider"),
    ("post-confirmation", "post-confirmation", "confirm-sign-up"),
    ("pre-token-generation", "pre-token-generation", "v2-authentication"),
    ("user-migration", "user-migration", "forgot-password"),
    ("user-api", "user-api", "get-me"),
    ("admin-api", "admin-api", "get-members"),
    ("guest-promotion", "guest-promotion", "again"),
    ("guest-keeper", "guest-keeper", "writes"),
];

/// The functions of the rows that are wanted.
pub(super) fn functions(wanted: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut names: Vec<_> = ROWS.iter().filter(|(name, _, _)| wanted(name)).map(|(_, function, _)| *function).collect();
    names.dedup();
    names
}

/// A program, its event, and what it calls.
pub(crate) struct Subject {
    /// What is started.
    pub(crate) program: Program,
    /// The event.
    pub(crate) event: Vec<u8>,
    /// What it asks of AWS.
    traffic: Arc<Traffic>,
    /// What the fronts ask for their first answers.
    _services: Option<Services>,
}

impl Subject {
    /// A program that calls nobody.
    pub(crate) fn new(program: Program, event: Vec<u8>) -> Self {
        Self { program, event, traffic: Arc::default(), _services: None }
    }

    /// How many calls AWS has had so far.
    pub(crate) fn calls(&self) -> u64 {
        self.traffic.calls()
    }

    /// How often it has waited for AWS so far.
    pub(crate) fn waits(&self) -> u64 {
        self.traffic.waits()
    }

    /// Makes AWS so slow from now on that calls side by side can be told from those
    /// one after the other; how often it has waited so far.
    pub(crate) fn slowly(&self) -> u64 {
        self.traffic.slow(20);
        self.waits()
    }
}

/// The authorizer's event: a REST API's REQUEST with the headers of a browser,
/// 5.3 KB with its token.
pub(crate) fn authorizer_event(token: &str) -> Result<Vec<u8>> {
    let case = cases()?.into_iter().find(|case| case.function == "authorizer" && case.name == "rest-request");
    let text = case.context("there is no such recorded event")?.request.replace("{{access_token}}", token);
    let mut event: Value = serde_json::from_str(&text)?;
    let browser = [
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
        ("Origin", "https://app.example.com"),
        ("Referer", "https://app.example.com/items?page=2"),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Site", "cross-site"),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        ),
        ("X-Amzn-Trace-Id", "Root=1-692a2b3c-1d1c9d3e4f5a6b7c8d9e0f1a"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ];
    for (name, value) in browser {
        put(&mut event, "headers", name, json!(value));
        put(&mut event, "multiValueHeaders", name, json!([value]));
    }
    Ok(event.to_string().into_bytes())
}

fn put(event: &mut Value, map: &str, name: &str, value: Value) {
    if let Some(map) = event.get_mut(map).and_then(Value::as_object_mut) {
        map.insert(name.to_owned(), value);
    }
}

/// What every program that verifies tokens is told.
pub(crate) fn authorizer_settings(issuer: &TokenIssuer, keys: &str, identity: &Identity) -> Vec<(String, String)> {
    let rules = workspace_root().join("rules/rules.toml");
    [
        ("ISSUERS", issuer.issuer.clone()),
        ("CLIENT_IDS", issuer.client_id.clone()),
        ("KEY_SET_URL", format!("{keys}/jwks.json")),
        ("RULES_FILE", rules.display().to_string()),
        ("EXTRA_CA_CERTS", identity.file().display().to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec()
}

/// The floor, and the authorizer.
pub(crate) fn without_aws(issuer: &TokenIssuer, keys: &str, identity: &Identity) -> Result<[Subject; 2]> {
    let event = authorizer_event(&token(issuer)?)?;
    let subject = |name: &str, settings| Subject::new(Program::own(name, name, settings), event.clone());
    Ok([subject("floor", Vec::new()), subject("authorizer", authorizer_settings(issuer, keys, identity))])
}

/// The authorizer with revocation: asking each time, and keeping answers.
pub(crate) fn with_revocation(issuer: &TokenIssuer, keys: &str, identity: &Identity) -> Result<Vec<Subject>> {
    let event = authorizer_event(&token(issuer)?)?;
    let one = |name: &str, rules: PathBuf| {
        let services = Services::start()?;
        let mut settings = authorizer_settings(issuer, keys, identity);
        replace(&mut settings, "RULES_FILE", &rules.display().to_string());
        settings.extend(services.settings());
        settings.push(("REVOCATION_TABLE".to_owned(), REVOCATION_TABLE.to_owned()));
        let traffic = behind_tls(&mut settings, identity)?;
        let program = Program::own(name, "authorizer", settings);
        anyhow::Ok(Subject { program, event: event.clone(), traffic, _services: Some(services) })
    };
    Ok(vec![
        one("authorizer, revocation", rule_files::with_revocation(0)?)?,
        one("authorizer, revocation kept 60 s", rule_files::with_revocation(60)?)?,
    ])
}

/// The authorizer and the function of every token, each with a small and with a
/// large rule file.
pub(crate) fn by_rules(issuer: &TokenIssuer, keys: &str, identity: &Identity) -> Result<Vec<[Subject; 2]>> {
    let (small, large) = (rule_files::of(10, 10)?, rule_files::of(1_000, 500)?);
    let event = authorizer_event(&token(issuer)?)?;
    let authorizer = |name: &str, rules: &Path| {
        let mut settings = authorizer_settings(issuer, keys, identity);
        replace(&mut settings, "RULES_FILE", &rules.display().to_string());
        Subject::new(Program::own(name, "authorizer", settings), event.clone())
    };
    let tokens = |name: &str, rules: &Path| {
        let mut subject = one(name, "pre-token-generation", "v2-authentication", issuer, identity)?;
        replace(&mut subject.program.settings, "RULES_FILE", &rules.display().to_string());
        anyhow::Ok(subject)
    };
    Ok(vec![
        [authorizer("authorizer, 10 rules", &small), authorizer("authorizer, 1,000 rules, 500 routes", &large)],
        [
            tokens("pre-token-generation, 10 rules", &small)?,
            tokens("pre-token-generation, 1,000 rules, 500 routes", &large)?,
        ],
    ])
}

/// A token of a member of acme.
fn token(issuer: &TokenIssuer) -> Result<String> {
    issuer.mint(&issuer.access().with("tenant", "acme").with("roles", json!(["member"])))
}

fn replace(settings: &mut [(String, String)], key: &str, value: &str) {
    settings.iter_mut().filter(|(known, _)| known == key).for_each(|(_, old)| value.clone_into(old));
}

/// Every other function on its recorded events.
pub(crate) fn with_aws(issuer: &TokenIssuer, identity: &Identity) -> Result<Vec<Subject>> {
    ROWS.iter().map(|(name, function, case)| one(name, function, case, issuer, identity)).collect()
}

fn one(name: &str, function: &str, event: &str, issuer: &TokenIssuer, identity: &Identity) -> Result<Subject> {
    let case = cases()?.into_iter().find(|case| case.function == function && case.name == event);
    let case = case.with_context(|| format!("events/{function}/{event} is not recorded"))?;
    let services = Services::start()?;
    for (table, items) in &case.items {
        items.iter().try_for_each(|item| services.put(table, item))?;
    }
    case.users.iter().for_each(|(name, email)| services.pool().add(PoolUser::new(name, email)));
    let mut settings = vec![("RULES_FILE".to_owned(), case.rules.display().to_string())];
    settings.extend(services.settings());
    settings.extend(issuer.settings());
    settings.push(("GUEST_KEY_SET_URL".to_owned(), issuer.url()));
    settings.extend(case.settings.clone());
    settings.push(("EXTRA_CA_CERTS".to_owned(), identity.file().display().to_string()));
    let traffic = behind_tls(&mut settings, identity)?;
    let program = Program::own(name, function, settings);
    Ok(Subject { program, event: case.request.into_bytes(), traffic, _services: Some(services) })
}

/// Puts a front before every service.
fn behind_tls(settings: &mut [(String, String)], identity: &Identity) -> Result<Arc<Traffic>> {
    let traffic = Arc::default();
    let mut fronts: Vec<(String, Front)> = Vec::new();
    for (_, value) in settings.iter_mut().filter(|(key, _)| key.starts_with("AWS_ENDPOINT_URL")) {
        if !fronts.iter().any(|(upstream, _)| upstream == value) {
            fronts.push((value.clone(), Front::start(identity, value, &traffic)?));
        }
        if let Some((_, front)) = fronts.iter().find(|(upstream, _)| upstream == value) {
            *value = front.url();
        }
    }
    Ok(traffic)
}

/// How large a file is when it is zipped, as Lambda takes it.
pub(crate) fn zipped(file: &Path) -> Result<u64> {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&std::fs::read(file).with_context(|| file.display().to_string())?)?;
    // The archive's own entries take some 120 bytes more.
    Ok(u64::try_from(encoder.finish()?.len())? + 120)
}
