//! What does not need a pool; the rest is tried through the built function.

use super::*;

#[test]
fn a_filter_holds_one_address_whatever_stands_in_it() {
    let table = [
        ("ann@x.test", r#"email = "ann@x.test""#),
        ("o'neil+a@x.test", r#"email = "o'neil+a@x.test""#),
        (r#"a" or email ^= ""#, r#"email = "a\" or email ^= \"""#),
        (r"a\", r#"email = "a\\""#),
        (r#"a\""#, r#"email = "a\\\"""#),
    ];
    for (written, expected) in table {
        assert_eq!(filter(written), expected, "{written}");
    }
    let longest = "a".repeat(246);
    assert_eq!(filter(&longest).len(), 256);
}

#[test]
fn nobody_s_password_meets_every_policy_and_never_repeats() {
    let (one, other) = (unguessable().unwrap(), unguessable().unwrap());
    assert_ne!(one, other);
    for password in [one, other] {
        assert!((99..=256).contains(&password.len()), "{}", password.len());
        let kinds = [
            password.bytes().any(|byte| byte.is_ascii_lowercase()),
            password.bytes().any(|byte| byte.is_ascii_uppercase()),
            password.bytes().any(|byte| byte.is_ascii_digit()),
            password.contains('!'),
        ];
        assert_eq!(kinds, [true; 4]);
    }
}
