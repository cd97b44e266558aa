//! Tables of hostile hashes. A row begins with the attack's short
//! name.

use super::Check::{Right, RightButWeak, Unusable, Wrong};
use super::HashError::{KeyMissing, KindNotAllowed, Malformed, TooCostly, TooLong, UnknownKind};
use super::*;

/// Hashes of "correct horse" whose cost is like that of real ones.
const REAL: [(&str, Kind); 5] = [
    ("$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC", Kind::Bcrypt),
    ("$argon2id$v=19$m=19456,t=2,p=1$r62jWL8XLD5fJeW5H0nhSQ$9Y+f5rqBNeoqjz3BiCvN4zJxlmzD64v5DXgR7p5nwnE", Kind::Argon2),
    ("$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$XGYmKKxOsQaKKH4qoqICriSOmNsE1h0zJ+c0LbbscJc", Kind::Scrypt),
    ("$pbkdf2-sha256$i=10000$AAECAwQFBgcICQoLDA0ODw$5RUHDgNTp9sBOWGYS4e6u57cz/Sq3/TQgaDP/8MW6L8", Kind::Pbkdf2),
    ("{SSHA}SbfVjMGTkcdPCA/6xGSjKvPl7QsAAQIDBAUGBwgJCgsMDQ4P", Kind::Digest),
];

#[test]
fn m01_the_right_password_is_right_under_each_kind() {
    for (hash, kind) in REAL {
        let right = if kind == Kind::Digest { RightButWeak } else { Right };
        let stored = StoredHash::read(hash).ok().unwrap();
        for (password, expected) in [("correct horse", right), ("correct horsf", Wrong)] {
            let password = Password::new(password.to_owned());
            assert_eq!(stored.check(&rules(&[kind]), &Keys::default(), &password), expected, "M01 {hash}");
        }
    }
}

#[test]
fn m12_a_malformed_hash_is_refused() {
    let salt_of = |count: usize| "AAAA".repeat(count);
    let table = [
        ("empty", String::new(), Malformed),
        ("blank", " ".to_owned(), UnknownKind),
        ("dollar", "$".to_owned(), Malformed),
        ("dollars", "$$$".to_owned(), UnknownKind),
        ("bcrypt: nothing", "$2b$".to_owned(), Malformed),
        ("bcrypt: no dollar", "$2b".to_owned(), Malformed),
        ("bcrypt: no hash", "$2b$10$".to_owned(), Malformed),
        ("bcrypt: short", "$2b$10$short".to_owned(), Malformed),
        (
            "bcrypt: one letter less",
            "$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7a".to_owned(),
            Malformed,
        ),
        ("bcrypt: one more", "$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aCC".to_owned(), Malformed),
        ("bcrypt: padding", "$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC=".to_owned(), Malformed),
        (
            "bcrypt: a letter of another alphabet",
            "$2b$10$stgXytxmVr+wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(),
            Malformed,
        ),
        ("bcrypt: two bytes at the seam", format!("$2b$10${}\u{e9}{}", "a".repeat(21), "a".repeat(30)), Malformed),
        ("bcrypt: x", "$2x$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), UnknownKind),
        ("bcrypt: no letter", "$2$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), UnknownKind),
        ("bcrypt: 99", "$2b$99$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), Malformed),
        ("bcrypt: 1e", "$2b$1e$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), Malformed),
        ("bcrypt: +4", "$2b$+4$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), Malformed),
        ("bcrypt: 4", "$2b$4$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), Malformed),
        ("bcrypt: 00", "$2b$00$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned(), Malformed),
        ("1 MB", "$2b$10$".to_owned() + &"a".repeat(1_000_000), Malformed),
        ("1,025 bytes", "a".repeat(1_025), Malformed),
        ("1,024 bytes of no form", "a".repeat(1_024), UnknownKind),
        ("not a text", "\u{fffd}\u{fffd}\u{fffd}".to_owned(), UnknownKind),
        ("zero bytes", "\0\0\0\0".to_owned(), UnknownKind),
        ("argon2: nothing", "$argon2id$".to_owned(), Malformed),
        ("argon2: version 18", CHEAP[3].replace("v=19", "v=18"), Malformed),
        ("argon2: version 019", CHEAP[3].replace("v=19", "v=019"), Malformed),
        ("argon2: missing number", CHEAP[3].replace(",p=1", ""), Malformed),
        ("argon2: another order", CHEAP[3].replace("m=8,t=1", "t=1,m=8"), Malformed),
        ("argon2: a fourth number", CHEAP[3].replace("p=1", "p=1,keyid=AA"), Malformed),
        ("argon2: a number twice", CHEAP[3].replace("t=1", "t=1,t=1"), Malformed),
        ("argon2: negative", CHEAP[3].replace("t=1", "t=-1"), Malformed),
        ("argon2: hexadecimal", CHEAP[3].replace("m=8", "m=0x8"), Malformed),
        ("argon2: empty number", CHEAP[3].replace("m=8", "m="), Malformed),
        ("argon2: d", CHEAP[3].replace("argon2id", "argon2d"), UnknownKind),
        ("argon2: missing salt", CHEAP[3].replace("$AAECAwQFBgcICQoLDA0ODw", ""), Malformed),
        ("argon2: salt of 0 bytes", CHEAP[3].replace("AAECAwQFBgcICQoLDA0ODw", ""), Malformed),
        ("argon2: salt of 7 bytes", CHEAP[3].replace("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBg"), Malformed),
        ("argon2: wrong base64", CHEAP[3].replace("O/p5", "O_p5"), Malformed),
        ("argon2: output of 0 bytes", "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$".to_owned(), Malformed),
        ("argon2: output of 1 byte", "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AA".to_owned(), Malformed),
        (
            "argon2: output of 15 bytes",
            format!("$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw${}", salt_of(5)),
            Malformed,
        ),
        ("argon2: one part more", format!("{}$AAAA", CHEAP[3]), Malformed),
        (
            "scrypt: missing salt",
            "$scrypt$ln=1,r=1,p=1$$QgkAWnHniKc9cA+jqDbzQky16ah+TWCMx+PhRej3hTs".to_owned(),
            Malformed,
        ),
        ("scrypt: output of 1 byte", "$scrypt$ln=1,r=1,p=1$AAAA$AA".to_owned(), Malformed),
        ("scrypt: salt of 129 bytes", format!("$scrypt$ln=1,r=1,p=1${}${}", salt_of(43), salt_of(8)), Malformed),
        ("scrypt: output of 129 bytes", format!("$scrypt$ln=1,r=1,p=1$AAAA${}", salt_of(43)), Malformed),
        ("Django's scrypt: N is no power of two", "scrypt$3$s$1$1$bpZY9bmIsoWlwpYkuRgb6Q==".to_owned(), Malformed),
        ("Django's scrypt: N is 0", "scrypt$0$s$1$1$bpZY9bmIsoWlwpYkuRgb6Q==".to_owned(), Malformed),
        ("Django's scrypt: missing salt", "scrypt$2$$1$1$bpZY9bmIsoWlwpYkuRgb6Q==".to_owned(), Malformed),
        ("Firebase: missing salt", CHEAP[7].replace("42xEC+ixf3L2lw==", ""), Malformed),
        ("Firebase: separator left out", CHEAP[7].replace("$Bw==", ""), Malformed),
        ("Firebase: separator of 66 bytes", CHEAP[7].replace("Bw==", &salt_of(22)), Malformed),
        ("pbkdf2: no i", CHEAP[8].replace("i=1", "1"), Malformed),
        ("pbkdf2: i=0", CHEAP[8].replace("i=1", "i=0"), Malformed),
        ("pbkdf2: another length", CHEAP[8].replace("i=1", "i=1,l=20"), Malformed),
        ("pbkdf2: missing salt", CHEAP[8].replace("AAECAwQFBgcICQoLDA0ODw", ""), Malformed),
        ("pbkdf2: md5", CHEAP[8].replace("sha256", "md5"), UnknownKind),
        ("Django: missing salt", "pbkdf2_sha256$1$$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=".to_owned(), Malformed),
        ("Django: no number", "pbkdf2_sha256$$s$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=".to_owned(), Malformed),
        ("Django: no usable password", "!wJIqYfbRbqXnaRQXvRmNGkVPtEyNz0Rvl9TQbUJu".to_owned(), UnknownKind),
        ("Django: argon2 around bcrypt", format!("argon2{}", CHEAP[0]), Malformed),
        ("Django: bcrypt around argon2", format!("bcrypt${}", CHEAP[3]), Malformed),
        ("Django: bcrypt_sha256 around argon2", format!("bcrypt_sha256${}", CHEAP[3]), Malformed),
        ("Django: bcrypt around nothing", "bcrypt$".to_owned(), Malformed),
        ("ASP.NET: cut in the numbers", "AQAAAAIAAAA=".to_owned(), Malformed),
        ("ASP.NET: output of 9 bytes", "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4A=".to_owned(), Malformed),
        ("ASP.NET: salt beyond the end", "AQAAAAIAAAAy/////+MwvhwQ4B6pZWND6zgESBuWiHw".to_owned(), Malformed),
        ("ASP.NET: function 3", "AQAAAAMAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw".to_owned(), Malformed),
        (
            "ASP.NET: version 2",
            "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==".to_owned(),
            UnknownKind,
        ),
        ("digest: open brace", "{SSHA".to_owned(), Malformed),
        ("digest: nothing", "{SSHA}".to_owned(), Malformed),
        ("digest: no salt where one belongs", "{SSHA}bROMo65UVjGzq9caTwds51nFcAs=".to_owned(), Malformed),
        ("digest: a salt where none belongs", "{SHA}iZqNgL92aJ9nkE8wuAAzMnEtFp3G2Ntb".to_owned(), Malformed),
        ("digest: short", "{MD5}iKQ0yIzKTpAPeHQ=".to_owned(), Malformed),
        ("Django: short digest", "md5$s$3f86d0d3d465b7b458c231bf3555c0".to_owned(), Malformed),
        ("Django: odd digits", "md5$s$3f86d0d3d465b7b458c231bf3555c0e".to_owned(), Malformed),
        ("Django: no digits", "md5$s$zz86d0d3d465b7b458c231bf3555c0e3".to_owned(), Malformed),
    ];
    for (name, hash, expected) in table {
        assert_eq!(StoredHash::read(&hash).err(), Some(expected), "M12 {name} {hash:.80}");
    }
}

#[test]
fn m15_a_hash_that_costs_too_much_is_not_computed() {
    let table = [
        ("bcrypt 15", "$2b$15$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned()),
        ("bcrypt 31", "$2b$31$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned()),
        ("bcrypt_sha256 31", "bcrypt_sha256$$2b$31$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC".to_owned()),
        ("argon2 of 4 GiB", CHEAP[3].replace("m=8", "m=4194304")),
        ("argon2 of all memory", CHEAP[3].replace("m=8", "m=4294967295")),
        ("argon2 with many passes", CHEAP[3].replace("t=1", "t=4294967295")),
        ("argon2 beyond 32 bits", CHEAP[3].replace("t=1", "t=4294967296")),
        ("Django's argon2 of 4 GiB", CHEAP[4].replace("m=8", "m=4194304")),
        ("scrypt N=2^30, r=2^20", CHEAP[5].replace("ln=1,r=1", "ln=30,r=1048576")),
        ("scrypt N=2^63", CHEAP[5].replace("ln=1,", "ln=63,")),
        ("scrypt p=2^30", CHEAP[5].replace("p=1", "p=1073741824")),
        ("Django's scrypt N=2^31", CHEAP[6].replace("scrypt$2$", "scrypt$2147483648$")),
        ("Django's scrypt N=2^40", CHEAP[6].replace("scrypt$2$", "scrypt$1099511627776$")),
        ("Firebase ln=40", CHEAP[7].replace("ln=1", "ln=40")),
        ("pbkdf2 i=1,200,001", CHEAP[8].replace("i=1", "i=1200001")),
        ("pbkdf2 i=2^31", CHEAP[8].replace("i=1", "i=2147483648")),
        ("pbkdf2 i=2^64", CHEAP[8].replace("i=1", "i=18446744073709551616")),
        ("Django's pbkdf2 i=2^31", CHEAP[9].replace("pbkdf2_sha1$1$", "pbkdf2_sha1$2147483648$")),
        (
            "ASP.NET i=2^32-1",
            "AQAAAAL/////AAAAEAABAgMEBQYHCAkKCwwNDg8LJ1+nXP1HCEVtkGVQ8YRRub3RhgjMuQMQ6K7+XxmQVQ==".to_owned(),
        ),
    ];
    for (name, hash) in table {
        assert_eq!(StoredHash::read(&hash).err(), Some(TooCostly), "M15 {name} {hash}");
    }
    let length = CHEAP[8].replace("i=1", "i=1,l=1073741824");
    assert_eq!(StoredHash::read(&length).err(), Some(Malformed), "M15 an output of 1 GB that is not there");
}

#[test]
fn m16_a_weak_hash_never_keeps_its_password() {
    let table = [
        ("md5", "md5$$3cb4e732631f47e6eb961f34554b7cde", Kind::Digest),
        ("sha1", "sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0", Kind::Digest),
        ("salted", "{SSHA}SbfVjMGTkcdPCA/6xGSjKvPl7QsAAQIDBAUGBwgJCgsMDQ4P", Kind::Digest),
        ("pbkdf2 i=1", CHEAP[8], Kind::Pbkdf2),
        (
            "pbkdf2 i=9,999",
            "$pbkdf2-sha256$i=9999$AAECAwQFBgcICQoLDA0ODw$DjP2ZYw1nCLFbh3P6WWweaFfMNHibUGEVSbQLgXFIvw",
            Kind::Pbkdf2,
        ),
        ("bcrypt 4", CHEAP[0], Kind::Bcrypt),
        ("argon2 of 8 KiB", CHEAP[3], Kind::Argon2),
        ("scrypt of 256 bytes", CHEAP[5], Kind::Scrypt),
        ("Firebase of 256 bytes", CHEAP[7], Kind::FirebaseScrypt),
    ];
    for (name, hash, kind) in table {
        let check = |kinds: &[Kind], password: &str| {
            let stored = StoredHash::read(hash).ok().unwrap();
            stored.check(&rules(kinds), &keys(), &Password::new(password.to_owned()))
        };
        let others: Vec<_> = EVERY_KIND.into_iter().filter(|other| *other != kind).collect();
        assert_eq!(check(&[kind], "correct horse"), RightButWeak, "M16 {name}");
        assert_eq!(check(&[kind], "correct horsf"), Wrong, "M16 {name}");
        assert_eq!(check(&others, "correct horse"), Unusable(KindNotAllowed), "M16 {name}");
    }
    let plain = [
        ("plain text", "correct horse"),
        ("plain text in braces", "{CLEARTEXT}correct horse"),
        ("plain text, labelled", "plain$$correct horse"),
        ("md5 in hexadecimal", "3cb4e732631f47e6eb961f34554b7cde"),
        ("sha1 in hexadecimal", "2f9e53523b62abc141a2b4d6019d23cba835dbd0"),
        ("sha256 in hexadecimal", "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631"),
        (
            "sha512 in hexadecimal",
            "56b698defedb5a435b634afe3320bbaf3fdcd920b6c503a446fc7b7a776b298d479d1ba6a8b617808eb0bf579ce9a95d668347bcab7149085ac93cb27995197b",
        ),
    ];
    for (name, hash) in plain {
        assert_eq!(check(hash, "correct horse"), Unusable(UnknownKind), "M16 {name}");
    }
}

#[test]
fn m17_a_hash_of_another_kind_than_the_rules_list_is_refused() {
    for (hash, kind) in REAL {
        let stored = StoredHash::read(hash).ok().unwrap();
        assert_eq!(stored.kind(), kind, "M17 {hash}");
        let others: Vec<_> = EVERY_KIND.into_iter().filter(|other| *other != kind).collect();
        for kinds in [others, Vec::new()] {
            let answer = stored.check(&rules(&kinds), &keys(), &Password::new("correct horse".to_owned()));
            assert_eq!(answer, Unusable(KindNotAllowed), "M17 {hash} {kinds:?}");
        }
    }
    let table = [
        ("another scheme in braces", "{CRYPT}$1$abc$def".to_owned()),
        ("crypt's md5", "$1$deadbeef$Q7g0UO4hRC0mgQUQ/qkjZ0".to_owned()),
        (
            "crypt's sha512",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1"
                .to_owned(),
        ),
        ("yescrypt", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC".to_owned()),
        ("upper case", CHEAP[0].replace("$2a$", "$2A$")),
        ("blank before", format!(" {}", CHEAP[3])),
        ("line before", format!("\n{}", CHEAP[3])),
        ("longer label", CHEAP[3].replace("argon2id", "argon2idx")),
        ("longer label of Django", CHEAP[9].replace("pbkdf2_sha1", "pbkdf2_sha1_x")),
    ];
    for (name, hash) in table {
        assert_eq!(StoredHash::read(&hash).err(), Some(UnknownKind), "M17 {name} {hash}");
    }
    for hash in CHEAP {
        for end in ["\n", " ", "$", "\0"] {
            let longer = format!("{hash}{end}");
            assert!(StoredHash::read(&longer).is_err(), "M17 {longer:?}");
        }
    }
}

#[test]
fn a_firebase_hash_needs_the_projects_own_key() {
    let stored = StoredHash::read(CHEAP[7]).ok().unwrap();
    let rules = rules(&EVERY_KIND);
    let password = Password::new("correct horse".to_owned());
    assert_eq!(stored.check(&rules, &Keys::default(), &password), Unusable(KeyMissing));
    let others = Keys::with_firebase_signer(&SIGNER.replace("jxspr8", "jxspr9")).unwrap();
    assert_eq!(stored.check(&rules, &others, &password), Wrong);
    let shorter = Keys::with_firebase_signer("AAECAwQFBgcICQoLDA0ODw==").unwrap();
    assert_eq!(stored.check(&rules, &shorter, &password), Wrong);
    for text in ["", "AAAA", "not base64", &"AAAA".repeat(43)] {
        assert!(Keys::with_firebase_signer(text).is_none(), "{text}");
    }
    assert!(Keys::with_firebase_signer(&format!(" {SIGNER}\n")).is_some());
}

#[test]
fn a_code_and_a_message_show_nothing_of_the_hash() {
    let table = [
        (Malformed, "HashMalformed"),
        (UnknownKind, "HashUnknownKind"),
        (KindNotAllowed, "HashKindNotAllowed"),
        (TooCostly, "HashTooCostly"),
        (TooLong, "PasswordTooLong"),
        (KeyMissing, "HashKeyMissing"),
    ];
    for (error, code) in table {
        assert_eq!(error.code(), code);
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
}
