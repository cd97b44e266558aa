//! Which IAM role a user gets.

use serde::Deserialize;

use crate::rules::Problems;

/// Which IAM role a user gets.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoleRules {}

impl RoleRules {
    pub(crate) fn check(&self, _problems: &mut Problems) {}
}
