//! What everybody does, and the outside world that movers see. Only this file
//! knows how a promotion is called.

use std::sync::Arc;

use guest_promotion::{
    AccountError, Accounts, Claimant, Clock, Failure, Ledger, LinkError, Login, Next, Outbox, Progress, Promoted,
    Promotion, SendError,
};
use records::faulty::{Faulty, Rates};
use records::schedule::Random;
use records::{EXPIRES_AT, SK};
use shared::guests::IdentityId;

use crate::broken::Table;
use crate::checker;
use crate::history::{Writer, carrier};
use crate::world::{Answer, Message, Role, START, World, carried};

/// How long the queue hides a message that somebody works on, in ms.
const HIDDEN_MS: u64 = 60_000;
/// When a function is ended from outside, in ms. Before a reminder is due.
const TIMEOUT_MS: u64 = 30_000;
const LONGEST_MS: u64 = 25_000;

/// What a mover sees of the world.
#[derive(Clone)]
struct Outside {
    world: Arc<World>,
    faulty: Faulty<Table>,
}

impl Outside {
    fn new(world: &Arc<World>, rates: Rates) -> Self {
        let table = Table { memory: world.memory.clone(), is_broken: world.is_broken };
        let faulty = Faulty::new(table, world.network.clone(), world.turns.clone(), rates);
        let faulty = if rates == Rates::default() { faulty } else { faulty.for_at_most(TIMEOUT_MS) };
        Self { world: Arc::clone(world), faulty }
    }

    /// Makes a call that is not the table's; `false` when no answer comes.
    async fn call(&self, act: impl FnOnce(&World)) -> bool {
        self.faulty.before().await;
        let (before, after) = self.faulty.loses();
        if before {
            return false;
        }
        act(&self.world);
        self.faulty.after().await;
        !after
    }
}

impl Clock for Outside {
    fn now_ms(&self) -> u64 {
        self.world.turns.wall_ms()
    }

    async fn sleep(&self, ms: u64) {
        self.world.turns.sleep(ms).await;
    }

    fn jitter(&self, most: u64) -> u64 {
        Random::new(self.world.turns.count()).draw().checked_rem(most).unwrap_or(0)
    }
}

impl Accounts for Outside {
    async fn link(&self, guest: &IdentityId, login: &Login) -> Result<IdentityId, LinkError> {
        let guest_index = self.world.guest_index(guest);
        let Ok(user) = login.token().parse::<usize>() else { return Err(LinkError::LoginRefused) };
        let mut answer = Err(LinkError::Taken);
        let answered = self
            .call(|world| {
                let mut pool = world.pool();
                if *pool.linked.entry(guest_index).or_insert(user) == user {
                    answer = Ok(pool.own.entry(user).or_insert_with(|| guest.clone()).clone());
                }
            })
            .await;
        if answered { answer } else { Err(LinkError::Unreachable("a fault".into())) }
    }

    async fn join(&self, _: &str, _: &str) -> Result<(), AccountError> {
        if self.call(|_| ()).await { Ok(()) } else { Err(AccountError("a fault".into())) }
    }

    async fn delete(&self, identity: &IdentityId) -> Result<(), AccountError> {
        let identity = identity.clone();
        let deleted = self.call(|world| {
            let guest = world.guest_index(&identity);
            let user = world.pool().linked.get(&guest).copied();
            if user.is_none_or(|user| world.pool().own.get(&user) == Some(&identity)) {
                world.fault(format!("the identity of guest {guest}, which is in use, was deleted"));
            }
        });
        if deleted.await { Ok(()) } else { Err(AccountError("a fault".into())) }
    }
}

impl Outbox for Outside {
    async fn announce(&self, event: &Promoted) -> Result<(), SendError> {
        let sent = self.call(|world| world.events().push(event.clone()));
        if sent.await { Ok(()) } else { Err(SendError("a fault".into())) }
    }

    async fn remind(&self, guest: &IdentityId, delay_s: u64) -> Result<(), SendError> {
        let guest = self.world.guest_index(guest);
        let sent = self.call(|world| {
            let due_ms = world.turns.elapsed_ms() + 1_000 * delay_s;
            world.queue().push(Message { guest, due_ms });
        });
        if sent.await { Ok(()) } else { Err(SendError("a fault".into())) }
    }
}

/// The event of a guest's promotion, as his ledger has it; `None` before it is done.
pub(crate) fn event_of(world: &World, guest: usize) -> Option<Promoted> {
    let guest = &world.guests[guest];
    let item = world.memory.get(&records::ledger(guest), records::PROMOTION)?;
    Promoted::of(&Ledger::from_item(guest, &item).ok()?)
}

/// Plays a role to its end.
pub(crate) async fn play(world: Arc<World>, role: Role, name: String) {
    let rates = world.rates;
    match role {
        Role::Call { user, guest, time_ms, login_is_good } => {
            call(&world, rates, (user, guest), time_ms, login_is_good, name).await;
        }
        Role::Guest { guest, steps } => write(&world, Writer::Guest(guest), steps).await,
        Role::User { user, steps } => write(&world, Writer::User(user), steps).await,
        Role::Queue { steps } => {
            for step in 0..steps {
                let ms = world.random().draw() % 30_000;
                world.turns.sleep(ms).await;
                look(&world, rates, &format!("{name}-{step}")).await;
            }
        }
        Role::TimeToLive { steps } => end(&world, steps).await,
        Role::Clock { steps } => {
            for _ in 0..steps {
                wait(&world).await;
                let ms = world.random().draw() % 7_200_000;
                world.turns.jump(i64::try_from(ms).expect("hours") - 3_600_000);
            }
        }
        Role::Calm => calm(&world, &name).await,
    }
}

async fn wait(world: &World) {
    let ms = world.random().draw();
    let is_short = world.random().happens(800);
    if is_short { world.turns.pass().await } else { world.turns.sleep(ms % 2_000).await }
}

fn promotion(world: &Arc<World>, rates: Rates) -> Promotion<Faulty<Table>, Outside, Outside, Outside> {
    let outside = Outside::new(world, rates);
    let (accounts, outbox, clock) = (outside.clone(), outside.clone(), outside.clone());
    Promotion { store: outside.faulty, accounts, outbox, clock, rules: world.rules.clone() }
}

/// A user's call; says whether it brought an end.
async fn call(
    world: &Arc<World>,
    rates: Rates,
    (user, guest): (usize, usize),
    time_ms: u64,
    login_is_good: bool,
    mover: String,
) -> bool {
    wait(world).await;
    let (owner, tenant) = world.users[user].clone();
    let login = if login_is_good { Login::new(user.to_string()) } else { Login::new("expired") };
    let claimant = Claimant {
        guest: world.guests[guest].clone(),
        owner,
        tenant,
        user_name: format!("name-{user}"),
        login,
        key: Some(format!("key-{user}-{guest}")).filter(|_| time_ms > 1_000),
        mover,
    };
    let began = world.turns.count();
    match promotion(world, rates).promote(&claimant, time_ms).await {
        Ok(report) => {
            let answer = Answer { user, guest, report, turns: (began, world.turns.count()) };
            checker::check_answer(world, &answer);
            let is_end = answer.report.progress != Progress::Moving;
            world.answers().push(answer);
            is_end
        }
        Err(Failure::KeyReused) => {
            world.fault("a key that named one guest was said to name another".to_owned());
            false
        }
        Err(Failure::Unavailable { code, cause }) if rates == Rates::default() => {
            world.fault(format!("{code} without a fault: {cause}"));
            false
        }
        Err(_) => false,
    }
}

/// Looks at one message of the queue that is due.
async fn look(world: &Arc<World>, rates: Rates, mover: &str) {
    let now = world.turns.elapsed_ms();
    let Some(guest) = world.queue().iter_mut().find(|message| message.due_ms <= now).map(|message| {
        message.due_ms = now + HIDDEN_MS;
        message.guest
    }) else {
        return;
    };
    let next = promotion(world, rates).go_on(&world.guests[guest], mover, LONGEST_MS).await;
    let mut queue = world.queue();
    let position = queue.iter().position(|message| message.guest == guest && message.due_ms == now + HIDDEN_MS);
    let message = position.map(|position| queue.remove(position));
    match next {
        Ok(Next::Rest) => {}
        Ok(Next::Again(seconds)) => {
            let due_ms = world.turns.elapsed_ms() + 1_000 * seconds;
            queue.push(Message { guest, due_ms });
        }
        // The message comes back.
        Err(_) => queue.extend(message),
    }
}

/// A guest or a user writes, changes and deletes what is, or could be, his.
async fn write(world: &World, writer: Writer, steps: usize) {
    let pk = world.pk_of(writer);
    for _ in 0..steps {
        wait(world).await;
        let mut random = world.random().clone();
        world.random().draw();
        let known: Vec<String> = {
            let history = world.history();
            let names = history.versions.values().filter_map(|version| version.item.get(SK)?.as_s().ok());
            names.filter(|name| name.starts_with('r')).cloned().collect()
        };
        let fresh = format!("r9{:03}", random.below(50));
        let sk = random.pick(&known).filter(|_| random.clone().happens(700)).unwrap_or(&fresh).clone();
        match random.below(10) {
            0..3 => world.delete(&pk, &sk),
            3..6 => {
                // An update changes what is there, or makes an item of what it sets.
                let there = world.memory.get(&pk, &sk);
                let mut item = there.map_or_else(|| carried(world, &mut random, &pk, &sk, 0), |there| (*there).clone());
                let number = world.history().number();
                let name = random.pick(&["data", "updated_at"]).copied().unwrap_or("data");
                let value = if name == "data" { carrier(&mut random, number, 0) } else { records::number(number) };
                item.insert(name.to_owned(), value);
                world.put(writer, item);
            }
            _ => {
                let item = carried(world, &mut random, &pk, &sk, 0);
                world.put(writer, item);
            }
        }
    }
}

/// DynamoDB deletes guests' records that have ended, when it gets round to it.
async fn end(world: &World, steps: usize) {
    for _ in 0..steps {
        wait(world).await;
        for guest in 0..world.guests.len() {
            for item in world.memory.partition(&world.guest_pk(guest)) {
                let end = item.get(EXPIRES_AT).and_then(|end| end.as_n().ok()?.parse::<u32>().ok());
                if end.is_some_and(|end| end < START)
                    && world.random().happens(500)
                    && let Some(name) = item.get(SK).and_then(|name| name.as_s().ok())
                {
                    world.delete(&world.guest_pk(guest), name);
                }
            }
        }
    }
}

/// Empties the queue, then lets the users ask once more, then empties it again.
async fn calm(world: &Arc<World>, name: &str) {
    world.network.settle(&Table { memory: world.memory.clone(), is_broken: world.is_broken }).await;
    empty(world, &format!("{name}-first")).await;
    checker::check_nothing_is_stranded(world);
    let calls: Vec<(usize, usize)> = world
        .roles
        .iter()
        .filter_map(|role| match role {
            Role::Call { user, guest, .. } => Some((*user, *guest)),
            _ => None,
        })
        .collect();
    for (number, (user, guest)) in calls.into_iter().enumerate() {
        let asks = world.owner(guest).is_none_or(|owner| owner == user);
        let mut ended = !asks;
        for attempt in 0..20 {
            if ended {
                break;
            }
            ended =
                call(world, Rates::default(), (user, guest), LONGEST_MS, true, format!("{name}-{number}-{attempt}"))
                    .await;
            // Taken by another's login, whose owner asks too.
            if !ended && world.pool().linked.get(&guest).is_some_and(|linked| *linked != user) {
                ended = true;
            }
        }
        if !ended {
            world.fault(format!("user {user} asked 20 times without a fault and guest {guest} has not moved"));
        }
    }
    empty(world, &format!("{name}-last")).await;
}

async fn empty(world: &Arc<World>, name: &str) {
    for round in 0..400 {
        let due = world.queue().iter().map(|message| message.due_ms).min();
        let Some(due) = due else { return };
        world.turns.sleep(due.saturating_sub(world.turns.elapsed_ms())).await;
        look(world, Rates::default(), &format!("{name}-{round}")).await;
    }
    world.fault("the queue does not come to rest".to_owned());
}
