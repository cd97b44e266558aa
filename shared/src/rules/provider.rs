//! Federated identity providers, and which of them a user came from.
//!
//! A federated user is named `<provider>_<id>`. Both parts may hold an
//! underscore, and a case-insensitive pool lower-cases the whole, so a name is
//! compared with the providers that the rules know and never taken apart.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation-consolidate-users.html>

mod check;

pub(crate) use check::ProviderIndex;

use serde::Deserialize;

use crate::attributes::{Attributes, Identity};

/// An external identity provider of the pool whose users may enter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The provider's name in the pool. Its ASCII letters match in either case,
    /// since a case-insensitive pool writes user names in lower case; where
    /// `links` is not "never" it must be written exactly as in the pool.
    pub name: String,
    /// Whether an address that the provider calls verified counts as verified.
    pub trusts_email: bool,
    /// Whom the provider lets in: those whom `sign_up` lets in, or all its users.
    #[serde(default)]
    pub admits: Admission,
    /// Whether a newcomer's account is linked to the pool's own user who has
    /// the same verified address.
    #[serde(default)]
    pub links: Links,
    /// The attribute to which the provider's exact subject is mapped, such as
    /// "custom:provider_subject". Only where subjects are digits alone may
    /// linking do without: a case-insensitive pool hands over user names in
    /// lower case.
    pub subject_attribute: Option<String>,
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

/// Whether the accounts of a provider's users are linked to users of the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Links {
    /// Each account of the provider is a user of its own.
    #[default]
    Never,
    /// To the one user who has the address; without one it is a user of its own.
    Existing,
    /// To the one user who has the address; without one he is made first.
    Create,
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
    newcomer(providers, user_name.unwrap_or_default(), attributes)
        .map_or_else(|origin| origin, |(provider, _)| Origin::Provider(provider))
}

/// The same with the user's id at the provider, which is in lower case where
/// the pool is case-insensitive.
pub(crate) fn account_of_newcomer<'a, 'n>(
    providers: &'a [Provider],
    user_name: Option<&'n str>,
    attributes: &Attributes,
) -> Option<(&'a Provider, &'n str)> {
    newcomer(providers, user_name.unwrap_or_default(), attributes).ok()
}

fn newcomer<'a, 'n>(
    providers: &'a [Provider],
    user_name: &'n str,
    attributes: &Attributes,
) -> Result<(&'a Provider, &'n str), Origin<'a>> {
    let identities = attributes.identities().map_err(|_| Origin::Inconsistent)?;
    let mut named = named_by(providers, user_name);
    let first = named.next().ok_or(Origin::UnknownProvider)?;
    if identities.is_empty() {
        return Ok(first);
    }
    std::iter::once(first)
        .chain(named)
        .find(|(provider, id)| identities.iter().any(|identity| is_same(identity, &provider.name, id)))
        .ok_or(Origin::Inconsistent)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> Vec<Provider> {
        ["Google", "corp", "corp_eu", "Sign_In_With_Y"]
            .map(|name| Provider {
                name: name.to_owned(),
                trusts_email: true,
                admits: Admission::ByMode,
                links: Links::Never,
                subject_attribute: None,
            })
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
