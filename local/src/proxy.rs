//! The pass-through in front of the local AWS.
//!
//! Everything goes through byte for byte, except the few calls at which the
//! local AWS leaves out what Amazon Cognito does. Those are imitated here:
//!
//! | call | what is added | where |
//! | --- | --- | --- |
//! | SignUp, UpdateUserAttributes | the app client's WriteAttributes are enforced | [`write_attributes`] |
//! | SignUp | the pre-sign-up event has `validationData` and `clientMetadata`; a refusal has Cognito's text | [`pre_sign_up`] |
//! | AdminCreateUser | `PreSignUp_AdminCreateUser` | [`pre_sign_up`] |
//! | ConfirmSignUp | the address that got the code is verified; `PostConfirmation_ConfirmSignUp` | [`confirmation`] |
//! | AdminConfirmSignUp, SignUp with auto-confirmation | `PostConfirmation_ConfirmSignUp` | [`confirmation`] |
//! | ConfirmForgotPassword | `PostConfirmation_ConfirmForgotPassword` | [`confirmation`] |
//! | InitiateAuth, AdminInitiateAuth with a password | `UserMigration_Authentication` for a name that the pool does not know | [`migration`] |
//! | ForgotPassword | `UserMigration_ForgotPassword` likewise; no code goes to an address that is not verified | [`migration`] |
//! | /oauth2/idpresponse | `PostConfirmation_ConfirmSignUp` after the first sign-in by a provider; a refusal goes back to the app | [`federation`] |
//! | /oauth2/token | the PKCE challenge of such a sign-in is enforced | [`federation`] |
//! | GetCredentialsForIdentity | the role mappings choose the role; its policy variables are filled in, by a role for each session | [`credentials`] |
//! | UpdateUserPool, UpdateUserPoolClient | whatever is not said is set to its default; DescribeUserPool tells no factors | [`reset`] |
//! | GetOpenIdToken | refused while the identity pool has the classic flow off or has role mappings | [`credentials`] |
//! | /.well-known/jwks_uri | the key set of those tokens | [`guest_keys`] |
//! | GetIdentityPoolRoles | the mappings' names are the API's, not CloudFormation's | [`credentials`] |
//! | calls to a table with credentials of the identity pool | conditions on its partitions and attributes hold or do not | [`credentials`] |
//!
//! Nothing of a request or an answer is logged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::net::TcpListener;

pub mod confirmation;
pub mod credentials;
pub mod exchange;
pub mod federation;
pub mod guest_keys;
pub mod migration;
pub mod pool;
pub mod pre_sign_up;
pub mod reset;
pub mod trigger;
pub mod write_attributes;

use credentials::IdentityPools;
pub use exchange::{Call, Reply};
use federation::Federation;
use pool::Pools;
pub use reset::Updates;

/// Larger than any package of a function that is uploaded.
const BODY_LIMIT: usize = 512 * 1024 * 1024;

/// Headers that belong to one connection, and those that a new request sets.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>
const OF_THE_CONNECTION: [&str; 7] =
    ["connection", "content-length", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"];

/// What the pass-through needs to answer.
#[derive(Debug)]
pub struct Gateway {
    upstream: String,
    /// The folder of the local AWS.
    state: PathBuf,
    http: reqwest::Client,
    pools: Pools,
    identities: IdentityPools,
    federation: Federation,
    updates: Updates,
    lambda: aws_sdk_lambda::Client,
}

impl Gateway {
    /// A pass-through to the local AWS at `upstream`, which keeps what it has to
    /// remember in the folder `state`. `config` holds the account's own key for
    /// the calls that the pass-through makes itself.
    pub fn new(upstream: &str, state: &Path, config: &aws_config::SdkConfig) -> Result<Self> {
        // A redirect is the caller's to follow.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            upstream: upstream.to_owned(),
            state: state.to_owned(),
            http,
            pools: Pools::new(config),
            identities: IdentityPools::new(config),
            federation: Federation::default(),
            updates: Updates::default(),
            lambda: aws_sdk_lambda::Client::new(config),
        })
    }

    /// The updates of pools that pass through, to be looked at later.
    pub fn updates(&self) -> Updates {
        self.updates.clone()
    }

    /// Serves until the process ends.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        let router = Router::new().fallback(answer).with_state(Arc::new(self));
        axum::serve(listener, router).await.context("the pass-through ended")
    }

    /// Sends a request on as it came and reads the whole answer. The `Host`
    /// header stays the caller's: it is part of what he signed.
    async fn forward(&self, call: &Call) -> Result<Reply> {
        let url = format!("{}{}", self.upstream, call.target);
        let request = self.http.request(call.method.clone(), url).headers(call.headers.clone()).body(call.body.clone());
        let answer = request.send().await.context("the local AWS gives no answer")?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Reply { status, headers, body: answer.bytes().await? })
    }

    /// Answers a call, with what Cognito would add to it.
    async fn answer(&self, call: Call) -> Result<Reply> {
        match call.cognito_action() {
            Some("SignUp") => self.sign_up(call).await,
            Some("UpdateUserAttributes") => match write_attributes::refusal(&self.pools, &call).await? {
                Some(refusal) => Ok(refusal),
                None => self.forward(&call).await,
            },
            Some("AdminCreateUser") => match pre_sign_up::by_administrator(self, &call).await? {
                Some(refusal) => Ok(refusal),
                None => self.forward(&call).await,
            },
            Some("ConfirmSignUp" | "AdminConfirmSignUp" | "ConfirmForgotPassword") => {
                let reply = self.forward(&call).await?;
                confirmation::follow(self, &call, reply).await
            }
            Some("InitiateAuth" | "AdminInitiateAuth" | "ForgotPassword") => migration::answer(self, &call).await,
            Some("UpdateUserPool") => reset::pool(self, &call).await,
            Some("UpdateUserPoolClient") => reset::client(self, &call).await,
            Some("SetUserPoolMfaConfig") => reset::factors(self, &call).await,
            Some("DescribeUserPool") => reset::describe(self, &call).await,
            Some(_) => self.forward(&call).await,
            None => self.answer_others(&call).await,
        }
    }

    /// Identity pools, tables, and the addresses that a browser is sent to.
    async fn answer_others(&self, call: &Call) -> Result<Reply> {
        if let Some(action) = call.table_action() {
            return credentials::table(self, call, action).await;
        }
        match (call.identity_action(), call.path()) {
            (Some("GetId"), _) => credentials::identity(self, call).await,
            (Some("GetOpenIdToken"), _) => credentials::classic(self, call).await,
            (Some("GetCredentialsForIdentity"), _) => credentials::credentials(self, call).await,
            (Some("GetIdentityPoolRoles"), _) => credentials::roles(self, call).await,
            (None, guest_keys::PATH) => guest_keys::answer(&self.state),
            (None, "/oauth2/authorize") => federation::to_provider(self, call).await,
            (None, "/oauth2/idpresponse") => federation::from_provider(self, call).await,
            (None, "/oauth2/token") => federation::tokens(self, call).await,
            _ => self.forward(call).await,
        }
    }

    async fn sign_up(&self, call: Call) -> Result<Reply> {
        if let Some(refusal) = write_attributes::refusal(&self.pools, &call).await? {
            return Ok(refusal);
        }
        if let Some(refusal) = pre_sign_up::by_the_user(self, &call).await? {
            return Ok(refusal);
        }
        let reply = self.forward(&call).await?;
        match reply.json().get("UserConfirmed").and_then(serde_json::Value::as_bool) {
            Some(true) => confirmation::follow(self, &call, reply).await,
            _ => Ok(reply),
        }
    }
}

async fn answer(State(gateway): State<Arc<Gateway>>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large or was cut off");
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let call = Call { method: head.method, target, headers: own_only(head.headers), body };
    let is_head = call.method == Method::HEAD;
    match gateway.answer(call).await {
        Ok(reply) => {
            let length = reply.headers.get("content-length").filter(|_| is_head).cloned();
            let mut response = Response::new(Body::from(reply.body));
            *response.status_mut() = reply.status;
            *response.headers_mut() = own_only(reply.headers);
            if let Some(length) = length {
                response.headers_mut().insert("content-length", length);
            }
            response
        }
        Err(error) => plain(StatusCode::BAD_GATEWAY, format!("pass-through: {error:#}")),
    }
}

fn own_only(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}
