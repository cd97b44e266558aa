//! The secret parameters that some hashes need.

use zeroize::Zeroizing;

use super::limits::OUTPUT;
use super::text;

/// The secret parameters of the old system. Nothing of it can be printed:
///
/// ```compile_fail,E0277
/// let text = format!("{:?}", shared::password::Keys::default());
/// ```
#[derive(Default)]
pub struct Keys {
    firebase_signer: Option<Zeroizing<Vec<u8>>>,
}

impl Keys {
    /// The signer key of a Firebase project, as its hash parameters show it
    /// (`base64_signer_key`). `None` when it is none.
    pub fn with_firebase_signer(base64: &str) -> Option<Self> {
        let key = Zeroizing::new(text::base64(base64.trim()).ok()?);
        OUTPUT.contains(&key.len()).then_some(Self { firebase_signer: Some(key) })
    }

    /// The signer key, when there is one.
    pub(super) fn firebase_signer(&self) -> Option<&[u8]> {
        self.firebase_signer.as_ref().map(|key| key.as_slice())
    }
}
