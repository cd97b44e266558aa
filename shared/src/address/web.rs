//! Addresses of the web that secrets may be sent to.

/// Whether a secret may be posted there: over TLS, or to this very machine.
/// An address with a user or a fragment is none: they would never be sent.
pub fn is_safe_for_secrets(url: &str) -> bool {
    let authority = |scheme: &str| url.strip_prefix(scheme).and_then(|rest| rest.split(['/', '?']).next());
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"@#\\\"<>".contains(&byte));
    let secure = authority("https://").is_some_and(|host| !host.is_empty() && !host.starts_with(':'));
    plain && (secure || authority("http://").is_some_and(is_loopback))
}

/// Whether a host, with its port or without, is this very machine.
pub fn is_loopback(authority: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].into_iter().any(|host| {
        let port = authority.strip_prefix(host);
        port.is_some_and(|port| {
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_over_tls_or_nowhere() {
        let rows = [
            ("https://old.example", true),
            ("https://old.example/users?x=1", true),
            ("https://old.example:8443/", true),
            ("http://127.0.0.1:4000/users", true),
            ("http://localhost", true),
            ("http://[::1]:80/", true),
            ("http://old.example/", false),
            ("http://127.0.0.1.old.example/", false),
            ("http://localhost:x/", false),
            ("http://127.0.0.1@old.example/", false),
            ("https://user:pass@old.example/", false),
            ("https://old.example/#users", false),
            ("https://", false),
            ("https://:443/", false),
            ("https:///users", false),
            ("HTTPS://old.example", false),
            ("ftp://old.example", false),
            ("https://old.example/a b", false),
            ("old.example", false),
            ("", false),
        ];
        for (url, safe) in rows {
            assert_eq!(is_safe_for_secrets(url), safe, "{url}");
        }
    }
}
