//! Many tasks on one thread, in an order that a seed decides.
//!
//! Tasks meet at [`Turns`]: each says where it can be interrupted and for how
//! long it waits. Whoever runs next is drawn, so that one number replays a whole
//! run. There is no other clock and no other thread.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Numbers that a seed decides: SplitMix64, <https://doi.org/10.1145/2714064.2660195>.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one; 0 when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let drawn = self.draw().checked_rem(end as u64).unwrap_or(0);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// Whether something happens that happens in so many of 1,000 cases.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.draw() % 1000 < per_mille
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }
}

/// What a task that is not ready waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// Its next turn.
    Turn,
    /// A time, in ms since the beginning.
    Until(u64),
    /// Nothing: it was killed.
    Never,
}

#[derive(Debug)]
struct State {
    /// Milliseconds since the beginning; never goes back.
    elapsed_ms: u64,
    /// What a clock on the wall says at the beginning, in ms since 1970.
    wall_ms: i64,
    /// What the task that runs has just said.
    pause: Option<Pause>,
    turn: u64,
}

/// Where tasks take turns, and their clock.
#[derive(Clone)]
pub struct Turns(Arc<Mutex<State>>);

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turns").field(&*self.state()).finish()
    }
}

impl Turns {
    /// Turns whose clock on the wall starts at this time, in seconds since 1970.
    pub fn starting_at(seconds: u32) -> Self {
        let wall_ms = i64::from(seconds) * 1000;
        Self(Arc::new(Mutex::new(State { elapsed_ms: 0, wall_ms, pause: None, turn: 0 })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets others run.
    pub async fn pass(&self) {
        self.pause(Pause::Turn).await;
    }

    /// Lets others run for this long. A turn takes a millisecond; while all sleep,
    /// time passes at once.
    pub async fn sleep(&self, ms: u64) {
        let until = self.state().elapsed_ms.saturating_add(ms);
        self.pause(Pause::Until(until)).await;
    }

    /// Is the last thing that a task does: it is dropped where it stands.
    pub async fn die(&self) {
        self.pause(Pause::Never).await;
    }

    async fn pause(&self, pause: Pause) {
        let mut said = false;
        poll_fn(|_| {
            if said {
                return Poll::Ready(());
            }
            said = true;
            self.state().pause = Some(pause);
            Poll::Pending
        })
        .await;
    }

    /// Milliseconds since the beginning.
    pub fn elapsed_ms(&self) -> u64 {
        self.state().elapsed_ms
    }

    /// What a clock on the wall says, in ms since 1970.
    pub fn wall_ms(&self) -> u64 {
        let state = self.state();
        let elapsed = i64::try_from(state.elapsed_ms).unwrap_or(i64::MAX);
        u64::try_from(state.wall_ms.saturating_add(elapsed)).unwrap_or(0)
    }

    /// Sets the clock on the wall forward, or back.
    pub fn jump(&self, ms: i64) {
        let mut state = self.state();
        state.wall_ms = state.wall_ms.saturating_add(ms);
    }

    /// How many turns were taken so far.
    pub fn count(&self) -> u64 {
        self.state().turn
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<T> {
    /// It came to its end.
    Returned(T),
    /// It was killed on its way.
    Killed,
    /// It had not ended after the most turns, or waited for something that is
    /// not of this schedule.
    Endless,
}

impl<T> End<T> {
    /// What it returned, if it did.
    pub fn returned(self) -> Option<T> {
        match self {
            Self::Returned(value) => Some(value),
            Self::Killed | Self::Endless => None,
        }
    }
}

struct Task<F> {
    future: Pin<Box<F>>,
    until: u64,
}

/// Runs all tasks to their end, in an order that `random` decides.
///
/// Of 1,000 turns a task keeps `stickiness` that another could have had: orders
/// that change seldom find other faults than those that change always.
pub fn run<F: Future>(
    turns: &Turns,
    random: &mut Random,
    stickiness: u64,
    most_turns: u64,
    tasks: impl IntoIterator<Item = F>,
) -> Vec<End<F::Output>> {
    let mut tasks: Vec<Option<Task<F>>> =
        tasks.into_iter().map(|task| Some(Task { future: Box::pin(task), until: 0 })).collect();
    let mut ends: Vec<End<F::Output>> = tasks.iter().map(|_| End::Endless).collect();
    let mut context = Context::from_waker(Waker::noop());
    let mut last = None;
    for _ in 0..most_turns {
        let Some(chosen) = choose(turns, random, stickiness, last, &tasks) else { break };
        last = Some(chosen);
        let (Some(slot), Some(end)) = (tasks.get_mut(chosen), ends.get_mut(chosen)) else { break };
        let Some(task) = slot else { break };
        {
            let mut state = turns.state();
            state.pause = None;
            state.turn += 1;
            state.elapsed_ms += 1;
        }
        let polled = task.future.as_mut().poll(&mut context);
        let pause = turns.state().pause.take();
        match (polled, pause) {
            (Poll::Ready(value), _) => *end = End::Returned(value),
            (Poll::Pending, Some(Pause::Turn)) => continue,
            (Poll::Pending, Some(Pause::Until(until))) => {
                task.until = until;
                continue;
            }
            (Poll::Pending, Some(Pause::Never)) => *end = End::Killed,
            (Poll::Pending, None) => {}
        }
        *slot = None;
    }
    ends
}

/// The task that runs next; `None` when none is left. When all sleep, time passes.
fn choose<F>(
    turns: &Turns,
    random: &mut Random,
    stickiness: u64,
    last: Option<usize>,
    tasks: &[Option<Task<F>>],
) -> Option<usize> {
    let mut state = turns.state();
    let next = tasks.iter().flatten().map(|task| task.until).min()?;
    state.elapsed_ms = state.elapsed_ms.max(next);
    let is_awake = |task: &Task<F>| task.until <= state.elapsed_ms;
    let stays = |index: &usize| tasks.get(*index).and_then(Option::as_ref).is_some_and(is_awake);
    if let Some(index) = last.filter(stays)
        && random.happens(stickiness)
    {
        return Some(index);
    }
    let awake = tasks.iter().enumerate().filter(|(_, task)| task.as_ref().is_some_and(is_awake));
    let awake: Vec<usize> = awake.map(|(index, _)| index).collect();
    random.pick(&awake).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn count(turns: Turns, trace: Arc<Mutex<Vec<usize>>>, name: usize) -> usize {
        for _ in 0..3 {
            trace.lock().unwrap().push(name);
            turns.pass().await;
        }
        name
    }

    fn trace(seed: u64) -> Vec<usize> {
        let (turns, trace) = (Turns::starting_at(0), Arc::new(Mutex::new(Vec::new())));
        let tasks = (0..3).map(|name| count(turns.clone(), Arc::clone(&trace), name));
        let ends = run(&turns, &mut Random::new(seed), 0, 1000, tasks);
        assert_eq!(ends, [End::Returned(0), End::Returned(1), End::Returned(2)]);
        std::mem::take(&mut *trace.lock().unwrap())
    }

    #[test]
    fn a_seed_decides_the_order_and_another_seed_another() {
        assert_eq!(trace(1), trace(1));
        let orders: std::collections::BTreeSet<_> = (0..100).map(trace).collect();
        assert!(orders.len() > 50, "{}", orders.len());
    }

    #[test]
    fn sleepers_wake_in_their_order_and_the_wall_has_a_clock_of_its_own() {
        let turns = Turns::starting_at(100);
        let tasks = [30, 10, 20].map(|ms| {
            let turns = turns.clone();
            async move {
                turns.sleep(ms).await;
                (turns.elapsed_ms(), turns.wall_ms())
            }
        });
        let ends = run(&turns, &mut Random::new(7), 0, 1000, tasks);
        let woken: Vec<(u64, u64)> = ends.into_iter().filter_map(End::returned).collect();
        let [(last, wall), (first, _), (second, _)] = woken[..] else { panic!("{woken:?}") };
        assert!(first >= 10 && second >= 20 && last >= 30 && first < second && second < last, "{woken:?}");
        assert_eq!(wall, 100_000 + last);
        turns.jump(-50_000);
        assert_eq!(turns.wall_ms(), 50_000 + turns.elapsed_ms());
    }

    #[test]
    fn who_is_killed_or_waits_for_something_else_or_never_ends_does_not_return() {
        let turns = Turns::starting_at(0);
        let tasks = [0, 1, 2].map(|kind| {
            let turns = turns.clone();
            async move {
                match kind {
                    0 => turns.die().await,
                    1 => std::future::pending().await,
                    _ => {
                        while turns.count() < 100 {
                            turns.pass().await;
                        }
                    }
                }
            }
        });
        let ends = run(&turns, &mut Random::new(7), 0, 50, tasks);
        assert_eq!(ends, [End::Killed, End::Endless, End::Endless]);
    }
}
