//! Credentials for one tenant, from STS.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{Credentials, IdentityCache};
use aws_sdk_sts::types::Tag;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use shared::names::TenantId;

use crate::{IssueError, Issued, Issuer};

/// What the back ends' own roles must allow for the calls in this file.
pub const ACTIONS: &[&str] = &["sts:AssumeRole", "sts:TagSession"];

/// The session tag that the tenant role's policy compares keys with.
const TAG: &str = "tenant";

/// The shortest session that STS gives. A tenant's rights that are taken away
/// with the role end with it.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const DURATION_SECONDS: i32 = 900;

/// Assumes the tenant role and hands out DynamoDB clients bound to one tenant.
#[derive(Clone)]
pub struct TenantRole {
    sts: aws_sdk_sts::Client,
    tables: aws_sdk_dynamodb::Config,
    role_arn: String,
}

impl fmt::Debug for TenantRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRole").field("role_arn", &self.role_arn).finish_non_exhaustive()
    }
}

/// The same configuration with one HTTP client in it. Without one, each SDK
/// client would open its own connections and read the root certificates again.
pub fn one_http_client(config: SdkConfig) -> SdkConfig {
    if config.http_client().is_some() {
        return config;
    }
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    config.into_builder().http_client(http).build()
}

impl TenantRole {
    /// Works with the function's own credentials, which may only assume the role.
    pub fn new(config: &SdkConfig, role_arn: String) -> Self {
        // INVARIANT: no identity cache, and no credentials but the tenant's own.
        // A cache shared between clients is where sessions could be mixed up.
        let tables = aws_sdk_dynamodb::config::Builder::from(config).identity_cache(IdentityCache::no_cache()).build();
        Self { sts: aws_sdk_sts::Client::new(config), tables, role_arn }
    }
}

impl Issuer for TenantRole {
    type Access = aws_sdk_dynamodb::Client;

    async fn issue(&self, tenant: &TenantId) -> Result<Issued<Self::Access>, IssueError> {
        let tag = Tag::builder().key(TAG).value(tenant.as_str()).build().map_err(|error| IssueError(error.into()))?;
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.role_arn)
            .role_session_name(session_name(tenant))
            .duration_seconds(DURATION_SECONDS)
            .tags(tag)
            .send()
            .await
            .map_err(|error| IssueError(error.into()))?;
        let given = answer.credentials.ok_or_else(|| IssueError("STS answered without credentials".into()))?;
        let expires_at = u64::try_from(given.expiration.secs()).unwrap_or_default();
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            None,
            "tenant-role",
        );
        let config = self.tables.to_builder().credentials_provider(credentials).build();
        Ok(Issued { access: aws_sdk_dynamodb::Client::from_conf(config), expires_at })
    }
}

/// The session's name, as CloudTrail shows it: 2 to 64 of `[\w+=,.@-]`. A tenant
/// has 1 to 63 of `[a-z0-9-]`, so one character in front always fits.
fn session_name(tenant: &TenantId) -> String {
    format!("@{tenant}")
}
