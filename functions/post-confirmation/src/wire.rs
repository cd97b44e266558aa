//! The JSON of `PostConfirmation` events.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html>

use serde::Deserialize;
use shared::attributes::Attributes;

/// What happened to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The account was confirmed for the first time.
    ConfirmSignUp,
    /// A forgotten password was replaced; the account is an old one.
    ConfirmForgotPassword,
    /// Something that came up after this was written, or another trigger.
    Unknown,
}

/// The part of `request` that is read.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Request {
    #[serde(default, rename = "userAttributes")]
    pub(crate) attributes: Attributes,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "PostConfirmation_ConfirmSignUp" => Self::ConfirmSignUp,
            "PostConfirmation_ConfirmForgotPassword" => Self::ConfirmForgotPassword,
            _ => Self::Unknown,
        }
    }
}
