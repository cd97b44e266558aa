//! Access that is good for one tenant, kept and handed out per tenant.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::names::TenantId;

use crate::Problem;

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

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        Self::unavailable("TenantSessionRefused", error)
    }
}

/// Sessions kept when nobody says otherwise: more tenants than one instance meets
/// within the life of a session, and a few hundred kilobytes.
pub const SESSIONS_KEPT: usize = 100;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
    use std::task::Poll;
    use std::time::Duration;

    const LIFE: u64 = 900;

    /// Names the tenant in what it issues, counts, and takes its time.
    #[derive(Default)]
    struct Counting {
        clock: AtomicU64,
        calls: Mutex<HashMap<TenantId, u64>>,
        running: Mutex<HashMap<TenantId, u64>>,
        overlaps: AtomicU64,
        fails: AtomicBool,
    }

    #[derive(Clone, Debug, PartialEq)]
    struct Access {
        tenant: TenantId,
        serial: u64,
    }

    impl Issuer for Arc<Counting> {
        type Access = Access;

        async fn issue(&self, tenant: &TenantId) -> Result<Issued<Access>, IssueError> {
            let serial = bump(&self.calls, tenant, 1);
            if bump(&self.running, tenant, 1) > 1 {
                self.overlaps.fetch_add(1, SeqCst);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            bump(&self.running, tenant, u64::MAX);
            if self.fails.load(SeqCst) {
                return Err(IssueError("STS is down".into()));
            }
            let expires_at = self.clock.load(SeqCst) + LIFE;
            Ok(Issued { access: Access { tenant: tenant.clone(), serial }, expires_at })
        }
    }

    fn bump(counts: &Mutex<HashMap<TenantId, u64>>, tenant: &TenantId, by: u64) -> u64 {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(tenant.clone()).or_default();
        *count = count.wrapping_add(by);
        *count
    }

    fn tenant(number: u64) -> TenantId {
        TenantId::parse(&format!("t{number}")).unwrap()
    }

    fn sessions(capacity: usize) -> (Arc<Counting>, TenantSessions<Arc<Counting>>) {
        let issuer = Arc::new(Counting::default());
        (Arc::clone(&issuer), TenantSessions::new(issuer, capacity))
    }

    /// Rows I07 and I08. `POOLHOUSE_REQUESTS` says how many requests 64 tasks make
    /// together; 128,000 otherwise.
    #[tokio::test(flavor = "multi_thread", worker_threads = 8)]
    async fn interleaved_requests_of_many_tenants_never_share_access() {
        let requests: u64 = std::env::var("POOLHOUSE_REQUESTS").map_or(128_000, |text| text.parse().unwrap());
        let rounds = requests.div_ceil(64);
        let (issuer, sessions) = sessions(16);
        let sessions = Arc::new(sessions);
        let tasks: Vec<_> = (0..64_u64)
            .map(|task| {
                let sessions = Arc::clone(&sessions);
                tokio::spawn(async move {
                    for round in 0..rounds {
                        let tenant = tenant((task * 31 + round * 17) % 16);
                        let access = sessions.access(&tenant, 0).await.unwrap();
                        assert_eq!(access.tenant, tenant, "task {task} round {round}");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(issuer.overlaps.load(SeqCst), 0, "two calls at once for one tenant");
        let calls = issuer.calls.lock().unwrap();
        assert_eq!(calls.len(), 16);
        assert!(calls.values().all(|calls| *calls == 1), "{calls:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 8)]
    async fn more_tenants_than_places_are_served_and_never_mixed() {
        let (_, sessions) = sessions(3);
        let sessions = Arc::new(sessions);
        let tasks: Vec<_> = (0..32_u64)
            .map(|task| {
                let sessions = Arc::clone(&sessions);
                tokio::spawn(async move {
                    for round in 0..100 {
                        let tenant = tenant((task * 7 + round) % 11);
                        assert_eq!(sessions.access(&tenant, 0).await.unwrap().tenant, tenant);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(sessions.slots().by_tenant.len() <= 3);
    }

    #[tokio::test]
    async fn access_is_renewed_before_it_ends() {
        let (issuer, sessions) = sessions(4);
        // Seconds since 1970, and which call's access is handed out.
        let table = [(0, 1), (LIFE - RENEW_EARLY - 1, 1), (LIFE - RENEW_EARLY, 2), (LIFE, 2), (3 * LIFE, 3)];
        for (now, serial) in table {
            issuer.clock.store(now, SeqCst);
            assert_eq!(sessions.access(&tenant(1), now).await.unwrap().serial, serial, "at {now}");
        }
    }

    #[tokio::test]
    async fn while_the_issuer_fails_only_living_access_serves() {
        let (issuer, sessions) = sessions(4);
        sessions.access(&tenant(1), 0).await.unwrap();
        issuer.fails.store(true, SeqCst);
        let table = [(LIFE - RENEW_EARLY, true), (LIFE - LAST_USE - 1, true), (LIFE - LAST_USE, false), (LIFE, false)];
        for (now, served) in table {
            assert_eq!(sessions.access(&tenant(1), now).await.is_ok(), served, "at {now}");
        }
        assert!(sessions.access(&tenant(2), 0).await.is_err(), "another tenant's access stands in for nobody");
        issuer.fails.store(false, SeqCst);
        assert_eq!(sessions.access(&tenant(2), 0).await.unwrap().tenant, tenant(2), "a failure is not kept");
    }

    #[tokio::test]
    async fn the_session_longest_unused_makes_room() {
        let (issuer, sessions) = sessions(2);
        for number in [1, 2, 1, 3, 1] {
            sessions.access(&tenant(number), 0).await.unwrap();
        }
        assert_eq!(issuer.calls.lock().unwrap().get(&tenant(1)), Some(&1));
        sessions.access(&tenant(2), 0).await.unwrap();
        assert_eq!(issuer.calls.lock().unwrap().get(&tenant(2)), Some(&2));
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_blocks_nobody() {
        let (_, sessions) = sessions(2);
        // Begun, so that it holds the tenant's place, and then dropped.
        let of_one = tenant(1);
        let mut given_up = Box::pin(sessions.access(&of_one, 0));
        assert!(poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context).is_pending())).await);
        drop(given_up);
        assert_eq!(sessions.access(&tenant(1), 0).await.unwrap().tenant, tenant(1));
    }

    #[test]
    fn what_is_printed_holds_no_secret() {
        let issued = Issued { access: "secret-access-key", expires_at: 1 };
        assert!(!format!("{issued:?}").contains("secret"));
    }
}
