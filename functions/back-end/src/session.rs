//! Access that is good for one tenant, kept and handed out per tenant.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::names::TenantId;

/// Gets access for one tenant, such as a client with that tenant's credentials.
pub trait Issuer {
    /// What reaches the tenant's data.
    type Access: Clone + Send;

    /// Asks for access to this tenant's data and no other's.
    fn issue(&self, tenant: &TenantId) -> impl Future<Output = Result<Issued<Self::Access>, IssueError>> + Send;
}

/// Access and when it ends.
#[derive(Clone)]
pub struct Issued<A> {
    /// What reaches the tenant's data.
    pub access: A,
    /// When it stops working, in seconds since 1970.
    pub expires_at: u64,
}

/// Says when it ends, and nothing of the access itself: it may hold secrets.
impl<A> fmt::Debug for Issued<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Why no access could be had.
#[derive(Debug)]
pub struct IssueError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no session for the tenant")
    }
}

impl Error for IssueError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// Access is renewed this long before it ends, in seconds.
const RENEW_EARLY: u64 = 120;
/// With less than this left, access is not used any more even if it cannot be renewed.
const LAST_USE: u64 = 20;

/// The sessions of a process, one per tenant at most.
pub struct TenantSessions<I: Issuer> {
    issuer: I,
    capacity: usize,
    slots: Mutex<Slots<I::Access>>,
}

struct Slots<A> {
    by_tenant: HashMap<TenantId, Slot<A>>,
    uses: u64,
}

struct Slot<A> {
    session: Session<A>,
    last_use: u64,
}

/// The lock is held while a session is renewed: single flight, for this tenant only.
type Session<A> = Arc<tokio::sync::Mutex<Option<Issued<A>>>>;

impl<I: Issuer> fmt::Debug for TenantSessions<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantSessions").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<I: Issuer> TenantSessions<I> {
    /// Keeps at most `capacity` sessions; the one longest unused goes first.
    pub fn new(issuer: I, capacity: usize) -> Self {
        Self { issuer, capacity: capacity.max(1), slots: Mutex::new(Slots { by_tenant: HashMap::new(), uses: 0 }) }
    }

    /// Access to this tenant's data: what is kept, or what the issuer gives now.
    ///
    /// `now` is in seconds since 1970. While the issuer fails, access that still
    /// has some seconds to live goes on serving.
    pub async fn access(&self, tenant: &TenantId, now: u64) -> Result<I::Access, IssueError> {
        // INVARIANT: the slot is found by the same name that the issuer is asked
        // for, and nothing is ever moved from one slot to another.
        let session = self.slot(tenant);
        let mut kept = session.lock().await;
        if let Some(issued) = kept.as_ref().filter(|issued| lasts(issued, now, RENEW_EARLY)) {
            return Ok(issued.access.clone());
        }
        match self.issuer.issue(tenant).await {
            Ok(issued) => Ok(kept.insert(issued).access.clone()),
            Err(error) => match kept.as_ref().filter(|issued| lasts(issued, now, LAST_USE)) {
                Some(issued) => Ok(issued.access.clone()),
                None => Err(error),
            },
        }
    }

    fn slot(&self, tenant: &TenantId) -> Session<I::Access> {
        let mut slots = self.slots();
        slots.uses += 1;
        let now = slots.uses;
        if let Some(slot) = slots.by_tenant.get_mut(tenant) {
            slot.last_use = now;
            return Arc::clone(&slot.session);
        }
        if slots.by_tenant.len() >= self.capacity {
            slots.drop_longest_unused();
        }
        let session = Session::default();
        let slot = Slot { session: Arc::clone(&session), last_use: now };
        slots.by_tenant.insert(tenant.clone(), slot);
        session
    }

    fn slots(&self) -> MutexGuard<'_, Slots<I::Access>> {
        // Nothing that runs under this lock can panic halfway.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Slots<A> {
    fn drop_longest_unused(&mut self) {
        let oldest = self.by_tenant.iter().min_by_key(|(_, slot)| slot.last_use).map(|(tenant, _)| tenant.clone());
        if let Some(tenant) = oldest {
            self.by_tenant.remove(&tenant);
        }
    }
}

fn lasts<A>(issued: &Issued<A>, now: u64, seconds: u64) -> bool {
    issued.expires_at > now.saturating_add(seconds)
}
