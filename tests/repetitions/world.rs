//! The services behind the functions, in memory: DynamoDB by dynoxide, the user
//! pool by the one of the harness. Clients call them through [`Outside`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use records::schedule::Random;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shell::aws::{Client, Later, Transport};
use shell::https::{Builder, Bytes, HttpsError, Response};
use tests::{DIRECTORY_TABLE, Pool, PoolUser, directory_table};

use crate::checker;
use crate::schedule::Gate;

/// Of 1,000 calls, so many end like this.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    /// Nothing is done, and no answer comes.
    pub(crate) lost_before: u64,
    /// It is done, and no answer comes.
    pub(crate) lost_after: u64,
    /// The function is killed before it is done.
    pub(crate) killed_before: u64,
    /// The function is killed after it is done.
    pub(crate) killed_after: u64,
    /// The service says that it has too much to do.
    pub(crate) throttled: u64,
}

/// A promise of the services that is broken, to see that the checker notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// A transaction does not look at what its writes rely on.
    Conditions,
    /// A transaction makes its deletions and nothing else.
    Atomicity,
    /// The pool makes a user again who is there.
    Users,
}

/// All that is outside, and what was seen there.
pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) pool: Pool,
    pub(crate) rates: Mutex<Rates>,
    is_broken: Option<Break>,
    database: dynoxide::Database,
    random: Mutex<Random>,
    pub(crate) seen: Mutex<checker::Seen>,
}

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Served,
    LostBefore,
    LostAfter,
    KilledBefore,
    KilledAfter,
    Throttled,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(seed: u64, is_broken: Option<Break>) -> Arc<Self> {
        let mut random = Random::new(seed);
        let quiet = random.happens(100);
        let mut rate = |most: usize| if quiet { 0 } else { random.below(most) as u64 };
        let rates = Rates {
            lost_before: rate(100),
            lost_after: rate(100),
            killed_before: rate(60),
            killed_after: rate(60),
            throttled: rate(100),
        };
        let database = dynoxide::Database::memory().expect("a database in memory");
        let table = serde_json::from_value(directory_table()).expect("a table");
        database.create_table(table).expect("the directory table");
        Arc::new(Self {
            gate: Gate::default(),
            pool: Pool::default(),
            rates: Mutex::new(rates),
            is_broken,
            database,
            random: Mutex::new(random),
            seen: Mutex::default(),
        })
    }

    pub(crate) fn random(&self) -> MutexGuard<'_, Random> {
        lock(&self.random)
    }

    /// Notes what must not be.
    pub(crate) fn fault(&self, text: String) {
        lock(&self.seen).faults.push(text);
    }

    /// A client of this world. Its time is the schedule's.
    pub(crate) fn client(self: &Arc<Self>) -> Client {
        Client::through(Outside(Arc::clone(self)))
    }

    fn fate(&self) -> Fate {
        let rates = *lock(&self.rates);
        let mut drawn = self.random().draw() % 1_000;
        let table = [
            (rates.lost_before, Fate::LostBefore),
            (rates.lost_after, Fate::LostAfter),
            (rates.killed_before, Fate::KilledBefore),
            (rates.killed_after, Fate::KilledAfter),
            (rates.throttled, Fate::Throttled),
        ];
        for (rate, fate) in table {
            if drawn < rate {
                return fate;
            }
            drawn -= rate;
        }
        Fate::Served
    }

    /// All items of the directory by their keys.
    pub(crate) fn items(&self) -> BTreeMap<(String, String), Value> {
        let request = serde_json::from_value(json!({ "TableName": DIRECTORY_TABLE })).expect("a scan");
        let found = serde_json::to_value(self.database.scan(request).expect("the table")).expect("JSON");
        let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        let items = found["Items"].as_array().cloned().unwrap_or_default();
        items.into_iter().map(|item| ((text(&item, "pk"), text(&item, "sk")), item)).collect()
    }

    /// Writes an item as an administrator does.
    pub(crate) fn put(&self, item: &Value) {
        let request = serde_json::from_value(json!({"TableName": DIRECTORY_TABLE, "Item": item}));
        self.database.put_item(request.expect("a put")).expect("the table");
    }

    /// Deletes an item as an administrator does.
    pub(crate) fn delete(&self, pk: &str, sk: &str) {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let request = serde_json::from_value(json!({"TableName": DIRECTORY_TABLE, "Key": key}));
        self.database.delete_item(request.expect("a deletion")).expect("the table");
    }

    fn carry_out(&self, target: &str, body: &[u8]) -> (u16, String) {
        match target.split_once('.') {
            Some(("DynamoDB_20120810", operation @ ("GetItem" | "Query"))) => self.database_call(operation, body),
            Some(("DynamoDB_20120810", operation)) => {
                let before = self.items();
                let answer = self.database_call(operation, body);
                checker::check_write(self, &before, &self.items());
                answer
            }
            Some((_, "AdminAddUserToGroup")) => {
                let request: Value = serde_json::from_slice(body).unwrap_or_default();
                let name = request["Username"].as_str().unwrap_or_default().to_owned();
                *lock(&self.seen).grouped.entry(name).or_default() += 1;
                (200, "{}".to_owned())
            }
            Some((_, operation)) => {
                if self.is_broken == Some(Break::Users) && operation == "AdminCreateUser" {
                    let request: Value = serde_json::from_slice(body).unwrap_or_default();
                    let address = request["Username"].as_str().unwrap_or_default();
                    self.pool.add(PoolUser::new(&format!("again-{}", self.pool.users().len()), address));
                }
                let answer = self.pool.answer(operation, body).expect("an operation of a pool");
                (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
            }
            None => (400, "{}".to_owned()),
        }
    }

    fn database_call(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let database = &self.database;
        match operation {
            "GetItem" => call(body, |request| database.get_item(request)),
            "Query" => call(body, |request| database.query(request)),
            "PutItem" => call(body, |request| database.put_item(request)),
            "UpdateItem" => call(body, |request| database.update_item(request)),
            "DeleteItem" => call(body, |request| database.delete_item(request)),
            "TransactWriteItems" => {
                let body = self.broken(body);
                call(&body, |request| database.transact_write_items(request))
            }
            other => panic!("nobody here calls {other}"),
        }
    }

    /// A transaction as a broken table takes it.
    fn broken(&self, body: &[u8]) -> Vec<u8> {
        let mut request: Value = serde_json::from_slice(body).expect("JSON");
        let items = request["TransactItems"].as_array_mut().expect("a transaction has items");
        match self.is_broken {
            Some(Break::Conditions) => {
                for put in items.iter_mut().filter_map(|item| item["Put"].as_object_mut()) {
                    put.remove("ConditionExpression");
                    put.remove("ExpressionAttributeNames");
                }
            }
            Some(Break::Atomicity) if items.iter().any(|item| item["Delete"].is_object()) => {
                items.retain(|item| item["Delete"].is_object());
            }
            _ => {}
        }
        request.to_string().into_bytes()
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(body: &[u8], run: impl FnOnce(Q) -> dynoxide::Result<A>) -> (u16, String) {
    let request = serde_json::from_slice(body).expect("the SDK writes what DynamoDB reads");
    match run(request) {
        Ok(answer) => (200, serde_json::to_string(&answer).expect("JSON")),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

/// The way out of a client.
struct Outside(Arc<World>);

impl Transport for Outside {
    fn exchange(&self, _: Duration, request: Builder, body: Bytes) -> Later<'_, Result<Response<Bytes>, HttpsError>> {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            let target = request.headers_ref().and_then(|headers| headers.get("x-amz-target")?.to_str().ok());
            world.gate.turn().await;
            let fate = world.fate();
            match fate {
                Fate::LostBefore => return Err(HttpsError::Disconnected),
                Fate::KilledBefore => {
                    world.gate.kill();
                    std::future::pending::<()>().await;
                }
                _ => {}
            }
            let (status, answer) = if fate == Fate::Throttled {
                (400, json!({"__type": "ThrottlingException", "message": "a fault"}).to_string())
            } else {
                world.carry_out(target.unwrap_or_default(), &body)
            };
            if fate == Fate::KilledAfter {
                world.gate.kill();
                std::future::pending::<()>().await;
            }
            // Others act while the answer is on its way.
            world.gate.turn().await;
            if fate == Fate::LostAfter {
                return Err(HttpsError::Disconnected);
            }
            let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
            Ok(response.body(Bytes::from(answer)).expect("a response"))
        })
    }

    fn wait(&self, _: Duration) -> Later<'_, ()> {
        Box::pin(self.0.gate.turn())
    }
}
