//! `poolhouse test`: a directory of cases against a rule file, so that operators
//! keep their rules under test.

mod case;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use shared::explanation::{Mismatch, explain, newcomer};

use crate::arguments::EXIT_CODES;
use crate::output::{Answer, Failure, Outcome, Paint};
use crate::rule_file::{RuleFile, USUAL_PLACE};
use case::Case;

const EXAMPLES: &str = "\
A case is a person and what is expected of the rules for him: tenant, roles,
claims of both tokens, scopes, IAM role, requests that pass and such as do not.
The files end in .toml or .json; rules/cases/ shows what they can say. Needs no
AWS.

Examples:
  The project's own cases:
    poolhouse test
  Other ones, against other rules:
    poolhouse test --rules my-rules.toml my-cases/
  Those whose name speaks of administrators, as JSON:
    poolhouse test --only administrator --output json rules/cases";

/// What the long help ends with.
pub(crate) fn long_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// What to run.
#[derive(Args, Debug)]
pub struct Options {
    /// The rule file.
    #[arg(long, value_name = "FILE", default_value = USUAL_PLACE)]
    pub rules: PathBuf,
    /// Runs only the cases whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// The directory of the cases, or one file of them.
    #[arg(value_name = "DIR", default_value = "rules/cases")]
    pub cases: PathBuf,
}

/// What came out.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    rules: String,
    passed: usize,
    failed: usize,
    cases: Vec<CaseResult>,
}

/// What came out of one case.
#[derive(Debug, Serialize)]
struct CaseResult {
    file: String,
    name: String,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mismatches: Vec<Placed>,
}

/// What is not as expected, with the line of the rule that has the say.
#[derive(Debug, Serialize)]
struct Placed {
    #[serde(flatten)]
    mismatch: Mismatch,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// Runs the cases.
pub(crate) fn run(options: &Options) -> Result<Results, Failure> {
    let rules = RuleFile::read(&options.rules)?;
    let mut cases = Vec::new();
    for (file, case) in case::read_all(&options.cases)? {
        if options.only.as_ref().is_none_or(|text| case.name.contains(text)) {
            cases.push(result(&rules, file, case)?);
        }
    }
    if cases.is_empty() {
        let message = format!("{} holds no case of that name", options.cases.display());
        return Err(Failure::usage("NoCases", message));
    }
    let passed = cases.iter().filter(|case| case.passed).count();
    Ok(Results { rules: options.rules.display().to_string(), passed, failed: cases.len() - passed, cases })
}

fn result(rules: &RuleFile, file: String, case: Case) -> Result<CaseResult, Failure> {
    let situation = case.situation().map_err(|what| {
        let message = format!("{file}: {}: \"{what}\" is not a method and a path", case.name);
        Failure::usage("CaseUnusable", message)
    })?;
    let user = &situation.user;
    let comes = newcomer(&rules.rules, case.comes_by(), user.user_name.as_deref(), &user.attributes);
    let found = case.expect.check(&explain(&rules.rules, &situation), &comes);
    let mismatches: Vec<Placed> = found.into_iter().map(|mismatch| placed(rules, mismatch)).collect();
    Ok(CaseResult { file, name: case.name, passed: mismatches.is_empty(), mismatches })
}

fn placed(rules: &RuleFile, mismatch: Mismatch) -> Placed {
    let key = mismatch.rule.as_deref().and_then(|rule| rule.split(' ').next());
    let place = key.map(|key| rules.line_of(key));
    Placed { mismatch, place }
}

impl Answer for Results {
    fn text(&self, paint: Paint) -> String {
        let count = self.cases.len();
        let mut text = format!("running {count} case{} against {}\n", if count == 1 { "" } else { "s" }, self.rules);
        let mut file = "";
        for case in &self.cases {
            if case.file != file {
                file = &case.file;
                text.push_str(&format!("\n{}\n", paint.bold(file)));
            }
            let mark = if case.passed { paint.good("ok  ") } else { paint.bad("FAIL") };
            text.push_str(&format!("  {mark}  {}\n", case.name));
            for Placed { mismatch, place } in &case.mismatches {
                let Mismatch { what, expected, found, rule } = mismatch;
                text.push_str(&format!("        {what}\n          expected {expected}\n          found    {found}\n"));
                if let (Some(rule), Some(place)) = (rule, place) {
                    text.push_str(&format!("          {}\n", paint.dim(format!("{rule} at {place}"))));
                }
            }
        }
        let word = if self.failed == 0 { paint.good("passed") } else { paint.bad("FAILED") };
        text.push_str(&format!("\n{word}: {} passed, {} failed\n", self.passed, self.failed));
        text
    }

    fn outcome(&self) -> Outcome {
        if self.failed == 0 { Outcome::Done } else { Outcome::Found }
    }
}
