//! The passwords of old systems, as their hashes were stored.
//!
//! A stored hash is read (`StoredHash::read`) before anything is computed:
//! what it would cost is in its text, so one that costs too much is refused
//! unseen. Then it is compared with a `Password` in constant time. Who has no
//! hash to compare with spends a `Decoy`, so that a stranger and a wrong
//! password take as long as each other.
//!
//! | Kind | Forms that are read |
//! | --- | --- |
//! | `bcrypt` | `$2a$…`, `$2b$…`, `$2y$…`; Django's `bcrypt$$2b$…` and `bcrypt_sha256$$2b$…` |
//! | `argon2` | PHC `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, the same of `$argon2i$`; Django's `argon2$argon2id$…` |
//! | `scrypt` | PHC `$scrypt$ln=…,r=…,p=…$salt$hash`; Django's `scrypt$N$salt$r$p$hash` |
//! | `firebase-scrypt` | `$firebase-scrypt$ln=…,r=…$salt$salt separator$hash`, a form of our own (the separator may be empty); the signer key comes with `Keys` |
//! | `pbkdf2` | PHC `$pbkdf2-sha256$i=…[,l=…]$salt$hash`, with `sha1` and `sha512` too; Django's `pbkdf2_sha256$i$salt$hash`, `pbkdf2_sha1$…`; ASP.NET Identity 3 (base64 that begins `AQAAAA`) |
//! | `digest` | `{SSHA}`, `{SSHA256}`, `{SSHA512}`, `{SMD5}`, and without a salt `{SHA}`, `{SHA256}`, `{SHA512}`, `{MD5}`; Django's `sha1$salt$hex`, `md5$salt$hex`, whose salt may be empty |
//!
//! Base64 is the standard alphabet, with or without padding. The forms of PHC
//! are those of <https://github.com/P-H-C/phc-string-format>, those of Django
//! <https://docs.djangoproject.com/en/stable/topics/auth/passwords/>, those in
//! braces <https://www.rfc-editor.org/rfc/rfc2307#section-5.3>. Hexadecimal
//! digits alone are refused, for nothing says what they are.

mod cost;
mod error;
mod limits;
mod rules;

#[cfg(feature = "password")]
mod argon2;
#[cfg(feature = "password")]
mod bcrypt;
#[cfg(feature = "password")]
mod decoy;
#[cfg(feature = "password")]
mod digest;
#[cfg(feature = "password")]
mod firebase;
#[cfg(feature = "password")]
mod form;
#[cfg(feature = "password")]
mod keys;
#[cfg(feature = "password")]
mod pbkdf2;
#[cfg(feature = "password")]
mod scrypt;
#[cfg(feature = "password")]
mod secret;
#[cfg(feature = "password")]
mod stored;
#[cfg(feature = "password")]
mod text;

pub use cost::{Argon2Variant, Cost, Prf};
pub use error::HashError;
pub use rules::{HashRules, Kind};

#[cfg(feature = "password")]
pub use self::{
    decoy::Decoy,
    keys::Keys,
    secret::{LONGEST_CHARS, Password},
    stored::{Check, StoredHash},
};

#[cfg(test)]
#[cfg(feature = "password")]
mod tests;
