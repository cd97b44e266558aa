//! Calls of AWS services, signed here and not by an SDK: for one call, an SDK's
//! client is most of a function.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use std::fmt;
use std::time::SystemTime;

pub use aws_credential_types::Credentials;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use serde::Deserialize;

use crate::address::check_address;
use crate::https::header::{CONTENT_TYPE, HeaderValue};
use crate::https::{Builder, Bytes, Https, HttpsError, Request};
use crate::{Lookup, SettingError};

/// A request before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Address, path and query, already percent-encoded.
    pub url: &'a str,
    /// Signed along with it.
    pub headers: &'a [(&'a str, &'a str)],
    /// Signed along with it, and sent by the caller.
    pub body: &'a [u8],
}

/// The request could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsigned;

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request could not be signed")
    }
}

impl std::error::Error for Unsigned {}

/// Signs a request for a service (by the name that calls are signed for).
pub fn sign(
    outgoing: &Outgoing<'_>,
    service: &str,
    region: &str,
    identity: &Identity,
    time: SystemTime,
) -> Result<Builder, Unsigned> {
    let Outgoing { method, url, headers, body } = *outgoing;
    let params = v4::SigningParams::builder()
        .identity(identity)
        .region(region)
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| Unsigned)?
        .into();
    let signable = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body));
    let signed = http_request::sign(signable.map_err(|_| Unsigned)?, &params).map_err(|_| Unsigned)?;
    let mut request = unsigned(outgoing);
    for header in signed.into_parts().0.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| Unsigned)?;
        value.set_sensitive(header.sensitive());
        request = request.header(header.name(), value);
    }
    Ok(request)
}

/// The request as it is, for the few operations that take no signature.
pub(crate) fn unsigned(outgoing: &Outgoing<'_>) -> Builder {
    let Outgoing { method, url, headers, .. } = *outgoing;
    headers
        .iter()
        .fold(Request::builder().method(method).uri(url), |request, (name, value)| request.header(*name, *value))
}

/// A service that speaks JSON, with the credentials of the function's own
/// environment. Lambda sets them once for the life of an instance.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
#[derive(Clone, Debug)]
pub struct Service {
    name: &'static str,
    region: String,
    url: String,
    identity: Identity,
}

/// Why a service gave no answer. Neither what was sent nor what it was signed
/// with is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// The request could not be signed.
    Unsigned,
    /// Nothing came that could be read.
    Silent(HttpsError),
    /// The service refused the call, by its own name for it.
    Refused(String),
}

impl Service {
    /// The service in the function's own region, or where `endpoint_key` or
    /// `AWS_ENDPOINT_URL` says: the settings that the SDKs know, too.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub fn from_environment(
        lookup: Lookup<'_>,
        name: &'static str,
        endpoint_key: &'static str,
    ) -> Result<Self, SettingError> {
        let region = SettingError::required(lookup, "AWS_REGION")?;
        let url = endpoint(lookup, endpoint_key)?;
        let identity = credentials(lookup)?.into();
        Ok(Self { name, url: url.unwrap_or_else(|| crate::regional(name, &region)), region, identity })
    }

    /// Calls an operation once. `target` is what stands in `X-Amz-Target`.
    pub async fn call(&self, https: &Https, target: &str, body: Vec<u8>) -> Result<Bytes, ServiceError> {
        let headers = [(CONTENT_TYPE.as_str(), "application/x-amz-json-1.0"), ("x-amz-target", target)];
        let url = format!("{}/", self.url);
        let outgoing = Outgoing { method: "POST", url: &url, headers: &headers, body: &body };
        let request = sign(&outgoing, self.name, &self.region, &self.identity, SystemTime::now());
        let request = request.map_err(|Unsigned| ServiceError::Unsigned)?;
        let answer = https.exchange(request, Bytes::from(body)).await.map_err(ServiceError::Silent)?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        Err(ServiceError::Refused(error_name(answer.body(), answer.status().as_u16())))
    }
}

/// Where a service is by its own setting or by the common one; without a slash at
/// the end.
pub(crate) fn endpoint(lookup: Lookup<'_>, key: &'static str) -> Result<Option<String>, SettingError> {
    const COMMON_KEY: &str = "AWS_ENDPOINT_URL";
    let set = |key: &'static str| {
        let url = SettingError::optional(lookup, key)?;
        Some(check_address(key, url.trim_end_matches('/').to_owned()))
    };
    let url = set(key).or_else(|| set(COMMON_KEY)).transpose()?;
    // Unheeded, calls would go where the operator does not want them to.
    let kinds = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];
    match kinds.into_iter().find(|kind| lookup(kind).is_some_and(|set| !set.eq_ignore_ascii_case("false"))) {
        Some(kind) if url.is_none() => Err(SettingError::new(kind, format!("is set; name the address in {key}"))),
        _ => Ok(url),
    }
}

/// The credentials that Lambda has put into the environment.
pub(crate) fn credentials(lookup: Lookup<'_>) -> Result<Credentials, SettingError> {
    Ok(Credentials::new(
        SettingError::required(lookup, "AWS_ACCESS_KEY_ID")?,
        SettingError::required(lookup, "AWS_SECRET_ACCESS_KEY")?,
        SettingError::optional(lookup, "AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

/// The name of an error, such as `ThrottlingException`; whatever else the service
/// says stays here.
fn error_name(body: &[u8], status: u16) -> String {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "__type")]
        name: String,
    }
    let named: Option<Named> = serde_json::from_slice(body).ok();
    let name = named.and_then(|named| Some(named.name.rsplit('#').next()?.to_owned()));
    let plain = |name: &String| name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.filter(plain).unwrap_or_else(|| format!("Http{status}"))
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => Unsigned.fmt(f),
            Self::Silent(reason) => reason.fmt(f),
            Self::Refused(name) => write!(f, "the service says {name}"),
        }
    }
}

impl std::error::Error for ServiceError {}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_published_example() {
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
        // `get-vanilla` of the test suite that AWS publishes for it.
        let credentials =
            Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test");
        let time = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let outgoing = Outgoing { method: "GET", url: "https://example.amazonaws.com/", headers: &[], body: b"" };
        let request = sign(&outgoing, "service", "us-east-1", &credentials.into(), time).unwrap().body(()).unwrap();
        let value = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(value("x-amz-date"), "20150830T123600Z");
        assert_eq!(
            value("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    #[test]
    fn a_service_is_where_the_environment_says_and_shows_no_secret() {
        let all = [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "canary")];
        let read = |more: &[(&str, &str)]| {
            let lookup = |key: &str| {
                let found = more.iter().chain(&all).find(|(name, _)| *name == key);
                found.map(|(_, value)| (*value).to_owned())
            };
            Service::from_environment(&lookup, "dynamodb", "AWS_ENDPOINT_URL_DYNAMODB")
        };
        // Settings beside the usual ones, and the address or the setting that is refused.
        type Row<'a> = (&'a [(&'a str, &'a str)], Result<&'a str, &'a str>);
        let table: [Row<'_>; 12] = [
            (&[], Ok("https://dynamodb.eu-west-1.amazonaws.com")),
            (&[("AWS_REGION", "cn-north-1")], Ok("https://dynamodb.cn-north-1.amazonaws.com.cn")),
            (&[("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")], Ok("http://127.0.0.1:4566")),
            (
                &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2")],
                Ok("http://127.0.0.1:2"),
            ),
            (&[("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb.example")], Err("AWS_ENDPOINT_URL_DYNAMODB")),
            (
                &[("AWS_USE_FIPS_ENDPOINT", "true")],
                Err("AWS_USE_FIPS_ENDPOINT is set; name the address in AWS_ENDPOINT_URL_DYNAMODB"),
            ),
            (&[("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")], Err("AWS_USE_DUALSTACK_ENDPOINT")),
            (&[("AWS_USE_FIPS_ENDPOINT", "false")], Ok("https://dynamodb.eu-west-1.amazonaws.com")),
            (
                &[("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_ENDPOINT_URL", "https://dynamodb-fips.example")],
                Ok("https://dynamodb-fips.example"),
            ),
            (&[("AWS_REGION", "")], Err("AWS_REGION")),
            (&[("AWS_ACCESS_KEY_ID", "")], Err("AWS_ACCESS_KEY_ID")),
            (&[("AWS_SECRET_ACCESS_KEY", "")], Err("AWS_SECRET_ACCESS_KEY")),
        ];
        for (settings, expected) in table {
            match (read(settings), expected) {
                (Ok(service), Ok(url)) => {
                    assert_eq!(service.url, url, "{settings:?}");
                    assert!(!format!("{service:?}").contains("canary"), "{service:?}");
                }
                (Err(error), Err(key)) => assert!(error.to_string().starts_with(key), "{error}"),
                (read, _) => panic!("{settings:?}: {read:?}"),
            }
        }
    }

    #[test]
    fn an_errors_name_is_a_name_and_nothing_else() {
        let table = [
            (
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"x"}"#,
                "ThrottlingException",
            ),
            (r#"{"__type":"AccessDeniedException"}"#, "AccessDeniedException"),
            (r#"{"__type":"a\nb"}"#, "Http400"),
            (r#"{"__type":1}"#, "Http400"),
            ("<html>", "Http400"),
            ("", "Http400"),
        ];
        for (body, expected) in table {
            assert_eq!(error_name(body.as_bytes(), 400), expected, "{body}");
        }
    }
}
