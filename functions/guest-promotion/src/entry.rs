//! Who may take a guest: the proofs, and the guest's claim secret.
//!
//! | what is offered | what it proves |
//! | --- | --- |
//! | an OpenID token of the identity pool | whoever asked for it knew the guest's identity, a few minutes ago |
//! | a mark in the guest's own partition that names the user | whoever wrote it had the guest's credentials, and meant this user |
//! | the claim secret | whoever has it registered it for this guest |
//!
//! The first two are worth the same: the identity's id gives both. The third is
//! worth more, and where it was registered it must be there.

use records::{
    Change, EXPIRES_AT, Item, PK, SK, Store, WriteError, guest as guest_key, ledger as ledger_key, number, text,
};
use shared::guests::claim::{self, ClaimRefusal, ClaimSecret, Registration};
use shared::guests::proof::{
    ISSUER, ProofRefusal, ProofRules, UnverifiedIdentity, UnverifiedProof, Written, check_claim, check_grant, prove,
};
use shared::guests::{CLAIM, GRANT};
use shared::lockout::{Record, Step};
use shared::names::Subject;
use shell::key_set::{Fetch, KeySets};

use crate::failure::Failure;
use crate::wire::Evidence;

/// The attribute that holds what a mark says.
const SAYS: &str = "data";

/// The sort key of a guest's claim secret.
const SECRET: &str = "SECRET";

/// Tries of one write before it is given up.
const MOST_TRIES: u32 = 5;

/// Why somebody may not take a guest. The caller hears one sentence for all but
/// that the guest has signed in, and that nothing could be checked.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nothing is proved.
    Proof(ProofRefusal),
    /// The claim secret is missing or wrong.
    Secret(ClaimRefusal),
    /// There were too many attempts; the secret is not even looked at.
    Locked,
    /// The guest is somebody's already.
    Claimed,
    /// Nothing could be checked.
    Failed(Failure),
}

impl Refusal {
    /// Stable name, for the log.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Proof(refusal) => refusal.code(),
            Self::Secret(refusal) => refusal.code(),
            Self::Locked => "ClaimSecretLocked",
            Self::Claimed => "GuestOfAnother",
            Self::Failed(failure) => failure.code(),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ProofRefusal> for Refusal {
    fn from(refusal: ProofRefusal) -> Self {
        Self::Proof(refusal)
    }
}

/// What is kept of a secret that cannot be read is an alarm like any entry of
/// the ledger; the rest is the caller's.
impl From<ClaimRefusal> for Refusal {
    fn from(refusal: ClaimRefusal) -> Self {
        match refusal {
            ClaimRefusal::RegistrationUnreadable => corrupt(),
            refusal => Self::Secret(refusal),
        }
    }
}

/// Checks proofs.
pub(crate) struct Entry<F> {
    pub(crate) rules: ProofRules,
    pub(crate) key_sets: KeySets<F>,
}

/// What a mark is for.
pub(crate) enum Purpose<'a> {
    /// A user takes the guest.
    Grant(&'a Subject),
    /// The guest registers a secret.
    Claim(&'a ClaimSecret),
}

impl<F: Fetch> Entry<F> {
    /// Which guest it is about. Nothing is proved yet.
    pub(crate) fn unverified(&self, evidence: &Evidence) -> Result<UnverifiedIdentity, Refusal> {
        Ok(match evidence {
            Evidence::Mark(id) => UnverifiedIdentity::parse(&self.rules.pool, id)?,
            Evidence::Token(token) => UnverifiedProof::parse(token)?.identity(&self.rules.pool)?,
        })
    }

    /// Checks what is offered for this guest.
    pub(crate) async fn prove<S: Store>(
        &self,
        store: &S,
        (guest, evidence): (&UnverifiedIdentity, &Evidence),
        purpose: Purpose<'_>,
        now: u64,
    ) -> Result<(), Refusal> {
        match evidence {
            Evidence::Token(token) => {
                let proof = UnverifiedProof::parse(token)?;
                let keys = self.key_sets.get(ISSUER, proof.key_id()).await;
                let keys = keys.map_err(|error| Failure::unavailable("KeySetUnavailable", error))?;
                prove(&self.rules, &proof, &keys, now)?;
            }
            Evidence::Mark(_) => {
                let name = match purpose {
                    Purpose::Grant(_) => GRANT,
                    Purpose::Claim(_) => CLAIM,
                };
                let mark = read(store, &guest_key(guest.to_look_up()), name).await?;
                let mark = mark.as_ref().map(written);
                match purpose {
                    Purpose::Grant(user) => check_grant(guest, mark, user, now)?,
                    Purpose::Claim(secret) => check_claim(guest, mark, secret, now)?,
                };
            }
        }
        Ok(())
    }
}

async fn read<S: Store>(store: &S, pk: &str, sk: &str) -> Result<Option<Item>, Failure> {
    store.read(pk, sk).await.map_err(|error| Failure::unavailable("RecordsUnread", error))
}

fn written(mark: &Item) -> Written<'_> {
    let data = mark.get(SAYS).and_then(|value| value.as_s().ok()).map(String::as_str);
    Written { data, ends_at: whole(mark, EXPIRES_AT) }
}

fn whole(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Checks a guest's secret, if one was registered.
pub(crate) async fn check_secret<S: Store>(
    store: &S,
    guest: &UnverifiedIdentity,
    shown: Option<&ClaimSecret>,
    now: u64,
) -> Result<(), Refusal> {
    for _ in 0..MOST_TRIES {
        let Some(kept) = read(store, &ledger_key(guest.to_look_up()), SECRET).await? else { return Ok(()) };
        if shown.is_none() {
            return Ok(claim::check(Some(hash(&kept)), None)?);
        }
        // INVARIANT: an attempt is counted before anything is compared.
        match charge(store, &kept, now).await? {
            Charged::Allowed => return Ok(claim::check(Some(hash(&kept)), shown)?),
            Charged::Refused => return Err(Refusal::Locked),
            Charged::Again => {}
        }
    }
    Err(Failure::unavailable("ClaimSecretBusy", "too many attempts at the same time").into())
}

/// Registers a secret for a guest, once. The same one again changes nothing.
pub(crate) async fn register<S: Store>(
    store: &S,
    guest: &UnverifiedIdentity,
    secret: &ClaimSecret,
    now: u64,
) -> Result<(), Refusal> {
    let Registration::Keep(hash) = claim::register(None, secret)? else { return Ok(()) };
    let item = Item::from([
        (PK.to_owned(), text(ledger_key(guest.to_look_up()))),
        (SK.to_owned(), text(SECRET)),
        ("hash".to_owned(), text(hash.to_hex())),
        ("attempts".to_owned(), number(0)),
        ("waits".to_owned(), number(0)),
        ("registered_at".to_owned(), number(now)),
    ]);
    match store.write(&[Change::Create(item)]).await {
        Ok(()) => Ok(()),
        // There is one already; trying another one is an attempt like any other.
        Err(WriteError::Stale(_)) => check_secret(store, guest, Some(secret), now).await,
        Err(error) => Err(Failure::unavailable("ClaimSecretUnwritten", error).into()),
    }
}

/// What was kept of a secret; an empty text, which is nobody's hash, when there
/// is nothing readable.
fn hash(kept: &Item) -> &str {
    kept.get("hash").and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// What became of counting an attempt.
enum Charged {
    Allowed,
    Refused,
    /// Somebody else tried at the same time.
    Again,
}

/// Counts an attempt and says whether it may go on.
async fn charge<S: Store>(store: &S, kept: &Item, now: u64) -> Result<Charged, Refusal> {
    let open_at = match kept.get("open_at") {
        None => None,
        Some(_) => Some(whole(kept, "open_at").ok_or_else(corrupt)?),
    };
    let count = whole(kept, "attempts").ok_or_else(corrupt)?.saturating_add(1);
    let record = Record { count, waits: whole(kept, "waits").ok_or_else(corrupt)?, open_at };
    let (charged, wait) = match claim::after_attempt(record, now) {
        Step::Go => (Charged::Allowed, None),
        Step::GoAndWait(wait) | Step::Claim { next: wait, .. } => (Charged::Allowed, Some(wait)),
        Step::RefuseAndWait(wait) => (Charged::Refused, Some(wait)),
        // Nothing more to remember: the waiting time stands.
        Step::Refuse => return Ok(Charged::Refused),
    };
    let mut new = kept.clone();
    new.insert("attempts".to_owned(), number(count));
    if let Some(wait) = wait {
        new.insert("waits".to_owned(), number(wait.waits));
        new.insert("open_at".to_owned(), number(wait.open_at));
    }
    match store.write(&[Change::Replace { old: kept.clone(), new }]).await {
        Ok(()) => Ok(charged),
        Err(WriteError::Stale(_) | WriteError::Busy) => Ok(Charged::Again),
        Err(error) => Err(Failure::unavailable("ClaimSecretUnwritten", error).into()),
    }
}

fn corrupt() -> Refusal {
    Failure::unavailable("LedgerCorrupt", "a claim secret has no usable form").into()
}
