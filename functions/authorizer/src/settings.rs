//! What the function is told at start.

use shared::claims::TokenKind;
use shared::revocation::RevocationRules;
use shared::routes::RouteTable;
use shared::rules::Rules;
use shared::token::{RightsClaims, Sessions, TokenRules};
use shell::key_set::{check_address, is_address};
use shell::{Lookup, SettingError};

/// The settings of this function.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which tokens are believed.
    pub tokens: TokenRules,
    /// Each issuer and where its key set is fetched.
    pub key_sets: Vec<(String, String)>,
    /// Which calls may pass.
    pub routes: RouteTable,
    /// How payload 2.0 is answered.
    pub answer: AnswerForm,
    /// Whether ended sessions are looked up, and how.
    pub revocation: RevocationRules,
    /// Where; `None` when they are not.
    pub revocation_table: Option<String>,
}

/// How an HTTP API with payload 2.0 is answered; its authorizer is configured
/// for one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// `isAuthorized`, good for the one route that was asked for.
    Simple,
    /// A policy, good for every route of the caller.
    Iam,
}

/// The most that clocks may differ, in seconds.
const MAX_LEEWAY_SECONDS: u64 = 60;

impl Settings {
    /// Reads the settings and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Self::with_rules(lookup, shell::rules(lookup)?)
    }

    /// Reads the settings beside rules that are known already.
    pub fn with_rules(lookup: Lookup<'_>, rules: Rules) -> Result<Self, SettingError> {
        let issuers = list(
            lookup,
            "ISSUERS",
            is_issuer,
            "must hold https addresses without query and without \"/\" at the end, separated by commas",
        )?;
        let client_ids =
            list(lookup, "CLIENT_IDS", is_client_id, "must hold the ids of app clients, separated by commas")?;
        let key_sets = key_sets(lookup, &issuers)?;
        let answer = match SettingError::optional(lookup, "ANSWER").as_deref() {
            None | Some("simple") => AnswerForm::Simple,
            Some("iam") => AnswerForm::Iam,
            Some(_) => return Err(SettingError::new("ANSWER", "must be simple or iam")),
        };
        let revocation_table = shell::revocation_table(lookup, &rules.revocation)?;
        let tokens = TokenRules {
            issuers,
            client_ids,
            leeway_seconds: leeway(lookup)?,
            id: RightsClaims::of(&rules.claims, TokenKind::Id),
            access: RightsClaims::of(&rules.claims, TokenKind::Access),
            sessions: if rules.revocation.is_on() { Sessions::Required } else { Sessions::Ignored },
        };
        let revocation = rules.revocation;
        Ok(Self { tokens, key_sets, routes: rules.routes, answer, revocation, revocation_table })
    }
}

/// A list without blanks, empty entries or repetitions.
fn list(
    lookup: Lookup<'_>,
    key: &'static str,
    good: fn(&str) -> bool,
    problem: &'static str,
) -> Result<Vec<String>, SettingError> {
    let text = SettingError::required(lookup, key)?;
    let mut entries: Vec<String> = Vec::new();
    for entry in text.split(',') {
        if !good(entry) {
            return Err(SettingError::new(key, problem));
        }
        if entries.iter().any(|known| known == entry) {
            return Err(SettingError::new(key, "names an entry twice"));
        }
        entries.push(entry.to_owned());
    }
    Ok(entries)
}

/// An issuer as a pool writes it:
/// `https://cognito-idp.<region>.amazonaws.com/<pool>`.
fn is_issuer(text: &str) -> bool {
    is_address(text) && text.starts_with("https://") && !text.ends_with('/')
}

fn is_client_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'+')
}

/// Where each issuer's keys are: beside the issuer, or where the setting says.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>
fn key_sets(lookup: Lookup<'_>, issuers: &[String]) -> Result<Vec<(String, String)>, SettingError> {
    const KEY: &str = "KEY_SET_URL";
    let Some(template) = SettingError::optional(lookup, KEY) else {
        return Ok(issuers.iter().map(|issuer| (issuer.clone(), format!("{issuer}/.well-known/jwks.json"))).collect());
    };
    if issuers.len() > 1 && !template.contains("{pool}") && !template.contains("{issuer}") {
        return Err(SettingError::new(KEY, "must contain {pool} or {issuer}, for there are several issuers"));
    }
    let address = |issuer: &String| {
        let pool = issuer.rsplit('/').next().unwrap_or_default();
        let address = template.replace("{issuer}", issuer).replace("{pool}", pool);
        Ok((issuer.clone(), check_address(KEY, address)?))
    };
    issuers.iter().map(address).collect()
}

fn leeway(lookup: Lookup<'_>) -> Result<u64, SettingError> {
    let problem =
        || SettingError::new("LEEWAY_SECONDS", format!("must be a whole number from 0 to {MAX_LEEWAY_SECONDS}"));
    match SettingError::optional(lookup, "LEEWAY_SECONDS") {
        None => Ok(0),
        Some(text) => text.parse().ok().filter(|seconds| *seconds <= MAX_LEEWAY_SECONDS).ok_or_else(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example01";
    const OTHER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example02";

    /// The rule file with the least in it.
    fn rules() -> Rules {
        Rules::read("version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n[claims]\ntoken_version = \"v2\"\n")
            .unwrap()
    }

    /// Reads with these settings over good ones; `None` when they are taken.
    fn refused(settings: &[(&str, &str)]) -> Option<String> {
        read(settings).err().map(|error| error.to_string())
    }

    fn read(settings: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let lookup = |key: &str| {
            let given = settings.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
            given.or_else(|| match key {
                "ISSUERS" => Some(POOL.to_owned()),
                "CLIENT_IDS" => Some("1example23456789".to_owned()),
                _ => None,
            })
        };
        Settings::with_rules(&lookup, rules())
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        let two = format!("{POOL},{OTHER}");
        let twice = format!("{POOL},{POOL}");
        let table: &[(&str, &str, bool)] = &[
            ("ISSUERS", POOL, true),
            ("ISSUERS", &two, true),
            ("ISSUERS", "", false),
            ("ISSUERS", &twice, false),
            ("ISSUERS", "http://cognito-idp.eu-west-1.amazonaws.com/x", false),
            ("ISSUERS", "https://a.example/x/", false),
            ("ISSUERS", "https://a.example/x, https://b.example/y", false),
            ("ISSUERS", "https://user@a.example/x", false),
            ("ISSUERS", "https://a.example/x?y", false),
            ("ISSUERS", "eu-west-1_Example01", false),
            ("CLIENT_IDS", "a,b", true),
            ("CLIENT_IDS", "", false),
            ("CLIENT_IDS", "a,,b", false),
            ("CLIENT_IDS", "a, b", false),
            ("CLIENT_IDS", "a,a", false),
            ("CLIENT_IDS", "*", false),
            ("KEY_SET_URL", "https://keys.example/{pool}.json", true),
            ("KEY_SET_URL", "{issuer}/.well-known/jwks.json", true),
            ("KEY_SET_URL", "http://127.0.0.1:4566/{pool}/.well-known/jwks.json", true),
            ("KEY_SET_URL", "http://localhost/x", true),
            ("KEY_SET_URL", "http://[::1]:80/x", true),
            ("KEY_SET_URL", "http://keys.example/{pool}", false),
            ("KEY_SET_URL", "http://127.0.0.1.evil.example/x", false),
            ("KEY_SET_URL", "http://localhost.evil.example/x", false),
            ("KEY_SET_URL", "http://127.0.0.1@evil.example/x", false),
            ("KEY_SET_URL", "http://127.0.0.1:x/", false),
            ("KEY_SET_URL", "http://169.254.169.254/x", false),
            ("KEY_SET_URL", "file:///etc/passwd", false),
            ("KEY_SET_URL", "https:///x", false),
            ("ANSWER", "simple", true),
            ("ANSWER", "iam", true),
            ("ANSWER", "Simple", false),
            ("ANSWER", "none", false),
            ("LEEWAY_SECONDS", "0", true),
            ("LEEWAY_SECONDS", "60", true),
            ("LEEWAY_SECONDS", "61", false),
            ("LEEWAY_SECONDS", "-1", false),
            ("LEEWAY_SECONDS", "1.5", false),
        ];
        for (key, value, accepted) in table {
            let refusal = refused(&[(key, value)]);
            assert_eq!(refusal.is_none(), *accepted, "{key} = {value}: {refusal:?}");
            assert!(refusal.is_none_or(|text| text.starts_with(key)), "{key} = {value} is not named");
        }
        let several = [("ISSUERS", two.as_str()), ("KEY_SET_URL", "https://keys.example/one.json")];
        assert!(refused(&several).is_some_and(|text| text.starts_with("KEY_SET_URL")));
    }

    #[test]
    fn keys_are_beside_the_issuer_unless_said_otherwise() {
        let address = |settings: &[(&str, &str)]| read(settings).unwrap().key_sets.remove(0).1;
        assert_eq!(address(&[]), format!("{POOL}/.well-known/jwks.json"));
        let local = "http://127.0.0.1:4566/{pool}/.well-known/jwks.json";
        assert_eq!(address(&[("KEY_SET_URL", local)]), local.replace("{pool}", "eu-west-1_Example01"));
    }
}
