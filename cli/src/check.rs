//! `poolhouse check`: what is wrong with a rule file, and what is odd about it.

mod render;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use shared::findings::{Finding, Severity};
use shared::lint::{self, Capacity, Carried, Plan};
use shared::rules::{Problem, Rules, place_of};

use crate::arguments::EXIT_CODES;
use crate::output::{Answer, FailOn, Failure, Located, Outcome, Paint};
use crate::rule_file::USUAL_PLACE;

const EXAMPLES: &str = "\
An error keeps the functions from starting, or opens something that should be
shut. A warning is a rule that can never count, or that counts for more people
than was probably meant. Needs no AWS.

Examples:
  The project's own rule file:
    poolhouse check
  Another one, for a pool on the plan Lite:
    poolhouse check --plan lite my-rules.toml
  In CI, where warnings count too, for GitHub's code scanning:
    poolhouse check --fail-on warning --output sarif rules/rules.toml";

/// What the long help ends with.
pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// What to look at.
#[derive(Args, Debug)]
pub struct Options {
    /// The feature plan of the pool: what it cannot do is an error.
    #[arg(long, value_enum, value_name = "PLAN")]
    pub plan: Option<PlanName>,
    /// From which finding on the exit code is 4.
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// The rule files.
    #[arg(value_name = "FILE", default_value = USUAL_PLACE)]
    pub files: Vec<PathBuf>,
}

/// A feature plan of a user pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanName {
    /// The cheapest: token events of version 1.
    Lite,
    /// All versions of token events.
    Essentials,
    /// That, and threat protection.
    Plus,
}

impl PlanName {
    fn plan(self) -> Plan {
        match self {
            Self::Lite => Plan::Lite,
            Self::Essentials => Plan::Essentials,
            Self::Plus => Plan::Plus,
        }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    files: Vec<CheckedFile>,
    #[serde(skip)]
    fail_on: FailOn,
}

/// What was found in one file.
#[derive(Debug, Serialize)]
struct CheckedFile {
    file: String,
    findings: Vec<Placed>,
    /// What the added claims can take; `None` while the file cannot be read.
    capacity: Option<[Capacity; 2]>,
    /// What each version of the token event can carry.
    versions: Option<[Carried; 3]>,
    #[serde(skip)]
    text: String,
}

/// A finding with its place in the file.
#[derive(Debug, Serialize)]
struct Placed {
    #[serde(flatten)]
    finding: Finding,
    line: usize,
    column: usize,
    #[serde(skip)]
    span: std::ops::Range<usize>,
}

/// Looks at the files.
pub(crate) fn run(options: &Options) -> Result<Checked, Failure> {
    let files = options.files.iter().map(|path| look(path, options.plan)).collect::<Result<_, _>>()?;
    Ok(Checked { files, fail_on: options.fail_on })
}

fn look(path: &Path, plan: Option<PlanName>) -> Result<CheckedFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let file = path.display().to_string();
    match Rules::read(&text) {
        Err(problems) => {
            let findings = problems.iter().map(refused).collect();
            Ok(CheckedFile { file, findings, capacity: None, versions: None, text })
        }
        Ok(rules) => {
            let of_plan = plan.map(|plan| lint::of_plan(&rules, plan.plan())).unwrap_or_default();
            let all = lint::findings(&rules).into_iter().chain(of_plan);
            let mut findings: Vec<Placed> = all.map(|finding| placed(&text, finding)).collect();
            findings.sort_by_key(|placed| (placed.line, placed.column));
            let (capacity, versions) = (Some(lint::capacities(&rules)), Some(lint::carried(&rules)));
            Ok(CheckedFile { file, findings, capacity, versions, text })
        }
    }
}

fn placed(text: &str, finding: Finding) -> Placed {
    let place = place_of(text, &finding.subject);
    Placed { finding, line: place.line, column: place.column, span: place.span }
}

/// A problem for which the functions refuse the file.
fn refused(problem: &Problem) -> Placed {
    let Problem { path, line, column, span, message } = problem.clone();
    let finding = Finding {
        code: "RulesRefused".to_owned(),
        severity: Severity::Error,
        subject: path,
        message,
        why: String::new(),
        fix: String::new(),
    };
    Placed { finding, line, column, span }
}

impl Checked {
    fn all(&self) -> impl Iterator<Item = &Finding> + Clone {
        self.files.iter().flat_map(|file| file.findings.iter().map(|placed| &placed.finding))
    }
}

impl Answer for Checked {
    fn text(&self, paint: Paint) -> String {
        self.files.iter().map(|file| render::file(file, paint)).collect()
    }

    fn outcome(&self) -> Outcome {
        self.fail_on.outcome(self.all())
    }

    fn findings(&self) -> Vec<Located<'_>> {
        self.files.iter().flat_map(CheckedFile::located).collect()
    }
}

impl CheckedFile {
    fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.findings.iter().map(|placed| {
            let Placed { finding, line, column, .. } = placed;
            Located { finding, file: &self.file, place: (*line, *column) }
        })
    }
}
