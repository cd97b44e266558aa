//! What may never be seen again, in any spelling.
//!
//! [`crate::Function`] keeps every secret that an event or a setting gives to a
//! process, by the name that it has there, and looks for all of them in
//! everything that the process prints and answers. [`crate::Services`] looks for
//! them in what was stored. No test has to think of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use aho_corasick::AhoCorasick;
use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// What the stand-ins for AWS give to functions: keys of sessions, and what is
/// in Secrets Manager.
const GIVEN: [&str; 5] = [
    "canary-assumed-secret-0123456789",
    "canary-assumed-session-0123456789",
    "canary-secret-of-the-challenge",
    crate::GIVEN_SECRET,
    "canary-given-session-token-0123456789",
];

/// How names of secrets end, without signs and capitals.
const NAMES: [&str; 9] = [
    "password",
    "secret",
    "secretkey",
    "secretaccesskey",
    "sessiontoken",
    "token",
    "authorization",
    "hash",
    "credentials",
];

/// What ends like a secret and is a place in a list.
const NO_SECRETS: [&str; 2] = ["nexttoken", "continuationtoken"];

/// Objects of which every text is the client's own, and may be a secret.
const CLIENT_WORDS: [&str; 2] = ["validationdata", "clientmetadata"];

/// A shorter text stands in too many others.
const SHORTEST: usize = 12;
/// Of a longer text this much is looked for, in bytes.
const LONGEST: usize = 96;

/// A larger event is not searched for secrets, in bytes.
const LARGEST_EVENT: usize = 1024 * 1024;

/// The secrets of all functions of this process that must not be stored.
static SHOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// The secrets that the stand-ins hold.
static HELD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Every usual spelling of a text: as it is, turned round, escaped for JSON once
/// and twice, for Rust and for addresses, as hexadecimal and decimal bytes, and in
/// both alphabets of base64 at every place that it can have in a longer text.
pub fn spellings(secret: &str) -> BTreeSet<String> {
    let secret = secret.get(..secret.floor_char_boundary(LONGEST)).unwrap_or(secret);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let decimal: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let in_json = |text: &str| json!(text).to_string().trim_matches('"').to_owned();
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let mut all = BTreeSet::from([
        secret.to_owned(),
        secret.chars().rev().collect(),
        in_json(secret),
        in_json(&in_json(secret)),
        secret.escape_debug().to_string(),
        percent.to_lowercase(),
        percent,
        hex.to_uppercase(),
        hex,
        decimal.join(", "),
        decimal.join(","),
    ]);
    for before in 0..3 {
        let bytes = [&vec![0; before], secret.as_bytes()].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            // The signs at the ends are made of the neighbours, too.
            let inner = text.get((before * 4).div_ceil(3)..bytes.len() * 8 / 6).unwrap_or_default();
            all.insert(inner.to_owned());
        }
    }
    // Lower-casing an address may have made a spelling of another text.
    all.retain(|spelling| spelling.len() >= SHORTEST.min(secret.len()));
    all
}

/// Notes the secrets of an item that a stand-in for an old system holds.
pub(crate) fn hold(item: &Value) {
    let mut secrets = Secrets::default();
    secrets.keep_all(item, false);
    HELD.lock().unwrap_or_else(PoisonError::into_inner).extend(secrets.0);
}

/// Secrets of one process.
#[derive(Debug, Default)]
pub(crate) struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Keeps a secret. A token proves something by its parts, but for the first.
    pub(crate) fn keep(&mut self, secret: &str) {
        let secret = secret.split_once(' ').map_or(secret, |(_, credentials)| credentials);
        let parts: Vec<&str> = match secret.split('.').collect::<Vec<_>>() {
            parts if parts.len() == 3 => parts.into_iter().skip(1).collect(),
            _ => vec![secret],
        };
        self.0.extend(parts.into_iter().filter(|part| part.len() >= SHORTEST).map(str::to_owned));
    }

    /// Keeps what a setting holds, if it is a secret by its name.
    pub(crate) fn keep_setting(&mut self, name: &str, value: &str) {
        if is_secret(name) {
            self.keep(value);
        }
    }

    /// Keeps every secret of an event. What is not JSON holds none, and what is
    /// huge is a test of time, which reading it here would disturb.
    pub(crate) fn keep_event(&mut self, event: &[u8]) {
        if event.len() > LARGEST_EVENT {
            return;
        }
        let mut of_event = Self::default();
        of_event.keep_all(&serde_json::from_slice(event).unwrap_or_default(), false);
        SHOWN.lock().unwrap_or_else(PoisonError::into_inner).extend(of_event.0.iter().cloned());
        self.0.append(&mut of_event.0);
    }

    fn keep_all(&mut self, value: &Value, secret: bool) {
        match value {
            // The body of a request is JSON again.
            Value::String(text) => match serde_json::from_str::<Map<String, Value>>(text) {
                Ok(inner) => self.keep_all(&Value::Object(inner), secret),
                Err(_) if secret => self.keep(text),
                Err(_) => {}
            },
            Value::Array(items) => items.iter().for_each(|item| self.keep_all(item, secret)),
            Value::Object(members) => {
                for (name, member) in members {
                    let here = secret || is_secret(name) || CLIENT_WORDS.contains(&plain(name).as_str());
                    self.keep_all(member, here && !NO_SECRETS.contains(&plain(name).as_str()));
                }
            }
            _ => {}
        }
    }

    /// Looks for all of them, and for what the stand-ins hold, in these texts.
    pub(crate) fn look_for<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Result<()> {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).clone();
        look_for(self.0.iter().chain(&held).map(String::as_str).chain(GIVEN), texts)
    }
}

/// Looks in what was stored for what any function of this process was shown.
pub(crate) fn look_for_shown<'t>(texts: impl Iterator<Item = &'t str>) -> Result<()> {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    look_for(shown.iter().map(String::as_str).chain(GIVEN), texts)
}

fn look_for<'s, 't>(secrets: impl Iterator<Item = &'s str>, texts: impl Iterator<Item = &'t str>) -> Result<()> {
    let mut texts = texts.peekable();
    // To get ready for a search takes longer than most searches.
    if texts.peek().is_none() {
        return Ok(());
    }
    let secrets: Vec<&str> = secrets.collect();
    let spelled: Vec<(String, &str)> =
        secrets.iter().flat_map(|secret| spellings(secret).into_iter().map(move |text| (text, *secret))).collect();
    let finder = AhoCorasick::new(spelled.iter().map(|(text, _)| text))?;
    for text in texts {
        if let Some(found) = finder.find(text) {
            let (spelling, secret) = spelled.get(found.pattern().as_usize()).cloned().unwrap_or_default();
            bail!("the secret {secret} was seen as {spelling} in: {text}");
        }
    }
    Ok(())
}

/// A name without signs and capitals.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect()
}

fn is_secret(name: &str) -> bool {
    let name = plain(name);
    NAMES.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_spelled() {
        let secret = "p\u{e4}ss \"word\" of/ann?";
        let mut secrets = Secrets::default();
        secrets.keep_event(json!({"request": {"password": secret}}).to_string().as_bytes());
        let bytes = secret.as_bytes();
        let in_the_middle = |before: &str| format!("{before}{secret}, and more").into_bytes();
        let rows = [
            ("plain", secret.to_owned()),
            ("in a line", format!("code=X cause=\"{secret}\"")),
            ("JSON", json!({"cause": secret}).to_string()),
            ("JSON in JSON", json!({"cause": json!(secret).to_string()}).to_string()),
            ("Rust", format!("{secret:?}")),
            ("Rust bytes", format!("{bytes:?}")),
            ("turned round", secret.chars().rev().collect()),
            ("hexadecimal", bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
            ("address", "q=p%C3%A4ss%20%22word%22%20of%2Fann%3F&x".to_owned()),
            ("base64", STANDARD_NO_PAD.encode(bytes)),
            ("base64 after one byte", STANDARD_NO_PAD.encode(in_the_middle("a"))),
            ("base64url after two bytes", URL_SAFE_NO_PAD.encode(in_the_middle("ab"))),
            ("base64url after three bytes", URL_SAFE_NO_PAD.encode(in_the_middle("abc"))),
        ];
        for (name, text) in rows {
            assert!(secrets.look_for([text.as_str()].into_iter()).is_err(), "{name}: {text}");
        }
        assert!(secrets.look_for(["nothing of it: p\u{e4}ss word"].into_iter()).is_ok());
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        let rows = [
            (json!({"request": {"password": "canary-0123456789"}}), true),
            (json!({"headers": {"Authorization": "Bearer canary-0123456789"}}), true),
            (json!({"multiValueHeaders": {"authorization": ["canary-0123456789"]}}), true),
            (json!({"body": "{\"claimSecret\":\"canary-0123456789\"}"}), true),
            (json!({"request": {"validationData": {"any": "canary-0123456789"}}}), true),
            (json!({"password_hash": {"S": "canary-0123456789"}}), true),
            (json!({"queryStringParameters": {"nextToken": "canary-0123456789"}}), false),
            (json!({"userName": "canary-0123456789"}), false),
        ];
        for (event, kept) in rows {
            let mut secrets = Secrets::default();
            secrets.keep_event(event.to_string().as_bytes());
            assert_eq!(secrets.look_for(["a canary-0123456789"].into_iter()).is_err(), kept, "{event}");
        }
        let mut secrets = Secrets::default();
        secrets.keep("eyJhbGciOiJSUzI1NiJ9.payload-0123456789.signature-0123456789");
        assert!(secrets.look_for(["eyJhbGciOiJSUzI1NiJ9"].into_iter()).is_ok(), "a header is no secret");
        assert!(secrets.look_for(["signature-0123456789"].into_iter()).is_err());
    }
}
