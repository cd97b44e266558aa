//! The sign-in service of another company: a real OpenID Connect provider (the
//! Node package `oidc-provider`) on the loopback, supervised.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::IdentityProviderTypeType;
use tokio::time::{Instant, sleep};

use crate::cloud::free_port;
use crate::deploy::Outputs;
use crate::places::Places;
use crate::supervise::{Launcher, Supervised, outcome, tail};
use crate::tools::{Installed, node};

/// The provider's name in the pool, as the rule file writes it.
pub const CORP: &str = "CorpOIDC";
/// The same provider once more, by a name that the rule file does not have.
pub const PARTNER: &str = "PartnerOIDC";
/// The client that the user pool is, and the app that the identity pool trusts
/// directly; see `local/oidc/provider.mjs`.
const POOL_CLIENT: &str = "user-pool";
/// The app that the identity pool trusts directly.
pub const DIRECT_CLIENT: &str = "direct-app";
/// It opens nothing but a process of this run.
pub const CLIENT_SECRET: &str = "local-only";

/// A provider that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Provider {
    /// Its address, which is also its issuer.
    pub url: String,
    process: Supervised,
}

const START_LIMIT: Duration = Duration::from_secs(60);

impl Provider {
    /// Starts the provider and waits until it answers. `gateway_port` is where
    /// the user pool takes what it sends back.
    pub async fn start(
        places: &Places,
        launcher: &Launcher,
        package: &Installed,
        gateway_port: u16,
        run: &Path,
    ) -> Result<Self> {
        let port = free_port().await?;
        let log = run.join("oidc-provider.log");
        let file = std::fs::File::create(&log)?;
        let mut command = launcher.command(node::NODE);
        command.arg(places.root.join("local/oidc/provider.mjs")).arg(package.folder()).arg(port.to_string());
        command.arg(format!("http://localhost:{gateway_port}/oauth2/idpresponse"));
        command.stderr(file.try_clone()?).stdout(Stdio::from(file)).current_dir(run);
        let process = launcher.start(&mut command)?;
        let mut provider = Self { url: format!("http://127.0.0.1:{port}"), process };
        provider.wait(&log).await?;
        Ok(provider)
    }

    async fn wait(&mut self, log: &Path) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
        let discovery = format!("{}/.well-known/openid-configuration", self.url);
        let end = Instant::now() + START_LIMIT;
        while Instant::now() < end {
            if http.get(&discovery).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::select! {
                status = self.process.wait() => {
                    let why = outcome(status?);
                    bail!("the OIDC provider did not start ({why}); the end of {}:\n{}", log.display(), tail(log, 20));
                }
                () = sleep(Duration::from_millis(50)) => {}
            }
        }
        bail!("the OIDC provider gave no answer within {} s; see {}", START_LIMIT.as_secs(), log.display())
    }

    /// Comes back only when the provider ended by itself.
    pub async fn ended(&mut self) -> Result<String> {
        Ok(outcome(self.process.wait().await?))
    }

    /// How the identity pool names it when it trusts it directly. In AWS this is
    /// a resource of IAM, with an https address; the local identity pool only
    /// compares the name, so none is made.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/open-id.html>
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::000000000000:oidc-provider/{}", self.url.trim_start_matches("http://"))
    }
}

/// Makes the pool's providers, with the same mapping as the template's: the local
/// AWS cannot make them from the template.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html>
pub async fn register(owner: &aws_config::SdkConfig, outputs: &Outputs, issuer: &str) -> Result<()> {
    let client = Client::new(owner);
    let details = [
        ("client_id", POOL_CLIENT),
        ("client_secret", CLIENT_SECRET),
        ("oidc_issuer", issuer),
        ("authorize_scopes", "openid email profile"),
        ("attributes_request_method", "GET"),
    ];
    let mapping = [
        ("email", "email"),
        ("email_verified", "email_verified"),
        ("name", "name"),
        ("custom:provider_subject", "sub"),
    ];
    for name in [CORP, PARTNER] {
        let mut call = client.create_identity_provider().user_pool_id(outputs.get("UserPoolId")?);
        call = call.provider_name(name).provider_type(IdentityProviderTypeType::Oidc);
        for (key, value) in details {
            call = call.provider_details(key, value);
        }
        for (attribute, claim) in mapping {
            call = call.attribute_mapping(attribute, claim);
        }
        call.send().await.with_context(|| format!("the identity provider {name} cannot be made"))?;
    }
    Ok(())
}
