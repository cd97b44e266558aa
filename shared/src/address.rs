//! E-mail addresses, domains and telephone numbers, parsed strictly.
//!
//! A text that two parsers could read differently is refused, not repaired: an
//! address that passes here means the same to Cognito and to a mail server.

pub mod web;

use std::collections::BTreeSet;

use crate::names::{in_rules, text_type};

text_type! {
    /// An e-mail address in lower case, as a case-insensitive pool compares it.
    EmailAddress
}

text_type! {
    /// A domain (`example.com`) or all domains below one (`*.example.com`).
    DomainPattern
}
in_rules!(DomainPattern, "domain in lower case", "^(\\*\\.)?[a-z0-9-]+(\\.[a-z0-9-]+)+$");

text_type! {
    /// A telephone number as E.164 writes it.
    PhoneNumber
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
        match self.0.strip_prefix("*.") {
            None => self.0 == address.domain(),
            Some(parent) => {
                address.domain().strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            }
        }
    }

    /// The pattern among `others` that means every domain this one means.
    pub(crate) fn covered_by(&self, others: &BTreeSet<&str>) -> Option<String> {
        let domain = self.0.strip_prefix("*.").unwrap_or(&self.0);
        let parents = domain.match_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
        let wider = parents.map(|parent| format!("*.{parent}"));
        std::iter::once(self.0.clone()).chain(wider).find(|pattern| others.contains(pattern.as_str()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_an_address_with_one_reading_is_one() {
        let longest_local = format!("{}@x.test", "l".repeat(64));
        let local_too_long = format!("{}@x.test", "l".repeat(65));
        let longest_label = format!("a@{}.test", "d".repeat(63));
        let label_too_long = format!("a@{}.test", "d".repeat(64));
        let too_long = format!("a@{}test", "d23456789.".repeat(25));
        let table = [
            ("ann@example.com", Some("ann@example.com")),
            ("Ann.Lee+news@Sub.Example.COM", Some("ann.lee+news@sub.example.com")),
            ("!#$%&'*+-/=?^_`{|}~@x.test", Some("!#$%&'*+-/=?^_`{|}~@x.test")),
            ("a@x-y.example", Some("a@x-y.example")),
            ("a@xn--llowed-8ya.com", Some("a@xn--llowed-8ya.com")),
            ("a@1.example", Some("a@1.example")),
            (longest_local.as_str(), Some(longest_local.as_str())),
            (longest_label.as_str(), Some(longest_label.as_str())),
            // Two readings.
            ("a@evil.com#@allowed.com", None),
            ("\"a@allowed.com\"@evil.com", None),
            ("a@b@allowed.com", None),
            ("a@allowed.com,b@evil.com", None),
            ("a@allowed.com;b@evil.com", None),
            ("a(x)@allowed.com", None),
            ("a@allowed.com(x)", None),
            ("Ann <a@allowed.com>", None),
            ("<a@allowed.com>", None),
            ("mailto:a@allowed.com", None),
            ("a@allowed.com?x=1", None),
            ("a%00@allowed.com\0", None),
            ("a@allowed.com\n", None),
            ("a@allowed.com\r\nBcc: b@evil.com", None),
            (" a@allowed.com", None),
            ("a@allowed.com ", None),
            ("a @allowed.com", None),
            // No host name.
            ("a@allowed.com.", None),
            ("a@.allowed.com", None),
            ("a@allowed..com", None),
            ("a@-allowed.com", None),
            ("a@allowed-.com", None),
            ("a@allowed_x.com", None),
            ("a@localhost", None),
            ("a@[127.0.0.1]", None),
            ("a@127.0.0.1", None),
            ("a@[IPv6:::1]", None),
            ("a@\u{430}llowed.com", None),
            ("a@allowed\u{3002}com", None),
            ("\u{430}nn@allowed.com", None),
            ("a@allowed.com\u{200b}", None),
            (label_too_long.as_str(), None),
            (too_long.as_str(), None),
            // No local part that mail servers agree on.
            ("@allowed.com", None),
            (".a@allowed.com", None),
            ("a.@allowed.com", None),
            ("a..b@allowed.com", None),
            ("a\\@b@allowed.com", None),
            (local_too_long.as_str(), None),
            ("a@", None),
            ("@", None),
            ("a", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(EmailAddress::parse(text).as_ref().map(EmailAddress::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn addresses_that_differ_in_case_are_the_same() {
        assert_eq!(EmailAddress::parse("bob@x.test"), EmailAddress::parse("BOB@X.Test"));
    }

    #[test]
    fn a_domain_is_itself_and_a_star_is_what_is_below() {
        let table = [
            ("allowed.com", "a@allowed.com", true),
            ("allowed.com", "a@ALLOWED.COM", true),
            ("allowed.com", "a@sub.allowed.com", false),
            ("allowed.com", "a@notallowed.com", false),
            ("allowed.com", "a@allowed.com.evil.com", false),
            ("allowed.com", "allowed.com@evil.com", false),
            ("*.allowed.com", "a@sub.allowed.com", true),
            ("*.allowed.com", "a@deep.sub.allowed.com", true),
            ("*.allowed.com", "a@allowed.com", false),
            ("*.allowed.com", "a@notallowed.com", false),
            ("*.allowed.com", "a@sub.allowed.com.evil.com", false),
        ];
        for (pattern, address, expected) in table {
            let address = EmailAddress::parse(address).unwrap();
            assert_eq!(DomainPattern::parse(pattern).unwrap().matches(&address), expected, "{pattern} {address}");
        }
    }

    #[test]
    fn a_pattern_is_written_in_one_way() {
        let table = [
            ("example.com", true),
            ("*.example.com", true),
            ("*", false),
            ("*.com", false),
            ("*.*.example.com", false),
            ("a.*.example.com", false),
            ("*example.com", false),
            (".example.com", false),
            ("@example.com", false),
            ("Example.com", false),
            ("example", false),
            ("", false),
        ];
        for (text, accepted) in table {
            assert_eq!(DomainPattern::parse(text).is_some(), accepted, "{text:?}");
        }
    }

    #[test]
    fn a_pattern_knows_which_other_one_makes_it_idle() {
        let table = [
            ("a.test", "a.test", true),
            ("a.test", "*.a.test", false),
            ("x.a.test", "*.a.test", true),
            ("y.x.a.test", "*.a.test", true),
            ("*.a.test", "a.test", false),
            ("*.a.test", "*.a.test", true),
            ("*.x.a.test", "*.a.test", true),
            ("*.a.test", "*.x.a.test", false),
            ("ba.test", "*.a.test", false),
        ];
        for (pattern, other, expected) in table {
            let covered = DomainPattern::parse(pattern).unwrap().covered_by(&BTreeSet::from([other]));
            assert_eq!(covered.as_deref(), expected.then_some(other), "{pattern} by {other}");
        }
    }

    #[test]
    fn a_telephone_number_is_written_as_e164_has_it() {
        let table = [
            ("+15551234567", true),
            ("+442071838750", true),
            ("+123456789012345", true),
            ("+1234567890123456", false),
            ("0015551234567", false),
            ("15551234567", false),
            ("+1 555 1234567", false),
            ("+1-555-1234567", false),
            ("+1(555)1234567", false),
            ("+05551234567", false),
            ("+\u{661}\u{665}\u{665}\u{665}", false),
            ("\u{ff0b}15551234567", false),
            ("+15551234567\n", false),
            ("++15551234567", false),
            ("+1", false),
            ("+", false),
            ("", false),
        ];
        for (text, accepted) in table {
            assert_eq!(PhoneNumber::parse(text).is_some(), accepted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_address_reads_the_same_when_read_again(text in "[a-zA-Z0-9.+_@\"(),<>\u{430} -]{0,40}") {
            if let Some(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(address.as_str(), text.to_ascii_lowercase());
                prop_assert_eq!(text.matches('@').count(), 1);
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Some(address));
            }
        }

        #[test]
        fn a_pattern_that_is_covered_matches_nothing_more(
            labels in proptest::collection::vec("[ab]", 1..4),
            pattern in "(\\*\\.)?([ab]\\.){0,2}test",
            other in "(\\*\\.)?([ab]\\.){0,2}test",
        ) {
            let address = EmailAddress::parse(&format!("x@{}.test", labels.join("."))).unwrap();
            if let (Some(pattern), Some(wider)) = (DomainPattern::parse(&pattern), DomainPattern::parse(&other))
                && pattern.covered_by(&BTreeSet::from([other.as_str()])).is_some()
            {
                prop_assert!(!pattern.matches(&address) || wider.matches(&address));
            }
        }
    }
}
