//! What computing a hash costs, and how much of that is allowed.

use std::fmt;

use super::{HashError, Kind};

/// The work that a hash asks for. Written and read as in the rule file's
/// `decoy`: "bcrypt:10", "argon2id:m=19456,t=2,p=1", "scrypt:ln=15,r=8,p=1",
/// "firebase-scrypt:ln=14,r=8", "pbkdf2-sha256:600000", "digest".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// 2 to the power of `log_rounds` rounds.
    Bcrypt {
        /// The number between the second and third `$`.
        log_rounds: u32,
    },
    /// Passes over memory.
    Argon2 {
        /// Which way it goes through the memory.
        variant: Argon2Variant,
        /// Memory in KiB.
        memory_kib: u32,
        /// How often it goes through.
        passes: u32,
        /// Lanes, which are computed one after the other here.
        lanes: u32,
    },
    /// RFC 7914.
    Scrypt {
        /// log2 of N.
        log_n: u32,
        /// The block size r.
        block: u32,
        /// How often it is done.
        parallel: u32,
    },
    /// scrypt with p = 1 whose output is a key for one more step.
    FirebaseScrypt {
        /// log2 of N, Firebase's `mem_cost`.
        log_n: u32,
        /// The block size r, Firebase's `rounds`.
        block: u32,
    },
    /// RFC 8018.
    Pbkdf2 {
        /// The function that is iterated.
        prf: Prf,
        /// How often.
        iterations: u32,
        /// Bytes of output, for each beginning block costs all iterations.
        length: u32,
    },
    /// Next to nothing.
    Digest,
}

/// Which way Argon2 goes through its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argon2Variant {
    /// Independent of the password.
    I,
    /// First half of the first pass independent of it.
    Id,
}

/// The function that PBKDF2 iterates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prf {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Prf {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Bytes of one block of output.
    pub(super) fn block(self) -> u32 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Its name in "pbkdf2-…".
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Finds the function of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prf| prf.name() == name)
    }
}

impl Cost {
    /// The kind of hash that costs this.
    pub fn kind(self) -> Kind {
        match self {
            Self::Bcrypt { .. } => Kind::Bcrypt,
            Self::Argon2 { .. } => Kind::Argon2,
            Self::Scrypt { .. } => Kind::Scrypt,
            Self::FirebaseScrypt { .. } => Kind::FirebaseScrypt,
            Self::Pbkdf2 { .. } => Kind::Pbkdf2,
            Self::Digest => Kind::Digest,
        }
    }

    /// Reads the form of the rule file's `decoy`; only a cost within the limits
    /// is one.
    pub fn read(text: &str) -> Result<Self, HashError> {
        let (name, numbers) = text.split_once(':').unwrap_or((text, ""));
        let cost = match (name, numbers) {
            ("digest", "") => Self::Digest,
            ("bcrypt", rounds) => Self::Bcrypt { log_rounds: decimal(rounds)? },
            ("argon2id", numbers) => argon2(Argon2Variant::Id, numbers)?,
            ("argon2i", numbers) => argon2(Argon2Variant::I, numbers)?,
            ("scrypt", numbers) => {
                let [log_n, block, parallel] = parameters(numbers, ["ln", "r", "p"])?;
                Self::Scrypt { log_n, block, parallel }
            }
            ("firebase-scrypt", numbers) => {
                let [log_n, block] = parameters(numbers, ["ln", "r"])?;
                Self::FirebaseScrypt { log_n, block }
            }
            (name, numbers) => {
                let prf = name.strip_prefix("pbkdf2-").and_then(Prf::named).ok_or(HashError::UnknownKind)?;
                let (iterations, length) = match numbers.split_once(",l=") {
                    Some((iterations, length)) => (iterations, decimal(length)?),
                    None => (numbers, prf.block()),
                };
                Self::Pbkdf2 { prf, iterations: decimal(iterations)?, length }
            }
        };
        cost.within_limits()
    }
}

fn argon2(variant: Argon2Variant, numbers: &str) -> Result<Cost, HashError> {
    let [memory_kib, passes, lanes] = parameters(numbers, ["m", "t", "p"])?;
    Ok(Cost::Argon2 { variant, memory_kib, passes, lanes })
}

/// Reads `a=1,b=2`: exactly these names in this order.
pub(super) fn parameters<const N: usize>(text: &str, names: [&str; N]) -> Result<[u32; N], HashError> {
    let mut found = [0; N];
    let mut rest = text.split(',');
    for (value, name) in found.iter_mut().zip(names) {
        let number = rest.next().and_then(|one| one.strip_prefix(name)?.strip_prefix('='));
        *value = decimal(number.ok_or(HashError::Malformed)?)?;
    }
    if rest.next().is_some() { Err(HashError::Malformed) } else { Ok(found) }
}

/// Reads digits alone, without leading zeros. A number beyond 32 bits is one
/// that would cost too much, whatever it counts.
pub(super) fn decimal(text: &str) -> Result<u32, HashError> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return Err(HashError::Malformed);
    }
    text.parse().map_err(|_| HashError::TooCostly)
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bcrypt { log_rounds } => write!(f, "bcrypt:{log_rounds}"),
            Self::Argon2 { variant, memory_kib, passes, lanes } => {
                let name = if variant == Argon2Variant::I { "argon2i" } else { "argon2id" };
                write!(f, "{name}:m={memory_kib},t={passes},p={lanes}")
            }
            Self::Scrypt { log_n, block, parallel } => write!(f, "scrypt:ln={log_n},r={block},p={parallel}"),
            Self::FirebaseScrypt { log_n, block } => write!(f, "firebase-scrypt:ln={log_n},r={block}"),
            Self::Pbkdf2 { prf, iterations, length } if length <= prf.block() => {
                write!(f, "pbkdf2-{}:{iterations}", prf.name())
            }
            Self::Pbkdf2 { prf, iterations, length } => write!(f, "pbkdf2-{}:{iterations},l={length}", prf.name()),
            Self::Digest => f.write_str("digest"),
        }
    }
}
