//! What may be computed at all, from both sides of every limit.

use super::*;
use HashError::{Malformed, TooCostly};

#[test]
fn nothing_beyond_a_limit_is_computed() {
    let table: [(&str, Result<(), HashError>); 47] = [
        ("bcrypt:4", Ok(())),
        ("bcrypt:14", Ok(())),
        ("bcrypt:15", Err(TooCostly)),
        ("bcrypt:31", Err(TooCostly)),
        ("bcrypt:32", Err(Malformed)),
        ("bcrypt:3", Err(Malformed)),
        ("bcrypt:010", Err(Malformed)),
        ("argon2id:m=8,t=1,p=1", Ok(())),
        ("argon2id:m=131072,t=4,p=16", Ok(())),
        ("argon2id:m=131073,t=1,p=1", Err(TooCostly)),
        ("argon2id:m=131072,t=5,p=1", Err(TooCostly)),
        ("argon2id:m=8,t=65536,p=1", Ok(())),
        ("argon2id:m=8,t=65537,p=1", Err(TooCostly)),
        ("argon2id:m=4194304,t=1,p=1", Err(TooCostly)),
        ("argon2id:m=1024,t=1,p=17", Err(TooCostly)),
        ("argon2id:m=7,t=1,p=1", Err(Malformed)),
        ("argon2id:m=15,t=1,p=2", Err(Malformed)),
        ("argon2id:m=4294967295,t=1,p=4294967295", Err(Malformed)),
        ("argon2id:m=8,t=0,p=1", Err(Malformed)),
        ("argon2id:m=8,t=1,p=0", Err(Malformed)),
        ("scrypt:ln=16,r=8,p=1", Ok(())),
        ("scrypt:ln=16,r=8,p=4", Ok(())),
        ("scrypt:ln=16,r=8,p=5", Err(TooCostly)),
        ("scrypt:ln=17,r=8,p=1", Err(TooCostly)),
        ("scrypt:ln=16,r=9,p=1", Err(TooCostly)),
        ("scrypt:ln=1,r=1,p=16", Ok(())),
        ("scrypt:ln=1,r=1,p=17", Err(TooCostly)),
        ("scrypt:ln=30,r=1048576,p=1", Err(TooCostly)),
        ("scrypt:ln=63,r=4294967295,p=4294967295", Err(TooCostly)),
        ("scrypt:ln=64,r=1,p=1", Err(TooCostly)),
        ("scrypt:ln=4294967295,r=1,p=1", Err(TooCostly)),
        ("scrypt:ln=0,r=1,p=1", Err(Malformed)),
        ("scrypt:ln=1,r=0,p=1", Err(Malformed)),
        ("scrypt:ln=1,r=1,p=0", Err(Malformed)),
        ("firebase-scrypt:ln=16,r=8", Ok(())),
        ("firebase-scrypt:ln=17,r=8", Err(TooCostly)),
        ("firebase-scrypt:ln=0,r=8", Err(Malformed)),
        ("pbkdf2-sha256:1", Ok(())),
        ("pbkdf2-sha256:1200000", Ok(())),
        ("pbkdf2-sha256:1200001", Err(TooCostly)),
        ("pbkdf2-sha256:600000,l=64", Ok(())),
        ("pbkdf2-sha256:600001,l=64", Err(TooCostly)),
        ("pbkdf2-sha256:2147483648", Err(TooCostly)),
        ("pbkdf2-sha256:99999999999999999999999", Err(TooCostly)),
        ("pbkdf2-sha256:1,l=1073741824", Err(TooCostly)),
        ("pbkdf2-sha256:0", Err(Malformed)),
        ("digest", Ok(())),
    ];
    for (text, expected) in table {
        assert_eq!(Cost::read(text).map(|_| ()), expected, "{text}");
    }
}

#[test]
fn a_hash_says_what_a_decoy_of_its_cost_is() {
    let table = [
        ("$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC", "bcrypt:10"),
        (CHEAP[3], "argon2id:m=8,t=1,p=1"),
        ("$argon2i$v=19$m=64,t=3,p=4$EnuKar11iEs$VXSRVcBcE5ZCDAKm/ZywIw", "argon2i:m=64,t=3,p=4"),
        (CHEAP[5], "scrypt:ln=1,r=1,p=1"),
        ("scrypt$2048$s$8$5$bpZY9bmIsoWlwpYkuRgb6Q==", "scrypt:ln=11,r=8,p=5"),
        (CHEAP[7], "firebase-scrypt:ln=1,r=1"),
        (CHEAP[8], "pbkdf2-sha256:1"),
        ("$pbkdf2-sha1$i=7$c2FsdA$DGDID5YfDnHzqbUkr2ASBi/gN6Y", "pbkdf2-sha1:7"),
        (
            "AQAAAAIAAYagAAAAEAABAgMEBQYHCAkKCwwNDg8LJ1+nXP1HCEVtkGVQ8YRRub3RhgjMuQMQ6K7+XxmQVQ==",
            "pbkdf2-sha512:100000",
        ),
        ("$pbkdf2-sha1$i=4096$c2FsdA$PS7sT+QchJuAyNg2YsDkSospGpZM8vBwOA", "pbkdf2-sha1:4096,l=25"),
        ("{SHA}bROMo65UVjGzq9caTwds51nFcAs=", "digest"),
    ];
    for (hash, expected) in table {
        let stored = StoredHash::read(hash).ok().unwrap();
        assert_eq!(stored.cost().to_string(), expected, "{hash}");
        assert_eq!(Cost::read(expected).map(Cost::kind), Ok(stored.kind()), "{expected}");
    }
}

#[test]
fn every_kind_has_a_decoy_that_takes_any_password() {
    let decoys = [
        (Kind::Bcrypt, "bcrypt:4"),
        (Kind::Argon2, "argon2id:m=8,t=1,p=1"),
        (Kind::Argon2, "argon2i:m=32,t=1,p=4"),
        (Kind::Scrypt, "scrypt:ln=1,r=1,p=1"),
        (Kind::FirebaseScrypt, "firebase-scrypt:ln=1,r=1"),
        (Kind::Pbkdf2, "pbkdf2-sha512:1"),
        (Kind::Pbkdf2, "pbkdf2-sha1:1,l=64"),
        (Kind::Digest, "digest"),
    ];
    for (kind, decoy) in decoys {
        let rules = HashRules { kinds: vec![kind], decoy: decoy.to_owned(), bcrypt_truncates: false };
        let decoy = Decoy::new(&rules).ok().unwrap();
        for password in ["", "secret", "a\0b", &"x".repeat(73), &"\u{1f3ca}".repeat(256), &"x".repeat(1_000_000)] {
            for keys in [Keys::default(), keys()] {
                decoy.spend(&keys, &Password::new(password.to_owned()));
            }
        }
        let other = HashRules { kinds: EVERY_KIND.into_iter().filter(|other| *other != kind).collect(), ..rules };
        assert_eq!(Decoy::new(&other).err(), Some(HashError::KindNotAllowed), "{kind:?}");
    }
    let unlimited = HashRules { decoy: "bcrypt:31".to_owned(), ..rules(&[Kind::Bcrypt]) };
    assert_eq!(Decoy::new(&unlimited).err(), Some(TooCostly));
}
