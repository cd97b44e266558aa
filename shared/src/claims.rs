//! What a token carries.

use serde::Deserialize;

use crate::rules::Problems;

/// What tokens carry.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimRules {}

impl ClaimRules {
    pub(crate) fn check(&self, _problems: &mut Problems) {}
}
