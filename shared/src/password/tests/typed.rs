//! Tables of hostile passwords. A row begins with the attack's short name.

use super::Check::{Right, RightButWeak, Unusable, Wrong};
use super::HashError::TooLong;
use super::*;

/// 256 times "a" and 256 times a swimmer, by Python's hashlib.
#[test]
fn m08_a_password_beyond_256_characters_is_never_hashed() {
    let letters = "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$hVdMi8VOYntgF+vu+RiwLb6mvQ0dzUDHk4A9jSTiTPE";
    let swimmers = "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$TLp70I/FodtZWlQYznYEOafyj1/K9v/LKta48mQWvBU";
    let longer = "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$SSBWURTigOE+4Rp3T7j4bZZsRJyGf4e/RTg5stm5YkA";
    let table = [
        ("256", letters, "a".repeat(256), Right),
        ("256 of four bytes", swimmers, "\u{1f3ca}".repeat(256), Right),
        ("257", longer, "a".repeat(257), Unusable(TooLong)),
        ("257 of four bytes", swimmers, "\u{1f3ca}".repeat(257), Unusable(TooLong)),
        ("4 KiB", letters, "a".repeat(4 << 10), Unusable(TooLong)),
        ("1 MB", letters, "a".repeat(1_000_000), Unusable(TooLong)),
        ("10 MB", letters, "a".repeat(10_000_000), Unusable(TooLong)),
        ("256, but another", letters, "a".repeat(255) + "b", Wrong),
        ("255", letters, "a".repeat(255), Wrong),
    ];
    for (name, hash, password, expected) in table {
        assert_eq!(check(hash, &password), expected, "M08 {name}");
    }
    // Each of these would take a second if anything were computed: a test that
    // ends is the proof.
    let costly = StoredHash::read("$2b$14$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC").ok().unwrap();
    let password = Password::new("a".repeat(257));
    for _ in 0..100_000 {
        assert_eq!(costly.check(&rules(&EVERY_KIND), &Keys::default(), &password), Unusable(TooLong));
    }
}

/// The hashes are by Python's hashlib, of these very characters.
#[test]
fn m11_a_password_is_compared_as_it_was_typed() {
    let table = [
        ("composed", "p\u{e2}t\u{e9}", "twpIUjaLfJGpIdxJkZV70Xi6CmGRe8m9MvMcEplyvD8"),
        ("decomposed", "pa\u{302}te\u{301}", "HOk1z04tSkNpScZMmWEM+yYW4aTEJGNB5aD+td8QLOk"),
        ("upper case", "P\u{c2}T\u{c9}", "qE39J0gaRAD1GILprmxDUbgVyRukwpH96fWc1giWB+s"),
        ("blank at the end", "p\u{e2}t\u{e9} ", "4aSH7njYlUzELp5fbLTpMn/tuYjZ/RCsQ6uLmFtCGSE"),
        ("blank at the start", " p\u{e2}t\u{e9}", "P+tys24oTnqDBg3mTphQR1ybcFwS0bG0NgnyCCTVlZ0"),
        ("full width", "\u{ff50}\u{e2}t\u{e9}", "ylkjElVumvLDTYvpFGhPj8MeoXKVn4tCpnY0mTNGI04"),
        ("emoji", "\u{1f3ca}p\u{e2}t\u{e9}", "JGQJU6q8mzTI9Aq/JHeh36lUmYLB86eeB6hExAAQ2Q8"),
        ("joiner", "p\u{e2}t\u{e9}\u{200d}", "njTMfUp1xyXK8wFKJYRZ+5WffUiPvMgJID3zWp2z8l8"),
        ("tab", "p\u{e2}t\u{e9}\t", "m/PS9YNfPZQ/VsaCGov17QeMah5msYEd9WAoqYIqXVA"),
        ("hard blank", "p\u{e2}t\u{e9}\u{a0}", "Yz3hvS2P+ff6k4SOstWWgV82RycfKbQvnn0ACJZzGMI"),
    ];
    for (hashed, _, output) in table {
        let hash = format!("$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw${output}");
        for (typed, password, _) in table {
            let expected = if hashed == typed { Right } else { Wrong };
            assert_eq!(check(&hash, password), expected, "M11 hash of {hashed}, typed {typed}");
        }
    }
}

/// "a" and "a\0" are one key to HMAC, and "a" and "a\0a" one to bcrypt.
#[test]
fn m11_a_zero_byte_makes_no_second_right_password() {
    for hash in CHEAP {
        for password in ["correct horse\0", "correct horse\0correct horse", "\0", ""] {
            assert_eq!(check(hash, password), Wrong, "M11 {hash} {password:?}");
        }
    }
    let of_nothing = "$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$5BjCbwjEcp0jmr1G6wuWVURn4j37BvKuUD8n6Hk68MA";
    assert_eq!(check(of_nothing, ""), Wrong, "M11 the hash of an empty password");
}

/// The hashes are of 71 and 72 times "x", by Python's bcrypt.
#[test]
fn m11_bcrypt_cuts_a_password_only_where_the_old_system_did() {
    let of_71 = "$2b$04$abcdefghijklmnopqrstuu.gc7UY/21CSNJGJg21jJzx9QiOpJ9bO";
    let of_72 = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
    // Of 100 times "x", by Django.
    let of_sha256 = "bcrypt_sha256$$2b$04$cWhCh0APfZ9hViB7DIaFfudVEREcvaq6j90BynCPyxlTKJZjBPh0W";
    let table = [
        (of_71, 71, RightButWeak, RightButWeak),
        (of_71, 72, Wrong, Wrong),
        (of_71, 73, Unusable(TooLong), Wrong),
        (of_72, 72, RightButWeak, RightButWeak),
        (of_72, 73, Unusable(TooLong), RightButWeak),
        (of_72, 256, Unusable(TooLong), RightButWeak),
        (of_72, 257, Unusable(TooLong), Unusable(TooLong)),
        (of_sha256, 100, RightButWeak, RightButWeak),
        (of_sha256, 101, Wrong, Wrong),
        (of_sha256, 72, Wrong, Wrong),
    ];
    for (hash, length, whole, cut) in table {
        for (bcrypt_truncates, expected) in [(false, whole), (true, cut)] {
            let rules = HashRules { bcrypt_truncates, ..rules(&[Kind::Bcrypt]) };
            let answer = StoredHash::read(hash).ok().unwrap().check(
                &rules,
                &Keys::default(),
                &Password::new("x".repeat(length)),
            );
            assert_eq!(answer, expected, "{hash} {length} {bcrypt_truncates}");
        }
    }
}
