//! Where a user belongs, according to the directory.

use std::fmt;
use std::time::Duration;

use directory::{AddError, Error, Newcomer, Outcome, Person, PoolUser, Provisioned, Subject};
use shared::names::TenantId;
use shared::provisioning::{self, Request};
use shared::rules::Rules;
use shared::tenants::{self, Membership, Tenancy};

/// What this trigger asks of the directory.
pub trait People {
    /// Everything about one user, in one round trip.
    fn person(&self, subject: &Subject) -> impl Future<Output = Result<Person, Error>> + Send;

    /// Makes up for a provisioning that did not happen on confirmation.
    fn provision(&self, rules: &Rules, newcomer: Newcomer<'_>) -> impl Future<Output = Outcome> + Send;
}

/// The user whose token it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User<'a> {
    pub(crate) request: Request<'a>,
    /// For the pool, if it must be told of a group.
    pub(crate) in_pool: PoolUser<'a>,
    pub(crate) groups: &'a [String],
    pub(crate) now: u64,
}

/// Where a user acts, and what it took to know.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) tenancy: Tenancy,
    /// The groups that the user was added to just now.
    pub(crate) joined: Vec<String>,
    /// The groups that the pool does not have, and why that is known.
    pub(crate) missing: Vec<AddError>,
    /// Whether a missing profile was made up for.
    pub(crate) healed: bool,
    /// Why the directory's answer could not be used, if it could not.
    pub(crate) doubt: Option<Doubt>,
}

/// Why nothing is known of where a user belongs.
#[derive(Debug)]
pub(crate) enum Doubt {
    /// The event names no usable subject.
    SubjectMissing,
    /// The directory gave no answer.
    Directory(Error),
    /// These groups come first, and the pool did not add the user to them.
    Groups(Vec<AddError>),
    /// Another call has just written the profile, and the index lags behind.
    NotShownYet,
    /// The directory took longer than the token can wait.
    TooSlow,
}

/// What the directory knows of a provisioned user.
#[derive(Default)]
struct Known {
    memberships: Vec<Membership>,
    chosen: Option<TenantId>,
    joined: Vec<String>,
    missing: Vec<AddError>,
    healed: bool,
}

/// How long to wait for the index after another call wrote the profile, before
/// the token goes out without it.
const LAG_MS: [u64; 3] = [40, 80, 160];

/// How long all of it may take. What is left of the function's own limit is
/// for the answer: slowness must not end a sign-in either.
const LIMIT: Duration = Duration::from_millis(3_000);

impl Found {
    /// What is known without asking anybody.
    pub(crate) fn unasked(tenancy: Tenancy) -> Self {
        Self { tenancy, joined: Vec::new(), missing: Vec::new(), healed: false, doubt: None }
    }
}

/// Finds out where the user acts. Without `people`, groups alone say it.
///
/// When the directory gives no answer, or one that is in doubt, the token goes
/// out without tenant and roles: a sign-in goes on, a right does not.
pub(crate) async fn find<P: People>(people: Option<&P>, rules: &Rules, user: User<'_>) -> Found {
    let decide = |groups: &[String], known: Option<&Known>| {
        let memberships = known.map(|known| known.memberships.as_slice());
        tenants::decide(&rules.tenants, groups, memberships, known.and_then(|known| known.chosen.as_ref()))
    };
    let Some(people) = people.filter(|_| provisioning::concerns_directory(rules, user.request)) else {
        return Found::unasked(decide(user.groups, None));
    };
    match tokio::time::timeout(LIMIT, known(people, rules, user)).await.unwrap_or(Err(Doubt::TooSlow)) {
        Ok(known) => {
            let tenancy = decide(&[user.groups, &known.joined].concat(), Some(&known));
            let Known { joined, missing, healed, .. } = known;
            Found { tenancy, joined, missing, healed, doubt: None }
        }
        Err(doubt) => Found { doubt: Some(doubt), ..Found::unasked(decide(user.groups, None)) },
    }
}

async fn known<P: People>(people: &P, rules: &Rules, user: User<'_>) -> Result<Known, Doubt> {
    let subject = user.request.attributes.subject().and_then(Subject::parse).ok_or(Doubt::SubjectMissing)?;
    let Person { profile, mut memberships } = people.person(&subject).await?;
    if let Some(profile) = profile {
        return Ok(Known { memberships, chosen: profile.active_tenant, ..Known::default() });
    }
    let newcomer = Newcomer { subject: &subject, user: user.in_pool, request: user.request, now: user.now };
    let Outcome { profile, joined, failed } = people.provision(rules, newcomer).await;
    let known = match profile {
        Ok(Provisioned::Now(new)) => {
            memberships.extend(new);
            Known { memberships, healed: true, ..Known::default() }
        }
        Ok(Provisioned::Before) => settled(people, &subject).await?,
        Err(Error::HeldBack) => return Err(Doubt::Groups(failed)),
        Err(error) => return Err(error.into()),
    };
    Ok(Known { joined, missing: failed, ..known })
}

/// Reads again until the index shows what another call wrote.
async fn settled<P: People>(people: &P, subject: &Subject) -> Result<Known, Doubt> {
    for wait in LAG_MS {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        if let Person { profile: Some(profile), memberships } = people.person(subject).await? {
            return Ok(Known { memberships, chosen: profile.active_tenant, ..Known::default() });
        }
    }
    Err(Doubt::NotShownYet)
}

impl From<Error> for Doubt {
    fn from(error: Error) -> Self {
        Self::Directory(error)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SubjectMissing => f.write_str("the event names no usable subject"),
            Self::TooSlow => f.write_str("the directory took too long"),
            Self::NotShownYet => f.write_str("the profile does not show in the index yet"),
            Self::Directory(error) => write!(f, "{}: {}", error.code(), shell::chain(error)),
            Self::Groups(errors) => f.write_str(&listed(errors)),
        }
    }
}

/// All of them in one line, each with its code.
pub(crate) fn listed(errors: &[AddError]) -> String {
    let one = |error: &AddError| format!("{}: {}", error.code(), shell::chain(error));
    errors.iter().map(one).collect::<Vec<_>>().join("; ")
}
