//! How much a hash may cost, and how little is too little.

use std::ops::RangeInclusive;

use super::{Cost, HashError};

/// bcrypt: about a second at the upper bound.
const BCRYPT: RangeInclusive<u32> = 4..=14;
/// Argon2: the memory, and the memory times the passes, in KiB.
const ARGON2_MEMORY_KIB: u32 = 128 * 1024;
const ARGON2_WORK_KIB: u64 = 512 * 1024;
/// scrypt: the memory, and the memory times p, in bytes.
const SCRYPT_MEMORY: u64 = 64 << 20;
const SCRYPT_WORK: u64 = 256 << 20;
/// Lanes of Argon2 and p of scrypt.
const MOST_LANES: u32 = 16;
/// PBKDF2: the iterations of all blocks of the output together, twice what OWASP
/// asks of HMAC-SHA-256.
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#pbkdf2>
const PBKDF2_WORK: u64 = 1_200_000;
/// Bytes of output. Fewer could be met by chance.
pub(super) const OUTPUT: RangeInclusive<usize> = 16..=128;

impl Cost {
    /// Refuses what is impossible and what costs too much.
    pub(super) fn within_limits(self) -> Result<Self, HashError> {
        let (possible, affordable) = match self {
            Self::Bcrypt { log_rounds } => ((*BCRYPT.start()..=31).contains(&log_rounds), BCRYPT.contains(&log_rounds)),
            Self::Argon2 { memory_kib, passes, lanes, .. } => (
                passes >= 1 && lanes >= 1 && u64::from(memory_kib) >= 8 * u64::from(lanes),
                memory_kib <= ARGON2_MEMORY_KIB
                    && u64::from(memory_kib) * u64::from(passes) <= ARGON2_WORK_KIB
                    && lanes <= MOST_LANES,
            ),
            Self::Scrypt { log_n, block, parallel } => (
                log_n >= 1 && block >= 1 && parallel >= 1,
                scrypt_memory(log_n, block) <= SCRYPT_MEMORY
                    && scrypt_memory(log_n, block).saturating_mul(u64::from(parallel)) <= SCRYPT_WORK
                    && parallel <= MOST_LANES,
            ),
            Self::FirebaseScrypt { log_n, block } => {
                (log_n >= 1 && block >= 1, scrypt_memory(log_n, block) <= SCRYPT_MEMORY)
            }
            Self::Pbkdf2 { prf, iterations, length } => (
                iterations >= 1 && usize::try_from(length).is_ok_and(|length| length >= *OUTPUT.start()),
                usize::try_from(length).is_ok_and(|length| length <= *OUTPUT.end())
                    && u64::from(iterations) * u64::from(length.div_ceil(prf.block())) <= PBKDF2_WORK,
            ),
            Self::Digest => (true, true),
        };
        match (possible, affordable) {
            (false, _) => Err(HashError::Malformed),
            (true, false) => Err(HashError::TooCostly),
            (true, true) => Ok(self),
        }
    }

    /// Whether it is so far below what is asked for today that the password
    /// should not be kept: bcrypt below 8, PBKDF2 below 10,000, Argon2 below
    /// 8 MiB-passes, scrypt below 4 MiB, and every digest.
    pub fn is_weak(self) -> bool {
        match self {
            Self::Bcrypt { log_rounds } => log_rounds < 8,
            Self::Argon2 { memory_kib, passes, .. } => u64::from(memory_kib) * u64::from(passes) < 8 * 1024,
            Self::Scrypt { log_n, block, .. } | Self::FirebaseScrypt { log_n, block } => {
                scrypt_memory(log_n, block) < 4 << 20
            }
            Self::Pbkdf2 { iterations, .. } => iterations < 10_000,
            Self::Digest => true,
        }
    }
}

/// Bytes that scrypt fills.
fn scrypt_memory(log_n: u32, block: u32) -> u64 {
    let n = 1_u64.checked_shl(log_n).unwrap_or(u64::MAX);
    n.saturating_mul(128).saturating_mul(u64::from(block))
}
