//! How far an import got, in a file beside the input, so that it can go on after
//! whatever stopped it. It holds nothing of a person.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::format::Reader;
use super::options::SignIn;
use crate::output::Failure;

/// What an import is of and where to. Going on with another one would leave rows
/// out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    /// SHA-256 of the input.
    pub(super) input: String,
    /// How it is read.
    pub(super) reader: Reader,
    /// Under which names rows are written.
    pub(super) sign_in: Vec<SignIn>,
    /// Where to.
    pub(super) table_arn: String,
}

/// How far it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Up to which row everything is in the table, or rejected.
    pub(super) row: u64,
    /// How many users were new to the table so far.
    pub(super) new: u64,
    /// How many were there before and have been written anew.
    pub(super) renewed: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    job: Job,
    progress: Progress,
}

/// The file.
pub(super) struct StateFile {
    path: PathBuf,
    job: Job,
}

impl StateFile {
    /// Where the state of an input is kept unless the operator says otherwise.
    pub(super) fn beside(input: &Path) -> PathBuf {
        let mut name = input.as_os_str().to_owned();
        name.push(".import-state.json");
        PathBuf::from(name)
    }

    /// The state of a job.
    pub(super) fn new(path: PathBuf, job: Job) -> Self {
        Self { path, job }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How far an earlier import of this very job got; `None` when there was none.
    pub(super) fn read(&self) -> Result<Option<Progress>, Failure> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(&self.path, error)),
        };
        let unlike = "is not the state of an import of this file, in this way, into this table";
        let hint = "start without --resume, which does no harm, or name the right file with --state";
        let content: Option<Content> = serde_json::from_slice(&text).ok();
        let content = content.filter(|content| content.job == self.job);
        let refused = || Failure::usage("StateUnlike", format!("{} {unlike}; {hint}", self.path.display()));
        content.map(|content| Some(content.progress)).ok_or_else(refused)
    }

    /// Notes how far it got. The old note stays until the new one is whole.
    pub(super) fn write(&self, progress: Progress) -> Result<(), Failure> {
        let content = Content { job: self.job.clone(), progress };
        let text = serde_json::to_vec(&content).map_err(|error| Failure::file(&self.path, error))?;
        let mut beside = self.path.as_os_str().to_owned();
        beside.push(".new");
        let write = |path: &Path| -> std::io::Result<()> {
            fs::File::create(path)?.write_all(&text)?;
            fs::rename(path, &self.path)
        };
        write(Path::new(&beside)).map_err(|error| Failure::file(&self.path, error))
    }

    /// Forgets it, at the end.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::file(&self.path, error)),
            _ => Ok(()),
        }
    }
}
