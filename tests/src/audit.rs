//! What holds for every invocation of every function, whatever was sent.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde::de::IgnoredAny;
use serde_json::Value;
use shell::PublicText;

use crate::function::{DURATION, Function, Outcome, SECRET_ACCESS_KEY, SESSION_TOKEN};
use crate::log::{Line, Stream};
use crate::runtime_api::Reply;
use crate::secrets::spellings;

/// Generous for a debug build on a busy machine; a quadratic reader of a large
/// event takes minutes.
const BOUND: Duration = Duration::from_secs(6);

/// Checks a function's behaviour against what holds always.
#[derive(Debug)]
pub struct Audit {
    secrets: Vec<String>,
}

impl Default for Audit {
    fn default() -> Self {
        let mut audit = Self { secrets: Vec::new() };
        [SECRET_ACCESS_KEY, SESSION_TOKEN].iter().for_each(|secret| audit.keep_secret(secret));
        audit
    }
}

impl Audit {
    /// Adds a text that may never be printed or answered, in any usual coding.
    pub fn keep_secret(&mut self, secret: &str) {
        self.secrets.extend(spellings(secret));
    }

    /// Adds a token: no part of it that proves anything may be seen.
    pub fn keep_token(&mut self, token: &str) {
        let parts = token.split('.').skip(1).filter(|part| part.len() >= 16);
        self.secrets.extend(parts.map(str::to_owned));
    }

    /// Checks one invocation: it ended in time, by an answer or a public error,
    /// with one log line.
    pub fn outcome(&self, function: &Function, outcome: &Outcome) -> Result<()> {
        ensure!(outcome.elapsed < BOUND, "it took {:?}", outcome.elapsed);
        match &outcome.reply {
            Reply::Answer(body) => {
                ensure!(serde_json::from_slice::<IgnoredAny>(body).is_ok(), "the answer is not JSON");
            }
            Reply::Error { error_type, message } => {
                ensure!(is_public_text(message), "an error text of its own: {message}");
                ensure!(error_type.bytes().all(|byte| byte.is_ascii_alphanumeric()), "no code: {error_type}");
            }
            Reply::Exited => bail!("the process ended: {:?}", function.lines().last()),
            Reply::TimedOut => bail!("no reply"),
        }
        // Notes of other things may bear the same id; the duration is the invocation's own.
        let mut lines = function.log_of(outcome);
        lines.retain(|line| line.text.contains(DURATION));
        ensure!(lines.len() == 1, "{} log lines instead of one: {lines:?}", lines.len());
        Ok(())
    }

    /// Checks everything a function printed since it was started.
    pub fn printed(&self, function: &Function) -> Result<()> {
        function.lines().iter().try_for_each(|line| self.line(line))
    }

    /// Checks that a text gives no secret away.
    pub fn text(&self, text: &str) -> Result<()> {
        match self.secrets.iter().find(|secret| text.contains(secret.as_str())) {
            None => Ok(()),
            Some(secret) => bail!("{secret} was seen in: {text}"),
        }
    }

    fn line(&self, line: &Line) -> Result<()> {
        ensure!(line.stream == Stream::Output, "a line on standard error: {}", line.text);
        let value: Value = serde_json::from_str(&line.text).unwrap_or_default();
        ensure!(value.is_object(), "a line that is not one JSON object: {}", line.text);
        let code = value.get("code").and_then(Value::as_str);
        ensure!(code.is_some_and(|code| !code.is_empty()), "a line without a reason code: {}", line.text);
        ensure!(!line.text.chars().any(char::is_control), "a control character in: {}", line.text);
        self.text(&line.text)
    }
}

/// Whether an error text is on the closed list of what may leave a function.
pub fn is_public_text(text: &str) -> bool {
    let all = [
        PublicText::SignUpRefused,
        PublicText::AddressRefused,
        PublicText::DetailsRefused,
        PublicText::RequestUnreadable,
        PublicText::AccountLinked,
        PublicText::SignInRefused,
        PublicText::TryAgain,
        PublicText::Unauthorized,
    ];
    all.iter().any(|public| public.as_str() == text)
}
