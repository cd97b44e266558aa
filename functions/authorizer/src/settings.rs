//! What the function is told at start.

use shared::claims::TokenKind;
use shared::revocation::RevocationRules;
use shared::rules::Rules;
use shared::token::{Issuer, IssuerKind, RightsClaims, Sessions, TokenRules, UserPool};
use shell::key_set::KeySource;
use shell::{Lookup, SettingError};
use shell::{check_address, is_address};

use crate::{Openings, Routes};

/// The settings of this function.
#[derive(Debug)]
pub struct Settings {
    /// Which tokens are believed.
    pub tokens: TokenRules,
    /// Each issuer and where its key set is fetched.
    pub key_sets: Vec<(String, KeySource)>,
    /// Which calls may pass, and how they are answered.
    pub openings: Openings,
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

/// The longest that API Gateway keeps an answer, in seconds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html#http-api-lambda-authorizer.caching>
const MAX_CACHE_SECONDS: u64 = 3_600;

impl Settings {
    /// Reads the settings and the rule file.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Self::with_rules(lookup, shell::rules(lookup)?)
    }

    /// Reads the settings beside rules that are known already.
    pub fn with_rules(lookup: Lookup<'_>, rules: Rules) -> Result<Self, SettingError> {
        let problem = "must hold https addresses without query and without \"/\" at the end, separated by commas";
        let issuers = entries("ISSUERS", &SettingError::required(lookup, "ISSUERS")?, is_issuer, problem)?;
        let client_ids = client_ids(lookup, issuers.len())?;
        let mut key_sets = key_sets(lookup, &issuers)?;
        let form = match SettingError::optional(lookup, "ANSWER").as_deref() {
            None | Some("simple") => AnswerForm::Simple,
            Some("iam") => AnswerForm::Iam,
            Some(_) => return Err(SettingError::new("ANSWER", "must be simple or iam")),
        };
        let rights = |kind| RightsClaims::of(&rules.claims, kind);
        let pool = |(address, client_ids)| {
            let pool = UserPool { client_ids, id: rights(TokenKind::Id), access: rights(TokenKind::Access) };
            Issuer { address, kind: IssuerKind::UserPool(pool) }
        };
        let mut issuers: Vec<Issuer> = issuers.into_iter().zip(client_ids).map(pool).collect();
        for rule in rules.issuers {
            // INVARIANT: an address has one kind. Under two, a token could choose.
            if issuers.iter().any(|known| known.address == rule.issuer) {
                return Err(SettingError::new("ISSUERS", format!("names an issuer of the rule file: {}", rule.name)));
            }
            let source = rule.key_set.clone().map_or(KeySource::Discovery, KeySource::KeySet);
            key_sets.push((rule.issuer.clone(), source));
            issuers.push(Issuer { address: rule.issuer.clone(), kind: IssuerKind::External(Box::new(rule)) });
        }
        let leeway_seconds = seconds(lookup, "LEEWAY_SECONDS", MAX_LEEWAY_SECONDS)?;
        let openings = Openings {
            routes: Routes::new(rules.routes),
            connect: rules.connect,
            graphql: rules.graphql,
            form,
            cache_seconds: seconds(lookup, "CACHE_SECONDS", MAX_CACHE_SECONDS)?,
            leeway_seconds,
        };
        let revocation_table = shell::revocation_table(lookup, &rules.revocation)?;
        let sessions = if rules.revocation.is_on() { Sessions::Required } else { Sessions::Ignored };
        let tokens = TokenRules { issuers, leeway_seconds, sessions };
        Ok(Self { tokens, key_sets, openings, revocation: rules.revocation, revocation_table })
    }
}

/// The app clients of each issuer, in the issuers' order: a client of one pool
/// means nothing in a token of another.
fn client_ids(lookup: Lookup<'_>, issuers: usize) -> Result<Vec<Vec<String>>, SettingError> {
    const KEY: &str = "CLIENT_IDS";
    let problem = "must hold the ids of app clients, separated by commas, and a semicolon between those of two issuers";
    let text = SettingError::required(lookup, KEY)?;
    let of_each =
        text.split(';').map(|part| entries(KEY, part, is_client_id, problem)).collect::<Result<Vec<_>, _>>()?;
    if of_each.len() != issuers {
        return Err(SettingError::new(KEY, format!("has clients of {} issuers; ISSUERS has {issuers}", of_each.len())));
    }
    Ok(of_each)
}

/// A list without blanks, empty entries or repetitions.
fn entries(
    key: &'static str,
    text: &str,
    good: fn(&str) -> bool,
    problem: &'static str,
) -> Result<Vec<String>, SettingError> {
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
fn key_sets(lookup: Lookup<'_>, issuers: &[String]) -> Result<Vec<(String, KeySource)>, SettingError> {
    const KEY: &str = "KEY_SET_URL";
    let Some(template) = SettingError::optional(lookup, KEY) else {
        let beside = |issuer: &String| (issuer.clone(), KeySource::KeySet(format!("{issuer}/.well-known/jwks.json")));
        return Ok(issuers.iter().map(beside).collect());
    };
    if issuers.len() > 1 && !template.contains("{pool}") && !template.contains("{issuer}") {
        return Err(SettingError::new(KEY, "must contain {pool} or {issuer}, for there are several issuers"));
    }
    let address = |issuer: &String| {
        let pool = issuer.rsplit('/').next().unwrap_or_default();
        let address = template.replace("{issuer}", issuer).replace("{pool}", pool);
        Ok((issuer.clone(), KeySource::KeySet(check_address(KEY, address)?)))
    };
    issuers.iter().map(address).collect()
}

/// A whole number of seconds; 0 when it is not set.
fn seconds(lookup: Lookup<'_>, key: &'static str, most: u64) -> Result<u64, SettingError> {
    let Some(text) = SettingError::optional(lookup, key) else { return Ok(0) };
    let problem = || SettingError::new(key, format!("must be a whole number from 0 to {most}"));
    text.parse().ok().filter(|seconds| *seconds <= most).ok_or_else(problem)
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
            ("CLIENT_IDS", "a;b", false),
            ("CLIENT_IDS", "a;", false),
            ("CACHE_SECONDS", "300", true),
            ("CACHE_SECONDS", "3601", false),
            ("CACHE_SECONDS", "-1", false),
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
        let several =
            [("ISSUERS", two.as_str()), ("CLIENT_IDS", "a;b"), ("KEY_SET_URL", "https://keys.example/one.json")];
        assert!(refused(&several).is_some_and(|text| text.starts_with("KEY_SET_URL")));
        for (client_ids, accepted) in [("a;b", true), ("a,b;c", true), ("a,b", false), ("a;b;c", false), ("a;a", true)]
        {
            let refusal = refused(&[("ISSUERS", &two), ("CLIENT_IDS", client_ids)]);
            assert_eq!(refusal.is_none(), accepted, "{client_ids}: {refusal:?}");
        }
    }

    #[test]
    fn an_issuer_is_a_pool_or_another_one_and_never_both() {
        let with_issuer = |address: &str, more: &str| {
            let text = format!(
                "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n[claims]\n\
                 token_version = \"v2\"\n[[issuers]]\nname = \"corp\"\nissuer = \"{address}\"\naudiences = [\"api\"]\n{more}"
            );
            let lookup = |key: &str| match key {
                "ISSUERS" => Some(POOL.to_owned()),
                "CLIENT_IDS" => Some("1example23456789".to_owned()),
                _ => None,
            };
            Settings::with_rules(&lookup, Rules::read(&text).unwrap())
        };
        let corp = "https://login.corp.example";
        assert_eq!(with_issuer(corp, "").unwrap().key_sets.remove(1), (corp.to_owned(), KeySource::Discovery));
        let keys = "https://keys.corp.example/k";
        let source = with_issuer(corp, &format!("key_set = \"{keys}\"")).unwrap().key_sets.remove(1).1;
        assert_eq!(source, KeySource::KeySet(keys.to_owned()));
        let both = with_issuer(POOL, "").map(drop).unwrap_err().to_string();
        assert!(both.starts_with("ISSUERS"), "{both}");
    }

    #[test]
    fn keys_are_beside_the_issuer_unless_said_otherwise() {
        let address = |settings: &[(&str, &str)]| read(settings).unwrap().key_sets.remove(0).1;
        assert_eq!(address(&[]), KeySource::KeySet(format!("{POOL}/.well-known/jwks.json")));
        let local = "http://127.0.0.1:4566/{pool}/.well-known/jwks.json";
        let filled_in = local.replace("{pool}", "eu-west-1_Example01");
        assert_eq!(address(&[("KEY_SET_URL", local)]), KeySource::KeySet(filled_in));
    }
}
