//! Findings as SARIF 2.1.0, which code scanning reads.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::findings::{Finding, Severity};

/// A finding with its place.
pub(crate) struct Located<'a> {
    /// The finding.
    pub(crate) finding: &'a Finding,
    /// The file that it is about; for a live resource the file to which scanning
    /// is to tie it.
    pub(crate) file: &'a str,
    /// The line and column, from 1.
    pub(crate) place: (usize, usize),
}

/// One run with all findings.
pub(super) fn document(findings: &[Located<'_>]) -> Value {
    // Each code once, described by its first finding.
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for Located { finding, .. } in findings {
        rules.entry(&finding.code).or_insert_with(|| rule(finding));
    }
    let index = |code: &str| rules.keys().position(|known| *known == code);
    let results: Vec<Value> = findings.iter().map(|located| result(located, index(&located.finding.code))).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "poolhouse",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    let mut rule = json!({
        "id": finding.code,
        "name": finding.code,
        "defaultConfiguration": { "level": level(finding.severity) },
    });
    for (member, text) in [("shortDescription", &finding.why), ("help", &finding.fix)] {
        if let (Some(members), false) = (rule.as_object_mut(), text.is_empty()) {
            members.insert(member.to_owned(), json!({ "text": text }));
        }
    }
    rule
}

fn result(located: &Located<'_>, index: Option<usize>) -> Value {
    let Located { finding, file, place: (line, column) } = located;
    let Finding { code, severity, subject, message, why, fix } = finding;
    let sentences = [format!("{subject}: {message}"), why.clone(), fix.clone()];
    let text = sentences.into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(". ");
    json!({
        "ruleId": code,
        "ruleIndex": index,
        "level": level(*severity),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": file },
                "region": { "startLine": line, "startColumn": column },
            },
            "logicalLocations": [{ "fullyQualifiedName": subject }],
        }],
        "partialFingerprints": { "codeAndSubject/v1": format!("{code} {subject}") },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
