//! Makes an anonymous guest a registered user who keeps everything.
//!
//! | event | what happens | AWS calls when there is nothing to do |
//! | --- | --- | --- |
//! | `POST /guest/promotion` | the caller takes a guest: his login is linked, his records move | 1 |
//! | `PUT /guest/claim` | a guest registers a secret, without which nobody takes him | 5 at most |
//! | notes of the queue | promotions go on that a call could not finish; what guests write late follows | 2 |
//!
//! The ledger in the records table says whose a guest is, once and for ever. The
//! order of a promotion is: claim the guest in the ledger, link the login, give
//! the groups, move the records, finish the ledger, send the event. Each step
//! leaves what the next one needs in the ledger, so that whoever comes next,
//! the same call again or the queue, goes on from there.

mod accounts;
mod clock;
mod entry;
mod failure;
mod handler;
mod ledger;
mod mover;
mod moves;
mod outbox;
mod promotion;
mod settings;
mod wire;

pub use accounts::aws::Pools;
pub use accounts::{AccountError, Accounts, LinkError, Login};
pub use clock::{Clock, SystemClock};
pub use failure::Failure;
pub use handler::GuestPromotion;
pub use ledger::{Corrupt, Counts, LEASE_S, Ledger, State};
pub use outbox::aws::BusAndQueue;
pub use outbox::{Outbox, Promoted, SendError};
pub use promotion::{Claimant, Next, Progress, Promotion, Report};
pub use settings::Settings;

/// What the function's own role must allow.
pub const ACTIONS: &[&str] = &[
    "cognito-idp:AdminAddUserToGroup",
    "cognito-identity:DeleteIdentities",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "events:PutEvents",
    "sqs:SendMessage",
];
