//! The issuers' keys: fetched at start, kept, and asked for again with measure.
//!
//! Between two invocations Lambda freezes the process, so nothing can be
//! refreshed behind a call's back. A set that has passed its soft age is
//! fetched anew by the call that finds it so; when that fails, the old set goes
//! on serving until its hard age.

mod fetch;
mod source;

pub use fetch::{FetchError, Fetcher};
pub use source::KeySource;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use shared::token::{KeySet, Profile};
use source::FetchProblem;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// The one thing that the key sets ask of the outside world.
pub trait Fetch {
    /// Fetches a document, within its own limits of time and size.
    fn fetch(&self, address: &str) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;
}

/// How long a key set is good, and how often it may be asked for. All are
/// measured by the monotonic clock: setting the clock moves none of them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From this age on a set is fetched anew.
    pub soft_age: Duration,
    /// From this age on it is not used any more.
    pub hard_age: Duration,
    /// The least time between two fetches, whatever the reason: an unknown key
    /// name costs whoever sends it nothing.
    pub cool_down: Duration,
    /// The least time between two fetches while there is no set at all. Doubled
    /// with each failure, up to the cool-down.
    pub first_retry: Duration,
    /// The longest that a call waits for a new set which the old one could answer:
    /// it has other things to wait for.
    pub renewal: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            soft_age: Duration::from_secs(60 * 60),
            hard_age: Duration::from_secs(24 * 60 * 60),
            cool_down: Duration::from_secs(10),
            first_retry: Duration::from_millis(500),
            // One attempt of the fetcher.
            renewal: Duration::from_millis(750),
        }
    }
}

/// The keys of an issuer cannot be had.
#[derive(Clone, Debug)]
pub struct Unavailable(Arc<str>);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no key set: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

/// The key sets of all issuers. Their number never changes, and nothing is kept
/// about key names that were asked for in vain, so nobody can make it grow.
pub struct KeySets<F> {
    profile: Profile,
    issuers: Vec<Issuer>,
    fetch: F,
    limits: Limits,
}

struct Issuer {
    name: String,
    source: KeySource,
    state: RwLock<State>,
    /// Held by the one call that fetches. Whoever waits looks again afterwards;
    /// when the holder is dropped, the next one fetches in its place.
    flight: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    keys: Option<(Arc<KeySet>, Instant)>,
    last: Option<Instant>,
    /// The failures in a row, and the last one's reason.
    failures: u32,
    failure: Option<Unavailable>,
}

/// What a look at the state says.
enum Look {
    /// This is the answer.
    Answer(Result<Arc<KeySet>, Unavailable>),
    /// A fetch is due.
    Due,
}

impl<F: Fetch> KeySets<F> {
    /// Key sets of these issuers, by name and source; none is fetched yet.
    pub fn new<S: Into<KeySource>>(issuers: Vec<(String, S)>, fetch: F, limits: Limits) -> Self {
        Self::of(Profile::UserPool, issuers, fetch, limits)
    }

    /// The same for issuers of any kind.
    pub fn of<S: Into<KeySource>>(profile: Profile, issuers: Vec<(String, S)>, fetch: F, limits: Limits) -> Self {
        let issuer = |(name, source): (String, S)| Issuer {
            name,
            source: source.into(),
            state: RwLock::default(),
            flight: Mutex::new(()),
        };
        Self { profile, issuers: issuers.into_iter().map(issuer).collect(), fetch, limits }
    }

    /// Fetches all of them once, side by side. What fails is logged, and tried again later.
    pub async fn fetch_all(&self) {
        let fetch = async |issuer: &Issuer| {
            let _flight = issuer.flight.lock().await;
            self.refresh(issuer).await;
        };
        let mut pending: Vec<_> = self.issuers.iter().map(|issuer| Box::pin(fetch(issuer))).collect();
        poll_fn(|context| {
            pending.retain_mut(|fetch| fetch.as_mut().poll(context).is_pending());
            if pending.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The keys of an issuer, fetched anew if that may bring a key of this name
    /// to light. Whether it is there is for the caller to see.
    pub async fn get(&self, issuer: &str, key_id: &str) -> Result<Arc<KeySet>, Unavailable> {
        let unknown = || Unavailable(Arc::from("not an issuer of ours"));
        let issuer = self.issuers.iter().find(|known| known.name == issuer).ok_or_else(unknown)?;
        if let Look::Answer(answer) = issuer.look(key_id, &self.limits) {
            return answer;
        }
        let _flight = issuer.flight.lock().await;
        // Somebody else may have fetched while this call waited.
        if let Look::Answer(answer) = issuer.look(key_id, &self.limits) {
            return answer;
        }
        if issuer.state().serves(key_id, &self.limits) {
            self.renew(issuer).await;
        } else {
            self.refresh(issuer).await;
        }
        issuer.state().answer(key_id, &self.limits)
    }

    /// Fetches a set anew while the old one serves, with less patience.
    async fn renew(&self, issuer: &Issuer) {
        if timeout(self.limits.renewal, self.refresh(issuer)).await.is_err() {
            issuer.failed("nothing came in time".to_owned());
        }
    }

    /// Fetches one set. A document that cannot be used changes nothing but the
    /// time of the next attempt.
    async fn refresh(&self, issuer: &Issuer) {
        let read = |bytes: Vec<u8>| KeySet::read_as(self.profile, &issuer.name, &bytes).map_err(FetchProblem::Unusable);
        let fetched = issuer.source.document(&issuer.name, &self.fetch).await.and_then(read);
        match fetched {
            Ok(keys) => {
                report(&issuer.name, &keys);
                let now = Instant::now();
                *issuer.writable() = State { keys: Some((Arc::new(keys), now)), last: Some(now), ..State::default() };
            }
            Err(problem) => issuer.failed(problem.to_string()),
        }
    }
}

/// Tells whoever runs the issuer what is odd about its keys.
fn report(issuer: &str, keys: &KeySet) {
    if keys.leaks_private_key() {
        tracing::error!(issuer, code = "PrivateKeyPublished", "the key set holds a private key");
    }
    if keys.skipped() > 0 {
        tracing::warn!(issuer, code = "KeysSkipped", count = keys.skipped(), "some keys cannot be used here");
    }
}

impl Issuer {
    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn writable(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a fetch brought nothing, and why.
    fn failed(&self, cause: String) {
        tracing::warn!(issuer = self.name, code = "KeySetNotFetched", cause, "the key set stays as it was");
        let mut state = self.writable();
        state.last = Some(Instant::now());
        state.failures = state.failures.saturating_add(1);
        state.failure = Some(Unavailable(Arc::from(cause)));
    }

    /// Answers from what is there, unless a fetch could change the answer and
    /// is allowed by now.
    fn look(&self, key_id: &str, limits: &Limits) -> Look {
        let state = self.state();
        let fresh = state.keys.as_ref().filter(|(_, at)| at.elapsed() < limits.soft_age);
        if let Some((keys, _)) = fresh.filter(|(keys, _)| keys.has(key_id)) {
            return Look::Answer(Ok(Arc::clone(keys)));
        }
        let cooling = state.last.is_some_and(|last| last.elapsed() < state.pause(limits));
        if cooling { Look::Answer(state.answer(key_id, limits)) } else { Look::Due }
    }
}

impl State {
    /// How long to wait after the last attempt.
    fn pause(&self, limits: &Limits) -> Duration {
        match self.keys {
            Some(_) => limits.cool_down,
            None => {
                let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
                limits.first_retry.saturating_mul(doubled).min(limits.cool_down)
            }
        }
    }

    /// The set, if it is not too old to be used.
    fn usable(&self, limits: &Limits) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().filter(|(_, at)| at.elapsed() < limits.hard_age).map(|(keys, _)| keys)
    }

    /// Whether the set answers for a key of this name whatever a fetch brings.
    fn serves(&self, key_id: &str, limits: &Limits) -> bool {
        self.usable(limits).is_some_and(|keys| keys.has(key_id))
    }

    /// The set, if it is not too old to be used. A key that it lacks may have
    /// come since, so after a failure nobody can say that there is none.
    fn answer(&self, key_id: &str, limits: &Limits) -> Result<Arc<KeySet>, Unavailable> {
        match (self.usable(limits), &self.failure) {
            (Some(keys), None) => Ok(Arc::clone(keys)),
            (Some(keys), Some(_)) if keys.has(key_id) => Ok(Arc::clone(keys)),
            (_, Some(failure)) => Err(failure.clone()),
            (None, None) => Err(Unavailable(Arc::from("not fetched yet"))),
        }
    }
}
