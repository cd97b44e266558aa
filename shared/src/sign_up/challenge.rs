//! A challenge that tells people from programs: reCAPTCHA, hCaptcha, Turnstile.
//!
//! The client shows it, gets a token for its solution and sends that along in
//! `validationData`. Whether the token is good, the service that set the
//! challenge says, once:
//!
//! - <https://developers.google.com/recaptcha/docs/verify>
//! - <https://docs.hcaptcha.com/#verify-the-user-response-server-side>
//! - <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use super::Refusal;
use crate::address::web;
use crate::rules::Problems;

/// The longest token that is looked at, in bytes. Cognito passes on 2048
/// characters of a value, and Turnstile writes no more.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AttributeType.html>
const LONGEST_TOKEN: usize = 4096;

/// The longest name that Cognito takes in `ValidationData`.
const LONGEST_PARAMETER: usize = 32;

/// A challenge that tells people from programs. It binds those who sign up by
/// themselves, neither administrators nor users of external providers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChallengeRules {
    /// The name under which the client sends the token in `ValidationData`.
    pub parameter: String,
    /// The address where the challenge's service verifies a token. https, or
    /// http on this machine.
    pub verify_url: String,
    /// The hosts whose pages may show the challenge; empty means that the service
    /// itself sees to it.
    #[serde(default)]
    pub hostnames: Vec<String>,
}

/// What a client sends to show that a challenge was solved. `Debug` keeps it to
/// itself: whoever reads it in time could use it.
#[derive(Clone, PartialEq, Eq)]
pub struct ChallengeToken(String);

/// What became of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeOutcome {
    /// It was sent before.
    Used,
    /// It is new, and the service does not take it.
    Failed,
    /// It is new, and the service takes it.
    Solved {
        /// The host on whose page the challenge was solved, as the service says.
        hostname: Option<String>,
    },
}

impl ChallengeToken {
    /// Takes what a client sent, whatever it is.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The token itself, for the service that verifies it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A token that is worth a question.
    // INVARIANT: no blanks and no control characters. A service that trims them
    // would take one token in many spellings, and each would look unused here.
    pub(super) fn usable(token: Option<&Self>) -> Result<&Self, Refusal> {
        let token = token.filter(|token| !token.0.is_empty()).ok_or(Refusal::ChallengeMissing)?;
        let is_plain = token.0.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain && token.0.len() <= LONGEST_TOKEN { Ok(token) } else { Err(Refusal::ChallengeFailed) }
    }
}

impl fmt::Debug for ChallengeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengeToken(..)")
    }
}

impl ChallengeRules {
    /// What the outcome means. A token that nobody looked at proves nothing.
    pub(super) fn judge(&self, outcome: Option<&ChallengeOutcome>) -> Result<(), Refusal> {
        match outcome {
            None | Some(ChallengeOutcome::Failed) => Err(Refusal::ChallengeFailed),
            Some(ChallengeOutcome::Used) => Err(Refusal::ChallengeUsed),
            Some(ChallengeOutcome::Solved { .. }) if self.hostnames.is_empty() => Ok(()),
            Some(ChallengeOutcome::Solved { hostname }) => {
                let known = |host: &String| self.hostnames.iter().any(|ours| ours.eq_ignore_ascii_case(host));
                if hostname.as_ref().is_some_and(known) { Ok(()) } else { Err(Refusal::ChallengeElsewhere) }
            }
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let name = &self.parameter;
        if name.is_empty() || name.len() > LONGEST_PARAMETER || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let right = format!("must be 1 to {LONGEST_PARAMETER} characters of ASCII without blanks");
            problems.add("sign_up.challenge.parameter", right);
        }
        if !web::is_safe_for_secrets(&self.verify_url) {
            let right =
                "must be an https address without user or fragment; http is for 127.0.0.1, [::1] and localhost only";
            problems.add("sign_up.challenge.verify_url", right);
        }
        let mut seen = BTreeSet::new();
        for (index, host) in self.hostnames.iter().enumerate() {
            let path = format!("sign_up.challenge.hostnames[{index}]");
            if !is_hostname(host) {
                problems.add(path, format!("\"{host}\" is no host name, such as \"app.example.com\""));
            } else if !seen.insert(host.to_ascii_lowercase()) {
                problems.add(path, format!("\"{host}\" is there twice"));
            }
        }
    }
}

/// A name alone: with a scheme, a port or a star, no service would ever say it.
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn problems(challenge: &str) -> Option<String> {
        let before = "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n";
        let text = format!("{before}[claims]\ntoken_version = \"v2\"\n[sign_up.challenge]\n{challenge}");
        Rules::read(&text).err().map(|problems| problems.to_string())
    }

    #[test]
    fn a_challenge_that_nobody_could_pass_is_refused_by_its_key() {
        let url = "verify_url = \"https://verify.example/siteverify\"";
        let named = "parameter = \"captcha\"";
        let table = [
            (format!("{named}\n{url}"), None),
            (format!("{named}\n{url}\nhostnames = []"), None),
            (format!("{named}\n{url}\nhostnames = [\"app.example.com\", \"localhost\", \"127.0.0.1\"]"), None),
            (format!("{named}\nverify_url = \"http://127.0.0.1:80/verify\""), None),
            (named.to_owned(), Some("verify_url")),
            (url.to_owned(), Some("parameter")),
            (format!("{named}\n{url}\nsecret = \"x\""), Some("secret")),
            (format!("parameter = \"\"\n{url}"), Some("sign_up.challenge.parameter")),
            (format!("parameter = \"a b\"\n{url}"), Some("sign_up.challenge.parameter")),
            (format!("parameter = \"{}\"\n{url}", "x".repeat(33)), Some("sign_up.challenge.parameter")),
            (format!("{named}\nverify_url = \"http://verify.example\""), Some("sign_up.challenge.verify_url")),
            (format!("{named}\nverify_url = \"https://a@verify.example\""), Some("sign_up.challenge.verify_url")),
            (format!("{named}\n{url}\nhostnames = [\"https://a.example\"]"), Some("sign_up.challenge.hostnames[0]")),
            (format!("{named}\n{url}\nhostnames = [\"a.example:80\"]"), Some("sign_up.challenge.hostnames[0]")),
            (format!("{named}\n{url}\nhostnames = [\"*.a.example\"]"), Some("sign_up.challenge.hostnames[0]")),
            (format!("{named}\n{url}\nhostnames = [\"\"]"), Some("sign_up.challenge.hostnames[0]")),
            (format!("{named}\n{url}\nhostnames = [\"a.x\", \"A.x\"]"), Some("sign_up.challenge.hostnames[1]")),
        ];
        for (challenge, expected) in table {
            let said = problems(&challenge);
            assert_eq!(said.is_some(), expected.is_some(), "{challenge}: {said:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{challenge}");
        }
    }

    #[test]
    fn a_token_cannot_be_printed() {
        let token = ChallengeToken::new("canary".to_owned());
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "ChallengeToken(..) Some(ChallengeToken(..))");
        assert_eq!(token.as_str(), "canary");
    }
}
