//! Checks that cross packages, and the harness they run in.
//!
//! The harness starts the real binaries, speaks to them as AWS does, and keeps
//! everything on loopback and looks for secrets in all that it sees: [`Function`] is a started function behind a Runtime
//! API, [`TokenIssuer`] mints Cognito-like tokens and serves its key set,
//! [`Services`] stands in for the AWS services that the functions call.

mod audit;
mod binaries;
mod cases;
pub mod clock;
mod cognito;
pub mod edit;
pub mod faults;
mod function;
pub mod gateway;
pub mod http;
pub mod iam;
mod identity_pool;
mod log;
pub mod pool_documents;
pub mod pool_service;
mod runtime_api;
pub mod secrets;
mod services;
mod simulator;
pub mod sources;
pub mod template;
mod tokens;

pub use audit::{Audit, is_public_text};
pub use binaries::{binary, workspace_root};
pub use cases::{Case, all as cases};
pub use cognito::{Pages, Pool, PoolUser};
pub use function::{Function, Outcome};
pub use identity_pool::{GIVEN_SECRET, Identity, IdentityPool};
pub use log::{Line, Stream};
pub use runtime_api::{Reply, RuntimeApi};
pub use services::{
    ATTEMPTS_TABLE, DIRECTORY_TABLE, ITEMS_TABLE, LEGACY_USERS_TABLE, RECORDS_TABLE, REVOCATION_TABLE, Services,
    directory_table,
};
pub use simulator::{Verdict, evaluate, evaluate_at};
pub use tokens::{Claims, SigningKey, TokenIssuer, compact, encode, now, other_signing_key, signing_key};
