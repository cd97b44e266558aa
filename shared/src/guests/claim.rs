//! The secret that a guest may claim himself with.
//!
//! An identity id is all that AWS asks of a guest, and it stands in logs and
//! addresses. A guest who registers a secret can be promoted only by who knows
//! it. It has 256 random bits, so one round of SHA-256 hides it, and a limit on
//! attempts is a second fence, not the first.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::lockout::{Limits, Record, Step, after_charge};

/// How often a secret may be tried at one guest.
pub const ATTEMPTS: Limits = Limits { free_attempts: 5, first_wait_s: 60, longest_wait_s: 900 };

/// The bytes of a secret, and what they are in base64url.
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;

/// A secret as its client wrote it. It is wiped when it goes, and there is no way
/// to print or copy it by accident:
///
/// ```compile_fail,E0277
/// let secret = shared::guests::claim::ClaimSecret::parse("A".repeat(43)).unwrap();
/// let text = format!("{secret:?}");
/// ```
/// ```compile_fail,E0599
/// let secret = shared::guests::claim::ClaimSecret::parse("A".repeat(43)).unwrap();
/// let copy = secret.clone();
/// ```
pub struct ClaimSecret(Zeroizing<String>);

impl ClaimSecret {
    /// Takes a text over; `None` when it is not 32 bytes in base64url without
    /// padding, in the one spelling that they have. It is wiped either way.
    pub fn parse(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        // The decoder wants room for what a 44th character would bring.
        let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES + 1]);
        let fits = text.len() == SECRET_CHARS;
        let read = fits && URL_SAFE_NO_PAD.decode_slice(text.as_bytes(), bytes.as_mut_slice()) == Ok(SECRET_BYTES);
        read.then_some(Self(text))
    }

    /// What may be kept of it: the SHA-256 of its text.
    pub fn hash(&self) -> ClaimHash {
        ClaimHash(digest::digest(&digest::SHA256, self.0.as_bytes()).as_ref().to_vec())
    }
}

/// The hash of a secret.
pub struct ClaimHash(Vec<u8>);

impl ClaimHash {
    /// Reads a hash as 64 lower-case hexadecimal digits; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Vec<u8> = text.as_bytes().chunks(2).map(byte).collect::<Option<_>>()?;
        (bytes.len() == digest::SHA256_OUTPUT_LEN).then_some(Self(bytes))
    }

    /// The 64 digits.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether this is the secret's hash. How long it takes does not depend on
    /// how much of it is right.
    pub fn is_of(&self, secret: &ClaimSecret) -> bool {
        verify_slices_are_equal(&self.0, &secret.hash().0).is_ok()
    }
}

/// Why a secret is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimRefusal {
    /// The guest has registered one, and none was shown.
    SecretMissing,
    /// The guest has registered another one.
    SecretWrong,
    /// What is registered cannot be read. It is not taken for nothing.
    RegistrationUnreadable,
}

impl ClaimRefusal {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::SecretMissing => "ClaimSecretMissing",
            Self::SecretWrong => "ClaimSecretWrong",
            Self::RegistrationUnreadable => "ClaimRegistrationUnreadable",
        }
    }
}

/// Decides whether a guest may be promoted, as far as his secret goes.
///
/// `registered` is the text that was kept for him, `None` when he has registered
/// nothing: then nobody has to show anything, and what is shown all the same is
/// not looked at.
pub fn check(registered: Option<&str>, shown: Option<&ClaimSecret>) -> Result<(), ClaimRefusal> {
    let Some(registered) = registered else { return Ok(()) };
    let hash = ClaimHash::parse(registered).ok_or(ClaimRefusal::RegistrationUnreadable)?;
    match shown {
        None => Err(ClaimRefusal::SecretMissing),
        Some(secret) if hash.is_of(secret) => Ok(()),
        Some(_) => Err(ClaimRefusal::SecretWrong),
    }
}

/// What a registration changes.
pub enum Registration {
    /// This hash is to be kept, if there still is none.
    Keep(ClaimHash),
    /// The same secret is registered already.
    Unchanged,
}

/// Decides what registering a secret does. The first one stays: whoever could
/// replace it would not have to know it.
pub fn register(registered: Option<&str>, secret: &ClaimSecret) -> Result<Registration, ClaimRefusal> {
    match registered {
        None => Ok(Registration::Keep(secret.hash())),
        Some(_) => check(registered, Some(secret)).map(|()| Registration::Unchanged),
    }
}

/// Decides whether an attempt at a guest's secret that was just counted may go
/// on. To be asked before [`check`] wherever there is something to guess.
pub fn after_attempt(record: Record, now: u64) -> Step {
    after_charge(ATTEMPTS, record, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockout::Wait;

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const OTHER: &str = "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    /// Of [`TEXT`], by `sha256sum`.
    const HASH: &str = "ea866a757e4c38babfa8127cbe9a409d3e1f93a00ff1488ff735fcf917afffd0";

    fn secret(text: &str) -> ClaimSecret {
        ClaimSecret::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn a_secret_is_32_bytes_in_their_one_spelling() {
        let table = [
            (TEXT.to_owned(), true),
            ("_".repeat(42) + "8", true),
            ("A".repeat(43), true),
            ("A".repeat(42), false),
            ("A".repeat(44), false),
            // Bits are left over: another spelling of the same bytes.
            (TEXT.replace("Hh8", "Hh9"), false),
            (format!("{TEXT}="), false),
            (format!("{}=", "A".repeat(42)), false),
            (TEXT.replace("AAE", "+/E"), false),
            (format!(" {}", TEXT.replace("Hh8", "Hh")), false),
            (TEXT.replace("Hh8", "Hh\n"), false),
            ("\u{fc}".repeat(21) + "A", false),
            (String::new(), false),
        ];
        for (text, accepted) in table {
            assert_eq!(ClaimSecret::parse(text.clone()).is_some(), accepted, "{text:?}");
        }
    }

    #[test]
    fn a_hash_is_what_sha256sum_prints() {
        assert_eq!(secret(TEXT).hash().to_hex(), HASH);
        assert_eq!(ClaimHash::parse(HASH).unwrap().to_hex(), HASH);
        let shorter: String = HASH.chars().skip(1).collect();
        let two_shorter: String = HASH.chars().skip(2).collect();
        let not_hex = format!("g{shorter}");
        let bad = [
            HASH.to_uppercase(),
            shorter,
            two_shorter,
            format!("{HASH}00"),
            not_hex,
            format!("{HASH} "),
            String::new(),
        ];
        for text in bad {
            assert!(ClaimHash::parse(&text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn who_registered_a_secret_is_claimed_with_it_alone() {
        let (right, wrong) = (secret(TEXT), secret(OTHER));
        let last = HASH.replacen('e', "f", 1);
        let table = [
            ("nothing is registered", None, None, Ok(())),
            ("nothing is registered, one is shown", None, Some(&wrong), Ok(())),
            ("the right one", Some(HASH), Some(&right), Ok(())),
            ("none", Some(HASH), None, Err(ClaimRefusal::SecretMissing)),
            ("another", Some(HASH), Some(&wrong), Err(ClaimRefusal::SecretWrong)),
            ("almost the right hash", Some(last.as_str()), Some(&right), Err(ClaimRefusal::SecretWrong)),
            ("a damaged registration", Some("x"), Some(&right), Err(ClaimRefusal::RegistrationUnreadable)),
            ("an empty registration", Some(""), None, Err(ClaimRefusal::RegistrationUnreadable)),
            ("the secret itself is kept", Some(TEXT), Some(&right), Err(ClaimRefusal::RegistrationUnreadable)),
        ];
        for (name, registered, shown, expected) in table {
            assert_eq!(check(registered, shown), expected, "{name}");
        }
    }

    #[test]
    fn the_first_secret_stays() {
        let outcome = |registered, text| match register(registered, &secret(text)) {
            Ok(Registration::Keep(hash)) => hash.to_hex(),
            Ok(Registration::Unchanged) => "unchanged".to_owned(),
            Err(refusal) => refusal.code().to_owned(),
        };
        let table = [
            (None, TEXT, HASH),
            (Some(HASH), TEXT, "unchanged"),
            (Some(HASH), OTHER, "ClaimSecretWrong"),
            (Some("?"), TEXT, "ClaimRegistrationUnreadable"),
        ];
        for (registered, text, expected) in table {
            assert_eq!(outcome(registered, text), expected, "{registered:?}");
        }
    }

    #[test]
    fn guessing_has_to_wait() {
        let record = |count, open_at: Option<u64>| Record { count, waits: u64::from(open_at.is_some()), open_at };
        let table = [
            (record(1, None), Step::Go),
            (record(5, None), Step::GoAndWait(Wait { waits: 1, open_at: 1_060 })),
            (record(6, Some(1_060)), Step::Refuse),
            (record(7, Some(1_000)), Step::Claim { ended: 1_000, next: Wait { waits: 2, open_at: 1_120 } }),
        ];
        for (record, expected) in table {
            assert_eq!(after_attempt(record, 1_000), expected, "{record:?}");
        }
    }
}
