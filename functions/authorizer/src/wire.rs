//! The JSON of authorizer events and answers.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
//! <https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization>

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::policy::Policy;
use shared::token::Verified;
use shell::{Failure, PublicText};

use crate::headers::Headers;

/// What is read of an event, whichever kind it is. A member named twice is
/// refused. It has a token, so it is not printed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Event<'a> {
    /// Only HTTP APIs write one.
    #[serde(borrow)]
    pub(crate) version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) method_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) route_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) route_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) http_method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) resource: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) raw_path: Option<Cow<'a, str>>,
    /// The token of a TOKEN event, or of AppSync. Anything but a text is no token.
    #[serde(borrow)]
    pub(crate) authorization_token: Option<&'a RawValue>,
    pub(crate) identity_source: IdentitySource,
    pub(crate) headers: Headers,
    pub(crate) multi_value_headers: Headers,
    #[serde(borrow)]
    pub(crate) query_string_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) multi_value_query_string_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) request_context: Option<RequestContext<'a>>,
}

/// What an HTTP API took its cache key from: a list in payload 2.0, one text
/// with commas in 1.0.
#[derive(Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum IdentitySource {
    Joined(String),
    List(Vec<String>),
    #[default]
    None,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RequestContext<'a> {
    #[serde(borrow)]
    pub(crate) account_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) api_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) stage: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) http_method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) resource_path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) http: Option<Http<'a>>,
    /// Only WebSocket APIs write one.
    #[serde(borrow)]
    pub(crate) connection_id: Option<Cow<'a, str>>,
    /// Only WebSocket APIs write one.
    #[serde(borrow)]
    pub(crate) event_type: Option<Cow<'a, str>>,
    /// Only REST APIs write none.
    #[serde(borrow)]
    pub(crate) route_key: Option<Cow<'a, str>>,
    /// Only AppSync writes one: the document of the request.
    #[serde(borrow)]
    pub(crate) query_string: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Http<'a> {
    #[serde(borrow)]
    pub(crate) method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) path: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// Reads an event. The cause of a failure is the place, never the content.
    pub(crate) fn read(text: &'a str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| {
            let cause = format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column());
            Failure::new("EventRefused", PublicText::Unauthorized).caused_by(cause)
        })
    }
}

/// What goes back to API Gateway, or to AppSync.
///
/// There is no `usageIdentifierKey`: an API key that a caller names would be
/// billed to somebody else.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Reply<'a> {
    #[serde(rename_all = "camelCase")]
    Simple {
        is_authorized: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Context<'a>>,
    },
    #[serde(rename_all = "camelCase")]
    Policy {
        principal_id: &'a str,
        policy_document: Policy,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Context<'a>>,
    },
    #[serde(rename_all = "camelCase")]
    Fields {
        is_authorized: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        resolver_context: Option<Context<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        denied_fields: Option<&'a BTreeSet<String>>,
        /// In seconds. Written always: without it AppSync takes what it is set to.
        ttl_override: u64,
    },
}

/// What the back ends are told of the caller. Texts only: a REST API turns
/// everything into one. Never a token or an address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Context<'a> {
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    /// Sorted, with one space between them.
    roles: String,
    client_id: &'a str,
    token_use: &'static str,
    /// What a back end ends when its caller signs out; only where that has an effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

impl<'a> Context<'a> {
    fn of(verified: &'a Verified) -> Self {
        let caller = verified.caller();
        let roles: Vec<&str> = caller.roles.iter().map(|role| role.as_str()).collect();
        Self {
            subject: &caller.subject,
            tenant: caller.tenant.as_ref().map(|tenant| tenant.as_str()),
            roles: roles.join(" "),
            client_id: verified.client_id(),
            token_use: caller.kind.as_str(),
            session: verified.session().and_then(|session| session.id.as_ref()).map(|id| id.as_str()),
        }
    }
}

impl<'a> Reply<'a> {
    /// Lets the call of this caller pass, or with `None` nobody's.
    pub(crate) fn simple(allowed: Option<&'a Verified>) -> Self {
        Self::Simple { is_authorized: allowed.is_some(), context: allowed.map(Context::of) }
    }

    /// A policy for this caller, or with `None` for somebody unknown.
    pub(crate) fn policy(caller: Option<&'a Verified>, policy_document: Policy) -> Self {
        let principal_id = caller.map_or("unknown", |verified| &verified.caller().subject);
        Self::Policy { principal_id, policy_document, context: caller.map(Context::of) }
    }

    /// Lets this caller use every field but these; good for so many seconds.
    pub(crate) fn fields(caller: &'a Verified, denied: &'a BTreeSet<String>, ttl_override: u64) -> Self {
        let (resolver_context, denied_fields) = (Some(Context::of(caller)), Some(denied));
        Self::Fields { is_authorized: true, resolver_context, denied_fields, ttl_override }
    }

    /// Lets nobody use any field, this time.
    pub(crate) fn no_fields() -> Self {
        Self::Fields { is_authorized: false, resolver_context: None, denied_fields: None, ttl_override: 0 }
    }

    /// Writes it.
    pub(crate) fn write(&self) -> Result<String, Failure> {
        serde_json::to_string(self)
            .map_err(|error| Failure::new("ReplyUnwritable", PublicText::TryAgain).caused_by(error))
    }
}
