//! Where an issuer says that its keys are.

use std::fmt;

use serde_json::Value;

use super::json;
use crate::address::web::is_safe_for_secrets;

/// Why an issuer's own description is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscoveryProblem {
    /// Not a JSON object.
    Malformed,
    /// It describes another issuer.
    IssuerDiffers,
    /// It names no address from which keys could be fetched safely.
    KeySetUnnamed,
}

impl fmt::Display for DiscoveryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the issuer's description is not a JSON object",
            Self::IssuerDiffers => "the description is another issuer's",
            Self::KeySetUnnamed => "the description names no key set behind TLS",
        })
    }
}

impl std::error::Error for DiscoveryProblem {}

/// Where an issuer's description is.
/// <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest>
pub fn description_address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

/// Reads the address of the key set from an issuer's description, which must name
/// this issuer byte for byte.
/// <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation>
pub fn key_set_address(issuer: &str, bytes: &[u8]) -> Result<String, DiscoveryProblem> {
    let description = json::object(bytes).ok_or(DiscoveryProblem::Malformed)?;
    let member = |name: &str| description.get(name).and_then(Value::as_str);
    if member("issuer") != Some(issuer) {
        return Err(DiscoveryProblem::IssuerDiffers);
    }
    let address = member("jwks_uri").filter(|address| is_safe_for_secrets(address));
    // Only an issuer on this very machine has its keys there without TLS.
    let as_safe = |address: &&str| address.starts_with("https://") || issuer.starts_with("http://");
    address.filter(as_safe).map(str::to_owned).ok_or(DiscoveryProblem::KeySetUnnamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_issuers_own_description_says_where_its_keys_are() {
        use DiscoveryProblem::{IssuerDiffers, KeySetUnnamed, Malformed};
        const ISSUER: &str = "https://login.example/";
        let of = |issuer: &str, keys: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}","x":[1]}}"#);
        let table = [
            (of(ISSUER, "https://keys.example/k"), Ok("https://keys.example/k")),
            (of(ISSUER, "http://keys.example/k"), Err(KeySetUnnamed)),
            (of(ISSUER, "http://127.0.0.1/k"), Err(KeySetUnnamed)),
            (of(ISSUER, "http://169.254.169.254/k"), Err(KeySetUnnamed)),
            (of(ISSUER, "file:///etc/passwd"), Err(KeySetUnnamed)),
            (of(ISSUER, "https://user@keys.example/k"), Err(KeySetUnnamed)),
            (of(ISSUER, ""), Err(KeySetUnnamed)),
            (of("https://login.example", "https://keys.example/k"), Err(IssuerDiffers)),
            (of("https://other.example/", "https://keys.example/k"), Err(IssuerDiffers)),
            (format!(r#"{{"issuer":"{ISSUER}"}}"#), Err(KeySetUnnamed)),
            (r#"{"jwks_uri":"https://keys.example/k"}"#.to_owned(), Err(IssuerDiffers)),
            (format!(r#"{{"issuer":"x","issuer":"{ISSUER}","jwks_uri":"https://keys.example/k"}}"#), Err(Malformed)),
            ("[]".to_owned(), Err(Malformed)),
            (String::new(), Err(Malformed)),
        ];
        for (text, expected) in table {
            assert_eq!(key_set_address(ISSUER, text.as_bytes()), expected.map(str::to_owned), "{text}");
        }
        for (problem, says) in [(Malformed, "JSON"), (IssuerDiffers, "another issuer's"), (KeySetUnnamed, "no key set")]
        {
            assert!(problem.to_string().contains(says), "{problem}");
        }
        let local = of("http://127.0.0.1:9/x", "http://127.0.0.1:9/keys");
        assert_eq!(key_set_address("http://127.0.0.1:9/x", local.as_bytes()).as_deref(), Ok("http://127.0.0.1:9/keys"));
        for (issuer, address) in
            [("https://a.example", "https://a.example"), ("https://a.example/t/", "https://a.example/t")]
        {
            assert_eq!(description_address(issuer), format!("{address}/.well-known/openid-configuration"));
        }
    }
}
