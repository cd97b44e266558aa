//! What was changed, or would be.

use std::fmt::Write as _;

use attachment::Report;
use serde::Serialize;
use serde_json::Value;
use shared::attachment::{Change, Held, Warning};

use crate::output::{Answer, Outcome, Paint};

/// What was changed, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pool: String,
    /// Nothing was changed; it was only asked for.
    planned: bool,
    changes: Vec<Change>,
    warnings: Vec<Said>,
    #[serde(skip)]
    left_out: bool,
}

#[derive(Debug, Serialize)]
struct Said {
    code: &'static str,
    message: String,
}

impl Summary {
    pub(super) fn new(pool: &str, planned: bool, report: Report) -> Self {
        let left_out = report.warnings.iter().any(|warning| matches!(warning, Warning::LeftAlone(..)));
        let said = |warning: &Warning| Said { code: warning.code(), message: warning.to_string() };
        let warnings = report.warnings.iter().map(said).collect();
        Self { pool: pool.to_owned(), planned, changes: report.changes, warnings, left_out }
    }
}

impl Answer for Summary {
    fn text(&self, _: Paint) -> String {
        let mut text = String::new();
        let title = match (self.changes.is_empty(), self.planned) {
            (true, _) => "nothing to change",
            (false, true) => "would change",
            (false, false) => "changed",
        };
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{}: {title}", self.pool);
        for change in &self.changes {
            let _ = writeln!(text, "  {}", change.slot);
            for (sign, held) in [('-', &change.before), ('+', &change.after)] {
                for line in lines(held) {
                    let _ = writeln!(text, "  {sign} {line}");
                }
            }
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "warning: {} ({})", warning.message, warning.code);
        }
        text
    }

    fn outcome(&self) -> Outcome {
        if self.left_out { Outcome::Partial } else { Outcome::Done }
    }
}

/// A line for each member, in the API's own words.
fn lines(held: &Held) -> Vec<String> {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    held.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect()
}
