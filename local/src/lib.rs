//! Runs the whole suite on one machine, from the real template.
//!
//! `cargo local` makes its tools, builds the functions, starts a local AWS
//! behind a [pass-through](proxy) and the sign-in service of [another
//! company](oidc), deploys `template.yaml` with `sam deploy`, and tells the
//! [story] of a few users with real tokens. Everything it makes lies in
//! `target/local`; everything it starts ends with it.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

pub mod artefacts;
pub mod cloud;
pub mod deploy;
pub mod examples;
pub mod existing;
pub mod oidc;
pub mod places;
pub mod proxy;
pub mod say;
pub mod story;
pub mod supervise;
pub mod template;
pub mod tools;

use cloud::Cloud;
use deploy::{Addresses, Stack};
use places::Places;
use say::Say;
use story::Stage;
use supervise::Launcher;

/// Where the gateway listens when nothing else is said.
pub const DEFAULT_PORT: u16 = 4566;

/// What the person asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End after the story.
    pub once: bool,
    /// Play it on a pool that was there before, and end the stack afterwards.
    pub existing: bool,
    /// Build what ships.
    pub release: bool,
    /// The gateway's port; 0 takes any free one.
    pub port: u16,
}

/// Does all of it; the exit code is success only if every step was right.
pub fn run(options: Options) -> ExitCode {
    let say = Say::to_stdout();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say.line(&format!("no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        // Ending here drops every supervised program's pipe, which ends it.
        tokio::select! {
            result = whole(options, &say) => match result {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => {
                    say.line(&format!("\n{error:#}"));
                    ExitCode::FAILURE
                }
            },
            code = interrupted() => {
                say.line("\nending everything …");
                code
            }
        }
    })
}

/// Waits for Ctrl-C or a request to end; answers with the shell's code for it.
async fn interrupted() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::from(130),
        _ = terminate.recv() => ExitCode::from(143),
    }
}

async fn whole(options: Options, say: &Say) -> Result<bool> {
    let places = Places::find()?;
    let launcher = Launcher::new(&places.binary);
    // Before anything that takes time: a busy port should be said at once.
    let listener = listen(options.port).await?;
    let port = listener.local_addr()?.port();
    let held = places.fresh_run(port)?;
    let run = held.folder.as_path();
    let mut wanted = vec![tools::MINISTACK, tools::SAM, tools::OIDC_PROVIDER];
    if options.release {
        wanted.push(tools::CARGO_LAMBDA);
    }
    let tools = tools::ready(&places, &launcher, say, &wanted).await?;
    let [ministack, sam, provider, ..] = tools.as_slice() else { bail!("a tool is missing") };
    let build = async {
        let built = match tools.get(3) {
            Some(cargo_lambda) => artefacts::shipped(&places, &launcher, say, run, sam, cargo_lambda).await?,
            None => artefacts::quick(&places, &launcher, say, run).await?,
        };
        Ok((built, artefacts::operators_tool(&places, &launcher).await?))
    };
    let start = async {
        let cloud = Cloud::start(&places, &launcher, ministack, port, run).await?;
        let provider = oidc::Provider::start(&places, &launcher, provider, port, run).await?;
        anyhow::Ok((cloud, provider))
    };
    let ((built, poolhouse), (mut cloud, mut provider)) = tokio::try_join!(build, start)?;
    say.prepared("aws", &format!("local AWS at {}, signatures and IAM policies enforced", cloud.url));
    say.prepared("oidc", &format!("OpenID Connect provider of another company at {}", provider.url));
    let gateway = format!("http://127.0.0.1:{port}");
    let proxy = proxy::Gateway::new(&cloud.url, &cloud.state, &owner(&cloud.url))?;
    let (upstream, issuer, direct_provider) = (cloud.url.clone(), provider.url.clone(), provider.arn());
    let updates = proxy.updates();
    let tell = async {
        let owner = owner(&gateway);
        let existing = match options.existing {
            true => Some(existing::Existing::make(&owner, updates).await?),
            false => None,
        };
        let existing_pool = existing.as_ref().map(|existing| existing.id.as_str());
        let addresses =
            Addresses { existing_pool, gateway: &gateway, cloud: &upstream, direct_provider: &direct_provider };
        let stack = Stack { launcher: &launcher, sam, gateway: &gateway, run };
        let work = deploy::deploy(stack, addresses, &built);
        let outputs = say.during("deploy", "sam deploy of the real template", work).await?;
        say.prepared("deploy", &format!("stack {} stands behind {gateway}", deploy::STACK));
        let mut all_right = true;
        if let Some(existing) = &existing {
            say.heading("A pool that was there before");
            all_right = existing.careless(&owner, say).await? && existing.attached(say).await?;
        }
        oidc::register(&owner, &outputs, &issuer).await?;
        let text = format!(
            "{} and {} made through the API; the local AWS makes none from a template",
            oidc::CORP,
            oidc::PARTNER
        );
        say.prepared("providers", &text);
        let key_set_url = deploy::key_set_url(&upstream);
        let packages = run.join("build");
        let of = examples::For { root: &places.root, built: &packages, suite: &outputs, key_set_url: &key_set_url };
        let work = examples::deploy(stack, of);
        let examples = say.during("examples", "sam deploy of REST, WebSocket and GraphQL APIs", work).await?;
        let stage = Stage {
            gateway: &gateway,
            cloud: &upstream,
            examples: &examples,
            owner: &owner,
            outputs: &outputs,
            issuer: &issuer,
            launcher: &launcher,
            poolhouse: &poolhouse,
            rules: &places.root.join("rules/rules.toml"),
            old_users: &places.root.join("local/old-system/users.ndjson"),
            run,
        };
        all_right = story::tell(say, &stage).await? && all_right;
        if let Some(existing) = &existing {
            say.heading("The end of the stack");
            say.during("delete", "the stack, and with it the triggers", deploy::delete(&launcher, sam, &gateway, run))
                .await?;
            return Ok(existing.detached(say).await? && all_right);
        }
        if !options.once {
            story::ending::tell(say, &stage)?;
            std::future::pending::<()>().await;
        }
        Ok(all_right)
    };
    tokio::select! {
        ended = proxy.serve(listener) => ended.map(|()| false),
        ended = cloud.ended() => bail!("the local AWS is gone: {}; see {}", ended?, run.display()),
        ended = provider.ended() => bail!("the OIDC provider is gone: {}; see {}", ended?, run.display()),
        told = tell => told,
    }
}

/// Binds the gateway's port.
async fn listen(port: u16) -> Result<TcpListener> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("port {port} is in use, perhaps by another `cargo local`; end that or choose one with --port")
        }
        _ => anyhow!("port {port} cannot be opened: {error}"),
    })
}

/// The account's own configuration for SDK clients. Nothing of it comes from
/// the person's AWS settings.
pub fn owner(url: &str) -> SdkConfig {
    let (key, secret) = cloud::OWNER_KEY;
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(cloud::REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(key, secret, None, None, "local")))
        .endpoint_url(url)
        .build()
}
