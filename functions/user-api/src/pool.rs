//! The pool's own end of all sessions, by the user's own token.

use std::fmt;
use std::time::Duration;

use serde_json::json;
use shell::aws::{Client, Service};
use shell::https::header::CONTENT_TYPE;
use shell::https::{Https, Limits, Request};

const LIMITS: Limits =
    Limits { connect: Duration::from_millis(500), total: Duration::from_secs(2), most_bytes: 16 * 1024 };

/// The user pool, which is asked for nothing but what a user may ask himself.
/// Neither the pool's name nor a right in IAM is needed for it.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GlobalSignOut.html>
pub struct Pool {
    https: Https,
    url: String,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Pool {
    /// The pools of the function's own region. Makes no call.
    pub fn connect(client: &Client) -> Self {
        let url = format!("{}/", client.url(Service::CognitoIdentityProvider));
        Self { https: Https::new(LIMITS), url }
    }

    /// Ends all sessions of the token's user, and says whether the pool agreed. It
    /// takes access tokens with the scope `aws.cognito.signin.user.admin` only,
    /// and none twice.
    pub(crate) async fn sign_out(&self, access_token: &str) -> bool {
        let request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", "AWSCognitoIdentityProviderService.GlobalSignOut");
        let body = json!({"AccessToken": access_token}).to_string();
        match self.https.call(request, body.into()).await {
            Ok(_) => true,
            Err(reason) => {
                tracing::warn!(code = "PoolNotSignedOut", cause = %reason, "the pool ended no session");
                false
            }
        }
    }
}
