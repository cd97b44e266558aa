//! From a row of the export to what is written, or why it is left out.

use super::fields::Fields;
use super::format::Reader;
use super::hashes::{self, Hash, Permitted};
use super::options::SignIn;
use super::person::{Entry, Keys, Person};
use super::rejection::Rejection;
use super::source::Row;
use super::survey::Survey;

/// All that a row is measured by.
pub(super) struct Check {
    /// How rows are read.
    pub(super) reader: Reader,
    /// The names that users sign in by.
    pub(super) sign_in: Vec<SignIn>,
    /// The kinds of hashes that may come in.
    pub(super) permitted: Permitted,
}

/// A user who can be imported, and what the answer counts of him.
pub(super) struct Accepted {
    /// What is written.
    pub(super) entry: Entry,
    /// The hash of his password, if there is one.
    pub(super) hash: Option<Hash>,
    /// Whether his address is verified.
    pub(super) email_verified: bool,
    /// Whether he is disabled.
    pub(super) disabled: bool,
    /// The names of his attributes.
    pub(super) attributes: Vec<String>,
}

impl Check {
    /// What a row claims to be, for the first reading.
    pub(super) fn keys(&self, fields: Option<&Fields>) -> Result<Keys, Rejection> {
        self.person(fields).map(|(_, keys)| keys)
    }

    /// Decides whether a row can be imported.
    pub(super) fn row(&self, row: &Row, survey: &Survey) -> Result<Accepted, Rejection> {
        let (person, keys) = self.person(row.fields.as_ref())?;
        survey.check(row.number, &keys)?;
        let hash = person.hash.as_deref().map(|text| hashes::read(text, &self.permitted)).transpose()?;
        let (email_verified, disabled) = (person.email_verified, person.disabled);
        let attributes = person.attributes.keys().cloned().collect();
        let record = person.record(&keys.id)?;
        let entry = Entry { row: row.number, keys, record };
        Ok(Accepted { entry, hash, email_verified, disabled, attributes })
    }

    fn person(&self, fields: Option<&Fields>) -> Result<(Person, Keys), Rejection> {
        let person = self.reader.read(fields.ok_or(Rejection::Unreadable)?)?;
        let keys = person.keys(&self.sign_in)?;
        Ok((person, keys))
    }
}
