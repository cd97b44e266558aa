//! A started function.

use std::io::{Read, Seek, SeekFrom};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::binaries::{binary, workspace_root};
use crate::log::{Line, Log, Stream};
use crate::runtime_api::{Reply, RuntimeApi};
use crate::secrets::Secrets;
use crate::tokens::TokenIssuer;

/// What every function is given that is not asked about. None of it may ever
/// be seen again: [`crate::Audit`] looks for it.
pub(crate) const SECRET_ACCESS_KEY: &str = "canary-secret-access-key-0123456789abcdef";
pub(crate) const SESSION_TOKEN: &str = "canary-session-token-0123456789abcdef";

/// What only the one line of an invocation has.
pub(crate) const DURATION: &str = "\"duration_ms\":";

/// Longer than any answer may take; what is slower is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

/// A function's process behind its own Runtime API. When it is dropped it is
/// killed, and everything that it printed and answered is searched for secrets.
pub struct Function {
    name: String,
    child: Child,
    api: RuntimeApi,
    log: Log,
    sent: usize,
    init: Duration,
    secrets: Secrets,
    /// What was answered, as far as it is the function's own.
    answers: Vec<String>,
}

/// How one invocation went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The id it had, which its log line bears.
    pub request_id: String,
    /// What came back.
    pub reply: Reply,
    /// From handing out the event to having the reply.
    pub elapsed: Duration,
}

impl Outcome {
    /// The answer as JSON; anything else is an error that says what came.
    pub fn json(&self) -> Result<Value> {
        match &self.reply {
            Reply::Answer(body) => serde_json::from_slice(body).context("the answer is not JSON"),
            other => bail!("no answer but {other:?}"),
        }
    }

    /// The function error's text.
    pub fn error(&self) -> Option<&str> {
        match &self.reply {
            Reply::Error { message, .. } => Some(message),
            _ => None,
        }
    }
}

impl Function {
    /// An authorizer that trusts this pool, under the rules of the attacks.
    pub fn attacked(issuer: &TokenIssuer, settings: &[(&str, &str)]) -> Result<Self> {
        let mut all = issuer.settings();
        let rules = workspace_root().join("tests/attacks.rules.toml");
        all.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        // Everything that could be told is told, and still holds no secret.
        all.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Self::start("authorizer", all)
    }

    /// Builds the functions if need be, starts one with these settings and
    /// nothing else, and waits for the end of its init phase.
    pub fn start<K, V>(name: &str, settings: impl IntoIterator<Item = (K, V)>) -> Result<Self>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let program = binary(name)?;
        let api = RuntimeApi::start(name)?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .env("AWS_SESSION_TOKEN", SESSION_TOKEN)
            .envs(settings.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.as_ref().to_owned())))
            // Coverage tools say here where a process leaves its counts.
            .envs(std::env::vars().filter(|(key, _)| key == "LLVM_PROFILE_FILE"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut secrets = Secrets::default();
        for (key, value) in command.get_envs().filter_map(|(key, value)| key.to_str().zip(value?.to_str())) {
            secrets.keep_setting(key, value);
        }
        let begun = Instant::now();
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let mut log = Log::default();
        child.stdout.take().into_iter().for_each(|stream| log.follow(Stream::Output, stream));
        child.stderr.take().into_iter().for_each(|stream| log.follow(Stream::Error, stream));
        let mut function = Self {
            name: name.to_owned(),
            child,
            api,
            log,
            sent: 0,
            init: Duration::ZERO,
            secrets,
            answers: Vec::new(),
        };
        function.wait_until_ready(begun)?;
        Ok(function)
    }

    fn wait_until_ready(&mut self, begun: Instant) -> Result<()> {
        while !self.api.ready(Duration::from_millis(20)) {
            if self.has_exited() {
                // The last lines may still be in the pipe.
                self.log.wait_for(&["SettingRefused"], Duration::from_millis(500));
                bail!("{} ended at start: {}", self.name, self.printed());
            }
            if begun.elapsed() > PATIENCE {
                bail!("{} did not ask for an event: {}", self.name, self.printed());
            }
        }
        self.init = begun.elapsed();
        Ok(())
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// From start to the first poll.
    pub fn init(&self) -> Duration {
        self.init
    }

    /// Sends one event as Cognito and API Gateway do, with 5 s to answer.
    pub fn invoke(&mut self, event: impl Into<Vec<u8>>) -> Outcome {
        self.invoke_within(event, Duration::from_secs(5))
    }

    /// Sends one JSON event.
    pub fn invoke_json(&mut self, event: &Value) -> Outcome {
        self.invoke(event.to_string())
    }

    /// Sends one event that has this long to be answered.
    pub fn invoke_within(&mut self, event: impl Into<Vec<u8>>, remaining: Duration) -> Outcome {
        self.sent += 1;
        let event = event.into();
        self.secrets.keep_event(&event);
        let request_id = format!("00000000-0000-4000-8000-{:012}", self.sent);
        let begun = Instant::now();
        self.api.send(&request_id, event, remaining);
        let reply = loop {
            if let Some(reply) = self.api.reply(&request_id, Duration::from_millis(100)) {
                break reply;
            }
            if self.has_exited() {
                break self.api.reply(&request_id, Duration::ZERO).unwrap_or(Reply::Exited);
            }
            if begun.elapsed() > PATIENCE {
                break Reply::TimedOut;
            }
        };
        self.answers.extend(own_words(&reply));
        Outcome { request_id, reply, elapsed: begun.elapsed() }
    }

    /// How many events were sent.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Everything printed so far.
    pub fn lines(&self) -> Vec<Line> {
        self.log.lines()
    }

    /// What was logged of one invocation, its own line last.
    pub fn log_of(&self, outcome: &Outcome) -> Vec<Line> {
        self.log.wait_for(&[&format!("\"{}\"", outcome.request_id), DURATION], Duration::from_secs(2));
        self.log.lines().into_iter().filter(|line| line.text.contains(&outcome.request_id)).collect()
    }

    /// The reason code that the log gives for an invocation.
    pub fn code_of(&self, outcome: &Outcome) -> Option<String> {
        let lines = self.log_of(outcome);
        let line = lines.iter().find(|line| line.text.contains(DURATION))?;
        let line: Value = serde_json::from_str(&line.text).ok()?;
        Some(line.get("code")?.as_str()?.to_owned())
    }

    /// The most memory the process has ever held, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM line")?;
        let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kibibytes * 1_024)
    }

    /// How often a text stands in what the process may write to: its heap, its
    /// stacks and its statics.
    pub fn found_in_memory(&self, text: &str) -> Result<usize> {
        let process = format!("/proc/{}", self.child.id());
        let mut memory = std::fs::File::open(format!("{process}/mem"))?;
        let mut found = 0;
        for line in std::fs::read_to_string(format!("{process}/maps"))?.lines() {
            let mut parts = line.split_whitespace();
            let (Some(range), Some(rights)) = (parts.next(), parts.next()) else { continue };
            let Some((from, to)) = range.split_once('-').filter(|_| rights.starts_with("rw")) else { continue };
            let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
            memory.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            // What cannot be read, such as a guard page, holds nothing.
            drop(Read::by_ref(&mut memory).take(to - from).read_to_end(&mut bytes));
            found += bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
        }
        Ok(found)
    }

    /// Whether the process is gone.
    pub fn has_exited(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn printed(&self) -> String {
        self.lines().into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Function {
    #[expect(clippy::panic, reason = "a check fails by panicking")]
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        self.log.wait_for_the_end();
        let lines = self.lines();
        let texts = lines.iter().map(|line| line.text.as_str()).chain(self.answers.iter().map(String::as_str));
        if let Err(error) = self.secrets.look_for(texts)
            && !std::thread::panicking()
        {
            panic!("{}: {error}", self.name);
        }
    }
}

/// What of a reply the function wrote itself. A trigger gives the whole event
/// back, secrets included, which Cognito asks of it.
fn own_words(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Answer(body) => match serde_json::from_slice::<Value>(body) {
            Ok(event) if event.get("triggerSource").is_some() => event.get("response").map(Value::to_string),
            _ => Some(String::from_utf8_lossy(body).into_owned()),
        },
        Reply::Error { error_type, message } => Some(format!("{error_type} {message}")),
        Reply::Exited | Reply::TimedOut => None,
    }
}
