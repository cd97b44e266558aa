//! The IAM policy that answers an authorizer call.
//!
//! API Gateway keeps the policy and holds it against every later request with
//! the same token, so it must be right for each route of the caller, not only
//! for the one that was asked for.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html>
//!
//! In a policy `*` crosses slashes, so `GET/items/*` is wider than the route
//! `/items/{id}`. Denials make it as narrow again: `GET/items/*/*` for longer
//! paths, `GET/items/` for an empty place, and the resource of each more
//! specific route that the caller may not use. Where such a denial would hit a
//! route that he may use, the wide resource is left out, and only the very path
//! of the present request is allowed in its place.
//!
//! What is kept must not outlive the token, so everything is allowed under the
//! condition that the token has not ended yet.

mod arn;
mod date;
mod pattern;
mod reach;

use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeSeq as _, SerializeStruct as _, Serializer};

pub use arn::MethodArn;
pub use reach::Reach;
use reach::{fitting, written};

use crate::routes::{Caller, RouteTable};

/// The largest document, in bytes. When all routes of a caller do not fit, it
/// speaks of the present request only.
const MAX_DOCUMENT_BYTES: usize = 7_000;

/// What a document takes beside its resources.
const FRAME_BYTES: usize = 280;

/// An IAM policy document for API Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    reach: Arc<Reach>,
    /// The very request that is answered, where the reach does not hold it.
    present: Option<String>,
    until: u64,
}

/// Writes the policy for everything that this caller may request before `until`
/// (seconds since 1970).
///
/// Whoever may request nothing gets an explicit denial, and so does everybody
/// when no rule fits: there is no empty policy.
pub fn document(table: &RouteTable, caller: &Caller, request: &MethodArn<'_>, until: u64) -> Policy {
    let reach = Arc::new(Reach::of(table, caller, request));
    Policy::within(reach, table, caller, request, until)
}

/// The policy for this very request, and no other of its caller's: for an answer
/// that would otherwise be too long.
pub fn present(table: &RouteTable, caller: &Caller, request: &MethodArn<'_>, until: u64) -> Policy {
    let allowed = table.route(caller, request.method, request.path).ok();
    let resource = allowed.and_then(|_| fitting(request.resource(request.method, request.path)));
    resource.map_or_else(|| denial(request), |only| Policy::only(only, until))
}

/// The policy for whoever may open a connection to a WebSocket API before `until`;
/// messages are not asked about.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
pub fn connection(request: &MethodArn<'_>, until: u64) -> Policy {
    Policy::only(request.connection(), until)
}

/// The policy for whoever may request nothing at all.
pub fn denial(request: &MethodArn<'_>) -> Policy {
    Policy { reach: Arc::new(Reach::denying(request.everything())), present: None, until: 0 }
}

impl Policy {
    /// The policy for one request of a caller with this reach.
    ///
    /// The reach must be that of this table, of a caller who is like this one
    /// ([`Caller::is_like`]), and of the same API and stage.
    pub fn within(reach: Arc<Reach>, table: &RouteTable, caller: &Caller, request: &MethodArn<'_>, until: u64) -> Self {
        let present = table.route(caller, request.method, request.path).ok();
        let left_out = present.filter(|route| reach.leaves_out(route));
        let missing = left_out.and_then(|_| fitting(request.resource(request.method, request.path)));
        let policy = Self { reach, present: missing, until };
        if policy.bytes() > MAX_DOCUMENT_BYTES {
            return self::present(table, caller, request, until);
        }
        if policy.allowed().next().is_none() { denial(request) } else { policy }
    }

    /// One resource and nothing else.
    fn only(resource: String, until: u64) -> Self {
        Self { reach: Arc::default(), present: Some(resource), until }
    }

    /// The resources that are allowed.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        self.reach.allow.iter().chain(&self.present).map(String::as_str)
    }

    /// The resources that are denied, sorted. A denial wins.
    pub fn denied(&self) -> impl Iterator<Item = &str> {
        self.reach.deny.iter().map(String::as_str)
    }

    /// What it takes when written: each resource with its quotes and comma, and
    /// the frame around them.
    fn bytes(&self) -> usize {
        FRAME_BYTES + self.reach.bytes + self.present.as_ref().map_or(0, |resource| written(resource))
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Policy", 2)?;
        document.serialize_field("Version", "2012-10-17")?;
        document.serialize_field("Statement", &Statements(self))?;
        document.end()
    }
}

struct Statements<'a>(&'a Policy);

impl Serialize for Statements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut statements = serializer.serialize_seq(None)?;
        // INVARIANT: the condition stands with what is allowed. Where a time were not
        // known, nothing would be allowed; a denial after the end would then not hold.
        let condition = Condition { date_less_than: CurrentTime { value: date::write(self.0.until) } };
        let allow = ("Allow", self.0.allowed().collect::<Vec<_>>(), Some(&condition));
        for (effect, resources, condition) in [allow, ("Deny", self.0.denied().collect(), None)] {
            if !resources.is_empty() {
                let action = "execute-api:Invoke";
                statements.serialize_element(&Statement { effect, action, resources, condition })?;
            }
        }
        statements.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    effect: &'static str,
    action: &'static str,
    #[serde(rename = "Resource")]
    resources: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'a Condition>,
}

/// API Gateway knows the time for every kind of authorization.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html>
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    date_less_than: CurrentTime,
}

#[derive(Serialize)]
struct CurrentTime {
    #[serde(rename = "aws:CurrentTime")]
    value: String,
}

#[cfg(test)]
mod tests;
