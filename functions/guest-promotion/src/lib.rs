//! Makes an anonymous guest a registered user who keeps everything.

mod accounts;
mod clock;
mod failure;
mod ledger;
mod mover;
mod moves;
mod outbox;
mod promotion;

pub use accounts::aws::Pools;
pub use accounts::{AccountError, Accounts, LinkError, Login};
pub use clock::{Clock, SystemClock};
pub use failure::Failure;
pub use ledger::{Corrupt, Counts, LEASE_S, Ledger, PROMOTION, State};
pub use outbox::aws::BusAndQueue;
pub use outbox::{Outbox, Promoted, SendError};
pub use promotion::{Claimant, Next, Progress, Promotion, Report};
