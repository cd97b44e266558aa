//! The JSON of `PreSignUp` events.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::attributes::Attributes;

/// The part of `request` that is read. `clientMetadata` and the rest of
/// `validationData` are the client's own words and decide nothing.
#[derive(Default, Deserialize)]
pub(crate) struct Request {
    #[serde(default, rename = "userAttributes")]
    pub(crate) attributes: Attributes,
    #[serde(default, rename = "validationData")]
    pub(crate) validation: Validation,
}

/// What the client sent beside the attributes, unread. It cannot be printed.
#[derive(Default, Deserialize)]
pub(crate) struct Validation(Option<Box<RawValue>>);

impl Validation {
    /// The text under a name; `None` when there is none, whatever is there.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(self.0.as_ref()?.get()).ok()?;
        serde_json::from_str(members.get(name)?.get()).ok()
    }
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
