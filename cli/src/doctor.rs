//! `poolhouse doctor`: what is dangerous about a live pool, its clients, its
//! identity pool, their roles and the API.

mod api;
mod aws;
mod options;
mod recorder;
mod roles;

use std::fs;

use serde::Serialize;
use shared::findings::Finding;
use shared::inspection::{self, Documents};

pub use options::Options;
pub(crate) use options::long_help;

use crate::aws::on_runtime;
use crate::output::{Answer, FailOn, Failure, Located, Outcome, Paint, counted};
use crate::rule_file::RuleFile;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Diagnosis {
    /// The user pool.
    pool: String,
    /// The rule file that it was compared with.
    rules: Option<String>,
    findings: Vec<Finding>,
    #[serde(skip)]
    fail_on: FailOn,
}

/// Looks at what the options name, and judges it.
pub(crate) fn run(options: &Options) -> Result<Diagnosis, Failure> {
    let rules = options.rules.as_deref().map(RuleFile::read).transpose()?;
    let documents = match &options.documents {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
            serde_json::from_str(&text).map_err(|error| Failure::file(path, error))?
        }
        None => on_runtime(aws::collect(options))?,
    };
    if let Some(path) = &options.save {
        save(path, &documents)?;
    }
    let named = documents.pool.seen().and_then(|pool| pool.get("Id")).and_then(|id| id.as_str());
    Ok(Diagnosis {
        pool: options.pool.clone().or_else(|| named.map(str::to_owned)).unwrap_or_default(),
        rules: options.rules.as_ref().map(|path| path.display().to_string()),
        findings: inspection::findings(&documents, rules.as_ref().map(|file| &file.rules)),
        fail_on: options.fail_on,
    })
}

fn save(path: &std::path::Path, documents: &Documents) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(documents).map_err(|error| Failure::file(path, error))?;
    fs::write(path, text + "\n").map_err(|error| Failure::file(path, error))
}

impl Answer for Diagnosis {
    fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let Finding { code, severity, subject, message, why, fix } = finding;
            let title = paint.severity(*severity, format!("{}[{code}]", severity.as_str()));
            text.push_str(&format!("{title} {}\n  {message}\n", paint.bold(subject)));
            text.push_str(&format!("  {} {why}\n  {} {fix}\n\n", paint.dim("why:"), paint.dim("fix:")));
        }
        let counts = counted(self.findings.iter());
        text.push_str(&format!("{}: {counts}\n", paint.bold(&self.pool)));
        if self.rules.is_none() {
            let hint = "with --rules, the pool is compared with a rule file too";
            text.push_str(&format!("{}\n", paint.dim(hint)));
        }
        text
    }

    fn outcome(&self) -> Outcome {
        self.fail_on.outcome(self.findings.iter())
    }

    fn findings(&self) -> Vec<Located<'_>> {
        let file = self.rules.as_deref().unwrap_or("template.yaml");
        self.findings.iter().map(|finding| Located { finding, file, place: (1, 1) }).collect()
    }
}
