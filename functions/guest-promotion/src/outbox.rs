//! What a promotion sends: its event, and notes to go on later.

pub(crate) mod aws;

use std::error::Error;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use shared::guests::IdentityId;

use crate::ledger::{Counts, Ledger};

/// The event of a promotion. It may be sent more than once, always with the
/// same id, and it never says anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Promoted {
    /// Names this promotion; whoever receives events keeps those that he has seen.
    pub id: String,
    /// The user's `sub`.
    pub subject: String,
    /// The user's identity.
    pub identity_id: String,
    /// When everything had moved, in seconds since 1970.
    pub promoted_at: u64,
    /// How many records the user got under their own names.
    pub moved: u64,
    /// How many under another name.
    pub renamed: u64,
    /// How many in place of his own.
    pub replaced: u64,
    /// How many were set aside.
    pub set_aside: u64,
}

impl Promoted {
    /// The event of a finished promotion; `None` before it is finished.
    pub fn of(ledger: &Ledger) -> Option<Self> {
        let Counts { moved, renamed, replaced, set_aside, .. } = ledger.counts;
        Some(Self {
            id: id_of(ledger),
            subject: ledger.owner.to_string(),
            identity_id: ledger.identity.as_ref()?.to_string(),
            promoted_at: ledger.finished_at?,
            moved,
            renamed,
            replaced,
            set_aside,
        })
    }
}

/// Why something was not sent. Trying again may help.
#[derive(Debug)]
pub struct SendError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it could not be sent")
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// Where a promotion sends things.
pub trait Outbox {
    /// Tells everybody that a guest was promoted.
    fn announce(&self, event: &Promoted) -> impl Future<Output = Result<(), SendError>> + Send;

    /// Has the queue look at a guest's promotion after a while.
    fn remind(&self, guest: &IdentityId, delay_s: u64) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// A UUID made from what never changes about a promotion. One guest is promoted
/// once, so it names the promotion.
fn id_of(ledger: &Ledger) -> String {
    named_uuid(&format!("guest.promoted {} {} {}", ledger.guest, ledger.owner, ledger.claimed_at))
}

/// A UUID of version 8: its bits are those of a SHA-256 of the name.
/// <https://www.rfc-editor.org/rfc/rfc9562#section-5.8>
fn named_uuid(name: &str) -> String {
    let hash = digest(&SHA256, name.as_bytes());
    let bits = hash.as_ref().iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let bits = bits & !(0xf_u128 << 76) & !(0x3_u128 << 62) | 0x8_u128 << 76 | 0x2_u128 << 62;
    let hex = format!("{bits:032x}");
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].map(|(from, to)| hex.get(from..to).unwrap_or_default());
    parts.join("-")
}
