//! The JSON of `PreSignUp` events.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

use serde::{Deserialize, Serialize};
use shared::attributes::Attributes;

/// The part of `request` that is read. `validationData` and `clientMetadata`
/// are the client's own words and decide nothing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Request {
    #[serde(default, rename = "userAttributes")]
    pub(crate) attributes: Attributes,
}

/// The only reply there is: go on, and confirm and verify nothing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GoOn {
    auto_confirm_user: bool,
    auto_verify_email: bool,
    auto_verify_phone: bool,
}

impl GoOn {
    // INVARIANT: never true. Verifying a self-asserted address would move an
    // existing user's alias to the newcomer.
    pub(crate) const REPLY: Self =
        Self { auto_confirm_user: false, auto_verify_email: false, auto_verify_phone: false };
}
