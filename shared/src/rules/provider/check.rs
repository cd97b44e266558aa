//! What is wrong with `[[providers]]`, and with what names them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::address::DomainPattern;
use crate::attributes;
use crate::rules::Problems;

use super::{Links, Provider};

/// The providers by their names, for checking what names them.
pub(crate) struct ProviderIndex<'a>(BTreeMap<String, &'a Provider>);

impl<'a> ProviderIndex<'a> {
    /// Checks the providers by themselves, and that no client may write what
    /// linking relies on.
    pub(in crate::rules) fn check(providers: &'a [Provider], forbidden: &[String], problems: &mut Problems) -> Self {
        let mut known: BTreeMap<String, &Provider> = BTreeMap::new();
        for (index, provider) in providers.iter().enumerate() {
            let path = format!("providers[{index}].name");
            check_linking(index, provider, forbidden, problems);
            if !is_provider_name(&provider.name) {
                problems
                    .add(path, "a provider's name has 1 to 32 characters, no blanks, and no underscore at its ends");
                continue;
            }
            match known.entry(provider.name.to_ascii_lowercase()) {
                Entry::Vacant(place) => _ = place.insert(provider),
                Entry::Occupied(_) => {
                    problems.add(path, format!("\"{}\" is there twice; case makes no difference", provider.name));
                }
            }
        }
        let index = Self(known);
        index.check_confusable(providers, problems);
        index
    }

    /// A newcomer's `corp_eu_ann` may be `eu_ann` of `corp` or `ann` of
    /// `corp_eu`, so both must be treated alike; and neither can be linked, for
    /// a link names one of the two.
    fn check_confusable(&self, providers: &[Provider], problems: &mut Problems) {
        for (index, provider) in providers.iter().enumerate() {
            let name = provider.name.to_ascii_lowercase();
            let shorter = name.match_indices('_').filter_map(|(end, _)| self.0.get(name.get(..end)?));
            let rights = (provider.trusts_email, provider.admits);
            for other in shorter {
                let right = if (other.trusts_email, other.admits) != rights {
                    "give both the same trusts_email and admits, or rename one"
                } else if provider.links != Links::Never || other.links != Links::Never {
                    "set links = \"never\" for both, or rename one"
                } else {
                    continue;
                };
                let message =
                    format!("a user name that begins with \"{name}_\" may also come from \"{}\"; {right}", other.name);
                problems.add(format!("providers[{index}].name"), message);
            }
        }
    }

    /// Checks conditions that name providers and domains: the providers must
    /// exist, and with domains their word for an address must count.
    pub(crate) fn check_conditions(
        &self,
        path: &str,
        providers: &[String],
        domains: &[DomainPattern],
        problems: &mut Problems,
    ) {
        for (index, name) in providers.iter().enumerate() {
            let path = format!("{path}.providers[{index}]");
            match self.0.get(&name.to_ascii_lowercase()) {
                None => problems.add(path, format!("\"{name}\" is not among [[providers]]")),
                Some(provider) if !domains.is_empty() && !provider.trusts_email => problems.add(
                    path,
                    format!("never holds together with email_domains: trusts_email is false for \"{name}\""),
                ),
                Some(_) => {}
            }
        }
    }
}

/// A link lets whoever holds the external account sign in as the pool's user,
/// so what it rests on must be proved.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminLinkProviderForUser.html>
fn check_linking(index: usize, provider: &Provider, forbidden: &[String], problems: &mut Problems) {
    let mut add = |key: &str, message: String| problems.add(format!("providers[{index}].{key}"), message);
    if provider.links != Links::Never && !provider.trusts_email {
        add("links", "accounts are linked by a verified address, and trusts_email is false".to_owned());
    }
    match &provider.subject_attribute {
        None if provider.links == Links::Create => {
            add("links", "\"create\" needs subject_attribute, which marks a user that is not finished".to_owned());
        }
        None => {}
        Some(name) if !name.starts_with("custom:") || !attributes::is_writable_name(name) => {
            add("subject_attribute", format!("\"{name}\" does not begin with \"custom:\""));
        }
        Some(name) if !forbidden.contains(name) => {
            add("subject_attribute", format!("a client could set \"{name}\"; add it to sign_up.forbidden_attributes"));
        }
        Some(_) => {}
    }
}

/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html>
fn is_provider_name(name: &str) -> bool {
    (1..=32).contains(&name.chars().count())
        && !name.starts_with('_')
        && !name.ends_with('_')
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}
