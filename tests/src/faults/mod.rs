//! Faults between a function and what it calls: a proxy that passes everything
//! on until it is told otherwise.
//!
//! It also keeps the time as AWS does: a request that was signed more than five
//! minutes away from its clock is refused.

mod connection;
mod kind;
mod wire;

pub use kind::Fault;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use crate::services::Services;

/// How connections that are there end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// By a reset.
    Reset,
    /// As a polite server closes.
    Closed,
    /// Not at all: what is sent is taken, and nobody is there any more.
    Forgotten,
}

/// What becomes of requests.
#[derive(Clone, Copy, Debug)]
struct Plan {
    fault: Fault,
    /// How many requests it still hits.
    left: usize,
    /// A part of the operation's name; others pass.
    only: &'static str,
}

/// What all connections share.
struct Shared {
    database: SocketAddr,
    others: SocketAddr,
    plan: Mutex<Plan>,
    calls: Mutex<Vec<String>>,
    connections: AtomicUsize,
    door: watch::Sender<Door>,
    deaths: watch::Sender<(u64, Death)>,
}

/// What a new connection meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    /// Nobody listens.
    Shut,
    /// The machine is there and answers no attempt to connect.
    Deaf,
    /// The proxy ends.
    Gone,
}

/// A proxy that lives as long as this value.
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl FaultProxy {
    /// Before the services that functions call.
    pub fn before(services: &Services) -> Result<Self> {
        let settings = services.settings();
        let others = settings.iter().find(|(key, _)| key == "AWS_ENDPOINT_URL_STS").context("no other services")?;
        Self::start(services.database_url(), &others.1)
    }

    /// Before one server, such as a key set's.
    pub fn before_server(url: &str) -> Result<Self> {
        Self::start(url, url)
    }

    fn start(database: &str, others: &str) -> Result<Self> {
        let address = |url: &str| url.trim_start_matches("http://").parse().with_context(|| url.to_owned());
        let shared = Arc::new(Shared {
            database: address(database)?,
            others: address(others)?,
            plan: Mutex::new(Plan { fault: Fault::Silent, left: 0, only: "" }),
            calls: Mutex::default(),
            connections: AtomicUsize::default(),
            door: watch::Sender::new(Door::Open),
            deaths: watch::Sender::new((0, Death::Closed)),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || runtime.block_on(keep_door(serving, listener, address)));
        Ok(Self { shared, address })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The settings that lead a function through here.
    pub fn settings(&self, services: &Services) -> Vec<(String, String)> {
        let direct = services.settings_through(&self.url());
        // By another name, so that clients keep connections of their own for them, as they do for AWS.
        let (others, here) =
            (format!("http://{}", self.shared.others), format!("http://localhost:{}", self.address.port()));
        direct.into_iter().map(|(key, value)| (key, value.replace(&others, &here))).collect()
    }

    /// This is what becomes of all requests from now on.
    pub fn fail(&self, fault: Fault) {
        self.fail_some(fault, usize::MAX, "");
    }

    /// This is what becomes of the next requests whose operation has `only` in its name.
    pub fn fail_some(&self, fault: Fault, requests: usize, only: &'static str) {
        *self.plan() = Plan { fault, left: requests, only };
        let door = match fault {
            Fault::Refusing => Door::Shut,
            Fault::Deaf => Door::Deaf,
            _ => Door::Open,
        };
        if fault.is_at_the_door() {
            self.kill_connections(Death::Reset);
        }
        self.move_door(door);
    }

    /// Everything works again.
    pub fn heal(&self) {
        self.plan().left = 0;
        self.move_door(Door::Open);
    }

    /// Ends the connections that are there; new ones are served.
    pub fn kill_connections(&self, death: Death) {
        self.shared.deaths.send_modify(|(count, kind)| (*count, *kind) = (*count + 1, death));
    }

    /// The operations that were asked for so far.
    pub fn calls(&self) -> Vec<String> {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.shared.plan()
    }

    /// The door is moved by another thread; this waits until it is done.
    fn move_door(&self, door: Door) {
        if *self.shared.door.borrow() != door {
            self.shared.door.send_replace(door);
            std::thread::sleep(Duration::from_millis(60));
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.door.send_replace(Door::Gone);
    }
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of this request, if it is not passed on.
    fn fate(&self, operation: &str) -> Option<Fault> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(operation.to_owned());
        let mut plan = self.plan();
        let hit = plan.left > 0 && operation.contains(plan.only) && !plan.fault.is_at_the_door();
        if hit {
            plan.left -= 1;
        }
        hit.then_some(plan.fault)
    }

    /// Whether a connection is reset before it says anything.
    fn resets_at_once(&self) -> bool {
        let mut plan = self.plan();
        let hit = plan.left > 0 && plan.fault == Fault::ResetAtOnce;
        if hit {
            plan.left -= 1;
        }
        hit
    }
}

/// Listens, or does not, on the one address.
async fn keep_door(shared: Arc<Shared>, listener: TcpListener, address: SocketAddr) {
    let mut door = shared.door.subscribe();
    let mut open = Some(listener);
    loop {
        let now = *door.borrow_and_update();
        match now {
            Door::Gone => return,
            Door::Shut => {
                drop(open.take());
                drop(door.changed().await);
            }
            Door::Deaf => {
                drop(open.take());
                // One that nobody accepts fills the queue; what comes after it is not heard.
                let Ok(full) = listen(address, 0) else { continue };
                let filler = tokio::net::TcpStream::connect(address).await;
                drop(door.changed().await);
                drop((full, filler));
            }
            Door::Open => {
                let Some(listener) = open.take().or_else(|| listen(address, 128).ok()) else {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                };
                tokio::select! {
                    accepted = listener.accept() => {
                        if let Ok((stream, _)) = accepted {
                            tokio::spawn(connection::serve(stream, Arc::clone(&shared)));
                        }
                        open = Some(listener);
                    }
                    _ = door.changed() => open = Some(listener),
                }
            }
        }
    }
}

fn listen(address: SocketAddr, backlog: u32) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket.listen(backlog)?)
}
