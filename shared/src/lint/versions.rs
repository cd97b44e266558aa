//! What each version of the token event can carry, and which plans have it.

use serde::Serialize;

use crate::claims::{EventVersion, Source, TokenKind};
use crate::findings::{Finding, Findings};
use crate::rules::{Problems, Rules};

/// What one version of the token event makes of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// As `token_version` has it.
    pub token_version: &'static str,
    /// As the pool's `PreTokenGenerationConfig` and the template's parameter
    /// TokenEventVersion have it.
    pub event_version: &'static str,
    /// The feature plans that have it.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-sign-in-feature-plans.html>
    pub plans: &'static [&'static str],
    /// Whether these rules ask for it.
    pub chosen: bool,
    /// What it cannot carry.
    pub lost: Vec<Lost>,
}

/// One thing that a version cannot carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The key of the rule file.
    pub path: String,
    /// The claim or the scopes.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A feature plan of a user pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The cheapest: token events of version 1.
    Lite,
    /// All versions of token events.
    Essentials,
    /// That, and threat protection.
    Plus,
}

/// What a pool on this plan cannot do of what the rules ask for.
pub fn of_plan(rules: &Rules, plan: Plan) -> Vec<Finding> {
    let mut findings = Findings::default();
    if plan == Plan::Lite && rules.claims.token_version > EventVersion::V1 {
        let [v1, ..] = carried(rules);
        let mut names: Vec<&str> = v1.lost.iter().map(|lost| lost.what.as_str()).collect();
        names.dedup();
        let why = match names.as_slice() {
            [] => "Lite has token events of version v1 only, which would carry everything here".to_owned(),
            names => format!("Lite has token events of version v1 only, which cannot carry {}", names.join(", ")),
        };
        let fix = "choose Essentials or Plus, or token_version = \"v1\"";
        findings.error("PlanTooSmall", "claims.token_version", ["asks for more than the plan has", &why, fix]);
    }
    findings.into_vec()
}

/// What each version, from the oldest on, makes of these rules.
pub fn carried(rules: &Rules) -> [Carried; 3] {
    const ESSENTIALS: &[&str] = &["ESSENTIALS", "PLUS"];
    let one = |version, token_version, event_version, plans| {
        let chosen = rules.claims.token_version == version;
        Carried { token_version, event_version, plans, chosen, lost: lost(rules, version) }
    };
    [
        one(EventVersion::V1, "v1", "V1_0", &["LITE", "ESSENTIALS", "PLUS"]),
        one(EventVersion::V2, "v2", "V2_0", ESSENTIALS),
        one(EventVersion::V3, "v3", "V3_0", ESSENTIALS),
    ]
}

/// What a version cannot carry: what the check of a rule file that asks for it
/// would refuse.
fn lost(rules: &Rules, version: EventVersion) -> Vec<Lost> {
    let mut claims = rules.claims.clone();
    claims.token_version = version;
    let mut problems = Problems::default();
    claims.check(&mut problems);
    let mut lost: Vec<Lost> = problems
        .iter()
        .map(|problem| Lost {
            path: problem.path.clone(),
            what: what(rules, &problem.path),
            why: problem.message.clone(),
        })
        .collect();
    if version < EventVersion::V3 {
        for (index, entry) in claims.map.iter().enumerate().filter(|(_, entry)| entry.token.include(TokenKind::Access))
        {
            let for_machines = entry.when.as_ref().and_then(|when| when.source.as_deref())
                == Some("TokenGeneration_ClientCredentials")
                && matches!(entry.from, Source::Constant(_) | Source::List(_));
            if for_machines {
                let why = "the tokens of machine clients are not asked about".to_owned();
                lost.push(Lost { path: format!("claims.map[{index}]"), what: entry.name.clone(), why });
            }
        }
    }
    lost
}

/// The name of the claim at a path such as `claims.map[2].from`.
fn what(rules: &Rules, path: &str) -> String {
    let index = path.strip_prefix("claims.map[").and_then(|rest| rest.split(']').next()).and_then(|n| n.parse().ok());
    let entry = index.and_then(|index: usize| rules.claims.map.get(index));
    entry.map_or_else(|| "scopes and suppressed claims".to_owned(), |entry| entry.name.clone())
}
