//! Hashes that the formats' own projects publish or make, each with its password.

use super::Check::{Right, RightButWeak, Wrong};
use super::*;

/// Each of these hashes takes its password, and none that is close to it. Where
/// an answer takes long, one that is close is enough.
fn assert_answers(source: &str, table: &[(&str, &str, Check)]) {
    for (hash, password, expected) in table {
        assert_eq!(check(hash, password), *expected, "{source}: {hash} {password}");
        let close = [format!("{password} "), password.to_uppercase(), password.chars().skip(1).collect()];
        let enough = if *expected == RightButWeak { close.len() } else { 1 };
        for wrong in close.iter().take(enough).filter(|wrong| wrong != password) {
            assert_eq!(check(hash, wrong), Wrong, "{source}: {hash} {wrong}");
        }
    }
}

#[test]
fn bcrypt() {
    // crypt_blowfish's self-test: <https://www.openwall.com/crypt/>, wrapper.c
    let openwall = [
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", RightButWeak),
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*", RightButWeak),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U", RightButWeak),
        ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", RightButWeak),
        ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", RightButWeak),
    ];
    assert_answers("crypt_blowfish", &openwall);
    // <https://github.com/jeremyh/jBCrypt/blob/master/src/test/java/org/mindrot/TestBCrypt.java>
    let jbcrypt = [
        ("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a", RightButWeak),
        ("$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.", "abcdefghijklmnopqrstuvwxyz", Right),
    ];
    assert_answers("jBCrypt", &jbcrypt);
    // Made with passlib 1.7.4 over bcrypt 4.0.1, and with Django 5.2.
    let made = [
        ("$2b$10$stgXytxmVr/wntkomvvd.uANvKQTk1U.KyQc5WJ4z6MvliKuqO7aC", "correct horse", Right),
        ("$2a$10$f6sWoFYoiSJlefus9nZ6Bu4UcVRL/wnzkfC1JEu0tJKZFpht8sRb.", "correct horse", Right),
        ("$2y$10$ebINfKsbO1f8umoukdJBV.i6UsaUPVBNprXs5NCIlYxfLLixPzVTm", "correct horse", Right),
        ("bcrypt$$2b$08$xGdk0pb4k9l/.sbAxcwcL.qpXkBtTNJgJALslvy18tWM8Ql/oZ/LO", "lètmein", Right),
        ("bcrypt_sha256$$2b$04$K2L6VwYBp1YkOYR2fBxDFOuBQBeDptldVCIPjkodCts8XF7Yc2h9W", "lètmein", RightButWeak),
    ];
    assert_answers("passlib and Django", &made);
    // Bits that only fill up the last letter of the salt, as some libraries left
    // them. <https://passlib.readthedocs.io/en/stable/lib/passlib.hash.bcrypt.html>
    let filled = CHEAP[0].replace("stuujyd", "stuvjyd");
    assert_ne!(filled, CHEAP[0]);
    assert_answers("padding bits", &[(&filled, "correct horse", RightButWeak)]);
}

#[test]
fn argon2() {
    // <https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c>
    let reference = [
        ("$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY", RightButWeak),
        ("$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs", RightButWeak),
        ("$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8", RightButWeak),
        ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", RightButWeak),
        ("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", RightButWeak),
        ("$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", Right),
    ];
    assert_answers("phc-winner-argon2", &reference.map(|(hash, expected)| (hash, "password", expected)));
    // Made with argon2-cffi 25.1 and Django 5.2 over it.
    let made = [
        (
            "$argon2id$v=19$m=19456,t=2,p=1$r62jWL8XLD5fJeW5H0nhSQ$9Y+f5rqBNeoqjz3BiCvN4zJxlmzD64v5DXgR7p5nwnE",
            "correct horse",
            Right,
        ),
        (
            "$argon2id$v=19$m=65536,t=3,p=4$OxONWxMWlLyfpHsGN3fWLQ$i9cHPCGNFPqwVAJpVoK1S0L5xwWWLEFFOFgpUBLIVTM",
            "correct horse",
            Right,
        ),
        ("$argon2i$v=19$m=64,t=3,p=4$EnuKar11iEs$VXSRVcBcE5ZCDAKm/ZywIw", "correct horse", RightButWeak),
        (
            "argon2$argon2id$v=19$m=64,t=2,p=2$c2Vhc2FsdHNlYXNhbHQ$9fPSZFADct6c4Yx+MhFzyip21gjamhATAAYsZNXwJPQ",
            "lètmein",
            RightButWeak,
        ),
        (
            "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdHNlYXNhbHQ$5X8M3A6KY2o98xsl1DnfJpaxc9OdBrgUbl3HjifV1qo",
            "lètmein",
            Right,
        ),
    ];
    assert_answers("argon2-cffi and Django", &made);
}

#[test]
fn scrypt() {
    // <https://www.rfc-editor.org/rfc/rfc7914#section-12>, in the form of PHC.
    let rfc = [
        (
            "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
            "password",
            RightButWeak,
        ),
        (
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
            "pleaseletmein",
            Right,
        ),
    ];
    assert_answers("RFC 7914", &rfc);
    // Made with Python's scrypt 0.9 and with Django 5.2.
    let made = [
        (
            "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$XGYmKKxOsQaKKH4qoqICriSOmNsE1h0zJ+c0LbbscJc",
            "correct horse",
            Right,
        ),
        (
            "scrypt$4096$seasalt$8$1$bpZY9bmIsoWlwpYkuRgb6XIBrKNWNXo1fnyzEPFHj8qe4vU+b9rOoJJix3oX/a+EkabVZXFPCf/+R7po+0xPMA==",
            "lètmein",
            Right,
        ),
        (
            "scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==",
            "lètmein",
            Right,
        ),
    ];
    assert_answers("scrypt and Django", &made);
}

#[test]
fn firebase_scrypt() {
    let table = [
        // <https://github.com/firebase/scrypt#password-hashing>
        (
            "$firebase-scrypt$ln=14,r=8$42xEC+ixf3L2lw==$Bw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
            "user1password",
            Right,
        ),
        // The same without padding, and one made without a separator by Python's
        // scrypt 0.9 and cryptography 50.
        (
            "$firebase-scrypt$ln=14,r=8$42xEC+ixf3L2lw$Bw$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ",
            "user1password",
            Right,
        ),
        (
            "$firebase-scrypt$ln=13,r=8$42xEC+ixf3L2lw==$$RoARrK1KSL8/jOzpNiIw1NI7yZGbDnjapu4x5zQC47pHCjiW1WgO0z8FrAkDugkPHx91xA8uMGtHFryTC4ZsHA==",
            "lètmein",
            Right,
        ),
    ];
    assert_answers("Firebase", &table);
}

#[test]
fn pbkdf2() {
    // <https://www.rfc-editor.org/rfc/rfc6070#section-2> and
    // <https://www.rfc-editor.org/rfc/rfc7914#section-11>, in the form of PHC.
    let rfcs = [
        ("$pbkdf2-sha1$i=1$c2FsdA$DGDID5YfDnHzqbUkr2ASBi/gN6Y", "password", RightButWeak),
        ("$pbkdf2-sha1$i=4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE", "password", RightButWeak),
        (
            "$pbkdf2-sha1$i=4096,l=25$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT+QchJuAyNg2YsDkSospGpZM8vBwOA",
            "passwordPASSWORDpassword",
            RightButWeak,
        ),
        (
            "$pbkdf2-sha256$i=1$c2FsdA$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw",
            "passwd",
            RightButWeak,
        ),
        (
            "$pbkdf2-sha256$i=80000$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ",
            "Password",
            Right,
        ),
    ];
    assert_answers("RFC 6070 and 7914", &rfcs);
    // <https://github.com/dotnet/aspnetcore/blob/main/src/Identity/test/Identity.Test/PasswordHasherTest.cs>
    let asp_net = [
        ("AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw", RightButWeak),
        (
            "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==",
            RightButWeak,
        ),
        ("AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M", RightButWeak),
        ("AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==", Right),
        (
            "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=",
            Right,
        ),
        ("AQAAAAAAAAD6AAAAEAhftMyfTJyAAAAAAAAAAAAAAAAAAAih5WsjXaR3PA9M", Wrong),
        ("AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHwAAAAAAAAAAAA", Wrong),
    ];
    assert_answers("ASP.NET Identity", &asp_net.map(|(hash, expected)| (hash, "my password", expected)));
    // <https://github.com/django/django/blob/stable/4.1.x/tests/auth_tests/test_hashers.py>,
    // and made with Django 5.2.
    let django = [
        ("pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=", "lètmein", Right),
        ("pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=", "lètmein", Right),
        ("pbkdf2_sha1$10000$seasalt$oAfF6vgs95ncksAhGXOWf4Okq7o=", "lètmein", Right),
    ];
    assert_answers("Django", &django);
    // The sizes that Keycloak uses, made with Python's hashlib.
    let keycloak = [
        "$pbkdf2-sha1$i=20000,l=64$AAECAwQFBgcICQoLDA0ODw$fniHe4wujMvABtTa8nlrXUNDmQbEVpEAOGSrBOKjUxr8fq0EhOTrbtwxv0kDHkCeZpDFXImqFMKFND2GDrIqXQ",
        "$pbkdf2-sha256$i=27500,l=64$AAECAwQFBgcICQoLDA0ODw$qnA427fe69fAjkevcHZvnm7vp3MewnxKL4g2WLfI7U6teQVH1eR2L5DfcV0psPIfjGPtlZbkpnogYX+2TaSl6w",
        "$pbkdf2-sha256$i=600000,l=32$AAECAwQFBgcICQoLDA0ODw$lqWQTC4IyNpCMF28xdfPGOrSY21J9ZUmtgbyZpYoFHM",
        "$pbkdf2-sha512$i=210000,l=64$AAECAwQFBgcICQoLDA0ODw$l4pqr0UVqxiWEnbGDBV//hzeVcB7ZgsFnr5Z+SZYIYjhXWCECCVC/oKM2WWMwBzQGCBfe2yb+20zK3Rr1rkPjg",
        "$pbkdf2-sha512$i=10000,l=24$AAECAwQFBgcICQoLDA0ODw$ECEiF3rHxiQNn3eIhD3/rQu7JgNUuHNk",
        "AQAAAAIAAYagAAAAEAABAgMEBQYHCAkKCwwNDg8LJ1+nXP1HCEVtkGVQ8YRRub3RhgjMuQMQ6K7+XxmQVQ==",
    ];
    assert_answers("hashlib", &keycloak.map(|hash| (hash, "correct horse", Right)));
}

#[test]
fn digests() {
    // Django's own tests, as above, and made with passlib 1.7.4 and hashlib.
    let table = [
        "sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8",
        "md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3",
        "sha1$$6d138ca3ae545631b3abd71a4f076ce759c5700b",
        "md5$$88a434c88cca4e900f7874cd98123f43",
        "{SSHA}iZqNgL92aJ9nkE8wuAAzMnEtFp3G2Ntb",
        "{SSHA256}Fn2yoamUCa2gKWWwa+x6KAlBgQuyd1RSoauZY+pt6Vh1rhWCMKa0Ng==",
        "{SSHA512}1RJd8CvwgR2GKu4+nqpNrupkU0sqDtwrCAdwZKUG4Enk8L2Jtd++joF0l1e8YO1xa3sscFR3z1WVxajroTrTkCHkvLd2zlmr",
        "{SMD5}zOBAGSiuegf8HCrD4sHdoBUCgFA=",
        "{SHA}bROMo65UVjGzq9caTwds51nFcAs=",
        "{sha}bROMo65UVjGzq9caTwds51nFcAs=",
        "{MD5}iKQ0yIzKTpAPeHTNmBI/Qw==",
        "{SHA256}GvfqHoyZPmmqH+AArt1kpFhsx0uXi/O5Ue2lAJ0uui0=",
        "{SHA512}N6g7NZd/oHxn1KzJBHpNIkrbiwg4smNct16MnImZphxNFeUEXlQWpvez3QBPpze+OMMvHGhN/XpIWRVWKRoA2A==",
    ];
    assert_answers("digests", &table.map(|hash| (hash, "lètmein", RightButWeak)));
}

#[test]
fn the_cheap_hashes_of_the_other_tests_take_their_password() {
    assert_answers("cheap", &CHEAP.map(|hash| (hash, "correct horse", RightButWeak)));
}
