//! What holds for every text and every password.

use proptest::prelude::*;

use super::*;

/// What mutations are made of: what means something in a hash, and what does not.
const LETTERS: [&str; 16] =
    ["", "$", "=", ",", "{", "}", "0", "9", "A", "/", "+", ".", " ", "\0", "\u{e9}", "99999999999"];

/// Whoever reads a text has at least something that may be computed.
fn reads_within_limits(text: &str) -> Result<(), TestCaseError> {
    if let Ok(stored) = StoredHash::read(text) {
        let cost = stored.cost();
        prop_assert_eq!(Cost::read(&cost.to_string()).map(Cost::kind), Ok(cost.kind()), "{}", text);
        prop_assert!(text.len() <= 1_024);
    }
    Ok(())
}

/// A text that looks like a hash.
fn hash_like() -> impl Strategy<Value = String> {
    let label = prop::sample::select(vec![
        "$2a$",
        "$2b$",
        "$2y$",
        "$argon2id$",
        "$argon2i$v=19$",
        "$scrypt$",
        "$firebase-scrypt$",
        "$pbkdf2-sha1$",
        "$pbkdf2-sha256$",
        "pbkdf2_sha256$",
        "scrypt$",
        "bcrypt$",
        "bcrypt_sha256$$2b$",
        "argon2$argon2id$",
        "sha1$",
        "md5$",
        "{SSHA}",
        "{SHA512}",
        "{",
        "AQAAAA",
        "$",
    ]);
    let number = "(m|t|p|ln|r|i|l|v)?=?[0-9]{0,11}";
    let part = prop_oneof![
        number,
        "(m|ln|i)=[0-9]{1,4},(t|r|l)=[0-9]{1,3},p=[0-9]{1,2}",
        "[A-Za-z0-9+/.=]{0,64}",
        "\\PC{0,8}"
    ];
    (label, prop::collection::vec(part, 0..6)).prop_map(|(label, parts)| format!("{label}{}", parts.join("$")))
}

proptest! {
    #[test]
    fn any_text_is_read_within_the_limits(text in any::<String>()) {
        reads_within_limits(&text)?;
    }

    #[test]
    fn a_text_that_looks_like_a_hash_is_read_within_the_limits(text in hash_like()) {
        reads_within_limits(&text)?;
    }

    #[test]
    fn any_decoy_is_read_within_the_limits(text in "(bcrypt|argon2id|scrypt|firebase-scrypt|pbkdf2-sha(1|256))?:?[a-z0-9=,]{0,24}") {
        if let Ok(cost) = Cost::read(&text) {
            prop_assert_eq!(Cost::read(&cost.to_string()), Ok(cost));
        }
    }

    #[test]
    fn a_wrong_password_is_never_right(
        hash in prop::sample::select(CHEAP.to_vec()),
        password in prop_oneof![any::<String>(), "c?o?rrect horse?[ \0]?", "correct hors.", "correct horse.{1,80}"],
    ) {
        prop_assume!(password != "correct horse");
        let answer = check(hash, &password);
        prop_assert!(matches!(answer, Check::Wrong | Check::Unusable(HashError::TooLong)), "{:?} {}", answer, hash);
    }
}

/// Every hash, cut at every place and with every kind of letter put, inserted
/// and repeated there, is read or refused; and none of them takes a password
/// that the whole one did not take.
#[test]
fn no_mutation_of_a_hash_harms() {
    for hash in CHEAP {
        for (place, letter) in hash.char_indices() {
            let (before, after) = hash.split_at(place);
            let rest = after.strip_prefix(letter).unwrap();
            let mutations =
                LETTERS.iter().flat_map(|one| [format!("{before}{one}{rest}"), format!("{before}{one}{after}")]);
            for text in mutations.chain([before.to_owned(), after.to_owned(), format!("{before}{hash}{after}")]) {
                reads_within_limits(&text).unwrap();
                if place % 16 == 0 && StoredHash::read(&text).is_ok_and(|stored| is_cheap(stored.cost())) {
                    assert!(matches!(check(&text, "correct horsf"), Check::Wrong), "{text}");
                }
            }
        }
    }
}

fn is_cheap(cost: Cost) -> bool {
    match cost {
        Cost::Bcrypt { log_rounds } => log_rounds <= 5,
        Cost::Argon2 { memory_kib, passes, .. } => memory_kib * passes <= 1_024,
        Cost::Scrypt { log_n, block, .. } | Cost::FirebaseScrypt { log_n, block } => log_n <= 8 && block <= 8,
        Cost::Pbkdf2 { iterations, .. } => iterations <= 100,
        Cost::Digest => true,
    }
}
