//! The name that API Gateway gives a request.

/// The parts of a `methodArn` or `routeArn`.
///
/// `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>`
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodArn<'a> {
    /// Everything up to the stage, which all resources of a policy begin with.
    prefix: &'a str,
    /// The account that owns the API.
    pub account: &'a str,
    /// The API's id.
    pub api: &'a str,
    /// The stage.
    pub stage: &'a str,
    /// The method, as it was sent.
    pub method: &'a str,
    /// The path, as it was sent, from its first slash on; empty for a WebSocket API.
    pub path: &'a str,
}

/// Any name of a request is shorter.
const MAX_ARN_BYTES: usize = 1_600;

/// The stage under which API Gateway's console tries an API out. Nobody calls
/// from there in production.
const TEST_STAGE: &str = "test-invoke-stage";

/// What stands in the place of method and path for a WebSocket API.
const CONNECT: &str = "$connect";

impl<'a> MethodArn<'a> {
    /// Reads the name of a request; `None` when any part is not what API
    /// Gateway writes.
    ///
    /// INVARIANT: no part that goes into a policy holds `*`, `?` or `${`.
    pub fn parse(arn: &'a str) -> Option<Self> {
        if arn.len() > MAX_ARN_BYTES {
            return None;
        }
        let mut parts = arn.splitn(6, ':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let (api, rest) = resource.split_once('/')?;
        let (stage, request) = rest.split_once('/')?;
        let method_end = request.find('/').unwrap_or(request.len());
        let (method, path) = request.split_at_checked(method_end)?;
        let known = scheme == "arn"
            && (partition == "aws" || partition.starts_with("aws-") && is_word(partition, "-"))
            && service == "execute-api"
            && is_word(region, "-")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && is_word(api, "")
            && (stage == "$default" || is_word(stage, "-_"))
            && stage != TEST_STAGE
            && !method.is_empty();
        let prefix = arn.get(..arn.len() - request.len() - 1)?;
        let path = if path.is_empty() && method != CONNECT { "/" } else { path };
        known.then_some(Self { prefix, account, api, stage, method, path })
    }

    /// What all requests of the same API and stage have in common.
    pub fn api_and_stage(&self) -> &'a str {
        self.prefix
    }

    /// The resource of a method and path of the same API and stage.
    pub(super) fn resource(&self, method: &str, path: &str) -> String {
        format!("{}/{method}{path}", self.prefix)
    }

    /// Whether it is the name of a WebSocket API's connection, which has neither a
    /// method nor a path.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
    pub fn is_connection(&self) -> bool {
        self.method == CONNECT && self.path.is_empty()
    }

    /// The resource of a WebSocket API's connection.
    pub(super) fn connection(&self) -> String {
        format!("{}/{CONNECT}", self.prefix)
    }

    /// Every request of the API and stage. Only ever denied.
    pub(super) fn everything(&self) -> String {
        format!("{}/*", self.prefix)
    }
}

fn is_word(text: &str, more: &str) -> bool {
    (1..=128).contains(&text.len()) && text.chars().all(|sign| sign.is_ascii_alphanumeric() || more.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_a_request_is_read() {
        let base = "arn:aws:execute-api:eu-west-1:123456789012:abc123";
        let table = [
            ("/prod/GET/items/1", Some(("prod", "GET", "/items/1"))),
            ("/prod/GET/", Some(("prod", "GET", "/"))),
            ("/prod/GET", Some(("prod", "GET", "/"))),
            ("/$default/PUT/a:b/c", Some(("$default", "PUT", "/a:b/c"))),
            ("/prod/$connect", Some(("prod", "$connect", ""))),
            ("/prod/get/items", Some(("prod", "get", "/items"))),
            ("/test-invoke-stage/GET/items", None),
            ("/*/GET/items", None),
            ("/p?od/GET/items", None),
            ("/${aws:PrincipalTag}/GET/items", None),
            ("/prod//items", None),
            ("/prod", None),
            ("/prod/", None),
            ("", None),
        ];
        for (rest, expected) in table {
            let arn = format!("{base}{rest}");
            let read = MethodArn::parse(&arn).map(|arn| (arn.stage, arn.method, arn.path));
            assert_eq!(read, expected, "{rest}");
        }
        let longest = format!("{base}/prod/GET/");
        let longest = format!("{longest}{}", "a".repeat(MAX_ARN_BYTES - longest.len()));
        assert!(MethodArn::parse(&longest).is_some() && MethodArn::parse(&format!("{longest}a")).is_none());
        let connections = [("$connect", true), ("$connect/x", false), ("GET/$connect", false), ("GET/items", false)];
        for (request, expected) in connections {
            let arn = format!("{base}/prod/{request}");
            let arn = MethodArn::parse(&arn).unwrap();
            assert_eq!((arn.is_connection(), arn.api_and_stage()), (expected, &*format!("{base}/prod")), "{request}");
        }
        let path = "a".repeat(2_000);
        let whole = [
            ("", false),
            ("arn:", false),
            ("arn:aws:execute-api", false),
            ("arn:aws:s3:eu-west-1:123456789012:abc/prod/GET/", false),
            ("arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/GET/", true),
            ("arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abc/prod/GET/", true),
            ("arn:awsome:execute-api:eu-west-1:123456789012:abc/prod/GET/", false),
            ("arn:*:execute-api:eu-west-1:123456789012:abc/prod/GET/", false),
            ("arn:aws:execute-api:*:123456789012:abc/prod/GET/", false),
            ("arn:aws:execute-api:eu-west-1:*:abc/prod/GET/", false),
            ("arn:aws:execute-api:eu-west-1:12345678901:abc/prod/GET/", false),
            ("arn:aws:execute-api:eu-west-1:123456789012:*/prod/GET/", false),
            (&format!("{base}/prod/GET/{path}"), false),
        ];
        for (arn, accepted) in whole {
            assert_eq!(MethodArn::parse(arn).is_some(), accepted, "{arn}");
        }
    }
}
