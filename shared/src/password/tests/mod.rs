//! Known answers, attacks, and what holds for every text.

mod attacks;
mod known_answers;
mod limits;
mod properties;
mod typed;

use super::*;

/// The signer key of the project in Firebase's own example.
/// <https://github.com/firebase/scrypt#password-hashing>
const SIGNER: &str = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

const EVERY_KIND: [Kind; 6] =
    [Kind::Bcrypt, Kind::Argon2, Kind::Scrypt, Kind::FirebaseScrypt, Kind::Pbkdf2, Kind::Digest];

/// One hash of "correct horse" in every form, as cheap as the form allows:
/// made with Python's hashlib, bcrypt 4.0, argon2-cffi 25.1, scrypt 0.9 and
/// Django 5.2.
const CHEAP: [&str; 15] = [
    "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq",
    "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$O/p5aoYmC3NFfhKQtRaVkxoX4mb2AdD7RVY+KC+2hls",
    "argon2$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$O/p5aoYmC3NFfhKQtRaVkxoX4mb2AdD7RVY+KC+2hls",
    "$scrypt$ln=1,r=1,p=1$AAECAwQFBgcICQoLDA0ODw$QgkAWnHniKc9cA+jqDbzQky16ah+TWCMx+PhRej3hTs",
    "scrypt$2$seasalt$1$1$vCryKucJVPRPJrxBMTx7nmUmi6RLg5hndtyVdtyTxRDolcO7AL3wEY13IkPUvdrRQTcixmu38spHz5vEYpLlmQ==",
    "$firebase-scrypt$ln=1,r=1$42xEC+ixf3L2lw==$Bw==$zPcKOMc4Fan0z1gju/tDVD8OVjXa0eYTek8+vH5LaI8drEFwUVHT/oRSMOl5BIgB3G6P8cFt/oSRmKRrZXcIuA==",
    "$pbkdf2-sha256$i=1$AAECAwQFBgcICQoLDA0ODw$xRmfUtCV8Duyes57OFcRmZxn7Eqs0PKYpto2zkdSDa8",
    "pbkdf2_sha1$1$seasalt$mspneR4fLLzNnC/S//K4wNvpGqo=",
    "AQAAAAIAAAABAAAAEAABAgMEBQYHCAkKCwwNDg8b8/dF9Zzl6eTt/JeNUpPIoJmQYbaXR+VYFn+RlW5cQg==",
    "{SSHA}SbfVjMGTkcdPCA/6xGSjKvPl7QsAAQIDBAUGBwgJCgsMDQ4P",
    "{SMD5}4Pc1h+NMPSfmWLJpmTWK5AABAgMEBQYH",
    "md5$seasalt$b614725f4cc025a51ab6a354d12890ab",
    "sha1$$2f9e53523b62abc141a2b4d6019d23cba835dbd0",
];

fn rules(kinds: &[Kind]) -> HashRules {
    HashRules { kinds: kinds.to_vec(), decoy: "bcrypt:4".to_owned(), bcrypt_truncates: false }
}

fn keys() -> Keys {
    Keys::with_firebase_signer(SIGNER).unwrap()
}

/// What a password is to the text of a hash, where every kind is taken.
fn check(hash: &str, password: &str) -> Check {
    match StoredHash::read(hash) {
        Ok(stored) => stored.check(&rules(&EVERY_KIND), &keys(), &Password::new(password.to_owned())),
        Err(error) => Check::Unusable(error),
    }
}
