//! Invocations side by side on one thread, in an order that a seed decides.
//!
//! Every call to the outside waits for its turn, and whose turn it is, is drawn:
//! one number replays a whole run. Unlike the one of `records`, this schedule
//! takes invocations that make several calls at once.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use records::schedule::Random;

/// One invocation.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Where calls wait for their turns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: usize,
    tickets: u64,
    /// The calls that wait: invocation and ticket.
    waiting: Vec<(usize, u64)>,
    granted: BTreeSet<u64>,
    dead: BTreeSet<usize>,
    turns: u64,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) {
        let ticket = {
            let mut state = self.state();
            state.tickets += 1;
            let ticket = (state.running, state.tickets);
            state.waiting.push(ticket);
            ticket.1
        };
        poll_fn(|_| if self.state().granted.remove(&ticket) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Ends the invocation that runs, where it stands.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        let running = state.running;
        state.dead.insert(running);
    }

    /// How many turns were taken so far.
    pub(crate) fn turns(&self) -> u64 {
        self.state().turns
    }

    /// Draws whose turn it is.
    fn draw(&self, random: &mut Random) -> Option<usize> {
        let mut state = self.state();
        if state.waiting.is_empty() {
            return None;
        }
        let drawn = random.below(state.waiting.len());
        let (task, ticket) = state.waiting.remove(drawn);
        state.granted.insert(ticket);
        state.turns += 1;
        Some(task)
    }

    /// Forgets the calls of an invocation that has ended; whether it was killed.
    fn forget(&self, task: usize) -> bool {
        let mut state = self.state();
        state.waiting.retain(|(own, _)| *own != task);
        state.dead.remove(&task)
    }
}

/// Runs them until nobody waits for a turn any more. What has not come to its
/// end by then waits for a clock: Lambda ends it.
pub(crate) fn run(gate: &Gate, random: &mut Random, tasks: Vec<Task>) {
    let mut tasks: Vec<Option<Task>> = tasks.into_iter().map(Some).collect();
    for index in 0..tasks.len() {
        poll(gate, index, &mut tasks);
    }
    while let Some(index) = gate.draw(random) {
        poll(gate, index, &mut tasks);
    }
    for index in 0..tasks.len() {
        gate.forget(index);
    }
}

/// Notes that a part of an invocation has something for another part.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn poll(gate: &Gate, index: usize, tasks: &mut [Option<Task>]) {
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    gate.state().running = index;
    loop {
        let Some(task) = &mut tasks[index] else { return };
        woken.0.store(false, Ordering::SeqCst);
        let ended = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        let killed = gate.state().dead.contains(&index);
        if ended || killed {
            tasks[index] = None;
            gate.forget(index);
        }
        if !woken.0.load(Ordering::SeqCst) {
            return;
        }
    }
}
