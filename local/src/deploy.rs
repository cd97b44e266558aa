//! Deploys the built template with `sam deploy`, and reads what came of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cloud::without_own_aws;
use crate::oidc;
use crate::proxy::guest_keys;
use crate::supervise::Launcher;
use crate::template;
use crate::tools::Installed;

/// The stack's name.
pub const STACK: &str = "poolhouse";

/// Where `sam deploy` puts the packages.
const BUCKET: &str = "poolhouse-packages";

/// The outputs of the deployed stack.
#[derive(Debug)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// One output; its absence is an error of the template.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| format!("template.yaml has no output {name}"))
    }
}

/// What differs from a deployment to AWS, each for a reason.
fn parameters(
    Addresses { gateway, cloud, direct_provider, existing_pool }: Addresses<'_>,
) -> [(&'static str, String); 13] {
    [
        // Tokens carry AWS's issuer, but their keys are served here.
        ("KeySetUrl", key_set_url(cloud)),
        // So do those of guests, and the pass-through serves their key.
        ("GuestKeySetUrl", format!("{gateway}{}", guest_keys::PATH)),
        // The story signs in without SRP, to stay readable.
        ("PasswordSignIn", "true".to_owned()),
        // The local AWS tells IAM no leading keys; see the template.
        ("LeadingKeysCheck", "when-supplied".to_owned()),
        // What the rule file says, too: an export of the old system is read in.
        ("MigrationStore", "table".to_owned()),
        // What the rule file says here, too: the story ends sessions.
        ("Revocation", "on".to_owned()),
        // Made through the API afterwards; the local AWS makes none from a template.
        ("OtherProviders", format!("{},{}", oidc::CORP, oidc::PARTNER)),
        // The story shows all ways to credentials.
        ("GuestAccess", "true".to_owned()),
        ("IdentityPoolTrusts", "both".to_owned()),
        ("DirectOidcProviderArns", direct_provider.to_owned()),
        ("DeletionProtection", "INACTIVE".to_owned()),
        // With --existing: a pool that was made before the stack.
        ("ExistingUserPoolId", existing_pool.unwrap_or_default().to_owned()),
        ("ForeignTriggers", "take-over".to_owned()),
    ]
}

/// Where the local AWS serves the key set of a pool.
pub fn key_set_url(cloud: &str) -> String {
    format!("{cloud}/{{pool}}/.well-known/jwks.json")
}

/// What stands before the stack does.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    /// The pass-through.
    pub gateway: &'a str,
    /// The local AWS itself.
    pub cloud: &'a str,
    /// The ARN of the provider that the identity pool trusts directly.
    pub direct_provider: &'a str,
    /// The pool to attach to, if one was there before.
    pub existing_pool: Option<&'a str>,
}

/// How a stack is deployed, whichever it is.
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a> {
    /// Starts the deployment.
    pub launcher: &'a Launcher,
    /// The command that deploys.
    pub sam: &'a Installed,
    /// The pass-through.
    pub gateway: &'a str,
    /// The run's folder, which gets the logs.
    pub run: &'a Path,
}

/// Deploys through the pass-through. The run's folder gets the log.
pub async fn deploy(stack: Stack<'_>, addresses: Addresses<'_>, built: &Path) -> Result<Outputs> {
    let known = template::parameters(&std::fs::read_to_string(built)?);
    let parameters = parameters(addresses);
    if let Some((name, _)) = parameters.iter().find(|(name, _)| !known.iter().any(|one| one.name == *name)) {
        bail!("template.yaml has no parameter {name}, which the local AWS needs");
    }
    make_bucket(stack.launcher, stack.sam, stack.gateway, stack.run).await?;
    stack.deploy(STACK, built, &parameters).await
}

impl Stack<'_> {
    /// Deploys one template, and reads what came of it. The bucket is there.
    pub async fn deploy(self, name: &str, template: &Path, parameters: &[(&str, String)]) -> Result<Outputs> {
        let Self { launcher, sam, gateway, run } = self;
        let mut command = launcher.command(sam.program("sam"));
        command.arg("deploy").arg("--template-file").arg(template);
        command.args(["--stack-name", name, "--s3-bucket", BUCKET]);
        command.args(["--no-confirm-changeset", "--no-fail-on-empty-changeset"]);
        command.args(["--no-progressbar", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]);
        command.arg("--parameter-overrides");
        let given = parameters.iter().filter(|(_, value)| !value.is_empty());
        command.args(given.map(|(name, value)| format!("{name}={value}")));
        command.env("TMPDIR", run.join("tmp")).current_dir(run);
        without_own_aws(&mut command);
        command.env("AWS_ENDPOINT_URL", gateway).env("SAM_CLI_POLL_DELAY", "0.2");
        launcher.run(&mut command, "sam deploy", &run.join(format!("sam-deploy-{name}.log"))).await?;
        outputs(launcher, sam, gateway, name, run).await
    }
}

/// The bucket for the packages. `--resolve-s3` would make one by a stack of its
/// own, and look only every 15 s whether that stands.
async fn make_bucket(launcher: &Launcher, sam: &Installed, gateway: &str, run: &Path) -> Result<()> {
    let mut command = launcher.command(sam.program("python"));
    command.args(["-c", &format!("import boto3; boto3.client('s3').create_bucket(Bucket='{BUCKET}')")]);
    without_own_aws(&mut command);
    command.env("AWS_ENDPOINT_URL", gateway);
    launcher.run(&mut command, "making a bucket", &run.join("bucket.log")).await
}

/// Ends the stack; what it retains stays.
pub async fn delete(launcher: &Launcher, sam: &Installed, gateway: &str, run: &Path) -> Result<()> {
    let mut command = launcher.command(sam.program("python"));
    let script = format!(
        "import boto3; c = boto3.client('cloudformation'); c.delete_stack(StackName='{STACK}'); \
         c.get_waiter('stack_delete_complete').wait(StackName='{STACK}', WaiterConfig={{'Delay': 1, 'MaxAttempts': 180}})"
    );
    command.args(["-c", &script]);
    without_own_aws(&mut command);
    command.env("AWS_ENDPOINT_URL", gateway);
    launcher.run(&mut command, "ending the stack", &run.join("delete.log")).await
}

async fn outputs(launcher: &Launcher, sam: &Installed, gateway: &str, stack: &str, run: &Path) -> Result<Outputs> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        output_key: String,
        output_value: String,
    }
    let path = run.join(format!("outputs-{stack}.json"));
    let mut command = launcher.command(sam.program("sam"));
    command.args(["list", "stack-outputs", "--stack-name", stack, "--output", "json"]).current_dir(run);
    without_own_aws(&mut command);
    command.env("AWS_ENDPOINT_URL", gateway);
    command.stdout(std::fs::File::create(&path)?).stderr(Stdio::null());
    let status = launcher.start(&mut command)?.wait().await?;
    if !status.success() {
        bail!("sam list stack-outputs failed");
    }
    let all: Vec<Output> =
        serde_json::from_slice(&std::fs::read(&path)?).context("the stack's outputs are unreadable")?;
    Ok(Outputs(all.into_iter().map(|output| (output.output_key, output.output_value)).collect()))
}
