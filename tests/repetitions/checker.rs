//! What must hold, whatever happens: each effect once, and nothing undone that
//! somebody else has done since.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::actors::{ADDRESS_OF_MADE, ADDRESS_OF_NATIVE, External, User};
use crate::world::{World, lock};

type Items = BTreeMap<(String, String), Value>;

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How often an item was made by a trigger.
    made: BTreeMap<(String, String), usize>,
    /// How often a user was put into a group.
    pub(crate) grouped: BTreeMap<String, usize>,
    /// Memberships that an administrator took away.
    pub(crate) taken_away: Vec<(String, String)>,
    /// Whether the pool has the user who moved in.
    pub(crate) moved_in: bool,
    /// What the functions answered.
    pub(crate) answers: Vec<String>,
    /// What must not be.
    pub(crate) faults: Vec<String>,
}

fn is_profile(key: &(String, String)) -> bool {
    key.1 == "PROFILE"
}

fn is_membership(key: &(String, String)) -> bool {
    key.0.ends_with("#members")
}

fn is_invitation(key: &(String, String)) -> bool {
    key.0.ends_with("#invitations")
}

fn is_arrival(key: &(String, String)) -> bool {
    key.1 == "ARRIVAL"
}

/// Checks one write of a trigger.
pub(crate) fn check_write(world: &World, before: &Items, after: &Items) {
    let made: Vec<_> = after.keys().filter(|key| !before.contains_key(*key)).collect();
    let gone: Vec<_> = before.keys().filter(|key| !after.contains_key(*key)).collect();
    let changed = before.iter().filter(|(key, item)| after.get(*key).is_some_and(|now| now != *item));
    let mut faults = Vec::new();
    for (key, _) in changed.filter(|(key, _)| !is_arrival(key)) {
        faults.push(format!("{key:?} stood, and was changed"));
    }
    for key in &made {
        if is_invitation(key) {
            faults.push(format!("{key:?} was made by a trigger"));
        }
        let count = {
            let mut seen = lock(&world.seen);
            let count = seen.made.entry((*key).clone()).or_default();
            *count += 1;
            *count
        };
        if count > 1 && (is_profile(key) || is_membership(key)) {
            faults.push(format!("{key:?} was made {count} times"));
        }
    }
    let profiles = made.iter().filter(|key| is_profile(key)).count();
    for key in gone {
        if is_profile(key) || is_membership(key) {
            faults.push(format!("{key:?} was deleted by a trigger"));
        } else if profiles != 1 {
            faults.push(format!("{key:?} was taken for {profiles} profiles"));
        }
    }
    if made.iter().any(|key| is_membership(key)) && profiles != 1 {
        faults.push(format!("memberships {made:?} came with {profiles} profiles"));
    }
    faults.into_iter().for_each(|fault| world.fault(fault));
}

/// Checks the world once everybody has come once more, undisturbed.
pub(crate) fn check_end(world: &World, users: &[User], externals: &[External]) {
    let items = world.items();
    for user in users {
        let profiles = items.keys().filter(|key| **key == (format!("USER#{}", user.subject), "PROFILE".to_owned()));
        if profiles.count() != 1 {
            world.fault(format!("{} has no profile", user.subject));
        }
        let membership = ("acme#members".to_owned(), user.subject.to_owned());
        let taken_away = lock(&world.seen).taken_away.contains(&membership);
        if items.contains_key(&membership) == taken_away {
            world.fault(format!("{} in acme: taken away {taken_away}", user.subject));
        }
        if !lock(&world.seen).grouped.contains_key(user.subject) {
            world.fault(format!("{} is in no group", user.subject));
        }
    }
    let pool = world.pool.users();
    for external in externals {
        let identity = (external.provider.to_owned(), external.subject.to_owned());
        let links = pool.iter().flat_map(|user| &user.identities).filter(|linked| **linked == identity).count();
        if links != 1 {
            world.fault(format!("{identity:?} is linked {links} times"));
        }
    }
    for address in [ADDRESS_OF_NATIVE, ADDRESS_OF_MADE] {
        let wanted = externals.iter().any(|external| external.address == address) || address == ADDRESS_OF_NATIVE;
        let count = pool.iter().filter(|user| user.attributes.get("email").is_some_and(|own| own == address)).count();
        if count != usize::from(wanted) {
            world.fault(format!("{count} users with {address}"));
        }
    }
    if pool.iter().any(|user| user.status != "CONFIRMED") {
        world.fault("a user was made and never confirmed".to_owned());
    }
}
