//! What `poolhouse doctor` can be told.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::EXIT_CODES;
use crate::output::FailOn;

const EXAMPLES: &str = "\
Reads and never writes, with the credentials of the environment. What these may
not look at is a finding too. It calls cognito-idp:DescribeUserPool,
ListUserPoolClients, DescribeUserPoolClient and ListGroups;
cognito-identity:ListIdentityPools, DescribeIdentityPool, GetIdentityPoolRoles and
GetPrincipalTagAttributeMap; iam:GetRole, ListRolePolicies, GetRolePolicy,
ListAttachedRolePolicies, GetPolicy and GetPolicyVersion;
lambda:GetFunctionConfiguration and GetPolicy; apigateway:GET.

Examples:
  A pool and what is found around it:
    poolhouse doctor --pool us-east-1_AbCdEfGhI
  Compared with the rule file, in CI, for code scanning:
    poolhouse doctor --pool us-east-1_AbCdEfGhI --rules rules/rules.toml --fail-on warning --output sarif
  Look once, judge later and elsewhere:
    poolhouse doctor --pool us-east-1_AbCdEfGhI --save pool.json
    poolhouse doctor --documents pool.json --rules rules/rules.toml";

/// What the long help ends with.
pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// What to look at.
#[derive(Args, Debug)]
pub struct Options {
    /// The user pool.
    #[arg(long, value_name = "ID", required_unless_present = "documents")]
    pub pool: Option<String>,
    /// The identity pool [default: the first that takes tokens of the user pool].
    #[arg(long, value_name = "ID")]
    pub identity_pool: Option<String>,
    /// The HTTP, WebSocket or REST API [default: none].
    #[arg(long, value_name = "ID")]
    pub api: Option<String>,
    /// The rule file to compare the pool with.
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// From which finding on the exit code is 4.
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Writes what was looked at to this file. It holds no secret of a client, but
    /// it describes the whole set-up.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Judges what an earlier run has saved, and calls nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pool", "identity_pool", "api", "save"])]
    pub documents: Option<PathBuf>,
}
