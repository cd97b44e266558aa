//! The local AWS: one ministack, supervised.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::places::Places;
use crate::supervise::{Launcher, Supervised, outcome, tail};
use crate::tools::Installed;

/// The region that everything local is in.
pub const REGION: &str = "us-east-1";
/// The account's own key. It is no secret: it opens a local emulator only.
pub const OWNER_KEY: (&str, &str) = ("test", "test");

/// A local AWS that runs. Dropping it ends it, and the functions it started.
#[derive(Debug)]
pub struct Cloud {
    /// Its address, without a slash at the end.
    pub url: String,
    /// The folder in which it keeps what it has to remember, its keys among it.
    pub state: PathBuf,
    process: Supervised,
}

/// How long it may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);

impl Cloud {
    /// Starts the local AWS and waits until it answers.
    ///
    /// It enforces signatures and IAM policies (`AUTH`) and lets a token
    /// function's failure fail the sign-in, as AWS does. Layers are not mounted
    /// for functions that it runs, so `RULES_FILE`, which they inherit, names
    /// the rule file itself, with revocation on as in the deployment. They also
    /// inherit the address of the pass-through for user pools: a pool shall answer
    /// a function as it answers everybody else.
    ///
    /// It is told the pass-through's port, so that the addresses that it gives
    /// away lead there: such as the one where a provider sends a browser back.
    /// Its own program knows one port only, so it is served by the server that
    /// the program itself uses.
    pub async fn start(
        places: &Places,
        launcher: &Launcher,
        ministack: &Installed,
        gateway_port: u16,
        run: &Path,
    ) -> Result<Self> {
        let port = free_port().await?;
        let url = format!("http://127.0.0.1:{port}");
        let (log, state) = (run.join("ministack.log"), run.join("state"));
        let file = std::fs::File::create(&log)?;
        let mut command = launcher.command(ministack.program("python"));
        without_own_aws(&mut command);
        command
            .args(["-m", "hypercorn", "ministack.app:app", "--keep-alive", "75", "--bind"])
            .arg(format!("127.0.0.1:{port}"))
            .env("GATEWAY_PORT", gateway_port.to_string())
            .env("MINISTACK_HOST", "localhost")
            .env("IOT_MTLS_ENABLED", "0")
            .env("AUTH", "true")
            .env("MINISTACK_COGNITO_PRETOKEN_STRICT", "1")
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", format!("http://127.0.0.1:{gateway_port}"))
            .env("STATE_DIR", &state)
            .env("TMPDIR", run.join("tmp"))
            .env("RULES_FILE", rules(&places.root, run)?)
            .env("LOG_LEVEL", "INFO")
            .current_dir(run)
            .stderr(file.try_clone()?)
            .stdout(Stdio::from(file));
        let mut process = launcher.start(&mut command)?;
        wait_for(&url, &mut process, &log).await?;
        Ok(Self { url, state, process })
    }

    /// Comes back only when the local AWS ended by itself.
    pub async fn ended(&mut self) -> Result<String> {
        Ok(outcome(self.process.wait().await?))
    }
}

/// The shipped rules with revocation on, for the story to show it.
fn rules(root: &Path, run: &Path) -> Result<PathBuf> {
    let (off, on) = ("[revocation]\nmode = \"off\"", "[revocation]\nmode = \"on\"");
    let shipped = root.join("rules/rules.toml");
    let text = std::fs::read_to_string(&shipped).with_context(|| shipped.display().to_string())?;
    if !text.contains(off) {
        bail!("{} does not say that revocation is off, so it cannot be turned on here", shipped.display());
    }
    let path = run.join("rules.toml");
    std::fs::write(&path, text.replace(off, on))?;
    Ok(path)
}

async fn wait_for(url: &str, process: &mut Supervised, log: &Path) -> Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
    let health = format!("{url}/_ministack/health");
    let end = Instant::now() + START_LIMIT;
    while Instant::now() < end {
        if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::select! {
            status = process.wait() => {
                bail!("the local AWS did not start ({}); the end of {}:\n{}", outcome(status?), log.display(), tail(log, 20));
            }
            () = sleep(Duration::from_millis(50)) => {}
        }
    }
    bail!("the local AWS gave no answer within {} s; see {}", START_LIMIT.as_secs(), log.display())
}

/// Takes away what the person's own AWS settings would change, and gives the
/// account's key.
pub fn without_own_aws(command: &mut tokio::process::Command) {
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("AWS_") && name != "AWS_LC_SYS_NO_JITTER_ENTROPY" {
            command.env_remove(&key);
        }
    }
    command
        .env("AWS_ACCESS_KEY_ID", OWNER_KEY.0)
        .env("AWS_SECRET_ACCESS_KEY", OWNER_KEY.1)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_REGION", REGION)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("SAM_CLI_TELEMETRY", "0")
        .env("NO_PROXY", "127.0.0.1,localhost");
}

/// A port that nobody listens on at this moment.
pub async fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
