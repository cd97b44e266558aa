//! What the operator says of revocation.

use serde::Deserialize;

use crate::rules::Problems;

/// The longest that an answer may be used again, in seconds.
const MOST_CACHE_SECONDS: u64 = 60;

/// Whether ended sessions and changed rights show at the API before the token
/// expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevocationRules {
    /// "on" looks every token's session up; "off" does not, and then a token is
    /// good until it expires.
    #[serde(default)]
    pub mode: Mode,
    /// What becomes of a call while the marks cannot be read.
    #[serde(default)]
    pub unavailable: Unavailable,
    /// How many seconds the authorizer uses an answer again: 0 to 60. A sign-out
    /// shows at most so much later at an instance that has just looked.
    #[serde(default)]
    pub cache_seconds: u64,
}

/// Whether tokens are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They are not.
    #[default]
    Off,
    /// They are.
    On,
}

/// What becomes of a call while the marks cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unavailable {
    /// It fails: nobody who signed out gets in, and nobody else either.
    #[default]
    Refuse,
    /// It passes, as if revocation were off, and the log says so.
    Allow,
}

impl RevocationRules {
    /// Whether tokens are looked up.
    pub fn is_on(&self) -> bool {
        self.mode == Mode::On
    }

    pub(crate) fn check(&self, problems: &mut Problems) {
        if self.cache_seconds > MOST_CACHE_SECONDS {
            let message = format!("must lie between 0 and {MOST_CACHE_SECONDS}");
            problems.add("revocation.cache_seconds", message);
        }
    }
}
