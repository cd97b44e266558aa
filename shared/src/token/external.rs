//! What a correctly signed token of an issuer other than a user pool must say.
//!
//! Only what the issuer's rule names is looked at. In particular `token_use`,
//! `cognito:groups` and the claims of our own token function mean nothing in a
//! token that somebody else wrote.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Refusal, Sessions, TokenRules, Verified, session, times};
use crate::issuers::IssuerRule;
use crate::names::{RoleName, Subject, TenantId};
use crate::routes::Caller;

type Claims = Map<String, Value>;

/// Checks the claims of a token whose signature is good.
pub(super) fn check(rules: &TokenRules, rule: &IssuerRule, claims: &Claims, now: u64) -> Result<Verified, Refusal> {
    let times = times::check(claims, now, rules.leeway_seconds)?;
    let audience = audience(rule, claims)?;
    let client = client(rule, claims)?;
    let sub = claims.get("sub").and_then(Value::as_str).ok_or(Refusal::SubjectRefused)?;
    // With client credentials the client is its own subject. Its rights would be
    // nobody's, and it would look like a user.
    // <https://www.rfc-editor.org/rfc/rfc9068#section-2.2>
    if client == Some(sub) {
        return Err(Refusal::SubjectRefused);
    }
    let caller = Caller {
        subject: subject(rule, sub)?,
        issuer: Some(rule.name.clone()),
        kind: rule.token,
        machine: false,
        tenant: tenant(rule, claims)?,
        roles: roles(rule, claims)?,
        groups: BTreeSet::new(),
        scopes: scopes(rule, claims)?,
    };
    let session = match rules.sessions {
        Sessions::Ignored => None,
        Sessions::Required => Some(session::of_another_issuer(times)),
    };
    let client_id = client.unwrap_or(audience).to_owned();
    Ok(Verified { caller, client_id, expires_at: times.expires_at, session })
}

/// The audience, if all that are named are ours. Of several, one stranger is
/// enough to use the token elsewhere, and to have come from there.
fn audience<'a>(rule: &IssuerRule, claims: &'a Claims) -> Result<&'a str, Refusal> {
    let is_ours = |audience: &str| rule.audiences.iter().any(|known| known == audience);
    let named: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => {
            several.iter().map(Value::as_str).collect::<Option<_>>().ok_or(Refusal::AudienceRefused)?
        }
        _ => return Err(Refusal::AudienceRefused),
    };
    let first = named.first().copied().ok_or(Refusal::AudienceRefused)?;
    if named.into_iter().all(is_ours) { Ok(first) } else { Err(Refusal::AudienceRefused) }
}

/// The client, where the rule says which claim names it.
fn client<'a>(rule: &IssuerRule, claims: &'a Claims) -> Result<Option<&'a str>, Refusal> {
    let Some(claim) = &rule.client_claim else { return Ok(None) };
    let client = claims.get(claim).and_then(Value::as_str).ok_or(Refusal::ClientRefused)?;
    let is_known = rule.clients.iter().any(|known| known == client);
    if is_known { Ok(Some(client)) } else { Err(Refusal::ClientRefused) }
}

/// `<issuer>_<sub>`, with every other sign than letters, digits and `-` written
/// as `_` and two hexadecimal digits.
///
/// INVARIANT: no two subjects of any issuers are alike. A pool's subject, a UUID,
/// has no `_`, and neither has the name of an issuer.
fn subject(rule: &IssuerRule, sub: &str) -> Result<String, Refusal> {
    if sub.is_empty() {
        return Err(Refusal::SubjectRefused);
    }
    let mut subject = format!("{}_", rule.name);
    for byte in sub.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            subject.push(char::from(byte));
        } else {
            subject.push_str(&format!("_{byte:02x}"));
        }
    }
    Subject::parse(&subject).map(|subject| subject.as_str().to_owned()).ok_or(Refusal::SubjectRefused)
}

/// The rule's own tenant, or one that the issuer may name.
fn tenant(rule: &IssuerRule, claims: &Claims) -> Result<Option<TenantId>, Refusal> {
    let named = rule.tenant_claim.as_ref().and_then(|claim| claims.get(claim));
    let Some(named) = named else { return Ok(rule.tenant.clone()) };
    let tenant = named.as_str().and_then(TenantId::parse).ok_or(Refusal::TenantRefused)?;
    if rule.may_name(&tenant) { Ok(Some(tenant)) } else { Err(Refusal::TenantRefused) }
}

/// Those of the claimed roles that the issuer may give. Others are the issuer's
/// own affair and count for nothing.
fn roles(rule: &IssuerRule, claims: &Claims) -> Result<BTreeSet<RoleName>, Refusal> {
    let Some(claim) = rule.roles_claim.as_ref().and_then(|claim| claims.get(claim)) else {
        return Ok(BTreeSet::new());
    };
    let claimed: Vec<&str> = match claim {
        Value::String(text) => text.split(' ').collect(),
        Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<_>>().ok_or(Refusal::RightsRefused)?,
        _ => return Err(Refusal::RightsRefused),
    };
    Ok(rule.roles.iter().filter(|role| claimed.contains(&role.as_str())).cloned().collect())
}

/// Those of the claimed scopes that the issuer may give.
fn scopes(rule: &IssuerRule, claims: &Claims) -> Result<BTreeSet<String>, Refusal> {
    let claimed: Vec<&str> = match claims.get("scope") {
        None => Vec::new(),
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(_) => return Err(Refusal::RightsRefused),
    };
    Ok(rule.scopes.iter().filter(|scope| claimed.contains(&scope.as_str())).cloned().collect())
}
