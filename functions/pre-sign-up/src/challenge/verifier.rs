//! The service that set a challenge, asked whether a token is good.
//!
//! One form and one answer fit reCAPTCHA, hCaptcha and Turnstile; see
//! [`shared::sign_up::ChallengeRules`] for their pages.

use std::time::Duration;

use serde::Deserialize;
use shared::sign_up::{ChallengeOutcome, ChallengeRules, ChallengeToken};
use shell::SettingError;
use shell::aws::Client;
use shell::https::header::{ACCEPT, CONTENT_TYPE};
use shell::https::{Bytes, Https, Limits, Request, Uri};
use shell::secret::SecretText;
use zeroize::Zeroizing;

use super::ChallengeError;
use crate::settings::CHALLENGE_SECRET;

/// A sign-up has 4 s; no answer has more than some hundred bytes.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(700), total: Duration::from_millis(2_500), most_bytes: 16 * 1024 };

/// Says that the service did not judge the token: the operator's affair or its own.
const UNJUDGED: [&str; 4] =
    ["missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "internal-error"];

pub(super) struct Verifier {
    https: Https,
    uri: Uri,
    secret: Zeroizing<String>,
}

/// The secret's JSON.
#[derive(Deserialize)]
struct Secret {
    challenge_secret: Option<SecretText>,
}

/// The service's answer, as far as it is read.
#[derive(Deserialize)]
struct Verdict {
    success: bool,
    hostname: Option<String>,
    #[serde(default, rename = "error-codes")]
    error_codes: Option<Vec<String>>,
}

impl Verifier {
    /// What asks the service of the rules. Fetches the secret.
    pub(super) async fn connect(client: &Client, rules: &ChallengeRules, arn: &str) -> Result<Self, SettingError> {
        let uri = rules.verify_url.parse();
        let uri = uri.map_err(|_| SettingError::new("RULES_FILE", "has a sign_up.challenge.verify_url of no use"))?;
        let secret: Secret = shell::secret::fetch(client, CHALLENGE_SECRET, arn).await?;
        let secret = secret.challenge_secret.and_then(SecretText::present);
        let missing = || SettingError::new(CHALLENGE_SECRET, "names a secret without a challenge_secret");
        Ok(Self { https: Https::new(LIMITS), uri, secret: secret.ok_or_else(missing)? })
    }

    pub(super) async fn verify(&self, token: &ChallengeToken) -> Result<ChallengeOutcome, ChallengeError> {
        let request = Request::post(self.uri.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = Bytes::from_owner(form(&self.secret, token));
        let answer = self.https.call(request, body).await.map_err(ChallengeError::Unanswered)?;
        read(answer.body())
    }
}

fn form(secret: &str, token: &ChallengeToken) -> Zeroizing<Vec<u8>> {
    // Large enough from the start: what grows leaves copies behind.
    let mut form = Zeroizing::new(Vec::with_capacity(32 + 3 * (secret.len() + token.as_str().len())));
    form.extend_from_slice(b"secret=");
    encode(secret, &mut form);
    form.extend_from_slice(b"&response=");
    encode(token.as_str(), &mut form);
    form
}

/// <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>
fn encode(text: &str, form: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => form.push(byte),
            _ => form.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

fn read(body: &[u8]) -> Result<ChallengeOutcome, ChallengeError> {
    let verdict: Verdict = serde_json::from_slice(body).map_err(|_| ChallengeError::Unreadable)?;
    let codes = verdict.error_codes.unwrap_or_default();
    match UNJUDGED.into_iter().find(|code| codes.iter().any(|said| said == code)) {
        Some(code) => Err(ChallengeError::Unjudged(code)),
        None if verdict.success => Ok(ChallengeOutcome::Solved { hostname: verdict.hostname }),
        None => Ok(ChallengeOutcome::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_and_token_cannot_break_out_of_the_form() {
        let table = [
            ("s", "t", "secret=s&response=t"),
            ("0x4AAA_b-c.d", "P1_eyJ0", "secret=0x4AAA_b-c.d&response=P1_eyJ0"),
            ("a&response=x", "t&secret=y", "secret=a%26response%3Dx&response=t%26secret%3Dy"),
            ("a+b/c=", "100%", "secret=a%2Bb%2Fc%3D&response=100%25"),
            ("\u{e4} ", "~*", "secret=%C3%A4%20&response=%7E%2A"),
        ];
        for (secret, token, expected) in table {
            let form = form(secret, &ChallengeToken::new(token.to_owned()));
            assert_eq!(String::from_utf8_lossy(&form), expected);
        }
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        let solved = |hostname: Option<&str>| Ok(ChallengeOutcome::Solved { hostname: hostname.map(str::to_owned) });
        let table = [
            (
                r#"{"success":true,"challenge_ts":"2026-01-01T00:00:00Z","hostname":"a.example"}"#,
                solved(Some("a.example")),
            ),
            (
                r#"{"success":true,"hostname":"a.example","error-codes":[],"action":"sign-up"}"#,
                solved(Some("a.example")),
            ),
            (r#"{"success":true,"hostname":null,"error-codes":null}"#, solved(None)),
            (r#"{"success":true,"apk_package_name":"com.example"}"#, solved(None)),
            (r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#, Ok(ChallengeOutcome::Failed)),
            (r#"{"success":false,"error-codes":["invalid-input-response"]}"#, Ok(ChallengeOutcome::Failed)),
            (r#"{"success":false}"#, Ok(ChallengeOutcome::Failed)),
            (r#"{"success":false,"error-codes":["invalid-input-secret"]}"#, Err("ChallengeUnjudged")),
            (r#"{"success":false,"error-codes":["internal-error"]}"#, Err("ChallengeUnjudged")),
            (r#"{"success":true,"error-codes":["invalid-input-secret"]}"#, Err("ChallengeUnjudged")),
            (r#"{"success":"true"}"#, Err("ChallengeAnswerUnreadable")),
            (r#"{"success":1}"#, Err("ChallengeAnswerUnreadable")),
            (r#"{"success":true,"success":false}"#, Err("ChallengeAnswerUnreadable")),
            ("{}", Err("ChallengeAnswerUnreadable")),
            ("true", Err("ChallengeAnswerUnreadable")),
            ("", Err("ChallengeAnswerUnreadable")),
            ("<html>", Err("ChallengeAnswerUnreadable")),
        ];
        for (answer, expected) in table {
            assert_eq!(read(answer.as_bytes()).map_err(|error| error.code()), expected, "{answer}");
        }
    }
}
