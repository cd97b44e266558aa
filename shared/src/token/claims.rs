//! What a correctly signed token of a user pool must say to be taken.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Refusal, RightsClaims, Sessions, TokenRules, UserPool, Verified, session, times};
use crate::claims::TokenKind;
use crate::names::{RoleName, Subject, TenantId};
use crate::routes::Caller;

type Claims = Map<String, Value>;

/// Checks the claims of a token whose signature is good.
pub(super) fn check(rules: &TokenRules, pool: &UserPool, claims: &Claims, now: u64) -> Result<Verified, Refusal> {
    let times = times::check(claims, now, rules.leeway_seconds)?;
    let kind = match claims.get("token_use").and_then(Value::as_str) {
        Some("access") => TokenKind::Access,
        Some("id") => TokenKind::Id,
        _ => return Err(Refusal::TokenUseRefused),
    };
    let client_id = match kind {
        TokenKind::Access => access_client(claims)?,
        TokenKind::Id => id_client(claims)?,
    };
    if !pool.client_ids.iter().any(|known| known == client_id) {
        return Err(Refusal::ClientRefused);
    }
    let names = match kind {
        TokenKind::Access => &pool.access,
        TokenKind::Id => &pool.id,
    };
    let caller = caller(names, claims, kind, client_id)?;
    let session = match rules.sessions {
        Sessions::Ignored => None,
        Sessions::Required => Some(session::check(claims, caller.machine, times)?),
    };
    Ok(Verified { caller, client_id: client_id.to_owned(), expires_at: times.expires_at, session })
}

/// An access token names its client in `client_id`.
///
/// `aud` is there only when the token was bound to a resource, or when the
/// token function added it, which can only repeat the client. This API is not
/// such a resource.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>
fn access_client(claims: &Claims) -> Result<&str, Refusal> {
    let client_id = claims.get("client_id").and_then(Value::as_str).ok_or(Refusal::ClientRefused)?;
    match claims.get("aud") {
        None => Ok(client_id),
        Some(aud) if single(aud) == Some(client_id) => Ok(client_id),
        Some(_) => Err(Refusal::AudienceRefused),
    }
}

/// An ID token names its client in `aud`; a `client_id` beside it must agree.
fn id_client(claims: &Claims) -> Result<&str, Refusal> {
    let client_id = claims.get("aud").and_then(single).ok_or(Refusal::ClientRefused)?;
    match claims.get("client_id") {
        None => Ok(client_id),
        Some(named) if named == client_id => Ok(client_id),
        Some(_) => Err(Refusal::ClientRefused),
    }
}

/// A text, or a list of exactly one text. Of two audiences one is a stranger.
fn single(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Who calls, by what the claims say. That they are true is the caller's affair.
pub(super) fn caller(
    names: &RightsClaims,
    claims: &Claims,
    kind: TokenKind,
    client_id: &str,
) -> Result<Caller, Refusal> {
    let subject = claims.get("sub").and_then(Value::as_str).and_then(Subject::parse).ok_or(Refusal::SubjectRefused)?;
    let machine = is_machine(claims, kind, subject.as_str(), client_id)?;
    let claim = |name: &Option<String>| name.as_ref().and_then(|name| claims.get(name));
    let tenant = match claim(&names.tenant) {
        None => None,
        Some(value) => Some(value.as_str().and_then(TenantId::parse).ok_or(Refusal::TenantRefused)?),
    };
    Ok(Caller {
        subject: subject.as_str().to_owned(),
        issuer: None,
        kind,
        machine,
        tenant,
        roles: roles(claim(&names.roles)).ok_or(Refusal::RightsRefused)?,
        groups: groups(claims.get("cognito:groups")).ok_or(Refusal::RightsRefused)?,
        scopes: scopes(claims.get("scope")).ok_or(Refusal::RightsRefused)?,
    })
}

/// A client-credentials token has the client itself as its subject and no user
/// name. A user whose `sub` is a client's id does not exist.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html>
fn is_machine(claims: &Claims, kind: TokenKind, subject: &str, client_id: &str) -> Result<bool, Refusal> {
    if subject != client_id {
        return Ok(false);
    }
    let named = claims.contains_key("username") || claims.contains_key("cognito:username");
    if kind == TokenKind::Access && !named { Ok(true) } else { Err(Refusal::SubjectRefused) }
}

/// A list of names, or one text with a single space between them.
fn roles(claim: Option<&Value>) -> Option<BTreeSet<RoleName>> {
    match claim {
        None => Some(BTreeSet::new()),
        Some(Value::String(text)) if text.is_empty() => Some(BTreeSet::new()),
        Some(Value::String(text)) => text.split(' ').map(RoleName::parse).collect(),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().and_then(RoleName::parse)).collect(),
        Some(_) => None,
    }
}

fn groups(claim: Option<&Value>) -> Option<BTreeSet<String>> {
    match claim {
        None => Some(BTreeSet::new()),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

/// One text with a single ASCII space between two scopes, and no other sign does.
/// <https://www.rfc-editor.org/rfc/rfc6749#section-3.3>
fn scopes(claim: Option<&Value>) -> Option<BTreeSet<String>> {
    match claim {
        None => Some(BTreeSet::new()),
        Some(Value::String(text)) if text.is_empty() => Some(BTreeSet::new()),
        Some(Value::String(text)) => {
            text.split(' ').map(|scope| (!scope.is_empty()).then(|| scope.to_owned())).collect()
        }
        Some(_) => None,
    }
}
