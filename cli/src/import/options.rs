//! What `poolhouse import` can be told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::format::Format;
use crate::arguments::EXIT_CODES;

const EXAMPLES: &str = "\
Reads the file twice: first to see that it is whole and which sign-in names two
users share, then to write. A row that cannot be used is left out and reported;
nothing that the file holds of a person is ever printed.

Credentials and region come from the environment, as with the AWS CLI (after
`aws sso login`: eval \"$(aws configure export-credentials --format env)\");
AWS_ENDPOINT_URL leads to another DynamoDB. Needed are dynamodb:DescribeTable,
BatchGetItem, BatchWriteItem and UpdateItem on the table.

Examples:
  See what would happen; needs no AWS:
    poolhouse import --format auth0 --dry-run --report rejected.csv users.ndjson
  Import, and go on after an interruption:
    poolhouse import --format auth0 --table LegacyUsers --resume users.ndjson
  Firebase, with the hash parameters as the console shows them:
    poolhouse import --format firebase --firebase-config hash.txt --table LegacyUsers users.json
  Keycloak, whose users may sign in by either name:
    poolhouse import --format keycloak --sign-in email,username --table LegacyUsers realm.json

docs/import.md describes the formats.";

/// What the long help ends with.
pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// What to import, and where to.
#[derive(Args, Debug)]
pub struct Options {
    /// The system that the file comes from.
    #[arg(long, value_enum)]
    pub format: Format,
    /// The table (LegacyUsersTableName in the outputs of the stack).
    #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
    pub table: Option<String>,
    /// Checks everything and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Writes the rejected rows to this file, as CSV: row, code, reason.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Goes on after the last row that an interrupted import of this file has written.
    #[arg(long, conflicts_with = "dry_run")]
    pub resume: bool,
    /// Where an import notes how far it got [default: FILE.import-state.json].
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// By which names users sign in to the pool.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "email", value_name = "NAMES")]
    pub sign_in: Vec<SignIn>,
    /// The rule file: hashes of kinds that it does not list are rejected.
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// The project's password hash parameters: `hash_config { … }` as the
    /// Firebase console shows it. The signer key in it is not used
    #[arg(long, value_name = "FILE", required_if_eq("format", "firebase"))]
    pub firebase_config: Option<PathBuf>,
    /// The exported file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// A name by which a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SignIn {
    /// The e-mail address.
    Email,
    /// The user name.
    Username,
}
