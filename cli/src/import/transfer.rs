//! The second reading, with writing: a thread reads and checks, and is never more
//! than a few rows ahead of what is written.

use std::ops::ControlFlow;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{self, Sender};

use super::aws::LegacyTable;
use super::check::{Accepted, Check};
use super::fingerprint;
use super::options::Options;
use super::rejection::Rejection;
use super::report::Report;
use super::source;
use super::state::{Job, Progress, StateFile};
use super::summary::Summary;
use super::survey::Survey;
use super::writer::Writer;
use crate::output::{Failure, note, progress};

/// How many rows may wait to be written.
const ROWS_AHEAD: usize = 128;

/// A row on its way.
struct Checked {
    row: u64,
    user: Result<Accepted, Rejection>,
}

/// Writes the users of a file to the table.
pub(super) fn run(options: &Options, check: Check, survey: Survey, table: &str) -> Result<Summary, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed("Broken", error.to_string()))?;
    runtime.block_on(async {
        let stopped = tokio::signal::ctrl_c();
        tokio::select! {
            summary = transfer(options, check, survey, table) => summary,
            _ = stopped => Err(Failure::stopped("stopped; what is written stays, --resume goes on from there")),
        }
    })
}

async fn transfer(options: &Options, check: Check, survey: Survey, name: &str) -> Result<Summary, Failure> {
    let table = LegacyTable::connect(name).await?;
    let job = Job {
        input: fingerprint::of_file(&options.file)?,
        reader: check.reader.clone(),
        sign_in: check.sign_in.clone(),
        table_arn: table.arn().await?,
    };
    let state = StateFile::new(options.state.clone().unwrap_or_else(|| StateFile::beside(&options.file)), job);
    let before = start(options, &state)?;
    let mut report = Report::start(options.report.as_deref())?;
    let mut summary = Summary::start(options.format);
    let bar = progress("writing", survey.rows);
    let mut writer = Writer::new(table, state, before);

    let (sender, mut receiver) = mpsc::channel(ROWS_AHEAD);
    let reading = read(options, check, survey, sender);
    while let Some(Checked { row, user }) = receiver.recv().await {
        bar.inc(1);
        match user {
            Ok(user) => {
                summary.accept(&user);
                writer.take(&user.entry).await?;
            }
            Err(rejection) => {
                summary.reject(rejection);
                report.note(row, rejection)?;
            }
        }
    }
    ended(reading)?;
    summary.wrote(name, before, writer.finish().await?);
    bar.finish_and_clear();
    Ok(summary.finish(report.finish()?))
}

/// Where to begin.
fn start(options: &Options, state: &StateFile) -> Result<Progress, Failure> {
    if options.resume {
        return Ok(state.read()?.unwrap_or_default());
    }
    if state.path().exists() {
        note("an earlier import of this file was interrupted; --resume would have gone on, this begins anew");
    }
    Ok(Progress::default())
}

/// Reads in a thread of its own; it ends when the file does, or when nobody
/// takes rows any more.
fn read(options: &Options, check: Check, survey: Survey, sender: Sender<Checked>) -> JoinHandle<Result<(), Failure>> {
    let (path, layout) = (options.file.clone(), options.format.layout());
    thread::spawn(move || {
        source::read(&path, layout, &mut |row| {
            let checked = Checked { row: row.number, user: check.row(&row, &survey) };
            if sender.blocking_send(checked).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    })
}

fn ended(reading: JoinHandle<Result<(), Failure>>) -> Result<(), Failure> {
    reading.join().map_err(|_| Failure::failed("Broken", "the reading thread ended without a result"))?
}
