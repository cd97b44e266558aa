//! Every function as AWS runs it: the release binary behind a Runtime API,
//! started cold and called warm, on a core of its own; beside it the floor and
//! the same decision in other languages.

mod cloud;
mod costs;
mod figures;
mod goals;
mod machine;
mod peers;
mod process;
mod report;
mod rule_files;
mod subjects;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tests::{TokenIssuer, workspace_root};

use cloud::{Front, Identity};
use figures::{Figures, Spread, Times, micros};
use machine::{Core, Throttle};
pub(crate) use process::{Program, Running};
use report::Report;
use subjects::Subject;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Cold starts.
    starts: usize,
    /// Rounds of warm calls.
    rounds: usize,
    /// Warm calls of a round.
    calls: u32,
}

impl Effort {
    /// What figures that are quoted take.
    pub(crate) const WHOLE: Self = Self { starts: 15, rounds: 3, calls: 5_000 };
    /// To see that everything still runs.
    pub(crate) const QUICK: Self = Self { starts: 3, rounds: 3, calls: 200 };
}

/// Measures all whose names begin with `only`, and writes the report.
pub(crate) fn run(effort: Effort, only: &str) -> Result<String> {
    let wanted = |name: &str| name.starts_with(only);
    build(&["floor"])?;
    build(&["authorizer"])?;
    build(&subjects::functions(wanted))?;
    let machine = machine::description();
    Core::OfDriver.take()?;
    let folder = workspace_root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let identity = Identity::make(&folder)?;
    let issuer = TokenIssuer::start()?;
    let keys = Front::start(&identity, &issuer.url(), &Arc::default())?;
    let throttle = Throttle::of(128);
    let share = throttle.as_ref().ok();

    let mut report = Report::new(machine, effort, throttle.as_ref().err().map(|error| format!("{error:#}")));
    let [floor, authorizer] = subjects::without_aws(&issuer, &keys.url(), &identity)?;
    let peers = if only.is_empty() { peers::ready(&authorizer.program.settings) } else { Vec::new() };
    for (name, program) in peers {
        match program {
            Ok(program) => {
                alike(&authorizer, &program, &issuer)?;
                let subject = Subject::peer(program, &authorizer.event);
                report.peers.push(measure(&subject, &floor, effort, share)?);
            }
            Err(error) => report.left_out.push(format!("{name}: {error:#}")),
        }
    }
    report.floor = Some(measure(&floor, &floor, effort, share)?);
    if wanted(&authorizer.program.name) {
        report.authorizer = Some(measure(&authorizer, &floor, effort, share)?);
    }
    let named = |subject: &Subject| wanted(&subject.program.name);
    for subject in subjects::with_revocation(&issuer, &keys.url(), &identity)?.into_iter().filter(named) {
        report.revocation.push(measure(&subject, &floor, effort, share)?);
    }
    for [small, large] in subjects::by_rules(&issuer, &keys.url(), &identity)? {
        if named(&large) {
            report.rules.push(measure(&large, &small, effort, share)?);
        }
    }
    for subject in subjects::with_aws(&issuer, &identity)?.into_iter().filter(named) {
        report.functions.push(measure(&subject, &floor, effort, share)?);
    }
    report.write(&folder)
}

/// Builds what ships of these packages. Together they get the features that any
/// of them asks for; what is built alone is as small as when it is deployed.
pub(crate) fn build(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    crate::say(&format!("building {} as deployed, minutes the first time", packages.join(", ")));
    let chosen = packages.iter().flat_map(|package| ["--package", package]);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--bins", "--locked", "--quiet"])
        .args(chosen)
        .current_dir(workspace_root())
        .status()
        .context("cargo cannot be started")?;
    ensure!(status.success(), "cargo build --release failed; what it said is above");
    Ok(())
}

/// Whether a peer decides as the authorizer does: on a good token, on one
/// without a tenant, on an altered one and on none.
fn alike(authorizer: &Subject, peer: &Program, issuer: &TokenIssuer) -> Result<()> {
    let good = issuer.access().with("tenant", "acme").with("roles", serde_json::json!(["member"]));
    let token = issuer.mint(&good)?;
    let altered = format!("{}A", token.strip_suffix(['A', 'Q', 'g', 'w']).unwrap_or(&token));
    let without = issuer.mint(&issuer.access())?;
    let (mut ours, _, _) = Running::start(&authorizer.program, &authorizer.event, None)?;
    let (mut theirs, _, _) = Running::start(peer, &authorizer.event, None)?;
    for (name, token) in
        [("a good token", token), ("no tenant", without), ("an altered token", altered), ("no token", String::new())]
    {
        let event = subjects::authorizer_event(&token)?;
        let (ours, theirs) = (decision(&event, &ours.call(&event)?.0), decision(&event, &theirs.call(&event)?.0));
        if ours != theirs {
            bail!("{}: on {name} it decides {theirs:?}, and the authorizer {ours:?}", peer.name);
        }
    }
    Ok(())
}

/// Who calls and whether this request may pass, or the error's text.
fn decision(event: &[u8], answer: &[u8]) -> (String, bool) {
    let Ok(value) = serde_json::from_slice::<Value>(answer) else {
        return (String::from_utf8_lossy(answer).into_owned(), false);
    };
    let event = serde_json::from_slice::<Value>(event).unwrap_or_default();
    let statements = value.pointer("/policyDocument/Statement").and_then(Value::as_array).into_iter().flatten();
    let allowed = statements.filter(|one| one.get("Effect") == Some(&Value::from("Allow"))).any(|one| {
        let resources = one.get("Resource").and_then(Value::as_array);
        resources.is_some_and(|resources| event.get("methodArn").is_some_and(|arn| resources.contains(arn)))
    });
    let caller = value.get("principalId").and_then(Value::as_str).unwrap_or_default();
    (caller.to_owned(), allowed)
}

/// Measures a program, in turns with another that it is compared with.
fn measure(subject: &Subject, beside: &Subject, effort: Effort, share: Option<&Throttle>) -> Result<Figures> {
    crate::say(&format!(
        "{}: {} starts, {} x {} calls",
        subject.program.name, effort.starts, effort.rounds, effort.calls
    ));
    let both = [subject, beside];
    // The first start reads the file from the disk.
    both.iter().try_for_each(|one| start(one, None).map(drop))?;
    let starts = in_turns(effort.starts, || both.map(|one| start(one, None)))?;
    let throttled = share.map(|share| in_turns(effort.starts, || both.map(|one| start(one, Some(share)))));
    let [own_128, beside_128] = throttled.transpose()?.map_or([None, None], |both| both.map(Some));

    let [mut own, mut other] = [Warm::start(subject, effort)?, Warm::start(beside, effort)?];
    for _ in 0..effort.rounds {
        own.round(effort)?;
        other.round(effort)?;
    }
    let memory = own.running.memory()?;
    let [own_start, beside_start] = starts;
    Ok(Figures {
        name: subject.program.name.clone(),
        resident: memory.resident,
        peak: memory.peak,
        zipped: subject.zipped()?,
        calls: own.calls(effort)?,
        round_trips: own.round_trips()?,
        own: own.times(own_start, own_128),
        beside: other.times(beside_start, beside_128),
    })
}

/// One cold start, in microseconds.
fn start(subject: &Subject, share: Option<&Throttle>) -> Result<f64> {
    let (_, _, elapsed) = Running::start(&subject.program, &subject.event, share)?;
    Ok(micros(elapsed))
}

/// Two values so many times.
fn in_turns(times: usize, both: impl Fn() -> [Result<f64>; 2]) -> Result<[Spread; 2]> {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let [first, second] = both();
        one.push(first?);
        two.push(second?);
    }
    Ok([Spread::of(one), Spread::of(two)])
}

/// A program that is called warm.
struct Warm<'a> {
    subject: &'a Subject,
    running: Running,
    /// How often it had called AWS before it was measured.
    called: u64,
    cpu: Vec<f64>,
    elapsed: Vec<f64>,
}

impl<'a> Warm<'a> {
    fn start(subject: &'a Subject, effort: Effort) -> Result<Self> {
        let (mut running, _, _) = Running::start(&subject.program, &subject.event, None)?;
        for _ in 0..effort.calls / 5 {
            running.call(&subject.event)?;
        }
        Ok(Self { subject, running, called: subject.calls(), cpu: Vec::new(), elapsed: Vec::new() })
    }

    fn round(&mut self, effort: Effort) -> Result<()> {
        let begun = self.running.cpu()?;
        for _ in 0..effort.calls {
            self.elapsed.push(micros(self.running.call(&self.subject.event)?.1));
        }
        self.cpu.push(micros(self.running.cpu()? - begun) / f64::from(effort.calls));
        Ok(())
    }

    /// Calls to AWS for a call.
    fn calls(&self, effort: Effort) -> Result<f64> {
        let all = f64::from(effort.calls) * f64::from(u32::try_from(effort.rounds)?);
        #[expect(clippy::cast_precision_loss, reason = "a number of calls")]
        Ok((self.subject.calls() - self.called) as f64 / all)
    }

    /// How often a call waits for AWS, with answers slow enough to tell.
    fn round_trips(&mut self) -> Result<f64> {
        const CALLS: u32 = 5;
        let before = self.subject.slowly();
        for _ in 0..CALLS {
            self.running.call(&self.subject.event)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of calls")]
        Ok((self.subject.waits() - before) as f64 / f64::from(CALLS))
    }

    fn times(self, start: Spread, start_128: Option<Spread>) -> Times {
        Times { start, start_128, cpu: Spread::of(self.cpu), elapsed: Spread::of(self.elapsed) }
    }
}

impl Subject {
    /// Another program on the same event.
    fn peer(program: Program, event: &[u8]) -> Self {
        Self::new(program, event.to_vec())
    }

    fn zipped(&self) -> Result<Option<u64>> {
        let own = self.program.path.starts_with(workspace_root().join("target/release"));
        own.then(|| subjects::zipped(Path::new(&self.program.path))).transpose()
    }
}

/// A function whose instructions are counted.
pub(crate) struct Counted {
    subject: Subject,
    /// The event.
    pub(crate) event: Vec<u8>,
    _issuer: Arc<TokenIssuer>,
}

/// The functions on the hot paths: the authorizer, and the one of every token.
pub(crate) const COUNTED: [&str; 2] = ["authorizer", "pre-token-generation"];

/// Those two, with their events.
pub(crate) fn counted() -> Result<Vec<Counted>> {
    let folder = workspace_root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let identity = Identity::make(&folder)?;
    let issuer = Arc::new(TokenIssuer::start()?);
    let [_, authorizer] = subjects::without_aws(&issuer, &issuer.url(), &identity)?;
    let mut all = vec![authorizer];
    all.extend(
        subjects::with_aws(&issuer, &identity)?.into_iter().filter(|one| COUNTED.contains(&one.program.name.as_str())),
    );
    Ok(all
        .into_iter()
        .map(|subject| Counted { event: subject.event.clone(), subject, _issuer: issuer.clone() })
        .collect())
}

impl Counted {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.subject.program.name
    }

    /// How large its package is.
    pub(crate) fn zipped(&self) -> Result<u64> {
        subjects::zipped(&self.subject.program.path)
    }

    /// Starts it as the last argument of another program.
    pub(crate) fn under(&self, wrapper: &[&str]) -> Result<Running> {
        let own = self.subject.program.path.display().to_string();
        let [program, arguments @ ..] = wrapper else { bail!("no program") };
        let arguments = arguments.iter().map(|one| (*one).to_owned()).chain([own]).collect();
        let mut settings = self.subject.program.settings.clone();
        settings.push(("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()));
        let wrapped = Program { name: self.name().to_owned(), path: (*program).into(), arguments, settings };
        Ok(Running::start(&wrapped, &self.event, None)?.0)
    }
}
