//! What the API's documents hold, and what of it can be sent back.
//!
//! A test compares these lists with the service model and with the SDK, so that
//! a new setting shows.

/// The members of one kind of document.
#[derive(Clone, Copy, Debug)]
pub struct Members {
    /// The operation that reads the document.
    pub read_by: &'static str,
    /// What the writing operation takes under the same name.
    pub sent: &'static [&'static str],
    /// What only the service writes, or what never changes after creation.
    pub read_only: &'static [&'static str],
}

/// `UserPoolType`, as `DescribeUserPool` answers, against `UpdateUserPool`. The
/// pool's `Name` is sent as `PoolName`.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html>
pub const POOL: Members = Members {
    read_by: "DescribeUserPool",
    sent: &[
        "AccountRecoverySetting",
        "AcrConfiguration",
        "AdminCreateUserConfig",
        "AutoVerifiedAttributes",
        "DcrConfiguration",
        "DeletionProtection",
        "DeviceConfiguration",
        "EmailConfiguration",
        "EmailVerificationMessage",
        "EmailVerificationSubject",
        "IssuerConfiguration",
        "KeyConfiguration",
        "LambdaConfig",
        "MfaConfiguration",
        "Policies",
        "SmsAuthenticationMessage",
        "SmsConfiguration",
        "SmsVerificationMessage",
        "UserAttributeUpdateSettings",
        "UserPoolAddOns",
        "UserPoolTags",
        "UserPoolTier",
        "VerificationMessageTemplate",
    ],
    read_only: &[
        "AliasAttributes",
        "Arn",
        "CreationDate",
        "CustomDomain",
        "Domain",
        "EmailConfigurationFailure",
        "EstimatedNumberOfUsers",
        "Id",
        "LastModifiedDate",
        "Name",
        "SchemaAttributes",
        "SmsConfigurationFailure",
        "Status",
        "UsernameAttributes",
        "UsernameConfiguration",
    ],
};

/// What the service changes by itself, without anybody having written it.
pub(super) const VOLATILE: &[&str] =
    &["EmailConfigurationFailure", "EstimatedNumberOfUsers", "LastModifiedDate", "SmsConfigurationFailure"];

/// What `GetUserPoolMfaConfig` answers, against `SetUserPoolMfaConfig`.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SetUserPoolMfaConfig.html>
pub const MFA: Members = Members {
    read_by: "GetUserPoolMfaConfig",
    sent: &[
        "EmailMfaConfiguration",
        "MfaConfiguration",
        "SmsMfaConfiguration",
        "SoftwareTokenMfaConfiguration",
        "WebAuthnConfiguration",
    ],
    read_only: &[],
};

/// The parts of the MFA document that cannot be sent together with `OFF`.
pub(super) const FACTORS: &[&str] = &["EmailMfaConfiguration", "SmsMfaConfiguration", "SoftwareTokenMfaConfiguration"];

/// `UserPoolClientType`, as `DescribeUserPoolClient` answers, against
/// `UpdateUserPoolClient`.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html>
pub const CLIENT: Members = Members {
    read_by: "DescribeUserPoolClient",
    sent: &[
        "AccessTokenValidity",
        "AllowedOAuthFlows",
        "AllowedOAuthFlowsUserPoolClient",
        "AllowedOAuthScopes",
        "AnalyticsConfiguration",
        "AuthSessionValidity",
        "CallbackURLs",
        "ClientId",
        "ClientName",
        "DefaultRedirectURI",
        "EnablePropagateAdditionalUserContextData",
        "EnableTokenRevocation",
        "ExplicitAuthFlows",
        "IdTokenValidity",
        "LogoutURLs",
        "PreventUserExistenceErrors",
        "ReadAttributes",
        "RefreshTokenRotation",
        "RefreshTokenValidity",
        "SupportedIdentityProviders",
        "TokenValidityUnits",
        "UserPoolId",
        "WriteAttributes",
    ],
    read_only: &["ClientSecret", "ClientSecretArn", "ClientType", "CreationDate", "LastModifiedDate"],
};
