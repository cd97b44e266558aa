//! What the sample back ends share: reading the request, knowing the caller,
//! problem details, paging, preconditions, and credentials bound to one tenant.
//!
//! A back end trusts the authorizer's context and nothing else of the request.
//! What it may touch is decided a second time by IAM: it works with credentials
//! whose session tag is the caller's tenant.

pub mod aws;
mod caller;
pub mod items;
mod page;
mod precondition;
mod problem;
mod request;
mod response;
mod session;
mod settings;
#[cfg(feature = "testing")]
pub mod testing;

pub use caller::Caller;
pub use page::{Page, PageRequest};
pub use precondition::{Precondition, entity_tag};
pub use problem::{Problem, Refusal};
pub use request::Request;
pub use response::{Response, answer, answer_anybody};
pub use session::{IssueError, Issued, Issuer, SESSIONS_KEPT, TenantSessions};
pub use settings::{Revocations, Settings};
