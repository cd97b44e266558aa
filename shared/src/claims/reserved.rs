//! The claims that a trigger may not touch.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html#user-pool-lambda-pre-token-generation-excluded-claims>

use serde_json::Value;

use super::TokenKind;

/// Neither added, replaced nor suppressed, in either token.
const UNTOUCHABLE: [&str; 21] = [
    "acr",
    "amr",
    "at_hash",
    "auth_time",
    "azp",
    "client_id",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
    "username",
    "version",
];

/// In the ID token these hold one value, not a list or an object.
const SIMPLE_IN_ID: [&str; 4] = ["address", "email_verified", "phone_number_verified", "updated_at"];

/// The attributes that every pool has and that become claims of the ID token.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html#cognito-user-pools-standard-attributes>
const STANDARD_ATTRIBUTES: [&str; 19] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// Whether the pool puts a claim of this name into ID tokens by itself.
pub(crate) fn comes_from_pool(name: &str) -> bool {
    let prefixes = ["cognito:", "custom:", "dev:"];
    name == "aud"
        || UNTOUCHABLE.contains(&name)
        || STANDARD_ATTRIBUTES.contains(&name)
        || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a trigger may add the claim to this token; else why not.
pub(super) fn may_add(name: &str, kind: TokenKind) -> Result<(), &'static str> {
    match name {
        "scope" => Err("is changed only through claims.scopes"),
        "aud" if kind == TokenKind::Id => Err("can be added to the access token only"),
        "aud" => Ok(()),
        _ if name.starts_with("dev:") => Err("begins with \"dev:\", which can only be suppressed"),
        _ => may_touch(name),
    }
}

/// Whether a trigger may take the claim out; else why not.
pub(super) fn may_suppress(name: &str) -> Result<(), &'static str> {
    match name {
        "scope" => Err("is changed only through claims.scopes"),
        "aud" => Err("can be added, but not suppressed"),
        _ => may_touch(name),
    }
}

fn may_touch(name: &str) -> Result<(), &'static str> {
    if name.starts_with("cognito:") {
        return Err("belongs to Cognito; groups and their roles are changed only through claims.groups");
    }
    if UNTOUCHABLE.contains(&name) {
        return Err("is one of the claims that Cognito lets no trigger change");
    }
    Ok(())
}

/// Whether the claim may have this value in this token.
pub(super) fn may_hold(name: &str, kind: TokenKind, value: &Value) -> bool {
    !((value.is_array() || value.is_object()) && must_be_simple(name, kind))
}

/// Whether the claim holds one plain value in this token.
pub(super) fn must_be_simple(name: &str, kind: TokenKind) -> bool {
    kind == TokenKind::Id && SIMPLE_IN_ID.contains(&name)
}

/// Whether the pool may put a user attribute into the ID token by this name.
pub(super) fn is_attribute_name(name: &str) -> bool {
    name.starts_with("custom:") || STANDARD_ATTRIBUTES.contains(&name)
}
