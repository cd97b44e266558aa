//! Who the newcomer is at the provider, to the letter.

use crate::attributes::Attributes;
use crate::rules::Provider;

use super::Refusal;

/// The exact subject of the account `id`.
///
/// A case-insensitive pool writes the user name in lower case, so its id alone
/// names an account only when it has no letters; otherwise the provider's own
/// word counts, in the attribute to which the subject is mapped. Both must mean
/// the same account.
pub(super) fn exact<'a>(provider: &Provider, id: &'a str, attributes: &'a Attributes) -> Result<&'a str, Refusal> {
    match &provider.subject_attribute {
        Some(name) => {
            let subject = attributes.get(name).ok_or(Refusal::SubjectUnknown)?;
            if subject.to_lowercase() != id.to_lowercase() {
                return Err(Refusal::SubjectInconsistent);
            }
            Ok(subject)
        }
        None if id.chars().any(char::is_alphabetic) => Err(Refusal::SubjectUnknown),
        None => Ok(id),
    }
}
