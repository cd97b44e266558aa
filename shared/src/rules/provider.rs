//! Federated identity providers, and which of them a user came from.
//!
//! A federated user is named `<provider>_<id>`. Both parts may hold an
//! underscore, and a case-insensitive pool lower-cases the whole, so a name is
//! compared with the providers that the rules know and never taken apart.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation-consolidate-users.html>

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Deserialize;

use crate::address::DomainPattern;
use crate::attributes::{Attributes, Identity};

use super::Problems;

/// An external identity provider of the pool whose users may enter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The provider's name in the pool. Its ASCII letters match in either case,
    /// since a case-insensitive pool writes user names in lower case.
    pub name: String,
    /// Whether an address that the provider calls verified counts as verified.
    pub trusts_email: bool,
    /// Whom the provider lets in: those whom `sign_up` lets in, or all its users.
    #[serde(default)]
    pub admits: Admission,
}

/// Whom an identity provider lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// Its users are held to the mode and the allowed domains of `sign_up`.
    #[default]
    ByMode,
    /// All its users, whatever the mode and the allowed domains are.
    Always,
}

/// Where a user came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The pool itself, with or without linked external accounts.
    Pool,
    /// A configured provider.
    Provider(&'a Provider),
    /// A provider that the rules do not name, or one that nothing proves.
    UnknownProvider,
    /// The user name and the identities contradict each other.
    Inconsistent,
}

/// Finds the provider of somebody who signs in through one for the first time.
///
/// That it is one is known from the trigger source; the user name says which.
/// Identities are not there yet, but when they are they must agree.
pub(crate) fn of_newcomer<'a>(
    providers: &'a [Provider],
    user_name: Option<&str>,
    attributes: &Attributes,
) -> Origin<'a> {
    let Ok(identities) = attributes.identities() else { return Origin::Inconsistent };
    let mut named = named_by(providers, user_name.unwrap_or_default());
    match (named.next(), identities.is_empty()) {
        (None, _) => Origin::UnknownProvider,
        (Some((provider, _)), true) => Origin::Provider(provider),
        (Some(first), false) => std::iter::once(first)
            .chain(named)
            .find(|(provider, id)| identities.iter().any(|identity| is_same(identity, &provider.name, id)))
            .map_or(Origin::Inconsistent, |(provider, _)| Origin::Provider(provider)),
    }
}

/// Finds the provider of a user who is in the pool.
///
/// Here the user name proves nothing, for a pool may let people choose theirs.
/// `identities`, which only Cognito writes, must name the same account.
pub(crate) fn of_user<'a>(providers: &'a [Provider], user_name: Option<&str>, attributes: &Attributes) -> Origin<'a> {
    let Ok(identities) = attributes.identities() else { return Origin::Inconsistent };
    let user_name = user_name.unwrap_or_default();
    let mut named = named_by(providers, user_name).peekable();
    let looks_federated = named.peek().is_some() || attributes.get("cognito:user_status") == Some("EXTERNAL_PROVIDER");
    if let Some((provider, _)) =
        named.find(|(provider, id)| identities.iter().any(|identity| is_same(identity, &provider.name, id)))
    {
        return Origin::Provider(provider);
    }
    let is_unnamed = |identity: &Identity| {
        account_below(user_name, &identity.provider).is_some_and(|id| id.eq_ignore_ascii_case(&identity.user_id))
    };
    match (looks_federated, identities.is_empty()) {
        _ if identities.iter().any(is_unnamed) => Origin::UnknownProvider,
        (true, true) => Origin::UnknownProvider,
        (true, false) => Origin::Inconsistent,
        (false, _) => Origin::Pool,
    }
}

/// Whether a name could be that of a federated user of these providers.
pub(crate) fn is_reserved(providers: &[Provider], user_name: &str) -> bool {
    named_by(providers, user_name).next().is_some()
}

/// Finds a provider by its name.
pub(crate) fn find<'a>(providers: &'a [Provider], name: &str) -> Option<&'a Provider> {
    providers.iter().find(|provider| provider.name.eq_ignore_ascii_case(name))
}

/// The providers that a user name may come from with the rest of the name, the
/// longest name first.
fn named_by<'a, 'n>(providers: &'a [Provider], user_name: &'n str) -> impl Iterator<Item = (&'a Provider, &'n str)> {
    let mut named: Vec<_> =
        providers.iter().filter_map(|provider| Some((provider, account_below(user_name, &provider.name)?))).collect();
    named.sort_by_key(|(provider, _)| std::cmp::Reverse(provider.name.len()));
    named.into_iter()
}

/// What follows `<provider>_` in a user name.
fn account_below<'n>(user_name: &'n str, provider: &str) -> Option<&'n str> {
    let (prefix, rest) = user_name.split_at_checked(provider.len())?;
    let id = rest.strip_prefix('_')?;
    (prefix.eq_ignore_ascii_case(provider) && !id.is_empty()).then_some(id)
}

fn is_same(identity: &Identity, provider: &str, id: &str) -> bool {
    identity.provider.eq_ignore_ascii_case(provider) && identity.user_id.eq_ignore_ascii_case(id)
}

/// The providers by their names, for checking what names them.
pub(crate) struct ProviderIndex<'a>(BTreeMap<String, &'a Provider>);

impl<'a> ProviderIndex<'a> {
    /// Checks the providers by themselves.
    pub(super) fn check(providers: &'a [Provider], problems: &mut Problems) -> Self {
        let mut known: BTreeMap<String, &Provider> = BTreeMap::new();
        for (index, provider) in providers.iter().enumerate() {
            let path = format!("providers[{index}].name");
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
    /// `corp_eu`, so both must be treated alike.
    fn check_confusable(&self, providers: &[Provider], problems: &mut Problems) {
        for (index, provider) in providers.iter().enumerate() {
            let name = provider.name.to_ascii_lowercase();
            let shorter = name.match_indices('_').filter_map(|(end, _)| self.0.get(name.get(..end)?));
            let rights = (provider.trusts_email, provider.admits);
            for other in shorter.filter(|other| (other.trusts_email, other.admits) != rights) {
                let message = format!(
                    "a user name that begins with \"{name}_\" may also come from \"{}\"; \
                     give both the same trusts_email and admits, or rename one",
                    other.name
                );
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

/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html>
fn is_provider_name(name: &str) -> bool {
    (1..=32).contains(&name.chars().count())
        && !name.starts_with('_')
        && !name.ends_with('_')
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> Vec<Provider> {
        ["Google", "corp", "corp_eu", "Sign_In_With_Y"]
            .map(|name| Provider { name: name.to_owned(), trusts_email: true, admits: Admission::ByMode })
            .to_vec()
    }

    fn name_of(origin: Origin<'_>) -> &str {
        match origin {
            Origin::Pool => "-pool",
            Origin::Provider(provider) => &provider.name,
            Origin::UnknownProvider => "-unknown",
            Origin::Inconsistent => "-inconsistent",
        }
    }

    fn identities(accounts: &[(&str, &str)]) -> String {
        let accounts: Vec<_> = accounts
            .iter()
            .map(|(provider, id)| serde_json::json!({"providerName": provider, "userId": id, "primary": true}))
            .collect();
        serde_json::Value::from(accounts).to_string()
    }

    #[test]
    fn a_newcomer_is_matched_with_the_provider_table_and_never_split() {
        let providers = providers();
        let none = String::new();
        let table = [
            ("Google_123", none.clone(), "Google"),
            ("google_123", none.clone(), "Google"),
            ("GOOGLE_ab_cd", none.clone(), "Google"),
            ("sign_in_with_y_ann@x.test", none.clone(), "Sign_In_With_Y"),
            ("corp_eu_ann", none.clone(), "corp_eu"),
            ("corp_us_ann", none.clone(), "corp"),
            ("corp_eu_ann", identities(&[("corp", "eu_ann")]), "corp"),
            ("corp_eu_ann", identities(&[("corp_eu", "ann")]), "corp_eu"),
            ("google_123", identities(&[("Google", "123")]), "Google"),
            ("google_123", identities(&[("corp", "7"), ("Google", "123")]), "Google"),
            ("google_123", identities(&[("Google", "124")]), "-inconsistent"),
            ("google_123", identities(&[("corp", "123")]), "-inconsistent"),
            ("google_123", "[{\"providerName\":\"Goo".to_owned(), "-inconsistent"),
            ("google_123", "[".repeat(10_000), "-inconsistent"),
            ("google_123", "{}".to_owned(), "-inconsistent"),
            ("Google", none.clone(), "-unknown"),
            ("Google_", none.clone(), "-unknown"),
            ("Google123", none.clone(), "-unknown"),
            ("Facebook_123", none.clone(), "-unknown"),
            ("LoginWithAmazon_amzn1.account.X", none.clone(), "-unknown"),
            ("_Google_123", none.clone(), "-unknown"),
            (" Google_123", none.clone(), "-unknown"),
            ("\u{ff27}oogle_123", none.clone(), "-unknown"),
            ("+15551234567", none.clone(), "-unknown"),
            ("__proto__", none.clone(), "-unknown"),
            ("../", none.clone(), "-unknown"),
            ("\u{1f600}\u{202e}", none.clone(), "-unknown"),
            ("Google\0_1", none.clone(), "-unknown"),
            ("", none, "-unknown"),
        ];
        for (user_name, identities, expected) in table {
            let attributes = Attributes::from([("identities", identities.as_str())]);
            let origin = of_newcomer(&providers, Some(user_name), &attributes);
            assert_eq!(name_of(origin), expected, "{user_name} {:.80}", identities);
        }
        let long = "\u{e9}".repeat(5_000);
        assert_eq!(of_newcomer(&providers, Some(&long), &Attributes::default()), Origin::UnknownProvider);
        assert_eq!(of_newcomer(&providers, None, &Attributes::default()), Origin::UnknownProvider);
    }

    #[test]
    fn a_user_in_the_pool_is_federated_only_when_identities_prove_it() {
        let providers = providers();
        let google = identities(&[("Google", "123")]);
        let facebook = identities(&[("Facebook", "9")]);
        let table = [
            ("0b8f6c1e-uuid", "", "CONFIRMED", "-pool"),
            ("0b8f6c1e-uuid", google.as_str(), "CONFIRMED", "-pool"),
            ("ann_lee", "", "", "-pool"),
            ("google_123", google.as_str(), "EXTERNAL_PROVIDER", "Google"),
            ("Google_123", google.as_str(), "", "Google"),
            ("google_123", "", "CONFIRMED", "-unknown"),
            ("0b8f6c1e-uuid", "", "EXTERNAL_PROVIDER", "-unknown"),
            ("facebook_9", facebook.as_str(), "EXTERNAL_PROVIDER", "-unknown"),
            ("facebook_9", facebook.as_str(), "", "-unknown"),
            ("google_123", facebook.as_str(), "EXTERNAL_PROVIDER", "-inconsistent"),
            ("google_124", google.as_str(), "EXTERNAL_PROVIDER", "-inconsistent"),
            ("0b8f6c1e-uuid", google.as_str(), "EXTERNAL_PROVIDER", "-inconsistent"),
            ("0b8f6c1e-uuid", "nonsense", "CONFIRMED", "-inconsistent"),
            ("", google.as_str(), "EXTERNAL_PROVIDER", "-inconsistent"),
        ];
        for (user_name, identities, status, expected) in table {
            let attributes = Attributes::from([("identities", identities), ("cognito:user_status", status)]);
            let origin = of_user(&providers, Some(user_name), &attributes);
            assert_eq!(name_of(origin), expected, "{user_name} {identities} {status}");
        }
    }
}
