//! `poolhouse explain`: what becomes of one person under the rules, and why.

mod aws;
mod directory;
mod event;
mod options;
mod render;

use serde::Serialize;
use shared::explanation::{Explanation, Newcomer, Situation, explain, newcomer};
use shared::rules::place_of;

pub use options::Options;
pub(crate) use options::long_help;

use crate::output::{Answer, Failure, Outcome, Paint};
use crate::rule_file::RuleFile;

/// The answer.
#[derive(Serialize)]
pub(crate) struct Explained {
    /// What becomes of the sign-up, for somebody who comes for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    newcomer: Option<Newcomer>,
    /// What becomes of his tokens and requests; `None` for an event of a sign-up
    /// that has not been confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(skip)]
    rules: RuleFile,
}

/// What is to be explained.
struct Question {
    situation: Situation,
    /// The trigger source of the sign-up, if that is to be explained.
    sign_up: Option<String>,
    /// Whether there are tokens yet.
    has_tokens: bool,
}

/// Explains what the options say.
pub(crate) fn run(options: &Options) -> Result<Explained, Failure> {
    let rules = RuleFile::read(&options.rules)?;
    let question = question(options)?;
    let user = &question.situation.user;
    let comes = |source: &String| newcomer(&rules.rules, source, user.user_name.as_deref(), &user.attributes);
    Ok(Explained {
        newcomer: question.sign_up.as_ref().map(comes),
        explanation: question.has_tokens.then(|| explain(&rules.rules, &question.situation)),
        rules,
    })
}

/// Gathers what is known: from an event, a pool or a file, and what the flags
/// say besides.
fn question(options: &Options) -> Result<Question, Failure> {
    let mut question = match (&options.event, &options.pool) {
        (Some(path), _) => event::read(path)?,
        (None, Some(pool)) => {
            let name = options.user_name.as_deref().unwrap_or_default();
            let user = aws::user(pool, name, options.table.as_deref())?;
            Question { situation: Situation::of(user), sign_up: None, has_tokens: true }
        }
        (None, None) => {
            let user = options.user.as_deref().map(options::user_file).transpose()?.unwrap_or_default();
            let sign_up = (user.new || options.new).then(|| "PreSignUp_SignUp".to_owned());
            Question { situation: Situation::of(user), sign_up, has_tokens: true }
        }
    };
    options.add_to(&mut question.situation)?;
    Ok(question)
}

impl Explained {
    /// The line of a key in the rule file.
    fn line(&self, key: &str) -> usize {
        place_of(&self.rules.text, key).line
    }
}

impl Answer for Explained {
    fn text(&self, paint: Paint) -> String {
        render::text(self, paint)
    }

    fn outcome(&self) -> Outcome {
        Outcome::Done
    }
}
