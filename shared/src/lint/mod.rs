//! What is odd about a rule file that contradicts itself nowhere.
//!
//! Contradictions keep a file from being read. What is found here does not: a
//! rule that can never count, or one that counts for more people than was
//! probably meant. The subject of each finding is a key of the rule file.

mod capacity;
mod claims;
mod people;
mod revocation;
mod roles;
mod routes;
mod versions;

pub use capacity::{Capacity, capacities};
pub use versions::{Carried, Lost, Plan, carried, of_plan};

use crate::findings::{Finding, Findings};
use crate::rules::Rules;

/// Everything that is odd about these rules.
pub fn findings(rules: &Rules) -> Vec<Finding> {
    let mut findings = Findings::default();
    people::look(rules, &mut findings);
    claims::look(rules, &mut findings);
    capacity::look(rules, &mut findings);
    roles::look(rules, &mut findings);
    routes::look(rules, &mut findings);
    revocation::look(rules, &mut findings);
    findings.into_vec()
}

/// Whether a client may write the attribute at sign-up, and so the claim of it
/// says what the user wants.
fn is_users_own(rules: &Rules, attribute: &str) -> bool {
    !rules.sign_up.forbidden_attributes.iter().any(|forbidden| forbidden == attribute)
}

#[cfg(test)]
mod tests;
