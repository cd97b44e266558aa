//! What the suite means to reach, and whether it does.

use std::fmt::Write as _;

use super::figures::Times;
use super::report::{Report, bytes};

/// What the platform takes: the start of a function, above that of the runtime
/// alone, and its warm calls.
const AUTHORIZER_START: f64 = 1.8;
const AUTHORIZER_CPU: f64 = 1.25;
const AUTHORIZER_RESIDENT_MB: f64 = 7.0;
const AUTHORIZER_ZIPPED_MB: f64 = 1.6;
const TRIGGER_START: f64 = 3.5;
const TRIGGER_CPU: f64 = 2.5;
const RESIDENT_MB: f64 = 16.0;
const ZIPPED_MB: f64 = 4.5;
const RULES_START_MS: f64 = 1.5;
const RULES_CPU: f64 = 1.10;

/// The triggers, on events for which they call AWS.
const TRIGGERS: [&str; 4] = ["pre-sign-up, federated", "post-confirmation", "pre-token-generation", "user-migration"];

/// How often a warm call waits for AWS, at least and at most: with fewer, something
/// else was measured than is meant. Calls side by side are one round trip.
const ROUND_TRIPS: [(&str, f64, f64); 7] = [
    ("authorizer", 0.0, 0.0),
    ("authorizer, revocation", 1.0, 1.0),
    ("pre-sign-up", 0.0, 0.0),
    ("pre-sign-up, federated", 1.0, 1.0),
    ("post-confirmation", 1.0, 2.0),
    ("pre-token-generation", 1.0, 1.0),
    ("user-api", 1.0, 1.0),
];

/// One goal: what is measured, what it came to, and the least and the most that it may.
struct Goal {
    what: String,
    value: f64,
    least: f64,
    most: f64,
    unit: &'static str,
}

/// The goals in a table.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::from("\n### Goals\n\n| | goal, at most | measured | |\n| --- | ---: | ---: | --- |\n");
    for Goal { what, value, least, most, unit } in goals(report) {
        let verdict = if (least..=most).contains(&value) { "reached" } else { "**missed**" };
        let _ = writeln!(text, "| {what} | {most} {unit} | {value:.2} {unit} | {verdict} |");
    }
    text
}

fn goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |what: String, value: f64, most: f64, unit: &'static str| {
        goals.push(Goal { what, value, least: f64::NEG_INFINITY, most, unit })
    };
    let Some(authorizer) = report.authorizer.as_ref() else { return goals };
    let start: fn(&Times) -> f64 = |times| times.start.median;
    let cpu: fn(&Times) -> f64 = |times| times.cpu.median;

    add("authorizer, start".to_owned(), authorizer.ratio(start), AUTHORIZER_START, "x floor");
    if authorizer.own.start_128.is_some() {
        let ratio = authorizer.ratio(|times| times.start_128.map_or(f64::NAN, |start| start.median));
        add("authorizer, start at 128 MB".to_owned(), ratio, AUTHORIZER_START, "x floor");
    }
    add("authorizer, warm CPU".to_owned(), authorizer.ratio(cpu), AUTHORIZER_CPU, "x floor");
    add("authorizer, resident".to_owned(), megabytes(authorizer.resident), AUTHORIZER_RESIDENT_MB, "MB");
    add("authorizer, zipped".to_owned(), megabytes(authorizer.zipped.unwrap_or(u64::MAX)), AUTHORIZER_ZIPPED_MB, "MB");
    for one in report.functions.iter().filter(|one| TRIGGERS.contains(&one.name.as_str())) {
        add(format!("{}, start", one.name), one.ratio(start), TRIGGER_START, "x floor");
        add(format!("{}, warm CPU", one.name), one.ratio(cpu), TRIGGER_CPU, "x floor");
    }
    for one in &report.functions {
        add(format!("{}, resident", one.name), megabytes(one.resident), RESIDENT_MB, "MB");
        add(format!("{}, zipped", one.name), megabytes(one.zipped.unwrap_or(u64::MAX)), ZIPPED_MB, "MB");
    }
    for one in &report.rules {
        let more = (start(&one.own) - start(&one.beside)) / 1e3;
        add(format!("{}, start", one.name), more, RULES_START_MS, "ms more");
        add(format!("{}, warm CPU", one.name), one.ratio(cpu), RULES_CPU, "x 10 rules");
    }
    let all = || report.authorizer.iter().chain(&report.revocation).chain(&report.functions);
    for (name, least, most) in ROUND_TRIPS {
        if let Some(one) = all().find(|one| one.name == name) {
            let what = format!("{name}, waits for AWS");
            goals.push(Goal { what, value: one.round_trips, least, most, unit: "a call" });
        }
    }
    goals
}

fn megabytes(size: u64) -> f64 {
    bytes(size) / 1e6
}
