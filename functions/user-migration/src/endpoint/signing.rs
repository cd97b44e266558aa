//! Signs requests and checks the signatures of answers.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// How old or new an answer may say it is, in seconds: the tolerance that
/// Standard Webhooks has. It is for clocks; the id is what makes an answer one.
const TOLERANCE_S: u64 = 300;

/// The key that this function and the endpoint share.
pub struct EndpointKey(hmac::Key);

/// What tells one request from all others.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct MessageId(String);

/// The three headers of a signed message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) id: String,
    pub(super) timestamp: String,
    pub(super) signature: String,
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SealError {
    /// It answers another request.
    OtherRequest,
    /// Its time is too far from ours.
    OutOfTime,
    /// Its signature is missing or wrong.
    SignatureWrong,
}

impl EndpointKey {
    /// Reads a key as Standard Webhooks writes it: 24 to 64 bytes in base64,
    /// behind `whsec_` or alone. `None` when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        (24..=64).contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Signs a message.
    pub(super) fn seal(&self, id: &MessageId, now: u64, body: &[u8]) -> Seal {
        let timestamp = now.to_string();
        let mut context = hmac::Context::with_key(&self.0);
        signed_parts(&id.0, &timestamp, body).into_iter().for_each(|part| context.update(part));
        let signature = format!("v1,{}", STANDARD.encode(context.sign().as_ref()));
        Seal { id: id.0.clone(), timestamp, signature }
    }

    /// Checks that a message is the answer to the request `id`.
    pub(super) fn open(&self, id: &MessageId, now: u64, seal: &Seal, body: &[u8]) -> Result<(), SealError> {
        // The signature first: of an unsigned message nothing is of interest.
        let signed = signed_parts(&seal.id, &seal.timestamp, body).concat();
        let versions = seal.signature.split(' ').filter_map(|one| one.strip_prefix("v1,"));
        // While keys are exchanged there may be two.
        let genuine = versions.take(4).filter_map(|one| STANDARD.decode(one).ok());
        if !genuine.into_iter().any(|tag| hmac::verify(&self.0, &signed, &tag).is_ok()) {
            return Err(SealError::SignatureWrong);
        }
        if seal.id != id.0 {
            return Err(SealError::OtherRequest);
        }
        match seal.timestamp.parse::<u64>() {
            Ok(timestamp) if timestamp.abs_diff(now) <= TOLERANCE_S => Ok(()),
            Ok(_) | Err(_) => Err(SealError::OutOfTime),
        }
    }
}

fn signed_parts<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

impl MessageId {
    /// One that nobody can foresee; `None` when the system has no random numbers.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self(format!("msg_{hex}")))
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl SealError {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::OtherRequest => "EndpointAnswerToAnother",
            Self::OutOfTime => "EndpointAnswerOutOfTime",
            Self::SignatureWrong => "EndpointSignatureWrong",
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherRequest => "the answer is to another request",
            Self::OutOfTime => "the answer's time is too far from ours",
            Self::SignatureWrong => "the answer's signature is missing or wrong",
        })
    }
}

impl std::error::Error for SealError {}
