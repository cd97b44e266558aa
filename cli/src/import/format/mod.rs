//! The exports of other systems: how each says a user. docs/import.md says the
//! same for those who make the files.

mod auth0;
mod cognito;
mod django;
mod firebase;
mod keycloak;
mod plain;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::person::Person;
use super::rejection::Rejection;

pub(super) use firebase::HashParameters;

/// The system that a file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Auth0's export of users, with or without password hashes: NDJSON.
    Auth0,
    /// What `firebase auth:export users.json` writes.
    Firebase,
    /// A realm export with its users: one JSON document.
    Keycloak,
    /// The table auth_user as CSV with a header.
    Django,
    /// CSV with the headings of a Cognito user pool; it holds no passwords.
    Cognito,
    /// Plain CSV with a header (docs/import.md).
    Csv,
    /// Plain JSON, one user a line (docs/import.md).
    Ndjson,
}

/// How a file is cut into rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// A heading and lines.
    Csv,
    /// A JSON object on each line.
    Lines,
    /// One JSON document with an array `users`, or several such in an array.
    Document,
}

/// A format with what else has to be known to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reader {
    /// Firebase, with the project's parameters.
    Firebase(HashParameters),
    /// Every other system; its exports say everything.
    Other(Format),
}

impl Format {
    /// How its files are cut into rows.
    pub(super) fn layout(self) -> Layout {
        match self {
            Self::Auth0 | Self::Ndjson => Layout::Lines,
            Self::Firebase | Self::Keycloak => Layout::Document,
            Self::Django | Self::Cognito | Self::Csv => Layout::Csv,
        }
    }

    /// What the rule file may say of the usual attributes: the pool's name, and
    /// the name that they have here.
    pub(super) fn usual_attributes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Auth0 => &[("email", "email"), ("name", "name"), ("given_name", "given_name")],
            Self::Firebase => &[("email", "email"), ("name", "displayName"), ("phone_number", "phoneNumber")],
            Self::Keycloak => &[("email", "email"), ("given_name", "firstName"), ("family_name", "lastName")],
            Self::Django => &[("email", "email"), ("given_name", "first_name"), ("family_name", "last_name")],
            Self::Cognito => &[("email", "email"), ("name", "name"), ("phone_number", "phone_number")],
            Self::Csv | Self::Ndjson => &[("email", "email")],
        }
    }
}

impl Reader {
    /// Reads one row.
    pub(super) fn read(&self, fields: &Fields) -> Result<Person, Rejection> {
        match self {
            Self::Firebase(parameters) => Ok(firebase::read(fields, parameters)),
            Self::Other(Format::Auth0) => Ok(auth0::read(fields)),
            Self::Other(Format::Keycloak) => keycloak::read(fields),
            Self::Other(Format::Django) => Ok(django::read(fields)),
            Self::Other(Format::Cognito) => Ok(cognito::read(fields)),
            Self::Other(Format::Csv) => Ok(plain::read_cells(fields)),
            Self::Other(Format::Ndjson) => Ok(plain::read_object(fields)),
            // The options ask for the parameters before anything is read.
            Self::Other(Format::Firebase) => Err(Rejection::CredentialUnreadable),
        }
    }
}
