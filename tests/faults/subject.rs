//! The functions under test, each with an event that it serves and the answer
//! that it gives when it cannot.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tests::faults::FaultProxy;
use tests::{
    Audit, Case, Function, Outcome, PoolUser, Reply, Services, TokenIssuer, cases, is_public_text, workspace_root,
};

/// What a function answers when it cannot do what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// An error with this text.
    Error(&'static str),
    /// A token without tenant and roles: what `without_directory` allows.
    Unprivileged,
    /// A problem with the status 503.
    Problem,
    /// The batch comes again.
    Again,
}

pub(crate) const TRY_AGAIN: Broken = Broken::Error("This is not possible right now, please try again");

/// A function and one of its events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// What a row is called.
    pub(crate) name: &'static str,
    /// `<function>/<event>` under `events/`.
    pub(crate) case: &'static str,
    /// A change of the rules.
    pub(crate) rules: Option<(&'static str, &'static str)>,
    /// A text of the event that becomes another one in each, so that each is new.
    pub(crate) fresh: Option<&'static str>,
    /// The codes of a call that went well.
    pub(crate) served: &'static [&'static str],
    /// What is answered otherwise, and the codes of that.
    pub(crate) broken: (Broken, &'static [&'static str]),
    /// The longest that an answer may take.
    pub(crate) bound: Duration,
}

const SUB: &str = "5b6ff4a8-0c11-4b4e-9d39-9c2a1f6f2a01";
/// Four seconds and what it takes to say so.
const TRIGGER: Duration = Duration::from_millis(4_200);
const API: Duration = Duration::from_millis(9_700);

pub(crate) const SUBJECTS: [Subject; 14] = [
    Subject {
        name: "pre-sign-up, by invitation",
        case: "pre-sign-up/sign-up-invited",
        rules: None,
        fresh: None,
        served: &["Accepted"],
        broken: (TRY_AGAIN, &["DirectoryUnreachable"]),
        bound: TRIGGER,
    },
    Subject {
        name: "pre-sign-up, linking",
        case: "pre-sign-up/external-provider-linked",
        rules: None,
        fresh: None,
        served: &["AccountLinked"],
        broken: (TRY_AGAIN, &["PoolUnreachable", "DeadlineReached"]),
        bound: TRIGGER,
    },
    Subject {
        name: "user-migration",
        case: "user-migration/authentication",
        rules: None,
        fresh: None,
        served: &["MovedIn"],
        broken: (Broken::Error("This sign-in is not possible"), &["AttemptsUnreachable"]),
        bound: TRIGGER,
    },
    Subject {
        name: "user-migration, forgotten",
        case: "user-migration/forgot-password",
        rules: None,
        fresh: None,
        served: &["MovedInForReset"],
        broken: (Broken::Error("This sign-in is not possible"), &["LegacyTableUnreachable"]),
        bound: TRIGGER,
    },
    Subject {
        name: "post-confirmation",
        case: "post-confirmation/confirm-sign-up",
        rules: None,
        fresh: Some(SUB),
        served: &["Provisioned"],
        broken: (TRY_AGAIN, &["DirectoryUnreachable", "PoolUnreachable"]),
        bound: TRIGGER,
    },
    Subject {
        name: "pre-token-generation",
        case: "pre-token-generation/v2-authentication",
        rules: None,
        fresh: None,
        served: &["OnlyMembership"],
        broken: (Broken::Unprivileged, &["DirectoryUnread"]),
        bound: TRIGGER,
    },
    Subject {
        name: "pre-token-generation, first token",
        case: "pre-token-generation/v2-first-token-heals",
        rules: None,
        fresh: Some(SUB),
        served: &["Healed"],
        broken: (Broken::Unprivileged, &["DirectoryUnread"]),
        bound: TRIGGER,
    },
    Subject {
        name: "pre-token-generation, refusing",
        case: "pre-token-generation/v2-authentication",
        rules: Some(("without_directory = \"issue-without-rights\"", "without_directory = \"refuse\"")),
        fresh: None,
        served: &["OnlyMembership"],
        broken: (TRY_AGAIN, &["DirectoryUnread"]),
        bound: TRIGGER,
    },
    Subject {
        name: "user-api, reading",
        case: "user-api/get-item",
        rules: None,
        fresh: None,
        served: &["ItemRead"],
        broken: (Broken::Problem, &["ItemsUnreachable", "TenantSessionRefused"]),
        bound: API,
    },
    Subject {
        name: "user-api, writing",
        case: "user-api/put-item",
        rules: None,
        fresh: Some("third"),
        served: &["ItemCreated"],
        broken: (Broken::Problem, &["ItemsUnreachable", "TenantSessionRefused"]),
        bound: API,
    },
    Subject {
        name: "user-api, choosing",
        case: "user-api/put-me-tenant",
        rules: None,
        fresh: None,
        served: &["TenantChosen"],
        broken: (Broken::Problem, &["DirectoryUnreachable"]),
        bound: API,
    },
    Subject {
        name: "admin-api, writing",
        case: "admin-api/put-member-roles",
        rules: None,
        fresh: None,
        served: &["RolesChanged"],
        broken: (Broken::Problem, &["DirectoryUnreachable", "TenantSessionRefused"]),
        bound: API,
    },
    Subject {
        name: "guest-promotion",
        case: "guest-promotion/claim",
        rules: None,
        fresh: None,
        served: &["ClaimSecretRegistered"],
        broken: (Broken::Problem, &["RecordsUnread"]),
        bound: Duration::from_millis(28_200),
    },
    Subject {
        name: "guest-keeper",
        case: "guest-keeper/writes",
        rules: None,
        fresh: None,
        served: &["Kept", "LimitReached"],
        broken: (Broken::Again, &["TryAgain"]),
        bound: Duration::from_millis(25_200),
    },
];

/// The subject of this name.
pub(crate) fn subject(name: &str) -> Result<Subject> {
    SUBJECTS.into_iter().find(|subject| subject.name == name).with_context(|| name.to_owned())
}

/// A started function behind a proxy, with what its event needs.
pub(crate) struct Bench {
    pub(crate) services: Services,
    pub(crate) proxy: FaultProxy,
    pub(crate) function: Function,
    pub(crate) subject: Subject,
    case: Case,
    audit: Audit,
}

impl Bench {
    pub(crate) fn start(subject: Subject) -> Result<Self> {
        Self::with(subject, |_| {}, &[])
    }

    /// Starts it after the proxy was told something, with more settings.
    pub(crate) fn with(subject: Subject, before: impl FnOnce(&FaultProxy), more: &[(String, String)]) -> Result<Self> {
        let case = case(subject.case)?;
        let services = Services::start()?;
        let proxy = FaultProxy::before(&services)?;
        let mut settings = BTreeMap::from([("RULES_FILE".to_owned(), rules(subject, &case)?)]);
        settings.extend(proxy.settings(&services));
        settings.insert("GUEST_KEY_SET_URL".to_owned(), key_set_url()?);
        settings.extend(case.settings.clone());
        settings.extend(more.iter().cloned());
        before(&proxy);
        let function = Function::start(&case.function, settings)?;
        let mut audit = Audit::default();
        audit.keep_secret("correct horse");
        Ok(Self { services, proxy, function, subject, case, audit })
    }

    /// Sends the event, to a world that is as the event wants it.
    pub(crate) fn send(&mut self) -> Result<(Outcome, String)> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        for (table, items) in &self.case.items {
            items.iter().try_for_each(|item| self.services.put(table, item))?;
        }
        self.services.pool().reset();
        self.case.users.iter().for_each(|(name, email)| self.services.pool().add(PoolUser::new(name, email)));
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let event = match self.subject.fresh {
            None => self.case.request.clone(),
            Some(text) => self.case.request.replace(text, &format!("00000000-0000-4000-9000-{number:012}")),
        };
        let outcome = self.function.invoke_within(event, self.subject.bound + Duration::from_millis(800));
        let code = self.function.code_of(&outcome).with_context(|| format!("no code: {:?}", outcome.reply))?;
        if let Reply::Error { message, .. } = &outcome.reply {
            ensure!(is_public_text(message), "an error text of its own: {message}");
        }
        self.audit.printed(&self.function)?;
        Ok((outcome, code))
    }

    /// What a failed row shows of a call.
    fn told(&self, outcome: &Outcome) -> String {
        let lines = self.function.log_of(outcome);
        let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        format!("after {:?}, {}", outcome.elapsed, lines.join(" "))
    }

    /// Sends the event, which must be served.
    pub(crate) fn serve(&mut self) -> Result<(Duration, String)> {
        let (outcome, code) = self.send()?;
        ensure!(
            self.subject.served.contains(&code.as_str()),
            "{code} instead of {:?}: {}",
            self.subject.served,
            self.told(&outcome)
        );
        Ok((outcome.elapsed, code))
    }

    /// Sends the event, which cannot be served; the answer is the documented one.
    pub(crate) fn fail(&mut self) -> Result<(Duration, String)> {
        let (outcome, code) = self.send()?;
        let (broken, codes) = self.subject.broken;
        ensure!(codes.contains(&code.as_str()), "{code} instead of {codes:?}: {}", self.told(&outcome));
        check(broken, &outcome)?;
        Ok((outcome.elapsed, code))
    }
}

/// Whether this is that answer.
pub(crate) fn check(broken: Broken, outcome: &Outcome) -> Result<()> {
    match broken {
        Broken::Error(text) => ensure!(outcome.error() == Some(text), "{outcome:?}"),
        Broken::Unprivileged => {
            let response = outcome.json()?["response"].to_string();
            let rights = ["acme", "member", "\"tenant\""].iter().any(|right| response.contains(right));
            ensure!(!rights, "rights that nobody vouches for: {response}");
        }
        Broken::Problem => {
            let answer = outcome.json()?;
            ensure!(answer["statusCode"] == 503, "{answer}");
            ensure!(answer["headers"]["content-type"] == "application/problem+json", "{answer}");
        }
        Broken::Again => {
            let failed = outcome.json()?["batchItemFailures"].as_array().map_or(0, Vec::len);
            ensure!(failed > 0, "the batch would be forgotten: {outcome:?}");
        }
    }
    Ok(())
}

fn case(name: &str) -> Result<Case> {
    static CASES: Mutex<Vec<Case>> = Mutex::new(Vec::new());
    let mut known = CASES.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_empty() {
        *known = cases()?;
    }
    let found = known.iter().find(|case| format!("{}/{}", case.function, case.name) == name);
    found.cloned().with_context(|| format!("no recorded event is called {name}"))
}

/// The rules of the recorded event, changed where the subject says so.
fn rules(subject: Subject, case: &Case) -> Result<String> {
    let Some((from, to)) = subject.rules else { return Ok(case.rules.display().to_string()) };
    let text = std::fs::read_to_string(&case.rules)?;
    if !text.contains(from) {
        bail!("{from} is not in the rules");
    }
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("faults-{}.toml", NUMBER.fetch_add(1, Ordering::SeqCst));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text.replace(from, to))?;
    Ok(path.display().to_string())
}

/// A key set for the function that wants one at its start.
fn key_set_url() -> Result<String> {
    static ISSUER: std::sync::OnceLock<TokenIssuer> = std::sync::OnceLock::new();
    match ISSUER.get() {
        Some(issuer) => Ok(issuer.url()),
        None => {
            let issuer = TokenIssuer::start()?;
            Ok(ISSUER.get_or_init(|| issuer).url())
        }
    }
}

/// Runs all rows, some at a time, and says which failed. One test of this file
/// does so at a time, and what failed among others has to succeed alone: a small
/// or busy machine may be late for reasons of its own.
pub(crate) fn run_all<T: Send + Clone>(
    rows: Vec<T>,
    at_a_time: usize,
    name: impl Fn(&T) -> String + Sync,
    row: impl Fn(&T) -> Result<()> + Sync,
) -> Result<()> {
    static ONE_TEST: Mutex<()> = Mutex::new(());
    let _alone = ONE_TEST.lock().unwrap_or_else(PoisonError::into_inner);
    let total = rows.len();
    let waiting = Mutex::new(rows);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(next) = next else { break };
                    if let Err(error) = row(&next) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push((next, error));
                    }
                }
            });
        }
    });
    let mut failures = Vec::new();
    for (next, among_others) in failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if let Err(error) = row(&next) {
            failures.push(format!("{}: {error:#}\n  (among others: {among_others:#})", name(&next)));
        }
    }
    failures.sort();
    ensure!(failures.is_empty(), "{} of {total} rows failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

/// A value for a table of Markdown.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

/// The top folder, for files that a test reads.
pub(crate) fn root() -> &'static std::path::Path {
    workspace_root()
}
