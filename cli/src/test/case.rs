//! Cases, as they are written in files.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::claims::EventVersion;
use shared::explanation::{Expectation, Situation, User};

use crate::output::Failure;

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// A person, and what is expected of the rules for him.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What the case shows.
    pub(super) name: String,
    /// Who it is.
    #[serde(default)]
    user: User,
    /// The app client.
    client: Option<String>,
    /// The trigger source of the token event.
    source: Option<String>,
    /// The trigger source of the sign-up.
    sign_up_source: Option<String>,
    /// The version of the event, when it is not the one of the rules.
    event_version: Option<EventVersion>,
    /// The scopes that the access token has by itself.
    scopes: Option<Vec<String>>,
    /// The IAM role that the caller asks for.
    custom_role: Option<String>,
    /// What is expected.
    pub(super) expect: Expectation,
}

impl Case {
    /// The person and his requests; what is no request comes back.
    pub(super) fn situation(&self) -> Result<Situation, String> {
        let usual = Situation::of(self.user.clone());
        Ok(Situation {
            client_id: self.client.clone().unwrap_or(usual.client_id),
            source: self.source.clone().unwrap_or(usual.source),
            event_version: self.event_version,
            scopes: self.scopes.clone().unwrap_or(usual.scopes),
            custom_role: self.custom_role.clone(),
            requests: self.expect.requests()?,
            user: usual.user,
        })
    }

    /// How he comes in.
    pub(super) fn comes_by(&self) -> &str {
        self.sign_up_source.as_deref().unwrap_or("PreSignUp_SignUp")
    }
}

/// Every case of a file, or of the files of a directory, by their names.
pub(super) fn read_all(path: &Path) -> Result<Vec<(String, Case)>, Failure> {
    let mut cases = Vec::new();
    for file in files(path)? {
        let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, error))?;
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        let read: Result<CaseFile, String> = if is_json {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        } else {
            toml::from_str(&text).map_err(|error| error.to_string().trim_end().to_owned())
        };
        let read = read.map_err(|error| Failure::usage("CaseUnusable", format!("{}: {error}", file.display())))?;
        cases.extend(read.cases.into_iter().map(|case| (file.display().to_string(), case)));
    }
    Ok(cases)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unusable = |error| Failure::file(path, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unusable)? {
        let file = entry.map_err(unusable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml" || extension == "json") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
