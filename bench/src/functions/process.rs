//! A program behind a Runtime API, on a core of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tests::{Reply, RuntimeApi, workspace_root};

use super::machine::{Core, Throttle};

/// Longer than the slowest peer takes to start on a throttled core.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is started, and with which settings.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its name in the tables.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// All of its environment but for what the platform sets.
    pub(crate) settings: Vec<(String, String)>,
}

impl Program {
    /// One of ours: its name in the tables, and the release binary's.
    pub(crate) fn own(name: &str, binary: &str, settings: Vec<(String, String)>) -> Self {
        let path = workspace_root().join("target/release").join(binary);
        Self { name: name.to_owned(), path, arguments: Vec::new(), settings }
    }
}

/// What a process holds in memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// At most so far.
    pub(crate) peak: u64,
}

/// A started program. Killed when dropped.
pub(crate) struct Running {
    name: String,
    child: Child,
    api: RuntimeApi,
    begun: Instant,
    sent: u64,
}

impl Running {
    /// Starts a program that finds this event waiting; what it answered, and how
    /// long that took from the start of the process.
    pub(crate) fn start(
        program: &Program,
        event: &[u8],
        throttle: Option<&Throttle>,
    ) -> Result<(Self, Vec<u8>, Duration)> {
        let api = RuntimeApi::start(&program.name)?;
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).env_clear().envs(program.settings.iter().cloned());
        command
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", &program.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "of-no-account")
            .env("AWS_SESSION_TOKEN", "of-no-account")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let first = "00000000-0000-4000-8000-000000000000";
        api.send(first, event.to_vec(), PATIENCE);
        let (begun, child) = Core::OfFunction.during(throttle, || {
            let begun = Instant::now();
            (begun, command.spawn())
        })?;
        let child = child.with_context(|| format!("{} cannot be started", program.path.display()))?;
        let mut running = Self { name: program.name.clone(), child, api, begun, sent: 0 };
        let answer = running.wait(first)?;
        let elapsed = running.begun.elapsed();
        Ok((running, answer, elapsed))
    }

    /// Sends one event and waits for its answer.
    pub(crate) fn call(&mut self, event: &[u8]) -> Result<(Vec<u8>, Duration)> {
        self.sent += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.sent);
        let begun = Instant::now();
        self.api.send(&id, event.to_vec(), Duration::from_secs(5));
        let answer = self.wait(&id)?;
        Ok((answer, begun.elapsed()))
    }

    fn wait(&mut self, id: &str) -> Result<Vec<u8>> {
        let begun = Instant::now();
        loop {
            match self.api.reply(id, Duration::from_secs(1)) {
                Some(Reply::Answer(body)) => return Ok(body),
                // An error is an answer too: it is compared like one.
                Some(Reply::Error { message, .. }) => return Ok(message.into_bytes()),
                Some(_) => bail!("{} gave no answer", self.name),
                None => {}
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended without an answer: {status}", self.name);
            }
            if begun.elapsed() > PATIENCE {
                bail!("{} gave no answer within {} s", self.name, PATIENCE.as_secs());
            }
        }
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The time on a core of all its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// What it holds in memory.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            number.and_then(|number| number.parse::<u64>().ok()).with_context(|| format!("no {name} in /proc"))
        };
        Ok(Memory { resident: kilobytes("VmRSS:")? * 1_024, peak: kilobytes("VmHWM:")? * 1_024 })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
