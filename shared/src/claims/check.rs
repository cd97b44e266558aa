//! A skeleton, filled next.

use super::ClaimRules;
use crate::rules::Problems;

impl ClaimRules {
    pub(crate) fn check(&self, _problems: &mut Problems) {}
}
