//! What must hold whatever happens, checked as a bank checks its books.

use std::collections::BTreeMap;
use std::sync::Arc;

use guest_promotion::{Counts, Progress};
use records::{EXPIRES_AT, Item, MOST_ITEM_BYTES, PK, SK, Value, item_bytes, key_of, same};

use crate::actors::event_of;
use crate::history::{Version, Writer, number_of};
use crate::world::{Answer, Role, World};

/// Where a version can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Guest(usize),
    User(usize),
    Aside(usize),
}

/// Everything that somebody wrote, where it is now.
fn places(world: &World) -> BTreeMap<u64, Vec<(Place, Arc<Item>)>> {
    let mut found: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    let guests = (0..world.guests.len()).map(|guest| (Place::Guest(guest), world.guest_pk(guest)));
    let users = (0..world.users.len()).map(|user| (Place::User(user), world.user_pk(user)));
    let aside = (0..world.guests.len()).map(|guest| (Place::Aside(guest), records::aside(&world.guests[guest])));
    for (place, pk) in guests.chain(users).chain(aside) {
        for item in world.memory.partition(&pk) {
            match number_of(&item) {
                Some(number) => found.entry(number).or_default().push((place, item)),
                None => world.fault(format!("nobody wrote {:?} in {place:?}", key_of(&item))),
            }
        }
    }
    found
}

fn name(item: &Item) -> &str {
    key_of(item).map_or("", |(_, name)| name)
}

fn is_mark(version: &Version) -> bool {
    matches!(version.writer, Writer::Guest(_)) && name(&version.item).starts_with('#')
}

/// Whether the table may refuse to move a version: set aside or renamed it would
/// be too large or too deep, or the condition on what it replaces too long.
fn may_be_stuck(version: &Version) -> bool {
    let is_deep = version
        .item
        .get("data")
        .is_some_and(|data| (0..30).try_fold(data, |value: &Value, _| value.as_l().ok()?.first()).is_some());
    is_deep || item_bytes(&version.item) + 400 > MOST_ITEM_BYTES
}

/// Checks an answer at the moment when it is given.
pub(crate) fn check_answer(world: &World, answer: &Answer) {
    let Answer { user, guest, report, .. } = answer;
    if world.owner(*guest) != Some(*user) {
        world.fault(format!("guest {guest} was said to be user {user}'s, and is {:?}'s", world.owner(*guest)));
    }
    for earlier in world.answers().iter().filter(|earlier| earlier.guest == *guest) {
        let both_done = earlier.report.progress == Progress::Done && report.progress == Progress::Done;
        if both_done && earlier.report != *report {
            world.fault(format!("guest {guest}: {:?} became {report:?}", earlier.report));
        }
        let is_after = earlier.turns.1 < answer.turns.0;
        if is_after && earlier.report.progress == Progress::Done && report.progress != Progress::Done {
            world.fault(format!("guest {guest} was done and is not: {report:?}"));
        }
    }
    check_whole(world);
    let stuck = match &report.progress {
        Progress::Moving => return,
        Progress::Done => &Vec::new(),
        Progress::Incomplete(stuck) => stuck,
    };
    let is_written_late =
        world.roles.iter().any(|role| matches!(role, Role::Guest { guest: late, .. } if late == guest));
    for (number, found) in places(world) {
        for (_, item) in found.iter().filter(|(place, _)| *place == Place::Guest(*guest)) {
            let is_old = world.history().versions.get(&number).is_some_and(|version| version.born == 0);
            if !stuck.iter().any(|stuck| stuck == name(item)) && (is_old || !is_written_late) {
                world.fault(format!("guest {guest} still has {:?} after {:?}", name(item), report.progress));
            }
        }
    }
}

/// Checks that nothing is lost, doubled or where it must not be.
pub(crate) fn check_whole(world: &World) {
    let places = places(world);
    let history = world.history();
    for (number, version) in &history.versions {
        let found = places.get(number).map_or(&[][..], Vec::as_slice);
        let told = || format!("{number} {:?} {:?}", version.writer, short(name(&version.item)));
        let at: Vec<_> = found.iter().map(|(place, item)| (*place, short(name(item)))).collect();
        let is_twin = version.twin;
        if found.is_empty() && !version.gone && !is_mark(version) {
            world.fault(format!("lost: {}", told()));
        }
        if found.len() > 1 && !is_twin {
            world.fault(format!("doubled: {} at {at:?}", told()));
        }
        if !found.is_empty() && version.gone && !is_twin {
            world.fault(format!("overwritten or deleted, and back: {} at {at:?}", told()));
        }
        for (place, item) in found {
            check_place(world, version, *place, item).err().into_iter().for_each(|fault| {
                world.fault(format!("{fault}: {} at {at:?}", told()));
            });
        }
    }
    let unknown = places.keys().filter(|number| !history.versions.contains_key(number));
    unknown.for_each(|number| world.fault(format!("nobody wrote {number}")));
}

fn short(name: &str) -> String {
    name.chars().take(24).collect()
}

fn check_place(world: &World, version: &Version, place: Place, item: &Item) -> Result<(), &'static str> {
    let owner = match (version.writer, place) {
        (Writer::Guest(0), Place::User(0)) if version.twin => None,
        (Writer::Guest(from), Place::Guest(at)) if from == at => None,
        (Writer::User(from), Place::User(at)) if from == at => None,
        (_, Place::Guest(_)) => return Err("with a guest who did not write it"),
        (Writer::Guest(from), Place::User(user)) => {
            (world.owner(from) == Some(user)).then_some(Some(user)).ok_or("with a user who does not own the guest")?
        }
        (Writer::User(_), Place::User(_)) => return Err("with another user"),
        (Writer::Guest(from), Place::Aside(at)) if from == at || world.owner(from) == world.owner(at) => None,
        (Writer::User(user), Place::Aside(at)) if world.owner(at) == Some(user) => None,
        (_, Place::Aside(_)) => return Err("set aside with another's"),
    };
    let inside = match place {
        Place::Aside(_) => {
            if !item.contains_key(EXPIRES_AT) {
                return Err("set aside for ever");
            }
            item.get("record").and_then(|record| record.as_m().ok()).ok_or("set aside without its content")?
        }
        Place::Guest(_) | Place::User(_) => item,
    };
    if !same(inside, &version.item, &[PK, SK, EXPIRES_AT]) {
        return Err("not as it was written");
    }
    match owner {
        None if matches!(
            (version.writer, place),
            (Writer::Guest(_), Place::Guest(_)) | (Writer::User(_), Place::User(_))
        ) =>
        {
            if name(item) == name(&version.item) || version.twin {
                Ok(())
            } else {
                Err("renamed where it was")
            }
        }
        None => Ok(()),
        Some(user) => check_gift(world, version, user, item),
    }
}

/// Whether a user may have what a guest wrote.
fn check_gift(world: &World, version: &Version, user: usize, item: &Item) -> Result<(), &'static str> {
    let written = &version.item;
    let tenant = world.users[user].1.as_ref();
    if written
        .get("tenant")
        .is_some_and(|tag| tag.as_s().ok().map(String::as_str) != tenant.map(|tenant| tenant.as_str()))
    {
        return Err("across a tenant");
    }
    let is_reserved = |name: &str| name.starts_with('#') || name.starts_with("USER#") || name.starts_with("LEDGER#");
    if is_reserved(name(item)) || is_reserved(name(written)) {
        return Err("a reserved name was given");
    }
    if item.contains_key(EXPIRES_AT) {
        return Err("the user's record ends");
    }
    let end = written.get(EXPIRES_AT).and_then(|end| end.as_n().ok()?.parse::<u32>().ok());
    if end.is_some_and(|end| Some(end) <= claimed_at(world, version)) {
        return Err("what had ended was given");
    }
    if !name(item).starts_with(name(written)) {
        return Err("under a name that does not tell what it is");
    }
    Ok(())
}

/// When the guest was claimed who wrote this.
fn claimed_at(world: &World, version: &Version) -> Option<u32> {
    let Writer::Guest(guest) = version.writer else { return None };
    let ledger = world.memory.get(&records::ledger(&world.guests[guest]), "PROMOTION")?;
    ledger.get("claimed_at")?.as_n().ok()?.parse().ok()
}

/// Checks, once the queue has come to rest, that nobody has to
/// ask again.
pub(crate) fn check_nothing_is_stranded(world: &World) {
    for guest in 0..world.guests.len() {
        let Some(ledger) = world.memory.get(&records::ledger(&world.guests[guest]), "PROMOTION") else { continue };
        let state = ledger.get("state").and_then(|state| state.as_s().ok()).map_or("", String::as_str);
        let left = world.memory.partition(&world.guest_pk(guest));
        let is_left = left.iter().any(|item| {
            let number = number_of(item);
            number
                .and_then(|number| world.history().versions.get(&number).map(|version| !may_be_stuck(version)))
                .unwrap_or(true)
        });
        if state == "moving" && (left.is_empty() || is_left) {
            world.fault(format!("guest {guest} is moving, nobody moves him, and the queue is at rest"));
        }
        if state == "done" && is_left {
            world.fault(format!("guest {guest} wrote late, and the queue is at rest"));
        }
    }
}

/// Checks the world at its end.
pub(crate) fn check_end(world: &World) {
    check_whole(world);
    for guest in 0..world.guests.len() {
        let was_asked =
            world.roles.iter().any(|role| matches!(role, Role::Call { guest: asked, .. } if *asked == guest));
        if was_asked {
            check_guest(world, guest);
        }
    }
    let kept = world.memory.items();
    let known: Vec<_> = (0..world.guests.len()).filter_map(|guest| event_of(world, guest)).collect();
    for event in world.events().iter().filter(|event| !known.contains(event)) {
        world.fault(format!("an event of no promotion, or another one's: {event:?}"));
    }
    let ledgers = kept.iter().filter(|item| name(item) == "PROMOTION").count();
    if ledgers > world.guests.len() {
        world.fault(format!("{ledgers} ledgers"));
    }
}

fn check_guest(world: &World, guest: usize) {
    let Some(owner) = world.owner(guest) else {
        world.fault(format!("guest {guest} was promoted, and nobody owns him"));
        return;
    };
    if world.pool().linked.get(&guest) != Some(&owner) {
        world.fault(format!("guest {guest} is user {owner}'s, and has another's login"));
    }
    let answers: Vec<Answer> = world.answers().iter().filter(|answer| answer.guest == guest).cloned().collect();
    for answer in answers.iter().filter(|answer| answer.user != owner) {
        world.fault(format!("user {} was told of guest {guest}: {:?}", answer.user, answer.report));
    }
    let history = world.history();
    let left = world.memory.partition(&world.guest_pk(guest));
    for item in &left {
        let version = number_of(item).and_then(|number| history.versions.get(&number));
        if !version.is_some_and(may_be_stuck) {
            let users = world.memory.get(&world.user_pk(owner), name(item)).map(|item| item.len());
            world.fault(format!(
                "guest {guest} still has {:?} at the end, of {} bytes; the user's has {users:?} attributes",
                short(name(item)),
                item_bytes(item)
            ));
        }
    }
    let done = answers.iter().find(|answer| answer.report.progress == Progress::Done);
    let expected = event_of(world, guest);
    let id = expected.as_ref().map(|event| event.id.clone());
    let events: Vec<_> = world.events().iter().filter(|event| Some(&event.id) == id.as_ref()).cloned().collect();
    match done {
        Some(done) => {
            if events.is_empty() {
                world.fault(format!("guest {guest} is done, and nobody was told"));
            }
            if events.iter().any(|event| Some(event) != expected.as_ref()) {
                world.fault(format!("guest {guest}: not the same events: {events:?}"));
            }
            let Counts { moved, renamed, replaced, set_aside, .. } = done.report.counts;
            let is_same = |event: &guest_promotion::Promoted| {
                event.subject == world.users[owner].0.as_str()
                    && [event.moved, event.renamed, event.replaced, event.set_aside]
                        == [moved, renamed, replaced, set_aside]
                    && Some(event.identity_id.as_str()) == done.report.identity.as_ref().map(AsRef::as_ref)
            };
            if !events.iter().all(is_same) {
                world.fault(format!("guest {guest}: {events:?} does not say {:?}", done.report));
            }
            check_counts(world, &history.versions, guest, owner, done.report.counts);
        }
        None if left.is_empty() => world.fault(format!("guest {guest} has nothing left, and nobody was told")),
        None => {}
    }
}

/// Checks what was counted against what is there.
fn check_counts(world: &World, versions: &BTreeMap<u64, Version>, guest: usize, owner: usize, counts: Counts) {
    let total = counts.moved + counts.renamed + counts.replaced + counts.same + counts.set_aside;
    let of_guest = versions.values().filter(|version| version.writer == Writer::Guest(guest) && !is_mark(version));
    let ever = of_guest.count() as u64;
    if total > ever {
        world.fault(format!("guest {guest} wrote {ever} records in all, counted were {counts:?}"));
    }
    let calls_of_other =
        world.roles.iter().any(|role| matches!(role, Role::Call { guest: other, .. } if *other != guest));
    if !world.is_quiet() || calls_of_other {
        return;
    }
    let mut expected = Counts::default();
    let replaced: Vec<String> = aside_of(world, guest, "replaced");
    for (number, found) in places(world) {
        let Some(version) = versions.get(&number).filter(|version| version.writer == Writer::Guest(guest)) else {
            continue;
        };
        if is_mark(version) {
            continue;
        }
        for (place, item) in found {
            match place {
                Place::User(user) if user != owner => {}
                Place::User(0) if version.twin => expected.same += 1,
                Place::User(_) if replaced.iter().any(|name| *name == self::name(&item)) => expected.replaced += 1,
                Place::User(_) if name(&item) == name(&version.item) => expected.moved += 1,
                Place::User(_) => expected.renamed += 1,
                Place::Aside(_) => expected.set_aside += 1,
                Place::Guest(_) => world.fault(format!("guest {guest} is done and has {:?}", short(name(&item)))),
            }
        }
    }
    if expected != counts {
        world.fault(format!("guest {guest}: counted {counts:?}, there are {expected:?}"));
    }
}

/// The names of the records that were set aside for a reason.
fn aside_of(world: &World, guest: usize, reason: &str) -> Vec<String> {
    let aside = world.memory.partition(&records::aside(&world.guests[guest]));
    let of_reason = aside
        .iter()
        .filter(|item| item.get("reason").and_then(|code| code.as_s().ok()).is_some_and(|code| code == reason));
    of_reason.filter_map(|item| Some(name(item.get("record")?.as_m().ok()?).to_owned())).collect()
}
