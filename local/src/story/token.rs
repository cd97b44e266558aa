//! Tokens as the story shows and bends them.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::list;

/// A token as it came. No `Debug`, so that it is never printed whole.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, to be sent.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The claims, unverified: what is shown is shown, the authorizer verifies.
    pub(super) fn claims(&self) -> Result<Map<String, Value>> {
        let part = self.0.split('.').nth(1).context("a token has no claims")?;
        let bytes = URL_SAFE_NO_PAD.decode(part).context("a token's claims are not base64url")?;
        serde_json::from_slice(&bytes).context("a token's claims are not JSON")
    }

    /// The same token with one claim changed and the old signature.
    pub(super) fn tampered(&self, claim: &str, value: Value) -> Result<Self> {
        let mut claims = self.claims()?;
        claims.insert(claim.to_owned(), value);
        let part = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?);
        let mut parts: Vec<_> = self.0.split('.').collect();
        *parts.get_mut(1).context("a token has no claims")? = &part;
        Ok(Self(parts.join(".")))
    }

    /// The same token with another key's worth of signature: none.
    pub(super) fn unsigned(&self) -> Result<Self> {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let claims = self.0.split('.').nth(1).context("a token has no claims")?;
        Ok(Self(format!("{header}.{claims}.")))
    }

    /// The claims that matter to a reader.
    pub(super) fn shown(&self) -> Result<String> {
        let claims = self.claims()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let mut parts = vec![format!("{} token:", text("token_use").unwrap_or("unknown"))];
        parts.push(format!("sub {}…", short(text("sub").unwrap_or_default())));
        parts.push(format!("tenant {}", text("tenant").unwrap_or("none")));
        parts.push(format!("roles {}", list(claims.get("roles"))));
        if let Some(tenants) = claims.get("tenants") {
            parts.push(format!("tenants {}", list(Some(tenants))));
        }
        if let Some(scope) = text("scope") {
            parts.push(format!("scope \"{scope}\""));
        }
        Ok(parts.join("  "))
    }

    /// Whether the token says exactly this tenant and these roles.
    pub(super) fn says(&self, tenant: Option<&str>, roles: &[&str]) -> Result<bool> {
        let claims = self.claims()?;
        let same_tenant = claims.get("tenant").and_then(Value::as_str) == tenant;
        Ok(same_tenant && list(claims.get("roles")) == format!("[{}]", roles.join(", ")))
    }
}

/// Enough of an id to recognise it.
pub(super) fn short(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> Token {
        Token(format!("head.{}.sign", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    #[test]
    fn a_tampered_token_keeps_its_signature_and_changes_one_claim() {
        let bent =
            token(&serde_json::json!({ "tenant": "acme", "sub": "1" })).tampered("tenant", "globex".into()).unwrap();
        assert!(bent.as_str().starts_with("head.") && bent.as_str().ends_with(".sign"));
        assert_eq!(bent.claims().unwrap().get("tenant").unwrap(), "globex");
        assert_eq!(bent.claims().unwrap().get("sub").unwrap(), "1");
    }

    #[test]
    fn what_a_token_says_is_compared_whole() {
        let one = token(&serde_json::json!({ "tenant": "acme", "roles": ["admin", "member"] }));
        let table = [
            (Some("acme"), &["admin", "member"][..], true),
            (Some("acme"), &["member"], false),
            (Some("acme"), &[], false),
            (Some("globex"), &["admin", "member"], false),
            (None, &["admin", "member"], false),
        ];
        for (tenant, roles, expected) in table {
            assert_eq!(one.says(tenant, roles).unwrap(), expected, "{tenant:?} {roles:?}");
        }
        assert!(token(&serde_json::json!({})).says(None, &[]).unwrap());
    }
}
