//! The `[migration.hashes]` section of the rule file.

use serde::Deserialize;

use super::{Cost, HashError};
use crate::rules::Problems;

/// Which hashes the old system's passwords may have. A store that hands over no
/// hashes has no such section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HashRules {
    /// The kinds that the old system used. A hash of any other kind is refused;
    /// with an empty list every hash is.
    pub kinds: Vec<Kind>,
    /// What is computed for a user who is not there, so that he takes as long as
    /// a wrong password: the usual cost of the old system, such as "bcrypt:10",
    /// "argon2id:m=19456,t=2,p=1", "scrypt:ln=15,r=8,p=1",
    /// "firebase-scrypt:ln=14,r=8", "pbkdf2-sha256:600000" or "digest".
    pub decoy: String,
    /// Whether the old system cut passwords at 72 bytes before bcrypt, as most
    /// did without saying so. Otherwise a longer password is refused for bcrypt.
    #[serde(default)]
    pub bcrypt_truncates: bool,
}

/// A kind of password hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// bcrypt, also over a SHA-256 of the password.
    Bcrypt,
    /// Argon2id and Argon2i.
    Argon2,
    /// scrypt.
    Scrypt,
    /// Firebase's variant of scrypt, which needs the project's signer key.
    FirebaseScrypt,
    /// PBKDF2.
    Pbkdf2,
    /// MD5 and SHA digests. Who signs in with one always has to choose a new
    /// password.
    Digest,
}

impl Kind {
    /// Its name in the rule file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bcrypt => "bcrypt",
            Self::Argon2 => "argon2",
            Self::Scrypt => "scrypt",
            Self::FirebaseScrypt => "firebase-scrypt",
            Self::Pbkdf2 => "pbkdf2",
            Self::Digest => "digest",
        }
    }
}

impl HashRules {
    /// Whether hashes of this kind are taken.
    pub fn allows(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether a decoy of this cost fits the kinds. Where every hash is refused,
    /// each does.
    pub(super) fn may_cost(&self, cost: Cost) -> bool {
        self.kinds.is_empty() || self.allows(cost.kind())
    }

    /// Names what contradicts itself. `path` is where the section stands.
    pub(crate) fn check(&self, path: &str, problems: &mut Problems) {
        let mut add = |key: &str, message: String| problems.add(format!("{path}.{key}"), message);
        for (index, kind) in self.kinds.iter().enumerate() {
            if self.kinds.iter().take(index).any(|earlier| earlier == kind) {
                add(&format!("kinds[{index}]"), format!("names \"{}\" a second time", kind.name()));
            }
        }
        match Cost::read(&self.decoy) {
            Ok(cost) if !self.may_cost(cost) => {
                add("decoy", format!("is of the kind \"{}\", which kinds does not list", cost.kind().name()));
            }
            Ok(_) => {}
            Err(HashError::TooCostly) => add("decoy", "costs more than a hash may".to_owned()),
            Err(_) => add("decoy", "is no cost; write it as \"bcrypt:10\" or \"pbkdf2-sha256:600000\"".to_owned()),
        }
        if self.bcrypt_truncates && !self.allows(Kind::Bcrypt) {
            add("bcrypt_truncates", "is true, but kinds does not list \"bcrypt\"".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(kinds: &[Kind], decoy: &str, bcrypt_truncates: bool) -> HashRules {
        HashRules { kinds: kinds.to_vec(), decoy: decoy.to_owned(), bcrypt_truncates }
    }

    #[test]
    fn a_section_that_contradicts_itself_is_refused() {
        use Kind::{Argon2, Bcrypt, Digest, FirebaseScrypt, Pbkdf2, Scrypt};
        let table: &[(HashRules, &[&str])] = &[
            (rules(&[Bcrypt], "bcrypt:10", true), &[]),
            (rules(&[Bcrypt, Digest], "bcrypt:10", false), &[]),
            (rules(&[Argon2], "argon2id:m=19456,t=2,p=1", false), &[]),
            (rules(&[Argon2], "argon2i:m=65536,t=4,p=1", false), &[]),
            (rules(&[Scrypt], "scrypt:ln=15,r=8,p=1", false), &[]),
            (rules(&[FirebaseScrypt], "firebase-scrypt:ln=14,r=8", false), &[]),
            (rules(&[Pbkdf2], "pbkdf2-sha256:600000", false), &[]),
            (rules(&[Pbkdf2], "pbkdf2-sha1:300000,l=64", false), &[]),
            (rules(&[Digest], "digest", false), &[]),
            (rules(&[], "bcrypt:10", false), &[]),
            (rules(&[Bcrypt, Digest, Bcrypt], "bcrypt:10", false), &["h.kinds[2]"]),
            (rules(&[Argon2], "bcrypt:10", false), &["h.decoy"]),
            (rules(&[Bcrypt], "digest", false), &["h.decoy"]),
            (rules(&[Bcrypt], "bcrypt:15", false), &["h.decoy"]),
            (rules(&[Bcrypt], "bcrypt:3", false), &["h.decoy"]),
            (rules(&[Bcrypt], "bcrypt", false), &["h.decoy"]),
            (rules(&[Bcrypt], "", false), &["h.decoy"]),
            (rules(&[Argon2], "argon2id:m=131073,t=1,p=1", false), &["h.decoy"]),
            (rules(&[Argon2], "argon2d:m=19456,t=2,p=1", false), &["h.decoy"]),
            (rules(&[Pbkdf2], "pbkdf2-md5:600000", false), &["h.decoy"]),
            (rules(&[Pbkdf2], "pbkdf2-sha256:1200001", false), &["h.decoy"]),
            (rules(&[Argon2], "argon2id:m=19456,t=2,p=1", true), &["h.bcrypt_truncates"]),
            (rules(&[], "x", true), &["h.decoy", "h.bcrypt_truncates"]),
            (rules(&[Digest, Digest], "bcrypt:10", true), &["h.kinds[1]", "h.decoy", "h.bcrypt_truncates"]),
        ];
        for (rules, expected) in table {
            let mut problems = Problems::default();
            rules.check("h", &mut problems);
            let found: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(&found, expected, "{rules:?}");
        }
    }

    #[test]
    fn the_section_is_read_strictly() {
        let table = [
            (
                "kinds = [\"bcrypt\", \"argon2\", \"scrypt\", \"firebase-scrypt\", \"pbkdf2\", \"digest\"]\ndecoy = \"bcrypt:10\"",
                true,
            ),
            ("kinds = [\"bcrypt\"]\ndecoy = \"bcrypt:10\"\nbcrypt_truncates = true", true),
            ("kinds = [\"Bcrypt\"]\ndecoy = \"bcrypt:10\"", false),
            ("kinds = [\"plain\"]\ndecoy = \"bcrypt:10\"", false),
            ("kinds = [\"bcrypt\"]", false),
            ("decoy = \"bcrypt:10\"", false),
            ("kinds = [\"bcrypt\"]\ndecoy = \"bcrypt:10\"\ntruncates = true", false),
        ];
        for (text, expected) in table {
            assert_eq!(toml::from_str::<HashRules>(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_kinds_name_is_the_one_that_is_read() {
        let kinds = [Kind::Bcrypt, Kind::Argon2, Kind::Scrypt, Kind::FirebaseScrypt, Kind::Pbkdf2, Kind::Digest];
        for kind in kinds {
            let read: Kind = serde_json::from_value(kind.name().into()).unwrap();
            assert_eq!(read, kind, "{}", kind.name());
        }
    }
}
