//! A Cognito user pool as CSV, with the headings that pools use
//! (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/developerguide/cognito-user-pools-using-import-tool.html>).
//! It holds no passwords, so everyone has to choose a new one; a pool whose users
//! are to keep theirs is asked directly (`store = "pool"` in the rule file).

use super::{Fields, Person};

pub(super) fn read(fields: &Fields) -> Person {
    Person {
        id: fields.text("sub").or_else(|| fields.text("cognito:username")).map(str::to_owned),
        email: fields.text("email").map(str::to_owned),
        user_name: fields.text("cognito:username").map(str::to_owned),
        attributes: fields.all_but(&["sub", "email_verified", "phone_number_verified", "cognito:mfa_enabled"]),
        email_verified: fields.says("email_verified", &["true"]),
        hash: None,
        groups: Vec::new(),
        disabled: false,
        must_reset: true,
    }
}
