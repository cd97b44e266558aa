//! A world that a seed decides: who has what, who does what, and what fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_promotion::{Promoted, Report};
use records::faulty::{Network, Rates};
use records::memory::{Memory, Paging};
use records::schedule::{Random, Turns};
use records::{EXPIRES_AT, Item, PK, SK, Value, guest, number, text, user};
use shared::guests::{Conflict, GuestRules, IdentityId};
use shared::names::{Subject, TenantId};

use crate::broken::Break;
use crate::history::{History, Writer, carrier};

pub(crate) const START: u32 = 1_800_000_000;
pub(crate) const WRITABLE: [&str; 3] = ["data", "tenant", "updated_at"];

/// What somebody does in a schedule.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// A user's call that promotes a guest.
    Call { user: usize, guest: usize, time_ms: u64, login_is_good: bool },
    /// The guest uses the credentials that he still has.
    Guest { guest: usize, steps: usize },
    /// The user goes on working.
    User { user: usize, steps: usize },
    /// The queue has its messages looked at.
    Queue { steps: usize },
    /// DynamoDB deletes what has ended.
    TimeToLive { steps: usize },
    /// Somebody sets a clock.
    Clock { steps: usize },
    /// Everything calms down: the queue is emptied without a fault.
    Calm,
}

/// What the pools know.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// Whose login a guest's identity has.
    pub(crate) linked: BTreeMap<usize, usize>,
    /// A user's identity.
    pub(crate) own: BTreeMap<usize, IdentityId>,
}

/// A message of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) guest: usize,
    pub(crate) due_ms: u64,
}

/// What a call answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) user: usize,
    pub(crate) guest: usize,
    pub(crate) report: Report,
    /// The turns in which the call began and was answered.
    pub(crate) turns: (u64, u64),
}

pub(crate) struct World {
    pub(crate) memory: Memory,
    pub(crate) turns: Turns,
    pub(crate) network: Network,
    pub(crate) rates: Rates,
    pub(crate) rules: GuestRules,
    pub(crate) guests: Vec<IdentityId>,
    pub(crate) users: Vec<(Subject, Option<TenantId>)>,
    pub(crate) roles: Vec<Role>,
    pub(crate) is_broken: Option<Break>,
    random: Mutex<Random>,
    history: Mutex<History>,
    pool: Mutex<Pool>,
    events: Mutex<Vec<Promoted>>,
    queue: Mutex<Vec<Message>>,
    answers: Mutex<Vec<Answer>>,
    faults: Mutex<Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }
    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }
    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<Promoted>> {
        lock(&self.events)
    }
    pub(crate) fn queue(&self) -> MutexGuard<'_, Vec<Message>> {
        lock(&self.queue)
    }
    pub(crate) fn answers(&self) -> MutexGuard<'_, Vec<Answer>> {
        lock(&self.answers)
    }
    pub(crate) fn random(&self) -> MutexGuard<'_, Random> {
        lock(&self.random)
    }
    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.faults)
    }

    /// Notes that something is not as it must be.
    pub(crate) fn fault(&self, fault: String) {
        self.faults().push(fault);
    }

    pub(crate) fn guest_pk(&self, index: usize) -> String {
        guest(&self.guests[index])
    }

    pub(crate) fn user_pk(&self, index: usize) -> String {
        user(&self.users[index].0)
    }

    pub(crate) fn pk_of(&self, writer: Writer) -> String {
        match writer {
            Writer::Guest(index) => self.guest_pk(index),
            Writer::User(index) => self.user_pk(index),
        }
    }

    pub(crate) fn guest_index(&self, guest: &IdentityId) -> usize {
        self.guests.iter().position(|one| one == guest).expect("a guest of this world")
    }

    /// The ledger's owner of a guest, as it stands.
    pub(crate) fn owner(&self, guest: usize) -> Option<usize> {
        let ledger = self.memory.get(&records::ledger(&self.guests[guest]), "PROMOTION")?;
        let owner = ledger.get("owner")?.as_s().ok()?;
        self.users.iter().position(|(subject, _)| subject.as_str() == owner)
    }

    /// Whether nobody but movers writes.
    pub(crate) fn is_quiet(&self) -> bool {
        let writes = |role: &Role| matches!(role, Role::Guest { .. } | Role::User { .. } | Role::TimeToLive { .. });
        !self.roles.iter().any(writes)
    }

    /// Writes a version as its writer does, over whatever stands there.
    pub(crate) fn put(&self, writer: Writer, item: Item) {
        let stood = self.memory.put(item.clone());
        self.history().write(writer, self.turns.count(), item, stood.as_deref());
        if let Writer::Guest(guest) = writer {
            self.notice(guest);
        }
    }

    /// Deletes what stands there, as its writer does.
    pub(crate) fn delete(&self, pk: &str, sk: &str) {
        let stood = self.memory.delete(pk, sk);
        self.history().end(stood.as_deref());
    }

    /// The guest keeper sees a late write.
    fn notice(&self, guest: usize) {
        if self.owner(guest).is_some() {
            self.queue().push(Message { guest, due_ms: self.turns.elapsed_ms() });
        }
    }
}

/// The world of a seed, with so many records of the first guest.
pub(crate) fn create(seed: u64, size: usize, is_broken: Option<Break>) -> Arc<World> {
    let mut random = Random::new(seed);
    let harshness = [0, 5, 20, 60][random.below(4)];
    let rate = |random: &mut Random| if random.happens(500) { random.draw() % (harshness + 1) } else { 0 };
    let rates = Rates {
        busy: 2 * rate(&mut random),
        lost_before: rate(&mut random),
        lost_after: rate(&mut random),
        late: rate(&mut random),
        unreadable: rate(&mut random),
        killed_before: rate(&mut random),
        killed_after: rate(&mut random),
        delayed: 5 * rate(&mut random),
        delay_ms: [10, 300, 25_000][random.below(3)],
    };
    let paging = Paging {
        bytes: [1 << 20, 1 << 20, 20_000][random.below(3)],
        items: [usize::MAX, 1 + size / 2, 30 + size / 10][random.below(3)],
        empty_first: random.happens(200),
        names_positions: random.happens(500),
    };
    let turns = Turns::starting_at(START);
    let network = Network::new(Random::new(random.draw()), u32::try_from(random.below(6)).expect("a few"));
    let world = World {
        memory: Memory::new(&WRITABLE).with(paging),
        turns,
        network,
        rates,
        rules: rules(&mut random),
        guests: ["0a1b2c3d-1111", "0a1b2c3d-2222"].map(identity).to_vec(),
        users: vec![
            (Subject::parse("ann").expect("a subject"), TenantId::parse("acme").filter(|_| random.happens(700))),
            (Subject::parse("bob").expect("a subject"), TenantId::parse("globex")),
        ],
        roles: roles(&mut random, size),
        is_broken,
        random: Mutex::new(Random::new(random.draw())),
        history: Mutex::default(),
        pool: Mutex::default(),
        events: Mutex::default(),
        queue: Mutex::default(),
        answers: Mutex::default(),
        faults: Mutex::default(),
    };
    if random.happens(500) {
        world.pool().own.insert(0, identity("99999999-0000"));
    }
    fill(&world, &mut random, size);
    Arc::new(world)
}

fn identity(start: &str) -> IdentityId {
    IdentityId::parse(&format!("us-east-1:{start}-4222-8333-444455556666")).expect("an identity")
}

fn rules(random: &mut Random) -> GuestRules {
    let on_conflict = [Conflict::KeepBoth, Conflict::KeepNewer, Conflict::KeepUser][random.below(3)];
    GuestRules {
        keep_days: 30,
        most_items: 1000,
        most_bytes: 1 << 20,
        attributes: WRITABLE.map(str::to_owned).into(),
        on_conflict,
        newer_by: (on_conflict == Conflict::KeepNewer).then(|| "updated_at".to_owned()),
        aside_days: 90,
        most_proof_age_s: 600,
        groups: if random.happens(300) { vec!["members".to_owned()] } else { Vec::new() },
        delete_merged_identities: random.happens(500),
    }
}

fn roles(random: &mut Random, size: usize) -> Vec<Role> {
    let mut roles = Vec::new();
    let call = |random: &mut Random, user, guest| Role::Call {
        user,
        guest,
        time_ms: [300, 5_000, 25_000][random.below(3)],
        login_is_good: random.happens(970),
    };
    for _ in 0..1 + random.below(4) {
        roles.push(call(random, 0, 0));
    }
    if random.happens(350) {
        (0..1 + random.below(2)).for_each(|_| roles.push(call(random, 1, 0)));
    }
    if random.happens(350) {
        (0..1 + random.below(2)).for_each(|_| roles.push(call(random, 0, 1)));
    }
    if random.happens(500) {
        roles.push(Role::Guest { guest: 0, steps: 1 + random.below(6 + size / 10) });
    }
    if random.happens(400) {
        roles.push(Role::User { user: 0, steps: 1 + random.below(6 + size / 10) });
    }
    for _ in 0..random.below(3) {
        roles.push(Role::Queue { steps: 1 + random.below(8) });
    }
    if random.happens(300) {
        roles.push(Role::TimeToLive { steps: 1 + random.below(5) });
    }
    if random.happens(250) {
        roles.push(Role::Clock { steps: 1 + random.below(4) });
    }
    roles
}

/// Gives everybody what he has at the beginning. Numbers are given in a drawn
/// order, so that of two records of one name now the one and now the other is newer.
fn fill(world: &World, random: &mut Random, size: usize) {
    let mut waiting: Vec<(Writer, usize)> = (0..size).map(|index| (Writer::Guest(0), index)).collect();
    waiting.extend((0..random.below(4)).map(|index| (Writer::Guest(1), index)));
    let conflicts = [0, 50, 500][random.below(3)];
    waiting.extend((0..size.max(2)).filter(|_| random.happens(conflicts)).map(|index| (Writer::User(0), index)));
    waiting.extend((0..random.below(2)).map(|index| (Writer::User(1), index)));
    for left in (0..waiting.len()).rev() {
        waiting.swap(left, random.below(left + 1));
    }
    let heavy = [0, 0, 20][random.below(3)];
    for (writer, index) in waiting {
        let item = first(world, random, writer, index, heavy);
        world.put(writer, item);
    }
    for guest in [0, 1] {
        if random.happens(400) {
            let mark = carried(world, random, &world.guest_pk(guest), "#grant", 0);
            world.put(Writer::Guest(guest), mark);
        }
    }
    twins(world, random);
}

/// Some of the user's records are the guest's very own.
fn twins(world: &World, random: &mut Random) {
    let of_guest: Vec<_> = world.memory.partition(&world.guest_pk(0));
    for item in of_guest.iter().filter(|_| random.happens(20)) {
        let name = item.get(SK).expect("a name").as_s().expect("a text");
        let is_plain = !item.contains_key(EXPIRES_AT) && !item.contains_key("tenant") && name.starts_with('r');
        if is_plain && world.memory.get(&world.user_pk(0), name).is_none() {
            let mut twin = (**item).clone();
            twin.insert(PK.to_owned(), text(world.user_pk(0)));
            let number = crate::history::number_of(&twin).expect("a number");
            world.memory.put(twin);
            world.history().versions.get_mut(&number).expect("a version").twin = true;
        }
    }
}

fn first(world: &World, random: &mut Random, writer: Writer, index: usize, heavy: u64) -> Item {
    let of_guest = matches!(writer, Writer::Guest(_));
    let name = match random.below(60) {
        0 if of_guest => format!("USER#bob{index}"),
        1 if of_guest => format!("LEDGER#{index}"),
        2 => format!("r{index:04}{}", "n".repeat(1024 - 5)),
        _ => format!("r{index:04}"),
    };
    // Renamed before it had to be.
    let name = if !of_guest && random.happens(100) { format!("{name}~0a1b2c3d") } else { name };
    let more = if random.happens(heavy) { [30_000, 100_000, 350_000, 409_000][random.below(4)] } else { 0 };
    let mut item = carried(world, random, &world.pk_of(writer), &name, more);
    if of_guest && random.happens(700) {
        let ends = if random.happens(50) { -10 } else { 2_592_000 };
        let end = i64::from(START) + ends;
        item.insert(EXPIRES_AT.to_owned(), Value::N(end.to_string()));
    }
    if !of_guest && random.happens(20) {
        item.extend((0..250).map(|index| (format!("a{index}"), number(1))));
    }
    item
}

/// A record with a new number in it.
pub(crate) fn carried(world: &World, random: &mut Random, pk: &str, sk: &str, more: usize) -> Item {
    let number = world.history().number();
    let mut item = Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(&sk[..sk.len().min(1024)]))]);
    let carries = random.below(4);
    if carries != 0 {
        item.insert("data".to_owned(), carrier(random, number, more));
    }
    if carries < 2 {
        item.insert("updated_at".to_owned(), Value::N(number.to_string()));
    } else if carries == 2 {
        // Older than anything, and no number at all.
        let odd = if random.happens(500) { Value::N("1".to_owned()) } else { text("late") };
        item.insert("updated_at".to_owned(), odd);
    }
    match random.below(12) {
        0 => drop(item.insert("tenant".to_owned(), text("acme"))),
        1 => drop(item.insert("tenant".to_owned(), text("globex"))),
        2 => drop(item.insert("tenant".to_owned(), Value::Bool(true)).filter(|_| random.happens(300))),
        _ => {}
    }
    if random.happens(3) {
        let deep = (0..31).fold(text("end"), |inside, _| Value::L(vec![inside]));
        item.insert("data".to_owned(), deep);
        item.insert("updated_at".to_owned(), Value::N(number.to_string()));
    }
    item
}
