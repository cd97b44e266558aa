//! E-mail addresses, domains and telephone numbers, parsed strictly.
//!
//! A text that two parsers could read differently is refused, not repaired: an
//! address that passes here means the same to Cognito and to a mail server.

use serde::{Deserialize, Serialize};

use crate::names::text_type;

text_type! {
    /// An e-mail address in lower case, as a case-insensitive pool compares it.
    EmailAddress, "an e-mail address", "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$"
}

text_type! {
    /// A domain (`example.com`) or all domains below one (`*.example.com`).
    DomainPattern, "a domain", "^(\\*\\.)?[a-z0-9-]+(\\.[a-z0-9-]+)+$"
}

text_type! {
    /// A telephone number as E.164 writes it.
    PhoneNumber, "a telephone number", "^\\+[1-9][0-9]{1,14}$"
}

impl EmailAddress {
    /// Reads `local@domain`: a dot-atom and a host name of at least two labels,
    /// all ASCII. No quotes, comments, address literals or trailing dot.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        (text.len() <= 254 && is_dot_atom(local) && is_domain(domain)).then(|| Self(text.to_ascii_lowercase()))
    }

    /// What follows the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl DomainPattern {
    /// Reads a domain or `*.` and a domain, both in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let domain = text.strip_prefix("*.").unwrap_or(text);
        let lower = !domain.bytes().any(|byte| byte.is_ascii_uppercase());
        (lower && is_domain(domain)).then(|| Self(text.to_owned()))
    }

    /// Whether the address's domain is meant. `*.example.com` does not mean
    /// `example.com` itself.
    pub fn matches(&self, address: &EmailAddress) -> bool {
        self.covers_domain(address.domain())
    }

    /// Whether every domain that `other` means is meant here too.
    pub fn covers(&self, other: &Self) -> bool {
        match other.0.strip_prefix("*.") {
            None => self.covers_domain(&other.0),
            Some(parent) => self.0 == other.0 || (self.0.starts_with("*.") && self.covers_domain(parent)),
        }
    }

    fn covers_domain(&self, domain: &str) -> bool {
        match self.0.strip_prefix("*.") {
            None => self.0 == domain,
            Some(parent) => domain.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        }
    }
}

impl PhoneNumber {
    /// Reads `+` and up to 15 ASCII digits, the first not 0.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let in_range = (2..=15).contains(&digits.len()) && !digits.starts_with('0');
        (in_range && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| Self(text.to_owned()))
    }
}

/// RFC 5322, section 3.2.3; at most 64 bytes (RFC 5321, section 4.5.3.1.1).
fn is_dot_atom(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    text.len() <= 64 && text.split('.').all(is_atom)
}

/// RFC 1123, section 2.1. A numeric last label would be an IPv4 address.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.len() <= 253
        && text.split('.').all(is_label)
        && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}
