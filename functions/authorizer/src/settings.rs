//! What the function is told at start.

use shared::claims::TokenKind;
use shared::routes::RouteTable;
use shared::rules::Rules;
use shared::token::{RightsClaims, TokenRules};
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
        let tokens = TokenRules {
            issuers,
            client_ids,
            leeway_seconds: leeway(lookup)?,
            id: RightsClaims::of(&rules.claims, TokenKind::Id),
            access: RightsClaims::of(&rules.claims, TokenKind::Access),
        };
        Ok(Self { tokens, key_sets, routes: rules.routes, answer })
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

/// An address without user, query or fragment, and with nothing that would
/// have to be written differently.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(plain))
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
        if !is_address(&address) {
            return Err(SettingError::new(KEY, "must be an address without user, query or fragment"));
        }
        if !address.starts_with("https://") && !is_loopback(&address) {
            return Err(SettingError::new(KEY, "must be https; http is for 127.0.0.1, [::1] and localhost only"));
        }
        Ok((issuer.clone(), address))
    };
    issuers.iter().map(address).collect()
}

/// Keys that anybody on the way could exchange are worth nothing, so without
/// TLS they come from this machine only.
fn is_loopback(address: &str) -> bool {
    let authority = address.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|host| {
        let port = authority.strip_prefix(host);
        port.is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

fn leeway(lookup: Lookup<'_>) -> Result<u64, SettingError> {
    let problem =
        || SettingError::new("LEEWAY_SECONDS", format!("must be a whole number from 0 to {MAX_LEEWAY_SECONDS}"));
    match SettingError::optional(lookup, "LEEWAY_SECONDS") {
        None => Ok(0),
        Some(text) => text.parse().ok().filter(|seconds| *seconds <= MAX_LEEWAY_SECONDS).ok_or_else(problem),
    }
}
