//! Calls of AWS services in the shapes of the AWS SDKs.
//!
//! What a call says and what comes back are the SDKs' own types, written and read
//! by their code. What lies between is here, and short: sign, send, try again. With an
//! SDK's own way through it a warm call of pre-token-generation took half as many
//! instructions again (`docs/performance.md`).

mod attempts;
mod clock;
mod operations;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result;
pub use aws_smithy_types::error::operation::BuildError;

use clock::Clock;
pub use operations::{Operation, Service};
pub use transport::{Later, Transport};

use crate::https::{Https, Keep, Limits};
use crate::signed;
pub use crate::signed::Credentials;
use crate::{Lookup, SettingError};

/// Why a call brought nothing, as the SDKs say it.
pub type SdkError<E> = result::SdkError<E, HttpResponse>;

/// How long a call may take, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// One attempt, from connection to body.
    pub attempt: Duration,
    /// All of them together.
    pub whole: Duration,
    /// The most attempts.
    pub attempts: u32,
}

impl Pace {
    /// For a trigger of Cognito, which has 5 s for all it does.
    pub const TRIGGER: Self =
        Self { attempt: Duration::from_millis(700), whole: Duration::from_millis(1_800), attempts: 3 };
}

/// One attempt. A page of DynamoDB holds 1 MB, which its JSON makes a few times
/// longer.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(250), total: Pace::TRIGGER.attempt, most_bytes: 16 * 1024 * 1024 };

/// Two connections of a service, for calls side by side. Should both have died
/// unheard while the process was frozen, the third attempt makes a new one.
const KEEP: Keep = Keep { idle: Duration::from_secs(20), most: 2 };

/// All services of AWS, as one function calls them: with the credentials and in the
/// region of its own environment, and over connections that are shared.
///
/// Lambda sets credentials once for the life of an instance.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    region: Arc<str>,
    identity: Identity,
    /// Where services are that are not where AWS has them.
    endpoints: Arc<Vec<(Service, String)>>,
    pace: Pace,
    clock: Clock,
}

impl Client {
    /// What the environment says. Makes no call.
    ///
    /// Services are in the function's own region, or where `AWS_ENDPOINT_URL_…` and
    /// `AWS_ENDPOINT_URL` say: the settings that the SDKs know, too.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub fn from_environment(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let endpoint = |service: &Service| {
            let url = signed::endpoint(lookup, service.endpoint_key()).transpose()?;
            Some(url.map(|url| (*service, url)))
        };
        Ok(Self {
            region: SettingError::required(lookup, "AWS_REGION")?.into(),
            identity: signed::credentials(lookup)?.into(),
            endpoints: Arc::new(Service::ALL.iter().filter_map(endpoint).collect::<Result<_, _>>()?),
            transport: Arc::new(Https::keeping(LIMITS, KEEP)),
            pace: Pace::TRIGGER,
            clock: Clock::default(),
        })
    }

    /// The same with other credentials. Connections are shared: each request is
    /// signed by itself.
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self { identity: credentials.into(), ..self.clone() }
    }

    /// The same in another region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.into(), ..self.clone() }
    }

    /// The same, trying harder or less hard.
    pub fn paced(&self, pace: Pace) -> Self {
        Self { pace, ..self.clone() }
    }

    /// Where a service is, without a slash at the end.
    pub fn url(&self, service: Service) -> String {
        let set = self.endpoints.iter().find(|(known, _)| *known == service).map(|(_, url)| url.clone());
        set.unwrap_or_else(|| crate::regional(service.name(), &self.region))
    }
}

/// Without the credentials.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("region", &self.region).finish_non_exhaustive()
    }
}

/// A token for one call that must not be carried out twice.
pub fn token() -> String {
    format!("{:032x}", fastrand::u128(..))
}

#[cfg(test)]
mod tests;
