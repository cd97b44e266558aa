//! What may be called.

use shared::address::web::is_loopback;

use crate::SettingError;

/// An address without user, query or fragment, and with nothing that would
/// have to be written differently.
pub fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(plain))
}

/// Gives the address of a key set or a service back if it can be used; `key` is
/// the setting that it comes from.
pub fn check_address(key: &'static str, address: String) -> Result<String, SettingError> {
    if !is_address(&address) {
        return Err(SettingError::new(key, "must be an address without user, query or fragment"));
    }
    if !address.starts_with("https://") && !is_of_this_machine(&address) {
        return Err(SettingError::new(key, "must be https; http is for 127.0.0.1, [::1] and localhost only"));
    }
    Ok(address)
}

/// What anybody on the way could exchange is worth nothing, so without TLS it
/// comes from this machine only.
fn is_of_this_machine(address: &str) -> bool {
    let authority = address.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    is_loopback(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        let table = [
            ("https://cognito-identity.amazonaws.com/.well-known/jwks_uri", true),
            ("http://127.0.0.1:4566/jwks", true),
            ("http://localhost/x", true),
            ("http://[::1]:80/x", true),
            ("http://keys.example/x", false),
            ("http://127.0.0.1.evil.example/x", false),
            ("http://127.0.0.1@evil.example/x", false),
            ("http://127.0.0.1:x/", false),
            ("http://169.254.169.254/x", false),
            ("https://keys.example/x?y", false),
            ("https://user@keys.example/x", false),
            ("file:///etc/passwd", false),
            ("https:///x", false),
            ("", false),
        ];
        for (address, accepted) in table {
            let checked = check_address("KEY", address.to_owned());
            assert_eq!(checked.is_ok(), accepted, "{address}");
            assert!(checked.err().is_none_or(|error| error.to_string().starts_with("KEY must")), "{address}");
        }
    }
}
