//! Where a user belongs, according to the directory.

use std::fmt;
use std::time::Duration;

use directory::{Error, Newcomer, Person, Provisioned, Subject};
use shared::names::TenantId;
use shared::provisioning::Request;
use shared::rules::Rules;
use shared::tenants::{self, Membership, Reason, Tenancy};

/// What this trigger asks of the directory.
pub trait People {
    /// Everything about one user, in one round trip.
    fn person(&self, subject: &Subject) -> impl Future<Output = Result<Person, Error>> + Send;

    /// Makes up for a provisioning that did not happen on confirmation.
    fn provision(
        &self,
        rules: &Rules,
        newcomer: Newcomer<'_>,
    ) -> impl Future<Output = Result<Provisioned, Error>> + Send;
}

/// The user whose token it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) groups: &'a [String],
    pub(crate) now: u64,
}

/// Where a user acts, and what it took to know.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) tenancy: Tenancy,
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
    /// Another call has just written the profile, and the index lags behind.
    NotShownYet,
    /// The directory took longer than the token can wait.
    TooSlow,
}

/// What the directory knows of a provisioned user.
struct Known {
    memberships: Vec<Membership>,
    chosen: Option<TenantId>,
    healed: bool,
}

/// How long to wait for the index after another call wrote the profile, before
/// the token goes out without it.
const LAG_MS: [u64; 3] = [40, 80, 160];

/// How long all of it may take. What is left of the function's own limit is
/// for the answer: slowness must not end a sign-in either.
const LIMIT: Duration = Duration::from_millis(3_000);

/// Finds out where the user acts. Without `people`, groups alone say it.
///
/// When the directory gives no answer, or one that is in doubt, the token goes
/// out without tenant and roles: a sign-in goes on, a right does not.
pub(crate) async fn find<P: People>(people: Option<&P>, rules: &Rules, user: User<'_>) -> Found {
    let Some(people) = people else {
        return Found { tenancy: tenants::decide(&rules.tenants, user.groups, None, None), healed: false, doubt: None };
    };
    let known = tokio::time::timeout(LIMIT, known(people, rules, user)).await.unwrap_or(Err(Doubt::TooSlow));
    match known {
        Ok(Known { memberships, chosen, healed }) => {
            let tenancy = tenants::decide(&rules.tenants, user.groups, Some(&memberships), chosen.as_ref());
            Found { tenancy, healed, doubt: None }
        }
        Err(doubt) => Found { tenancy: Tenancy::none(Reason::DirectoryUnread), healed: false, doubt: Some(doubt) },
    }
}

async fn known<P: People>(people: &P, rules: &Rules, user: User<'_>) -> Result<Known, Doubt> {
    let subject = user.request.attributes.subject().and_then(Subject::parse).ok_or(Doubt::SubjectMissing)?;
    let Person { profile, mut memberships } = people.person(&subject).await?;
    if let Some(profile) = profile {
        return Ok(Known { memberships, chosen: profile.active_tenant, healed: false });
    }
    let newcomer = Newcomer { subject: &subject, request: user.request, now: user.now };
    match people.provision(rules, newcomer).await? {
        Provisioned::Now(new) => {
            memberships.extend(new);
            Ok(Known { memberships, chosen: None, healed: true })
        }
        Provisioned::Before => settled(people, &subject).await,
    }
}

/// Reads again until the index shows what another call wrote.
async fn settled<P: People>(people: &P, subject: &Subject) -> Result<Known, Doubt> {
    for wait in LAG_MS {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        if let Person { profile: Some(profile), memberships } = people.person(subject).await? {
            return Ok(Known { memberships, chosen: profile.active_tenant, healed: false });
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
        }
    }
}
