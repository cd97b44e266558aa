//! What `poolhouse attach` and `poolhouse detach` can be told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::attachment::{Slot, TriggerVersion};

use crate::arguments::EXIT_CODES;

const ATTACH: &str = "\
Changes the named triggers of the pool and nothing else: the pool is read, written
back once with them, read again and compared, and put back should anything else
have moved. A setting that this version cannot write back stops it beforehand.
Doing it again does nothing.

Credentials come from the environment, as with the AWS CLI; the region is the
pool's. Needed are cognito-idp:DescribeUserPool, UpdateUserPool,
GetUserPoolMfaConfig, SetUserPoolMfaConfig, ListUserPoolClients,
DescribeUserPoolClient and UpdateUserPoolClient, lambda:AddPermission and
RemovePermission, ssm:GetParameter, PutParameter and DeleteParameter, and, to say
whose the pool is, cloudformation:DescribeStackResources.

Examples:
  See what the template would change, before it is deployed:
    poolhouse attach --pool eu-west-1_Ab12Cd34E --rules rules.toml --plan
  Attach, and take over a trigger that is there:
    poolhouse attach --pool eu-west-1_Ab12Cd34E --rules rules.toml --take-over \\
      --pre-sign-up arn:aws:lambda:eu-west-1:123456789012:function:pre-sign-up";

const DETACH: &str = "\
Takes out the triggers that were attached under this name, where they still are,
and puts back what stood there before.

Examples:
  See what would change:
    poolhouse detach --pool eu-west-1_Ab12Cd34E --plan
  Detach:
    poolhouse detach --pool eu-west-1_Ab12Cd34E";

/// What the long help of `attach` ends with.
pub(crate) fn long_help_of_attach() -> String {
    format!("{ATTACH}\n\n{EXIT_CODES}")
}

/// What the long help of `detach` ends with.
pub(crate) fn long_help_of_detach() -> String {
    format!("{DETACH}\n\n{EXIT_CODES}")
}

/// Where, and which triggers.
#[derive(Args, Debug)]
pub struct Place {
    /// The pool's id.
    #[arg(long, value_name = "ID")]
    pub pool: String,
    /// The name that tells this attachment from others of the same pool.
    #[arg(long, value_name = "NAME", default_value = "poolhouse", value_parser = name)]
    pub name: String,
    /// Shows what would change, and changes nothing. Where no function is named, it takes those of the template.
    #[arg(long)]
    pub plan: bool,
    /// The function that decides about sign-ups.
    #[arg(long, value_name = "ARN")]
    pub pre_sign_up: Option<String>,
    /// The function that provisions confirmed users.
    #[arg(long, value_name = "ARN")]
    pub post_confirmation: Option<String>,
    /// The function that puts claims into tokens.
    #[arg(long, value_name = "ARN")]
    pub pre_token_generation: Option<String>,
    /// The function that moves users in.
    #[arg(long, value_name = "ARN")]
    pub user_migration: Option<String>,
}

impl Place {
    /// The triggers that were named.
    pub(super) fn triggers(&self) -> BTreeMap<Slot, String> {
        let named = [
            (Slot::PreSignUp, &self.pre_sign_up),
            (Slot::PostConfirmation, &self.post_confirmation),
            (Slot::PreTokenGeneration, &self.pre_token_generation),
            (Slot::UserMigration, &self.user_migration),
        ];
        named.into_iter().filter_map(|(slot, arn)| Some((slot, arn.clone()?))).collect()
    }
}

/// It becomes a part of a parameter's name.
fn name(text: &str) -> Result<String, String> {
    let plain = (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain { Ok(text.to_owned()) } else { Err("letters, digits, dots, underscores and hyphens only".to_owned()) }
}

/// What to attach, and where to.
#[derive(Args, Debug)]
pub struct AttachOptions {
    /// Where, and which triggers.
    #[command(flatten)]
    pub place: Place,
    /// The version of the token event [default: that of the rule file, else v1].
    #[arg(long, value_enum, value_name = "VERSION")]
    pub token_version: Option<Version>,
    /// Takes over triggers that are in the way, and puts them back when detaching.
    #[arg(long)]
    pub take_over: bool,
    /// The rule file, which says what decides about rights.
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

/// What to detach, and where from.
#[derive(Args, Debug)]
pub struct DetachOptions {
    /// Where, and which triggers count as ours besides those that are remembered.
    #[command(flatten)]
    pub place: Place,
}

/// A version of the token event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Version {
    /// ID token only.
    V1,
    /// Both tokens of a user.
    V2,
    /// Machine clients too.
    V3,
}

impl From<Version> for TriggerVersion {
    fn from(version: Version) -> Self {
        match version {
            Version::V1 => Self::V1,
            Version::V2 => Self::V2,
            Version::V3 => Self::V3,
        }
    }
}
