//! The families of hashes under one roof.

use super::argon2::Argon2;
use super::bcrypt::Bcrypt;
use super::digest::Digest;
use super::firebase::FirebaseScrypt;
use super::pbkdf2::Pbkdf2;
use super::scrypt::Scrypt;
use super::{Cost, HashError, Keys, text};

/// A hash of one of the families. Each has been read by the rules of its form
/// and is within the limits.
pub(super) enum Form {
    Bcrypt(Bcrypt),
    Argon2(Argon2),
    Scrypt(Scrypt),
    Firebase(FirebaseScrypt),
    Pbkdf2(Pbkdf2),
    Digest(Digest),
}

impl Form {
    /// Tells the forms apart by how they begin.
    pub(super) fn read(text: &str) -> Result<Self, HashError> {
        if text.len() > text::LONGEST || text.is_empty() {
            return Err(HashError::Malformed);
        }
        if let Some(labelled) = text.strip_prefix('$') {
            return Self::read_labelled(labelled);
        }
        if let Some(braced) = text.strip_prefix('{') {
            return Digest::read_braced(braced).map(Self::Digest);
        }
        match text.split_once('$') {
            Some((label, rest)) => Self::read_django(label, rest),
            None => Pbkdf2::read_asp_net(text).map(Self::Pbkdf2),
        }
    }

    /// `$label$…`: PHC and bcrypt's own.
    fn read_labelled(text: &str) -> Result<Self, HashError> {
        let (label, rest) = text.split_once('$').ok_or(HashError::Malformed)?;
        match label {
            "2a" | "2b" | "2y" => Bcrypt::read(rest).map(Self::Bcrypt),
            "argon2id" | "argon2i" => Argon2::read(label, rest).map(Self::Argon2),
            "scrypt" => Scrypt::read(rest).map(Self::Scrypt),
            "firebase-scrypt" => FirebaseScrypt::read(rest).map(Self::Firebase),
            "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha512" => Pbkdf2::read(label, rest).map(Self::Pbkdf2),
            _ => Err(HashError::UnknownKind),
        }
    }

    /// `label$…`: Django's.
    fn read_django(label: &str, rest: &str) -> Result<Self, HashError> {
        let inner = |rest: &str| rest.strip_prefix('$').map(Self::read_labelled).ok_or(HashError::Malformed)?;
        match label {
            "bcrypt" => match inner(rest)? {
                Self::Bcrypt(hash) => Ok(Self::Bcrypt(hash)),
                _ => Err(HashError::Malformed),
            },
            "bcrypt_sha256" => match inner(rest)? {
                Self::Bcrypt(hash) => Ok(Self::Bcrypt(hash.of_sha256())),
                _ => Err(HashError::Malformed),
            },
            "argon2" => match Self::read_labelled(rest)? {
                Self::Argon2(hash) => Ok(Self::Argon2(hash)),
                _ => Err(HashError::Malformed),
            },
            "scrypt" => Scrypt::read_django(rest).map(Self::Scrypt),
            "pbkdf2_sha1" | "pbkdf2_sha256" => Pbkdf2::read_django(label, rest).map(Self::Pbkdf2),
            "sha1" | "md5" => Digest::read_django(label, rest).map(Self::Digest),
            _ => Err(HashError::UnknownKind),
        }
    }

    /// A hash that costs this and that no password is known to have.
    pub(super) fn decoy(cost: Cost) -> Self {
        let salt = || vec![0; 16];
        let output = |length: u32| vec![0; usize::try_from(length).unwrap_or_default()];
        match cost {
            Cost::Bcrypt { log_rounds } => Self::Bcrypt(Bcrypt::new(log_rounds, [0; 16], [0; 23])),
            Cost::Argon2 { variant, memory_kib, passes, lanes } => {
                Self::Argon2(Argon2::new(variant, [memory_kib, passes, lanes], salt(), output(32)))
            }
            Cost::Scrypt { log_n, block, parallel } => {
                Self::Scrypt(Scrypt::new([log_n, block, parallel], salt(), output(32)))
            }
            Cost::FirebaseScrypt { log_n, block } => {
                Self::Firebase(FirebaseScrypt::new([log_n, block], salt(), output(64)))
            }
            Cost::Pbkdf2 { prf, iterations, length } => {
                Self::Pbkdf2(Pbkdf2::new(prf, iterations, salt(), output(length)))
            }
            Cost::Digest => Self::Digest(Digest::decoy()),
        }
    }

    pub(super) fn cost(&self) -> Cost {
        match self {
            Self::Bcrypt(hash) => hash.cost(),
            Self::Argon2(hash) => hash.cost(),
            Self::Scrypt(hash) => hash.cost(),
            Self::Firebase(hash) => hash.cost(),
            Self::Pbkdf2(hash) => hash.cost(),
            Self::Digest(_) => Cost::Digest,
        }
    }

    /// Whether the password has this hash; the outputs are compared in constant
    /// time.
    pub(super) fn matches(&self, keys: &Keys, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt(hash) => hash.matches(password),
            Self::Argon2(hash) => hash.matches(password),
            Self::Scrypt(hash) => hash.matches(password),
            Self::Firebase(hash) => hash.matches(keys.firebase_signer().unwrap_or_default(), password),
            Self::Pbkdf2(hash) => hash.matches(password),
            Self::Digest(hash) => hash.matches(password),
        }
    }
}
