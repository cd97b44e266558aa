//! The challenge of a sign-up: its token is used up and verified, at once.

mod verifier;

use std::error::Error;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use directory::Directory;
use shared::sign_up::{ChallengeOutcome, ChallengeToken};
use shell::aws::Client;
use shell::https::HttpsError;
use shell::{Failure, PublicText, SettingError};

use crate::Settings;
use verifier::Verifier;

/// What sign-up asks about a challenge.
pub trait Challenges {
    /// Uses a token up, whatever comes of it, and says whether it was good.
    fn spend(
        &self,
        token: &ChallengeToken,
        now: u64,
    ) -> impl Future<Output = Result<ChallengeOutcome, ChallengeError>> + Send;
}

/// The marks of used tokens and the service that verifies them, where the rules
/// have a challenge.
pub struct ChallengeCheck(Option<(Directory, Verifier)>);

impl ChallengeCheck {
    /// Without a challenge. Asked all the same, it fails.
    pub const OFF: Self = Self(None);

    /// What the rules ask for. Fetches the secret, if there is one.
    pub(crate) async fn connect(
        client: &Client,
        settings: &Settings,
        directory: Option<Directory>,
    ) -> Result<Self, SettingError> {
        let rules = settings.rules.sign_up.challenge.as_ref();
        match (rules, &settings.challenge_secret_arn, directory) {
            (Some(rules), Some(arn), Some(directory)) => {
                Ok(Self(Some((directory, Verifier::connect(client, rules, arn).await?))))
            }
            _ => Ok(Self::OFF),
        }
    }
}

impl Challenges for ChallengeCheck {
    async fn spend(&self, token: &ChallengeToken, now: u64) -> Result<ChallengeOutcome, ChallengeError> {
        let (directory, verifier) = self.0.as_ref().ok_or(ChallengeError::NotConfigured)?;
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_str().as_bytes()).as_ref());
        let (first, outcome) = tokio::join!(directory.use_challenge(&key, now), verifier.verify(token));
        // A token that was sent before is refused whatever the service says.
        if first.map_err(ChallengeError::Directory)? { outcome } else { Ok(ChallengeOutcome::Used) }
    }
}

/// Why it is not known what a token is worth. Nothing of the token is in it.
#[derive(Debug)]
pub enum ChallengeError {
    /// It could not be marked as used.
    Directory(directory::Error),
    /// The service gave no answer.
    Unanswered(HttpsError),
    /// The service's answer is not what its pages describe.
    Unreadable,
    /// The service does not judge: it does not know our secret, or failed itself.
    Unjudged(&'static str),
    /// The function runs without a challenge, and was asked about one.
    NotConfigured,
}

impl ChallengeError {
    /// Stable name, for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Directory(error) => error.code(),
            Self::Unanswered(HttpsError::RootsUnusable | HttpsError::Unwritable) => "ChallengeUnasked",
            Self::Unanswered(HttpsError::TimedOut) => "ChallengeTimedOut",
            Self::Unanswered(HttpsError::Disconnected) => "ChallengeDisconnected",
            Self::Unanswered(HttpsError::Status(_)) => "ChallengeStatus",
            Self::Unanswered(HttpsError::Encoded | HttpsError::BodyRefused) => "ChallengeBodyRefused",
            Self::Unreadable => "ChallengeAnswerUnreadable",
            Self::Unjudged(_) => "ChallengeUnjudged",
            Self::NotConfigured => "ChallengeNotConfigured",
        }
    }
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(_) => f.write_str("the token could not be marked as used"),
            Self::Unanswered(_) => f.write_str("the challenge's service gave no answer"),
            Self::Unreadable => f.write_str("the challenge's service answered something else"),
            Self::Unjudged(code) => write!(f, "the challenge's service does not judge: {code}"),
            Self::NotConfigured => f.write_str("the function runs without a challenge"),
        }
    }
}

impl Error for ChallengeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Directory(cause) => Some(cause),
            Self::Unanswered(cause) => Some(cause),
            Self::Unreadable | Self::Unjudged(_) | Self::NotConfigured => None,
        }
    }
}

impl From<ChallengeError> for Failure {
    fn from(error: ChallengeError) -> Self {
        Self::new(error.code(), PublicText::TryAgain).caused_by(error)
    }
}
