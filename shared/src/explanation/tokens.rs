//! The two tokens: as the pool would sign them, and as the rules change them.
//!
//! What only a sign-in can tell (times, ids, the address of the issuer) stands
//! there as a placeholder of the right length, so that sizes are right.
//!
//! - <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html>
//! - <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Claims;
use super::situation::User;
use super::told::TokenTold;
use crate::claims::{GroupEdit, Overrides, Request, TokenEdit, TokenKind};

const ID: &str = "00000000-0000-4000-8000-000000000000";
const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_000000000";
const TIME: u64 = 1_700_000_000;

/// Header and signature of a token that a pool signs, and the two dots.
const FRAME_CHARACTERS: usize = 2 + 119 + 342;

/// The claims whose values are placeholders.
pub(super) const PLACEHOLDERS: [&str; 8] =
    ["auth_time", "event_id", "exp", "iat", "iss", "jti", "origin_jti", "token_use"];

pub(super) type Tokens = BTreeMap<TokenKind, Claims>;

/// The tokens as they are before the trigger; a machine gets an access token only.
pub(super) fn issued(request: &Request<'_>, user: &User) -> Tokens {
    let mut tokens = Tokens::from([(TokenKind::Access, access(request, user))]);
    if !request.machine {
        tokens.insert(TokenKind::Id, id(request, user));
    }
    tokens
}

fn common(kind: TokenKind) -> Claims {
    let mut claims = Claims::new();
    for name in ["jti", "origin_jti", "event_id"] {
        claims.insert(name.to_owned(), json!(ID));
    }
    for name in ["auth_time", "exp", "iat"] {
        claims.insert(name.to_owned(), json!(TIME));
    }
    claims.insert("iss".to_owned(), json!(ISSUER));
    claims.insert("token_use".to_owned(), json!(kind.as_str()));
    claims
}

fn id(request: &Request<'_>, user: &User) -> Claims {
    let mut claims = common(TokenKind::Id);
    let subject = request.attributes.subject().unwrap_or(ID);
    claims.insert("sub".to_owned(), json!(subject));
    claims.insert("aud".to_owned(), json!(request.client_id));
    claims.insert("cognito:username".to_owned(), json!(user.user_name.as_deref().unwrap_or(subject)));
    for name in request.attributes.names().filter(|name| !name.starts_with("cognito:")) {
        let Some(value) = request.attributes.get(name) else { continue };
        let is_flag = matches!(name, "email_verified" | "phone_number_verified");
        let value = match name {
            "identities" => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
            _ if is_flag => json!(request.attributes.is_true(name)),
            _ => json!(value),
        };
        claims.insert(name.to_owned(), value);
    }
    put_groups(&mut claims, request.groups, request.iam_roles, request.preferred_role, TokenKind::Id);
    claims
}

fn access(request: &Request<'_>, user: &User) -> Claims {
    let mut claims = common(TokenKind::Access);
    claims.insert("client_id".to_owned(), json!(request.client_id));
    claims.insert("scope".to_owned(), json!(request.scopes.join(" ")));
    claims.insert("version".to_owned(), json!(2));
    if request.machine {
        claims.insert("sub".to_owned(), json!(request.client_id));
        claims.remove("event_id");
        claims.remove("origin_jti");
        return claims;
    }
    let subject = request.attributes.subject().unwrap_or(ID);
    claims.insert("sub".to_owned(), json!(subject));
    claims.insert("username".to_owned(), json!(user.user_name.as_deref().unwrap_or(subject)));
    put_groups(&mut claims, request.groups, &[], None, TokenKind::Access);
    claims
}

/// Writes groups, and in the ID token their roles; what is empty is left out.
fn put_groups(claims: &mut Claims, groups: &[String], roles: &[String], preferred: Option<&str>, kind: TokenKind) {
    for name in ["cognito:groups", "cognito:roles", "cognito:preferred_role"] {
        claims.remove(name);
    }
    if !groups.is_empty() {
        claims.insert("cognito:groups".to_owned(), json!(groups));
    }
    if kind == TokenKind::Id && !roles.is_empty() {
        claims.insert("cognito:roles".to_owned(), json!(roles));
    }
    if let Some(role) = preferred.filter(|_| kind == TokenKind::Id) {
        claims.insert("cognito:preferred_role".to_owned(), json!(role));
    }
}

/// The tokens as they are after it.
pub(super) fn changed(before: &Tokens, overrides: &Overrides) -> Tokens {
    before.iter().map(|(kind, claims)| (*kind, edited(claims, *kind, overrides))).collect()
}

fn edited(claims: &Claims, kind: TokenKind, overrides: &Overrides) -> Claims {
    let TokenEdit { add, suppress, scopes_add, scopes_suppress } = match kind {
        TokenKind::Id => &overrides.id,
        TokenKind::Access => &overrides.access,
    };
    let mut claims = claims.clone();
    claims.extend(add.iter().map(|(name, value)| (name.clone(), value.clone())));
    claims.retain(|name, _| !suppress.contains(name));
    if let GroupEdit::Replace { groups, iam_roles, preferred_role } = &overrides.groups {
        put_groups(&mut claims, groups, iam_roles, preferred_role.as_deref(), kind);
    }
    if let Some(Value::String(scope)) = claims.get_mut("scope") {
        let own = scope.split(' ').filter(|scope| !scope.is_empty() && !scopes_suppress.iter().any(|out| out == scope));
        *scope = own.chain(scopes_add.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    }
    claims
}

/// Both states of each token, with their sizes.
pub(super) fn told(before: Tokens, mut after: Tokens) -> Vec<TokenTold> {
    let mut told: Vec<TokenTold> = before
        .into_iter()
        .map(|(kind, before)| {
            let after = after.remove(&kind).unwrap_or_default();
            let (bytes_before, bytes_after) = (bytes(&before), bytes(&after));
            TokenTold {
                token: kind.as_str(),
                characters_before: characters(bytes_before),
                characters_after: characters(bytes_after),
                bytes_before,
                bytes_after,
                before,
                after,
            }
        })
        .collect();
    told.sort_by_key(|token| std::cmp::Reverse(token.token));
    told
}

fn bytes(claims: &Claims) -> usize {
    Value::Object(claims.clone()).to_string().len()
}

/// A token's length, as it stands in a header: base64url without padding.
fn characters(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3) + FRAME_CHARACTERS
}
