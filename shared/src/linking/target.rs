//! To whom an account is linked.

use crate::attributes::Identity;

use super::{Candidate, Decision, Found, Link, NewUser, Refusal, Status, Wish};

/// The most external accounts of one user.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminLinkProviderForUser.html>
const MOST_IDENTITIES: usize = 5;

/// Decides by what was found.
///
/// INVARIANT: only where both lookups show the same one user, or both show
/// nobody, is anything done. A list that lags behind must not end in a second
/// user with the address, nor in a link to whoever happens to be visible.
pub(super) fn choose(wish: Wish<'_>, found: &Found) -> Decision {
    let (listed, named) = found.natives(&wish.address);
    match (listed.as_slice(), named) {
        ([], None) => without_user(wish),
        ([one], Some(named)) if one.user_name == named.user_name => with_user(&wish, named),
        ([], Some(_)) => Decision::Refuse(Refusal::LookupsDisagree),
        // An address that is not verified is no sign-in name where it is an alias.
        ([one], None) => match with_user(&wish, one) {
            Decision::Refuse(refusal) => Decision::Refuse(refusal),
            _ => Decision::Refuse(Refusal::LookupsDisagree),
        },
        _ => Decision::Refuse(Refusal::Ambiguous),
    }
}

fn without_user(wish: Wish<'_>) -> Decision {
    match wish.creates {
        None => Decision::SeparateAccount,
        Some(attribute) => Decision::Create(NewUser {
            address: wish.address,
            subject_attribute: attribute.to_owned(),
            provider: wish.provider.to_owned(),
            subject: wish.subject.to_owned(),
        }),
    }
}

fn with_user(wish: &Wish<'_>, user: &Candidate) -> Decision {
    let link = Link {
        user_name: user.user_name.clone(),
        provider: wish.provider.to_owned(),
        subject: wish.subject.to_owned(),
    };
    // An administrator's users wait in the same state; only ours hold the subject.
    let half_made = user.status == Status::ForceChangePassword
        && wish.creates.is_some_and(|attribute| user.attributes.get(attribute) == Some(wish.subject));
    if !user.enabled {
        Decision::Refuse(Refusal::TargetDisabled)
    } else if user.attributes.verified_email().is_none() {
        Decision::Refuse(Refusal::TargetUnverified)
    } else if user.status != Status::Confirmed && !half_made {
        Decision::Refuse(Refusal::TargetUnconfirmed)
    } else {
        match room_for(&link, user) {
            Ok(Room::Taken) => Decision::Linked,
            Ok(Room::Free) if half_made => Decision::Finish(link),
            Ok(Room::Free) => Decision::Link(link),
            Err(refusal) => Decision::Refuse(refusal),
        }
    }
}

/// Why a link that the pool has refused is not there, seeing the user as he is
/// now; `None` when it is there after all.
///
/// The pool's words do not tell a link that somebody else has made meanwhile
/// from one to another user, and it has been seen to refuse a link that it made:
/// <https://github.com/aws/aws-sdk-js-v3/issues/5281>.
pub fn check_link(link: &Link, user: &Candidate) -> Option<Refusal> {
    match room_for(link, user) {
        Ok(Room::Taken) => None,
        Ok(Room::Free) => Some(Refusal::PoolRefused),
        Err(refusal) => Some(refusal),
    }
}

enum Room {
    Free,
    /// By this very account.
    Taken,
}

fn room_for(link: &Link, user: &Candidate) -> Result<Room, Refusal> {
    let identities = user.attributes.identities().map_err(|_| Refusal::TargetUnreadable)?;
    let is_same = |identity: &Identity| {
        identity.provider.eq_ignore_ascii_case(&link.provider) && identity.user_id == link.subject
    };
    if identities.iter().any(is_same) {
        Ok(Room::Taken)
    } else if identities.len() >= MOST_IDENTITIES {
        Err(Refusal::TargetFull)
    } else {
        Ok(Room::Free)
    }
}
